"""What may come of a call: it works, or it is refused by a documented error."""

# It is no test, but what tests are made of.
# ruff: noqa: PT017

import re
import warnings

from sklearn.exceptions import DataConversionWarning
from skorch.callbacks import Callback

from sk_erts.exceptions import (
    CheckpointWarning,
    DoubtfulInputWarning,
    ExplanationWarning,
    NonFiniteLossError,
    WeightsWarning,
)

__all__ = ["HasBegun", "refused"]

TOLD = (
    CheckpointWarning,
    DataConversionWarning,
    DoubtfulInputWarning,
    ExplanationWarning,
    WeightsWarning,
)
# What a message must name: a parameter, or what of the records or labels is wrong.
NAMED = re.compile(r"'\w+(\[.*?\])?'|'\w+\*'|\b[Xy]\b|array|sample|label|data|dtype")


class HasBegun(Callback):
    """Note that a training has begun; deep copies note it in the same place."""

    def __init__(self):
        self.times = []

    def __deepcopy__(self, memo):
        return self

    def on_train_begin(self, net, **kwargs):
        self.times.append(1)


def refused(call, begun=None):
    """Return None and what a call returns, or the error by which it is refused.

    An error must be documented, and name what is wrong; if it is not a loss that is no
    number, no training must have begun. All but the package's own warnings are errors.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for told in TOLD:
            warnings.simplefilter("ignore", told)
        try:
            return None, call()
        except (ValueError, TypeError) as error:
            assert NAMED.search(str(error)), f"{error!r} names nothing"
            if begun is not None and not isinstance(error, NonFiniteLossError):
                assert not begun.times, f"{error!r} came late"
            return error, None
