"""Pre-train on records and the reports under them, for few labels and for none."""

from sk_erts.pretraining._normalised import normalise_reports
from sk_erts.pretraining._pairs import PairFit
from sk_erts.pretraining._pretrainer import ECGTextPretrainer
from sk_erts.pretraining._reports import structured_reports
from sk_erts.pretraining._statements import scp_descriptions

__all__ = [
    "ECGTextPretrainer",
    "PairFit",
    "normalise_reports",
    "scp_descriptions",
    "structured_reports",
]
