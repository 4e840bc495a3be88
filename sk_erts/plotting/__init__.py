"""Figures of what a classifier trained on, what it saw in records, how sure it is."""

from sk_erts.plotting._beat_display import BeatAttributionDisplay
from sk_erts.plotting._class_average_display import ClassAverageDisplay
from sk_erts.plotting._ecg_display import ECGDisplay
from sk_erts.plotting._faithfulness_display import FaithfulnessDisplay
from sk_erts.plotting._reliability_display import ReliabilityDisplay
from sk_erts.plotting._risk_coverage_display import RiskCoverageDisplay
from sk_erts.plotting._selection_display import SelectionDisplay

__all__ = [
    "BeatAttributionDisplay",
    "ClassAverageDisplay",
    "ECGDisplay",
    "FaithfulnessDisplay",
    "ReliabilityDisplay",
    "RiskCoverageDisplay",
    "SelectionDisplay",
]
