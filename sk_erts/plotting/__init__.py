"""Figures of what a classifier trained on, and of what it saw in a record."""

from sk_erts.plotting._ecg_display import ECGDisplay
from sk_erts.plotting._selection_display import SelectionDisplay

__all__ = ["ECGDisplay", "SelectionDisplay"]
