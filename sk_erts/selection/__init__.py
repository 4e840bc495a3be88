"""Which records are trained: policies, their schedule, and what became of whom."""

from sk_erts.selection._data_dropout import DBPD, SMRD, SRD, KeepAll
from sk_erts.selection._focus_filter import FocusFilter, share_below_gap
from sk_erts.selection._ledger import (
    Ledger,
    SelectionHistory,
    Status,
    takes_gradient,
)
from sk_erts.selection._policy import Policy, Refinement, Scores
from sk_erts.selection._rehearsal import Rehearsal
from sk_erts.selection._sampler import SelectionSampler
from sk_erts.selection._schedule import Schedule
from sk_erts.selection._suspicion import (
    is_ambiguous,
    label_suspicion,
    signal_suspicion,
)

__all__ = [
    "DBPD",
    "SMRD",
    "SRD",
    "FocusFilter",
    "KeepAll",
    "Ledger",
    "Policy",
    "Refinement",
    "Rehearsal",
    "Schedule",
    "Scores",
    "SelectionHistory",
    "SelectionSampler",
    "Status",
    "is_ambiguous",
    "label_suspicion",
    "share_below_gap",
    "signal_suspicion",
    "takes_gradient",
]
