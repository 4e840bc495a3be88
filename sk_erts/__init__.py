"""ECG networks trained on fewer records, in the manner of scikit-learn."""

import typing

if typing.TYPE_CHECKING:
    from sk_erts._classifier import ERTSClassifier
    from sk_erts._training.explain import explain

__all__ = ["ERTSClassifier", "__version__", "explain"]

__version__ = "0.1.0"


def __getattr__(name: str) -> typing.Any:
    # torch takes seconds to import: a process that only reads records does without.
    if name == "ERTSClassifier":
        from sk_erts._classifier import ERTSClassifier

        return ERTSClassifier
    if name == "explain":
        from sk_erts._training.explain import explain

        return explain
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), "ERTSClassifier", "explain"])
