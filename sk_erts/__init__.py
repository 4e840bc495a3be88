"""ECG networks trained on fewer records, in the manner of scikit-learn."""

from sk_erts._classifier import ERTSClassifier

__all__ = ["ERTSClassifier", "__version__"]

__version__ = "0.1.0"
