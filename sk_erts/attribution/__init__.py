"""Why this class? Maps of the evidence in a record, and how focused they are."""

from sk_erts.attribution._class_activation import gradcam, gradcam_plus_plus, hirescam
from sk_erts.attribution._deeplift import deeplift
from sk_erts.attribution._gradcam import GradCAM
from sk_erts.attribution._gradient_shap import gradient_shap
from sk_erts.attribution._guided_gradcam import guided_gradcam
from sk_erts.attribution._input_x_gradient import input_x_gradient
from sk_erts.attribution._integrated_gradients import integrated_gradients
from sk_erts.attribution._intrinsic import intrinsic
from sk_erts.attribution._occlusion import occlusion
from sk_erts.attribution._randomise import randomise_weights
from sk_erts.attribution._registry import METHODS
from sk_erts.attribution._saliency import saliency
from sk_erts.selection._focus_measures import (
    FOCUS_MEASURES,
    entropy,
    get_focus_measure,
    gini,
    positive_share,
    strength,
    support,
    top_mass,
    top_mean,
)

__all__ = [
    "FOCUS_MEASURES",
    "METHODS",
    "GradCAM",
    "deeplift",
    "entropy",
    "get_focus_measure",
    "gini",
    "gradcam",
    "gradcam_plus_plus",
    "gradient_shap",
    "guided_gradcam",
    "hirescam",
    "input_x_gradient",
    "integrated_gradients",
    "intrinsic",
    "occlusion",
    "positive_share",
    "randomise_weights",
    "saliency",
    "strength",
    "support",
    "top_mass",
    "top_mean",
]
