"""Transformers of records: filters, sampling, length, leads, scale, dimensions."""

from sk_erts.preprocessing._filters import BandPass, Notch, RemoveBaseline
from sk_erts.preprocessing._flatten import Flatten, Unflatten
from sk_erts.preprocessing._lead_choice import SelectLeads
from sk_erts.preprocessing._sampling import FixLength, Resample
from sk_erts.preprocessing._scale import Standardize

__all__ = [
    "BandPass",
    "FixLength",
    "Flatten",
    "Notch",
    "RemoveBaseline",
    "Resample",
    "SelectLeads",
    "Standardize",
    "Unflatten",
]
