"""Why this class? Class activation maps over time, and how focused they are."""

from sk_erts.attribution._focus import (
    FOCUS_MEASURES,
    entropy,
    get_focus_measure,
    gini,
    positive_share,
    strength,
    top_mass,
    top_mean,
)
from sk_erts.attribution._gradcam import GradCAM
from sk_erts.attribution._maps import gradcam

__all__ = [
    "FOCUS_MEASURES",
    "GradCAM",
    "entropy",
    "get_focus_measure",
    "gini",
    "gradcam",
    "positive_share",
    "strength",
    "top_mass",
    "top_mean",
]
