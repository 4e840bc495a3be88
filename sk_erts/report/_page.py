"""A page that shows, writes and explains itself by tables."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["Report"]


class Report:
    """A page about a classifier, and the tables behind it, as `report` makes it.

    In a notebook it shows itself.

    Parameters
    ----------
    html : str
        The page.
    tables : mapping of str to DataFrame
        What stands in it.
    title : str
        Of the page.

    Attributes
    ----------
    html : str
        The page; all that it needs is in it.
    tables : dict of str to DataFrame
        ``"classes"``, ``"confusion"``, ``"calibration"``, ``"parameters"``,
        ``"gallery"``; ``"subgroups"``, ``"selection"`` and ``"explanations"`` where
        there is such a section. Ends of intervals have columns of their own
        (``"auroc_low"``, ``"auroc_high"``), and NaN is what is not defined.
    title : str
        Of the page.

    See Also
    --------
    report : Makes one.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from sk_erts.report import Report
    >>> page = Report("<!doctype html>...", {"classes": pd.DataFrame()}, "My network")
    >>> page
    Report('My network', 0 kB)
    >>> page.save(tempfile.mkdtemp() + "/report.html").name
    'report.html'
    """

    def __init__(self, html: str, tables: Mapping[str, Any], title: str) -> None:
        self.html = html
        self.tables = dict(tables)
        self.title = title

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file.

        Parameters
        ----------
        path : str or path-like
            The file, usually with the suffix ``.html``.

        Returns
        -------
        path : Path
            The same.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        file = Path(path)
        file.write_text(self.html, encoding="utf-8")
        return file

    def _repr_html_(self) -> str:
        """Return the page in a frame: it and the notebook leave each other be."""
        return (
            f'<iframe title="{html.escape(self.title)}" sandbox="allow-scripts '
            'allow-modals" style="width:100%;height:85vh;border:1px solid #8888" '
            f'srcdoc="{html.escape(self.html)}"></iframe>'
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.title!r}, {len(self.html) // 1000:,} kB)"
