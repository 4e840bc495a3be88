"""One self-contained HTML page about a trained classifier."""

from sk_erts.report._page import Report
from sk_erts.report._report import report

__all__ = ["Report", "report"]
