"""Which records are trained: policies, their schedule, and what became of whom."""

from sk_erts.selection._data_dropout import DBPD, SMRD, SRD, KeepAll
from sk_erts.selection._focus_filter import FocusFilter
from sk_erts.selection._focus_measures import Evidence, MapMeasure
from sk_erts.selection._gap import share_below_gap
from sk_erts.selection._hardness_filter import HardnessFilter
from sk_erts.selection._infobatch import InfoBatch
from sk_erts.selection._judge import Judge, Known
from sk_erts.selection._judges import JUDGES, as_judge
from sk_erts.selection._ledger import (
    Ledger,
    SelectionHistory,
    Status,
    is_doubted,
    takes_gradient,
)
from sk_erts.selection._looks import Looks
from sk_erts.selection._policy import Policy, Refinement, Scores
from sk_erts.selection._random_filter import RandomFilter
from sk_erts.selection._rehearsal import Rehearsal
from sk_erts.selection._reliability import Reliability
from sk_erts.selection._sampler import SelectionSampler
from sk_erts.selection._schedule import Schedule
from sk_erts.selection._selective_backprop import SelectiveBackprop
from sk_erts.selection._suspicion import (
    is_ambiguous,
    label_suspicion,
    signal_suspicion,
)

__all__ = [
    "DBPD",
    "JUDGES",
    "SMRD",
    "SRD",
    "Evidence",
    "FocusFilter",
    "HardnessFilter",
    "InfoBatch",
    "Judge",
    "KeepAll",
    "Known",
    "Ledger",
    "Looks",
    "MapMeasure",
    "Policy",
    "RandomFilter",
    "Refinement",
    "Rehearsal",
    "Reliability",
    "Schedule",
    "Scores",
    "SelectionHistory",
    "SelectionSampler",
    "SelectiveBackprop",
    "Status",
    "as_judge",
    "is_ambiguous",
    "is_doubted",
    "label_suspicion",
    "share_below_gap",
    "signal_suspicion",
    "takes_gradient",
]
