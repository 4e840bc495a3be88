"""ECG networks trained on fewer records, in the manner of scikit-learn."""

import importlib
import typing

if typing.TYPE_CHECKING:
    from sk_erts._classifier import ERTSClassifier
    from sk_erts._ensemble import DeepEnsemble
    from sk_erts._training.checkpoint import Checkpoint
    from sk_erts._training.explain import explain

__all__ = ["Checkpoint", "DeepEnsemble", "ERTSClassifier", "__version__", "explain"]

__version__ = "0.2.0"

# torch takes seconds to import: a process that only reads records does without.
_MADE_IN = {
    "Checkpoint": "sk_erts._training.checkpoint",
    "DeepEnsemble": "sk_erts._ensemble",
    "ERTSClassifier": "sk_erts._classifier",
    "explain": "sk_erts._training.explain",
}


def __getattr__(name: str) -> typing.Any:
    if name in _MADE_IN:
        return getattr(importlib.import_module(_MADE_IN[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_MADE_IN])
