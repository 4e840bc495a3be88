"""Which callbacks tell others of a training, and change nothing."""

import pytest
from skorch.callbacks import EarlyStopping, EpochScoring, PrintLog

from sk_erts._training.callback_state import shows_only
from sk_erts._training.progress import ProgressCallback


@pytest.mark.parametrize(
    ("callback", "shows"),
    [
        (PrintLog(), True),
        (("print", PrintLog()), True),
        (ProgressCallback(3), True),
        (EarlyStopping(), False),
        (("scored", EpochScoring("accuracy")), False),
    ],
)
def test_those_that_only_show(callback, shows):
    assert shows_only(callback) is shows
