"""Which callbacks tell others of a training, and change nothing."""

import pytest
from skorch.callbacks import Callback, EarlyStopping, EpochScoring, PrintLog

from sk_erts import ERTSClassifier
from sk_erts._training.callback_state import shows_only
from sk_erts._training.progress import ProgressCallback
from tests.conftest import bumps


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


class Counts(Callback):
    n = 0

    def on_epoch_end(self, net, **kwargs):
        self.n += 1


@pytest.mark.parametrize("pair", [tuple, list])
def test_a_pair_with_a_name_may_be_a_list(pair):
    X, y, _ = bumps(40)
    counts = Counts()
    params = {"module__width": 4, "max_epochs": 1, "verbose": 0}
    ERTSClassifier(**params, callbacks=[pair(("counts", counts))]).fit(X, y)
    assert counts.n == 0  # a copy was called, as of one without a name
    assert shows_only(pair(("log", PrintLog())))
