"""ECG records to learn from: synthetic ones, and PTB-XL read from disk."""

from sk_erts.datasets._leads import STANDARD_LEADS
from sk_erts.datasets._ptbxl import load_ptbxl
from sk_erts.datasets._synthetic import make_ecg

__all__ = ["STANDARD_LEADS", "load_ptbxl", "make_ecg"]
