"""Searches and validations on a cluster end as they do without one."""

import os
import pickle
from contextlib import contextmanager
from itertools import chain

import joblib
import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, cross_validate
from skorch.callbacks import Callback

from sk_erts import ERTSClassifier
from sk_erts._training.caller import loop_around
from sk_erts.datasets import to_memmap
from tests.conftest import bumps

pytestmark = pytest.mark.cluster

TRIED = {"focus_threshold": [0.05, 0.9]}
# joblib moves each array of more than 1,000 bytes by itself: so it does here with
# signals, labels and the rows of a training part.
N_RECORDS, N_TRAINED = 150, 130
ROWS = [
    (np.arange(N_TRAINED), np.arange(N_TRAINED, N_RECORDS)),
    (np.arange(N_RECORDS - N_TRAINED, N_RECORDS), np.arange(N_RECORDS - N_TRAINED)),
]


def where(estimator, X, y):
    """Return which process asks, as if it were a score."""
    return os.getpid()


SCORING = {"loss": "neg_log_loss", "process": where}


@pytest.fixture(autouse=True)
def one_thread():
    """Let this process sum as workers do: they have one thread each."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def data():
    X, y, _ = bumps(N_RECORDS)
    y[::6] = (y[::6] + 1) % 3  # wrong labels: something to put aside
    return X, y


@pytest.fixture(scope="module")
def packed(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "ecg.npy"
    return to_memmap(data[0], path, dtype="int16")


@contextmanager
def a_cluster(n_workers, n_threads=1):
    """Yield a client of worker processes on this machine, and close them."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=n_workers,
            threads_per_worker=n_threads,
            processes=True,
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        try:
            yield client
        finally:
            # One that is just being started again would not let the cluster close.
            client.wait_for_workers(n_workers, timeout=60)


@pytest.fixture(scope="module")
def dask():
    with a_cluster(2) as client:
        yield client


@pytest.fixture
def clf(small):
    return ERTSClassifier(**small | {"max_epochs": 4, "confidence_threshold": 0.3})


def search(clf, X, y):
    """Return what a search over few trainings found."""
    by = {"scoring": SCORING, "refit": False, "cv": ROWS, "n_jobs": 2}
    return GridSearchCV(clf, TRIED, **by).fit(X, y).cv_results_


def told(results, name):
    """Return what each test part gave: (settings, folds)."""
    return np.array([results[f"split{fold}_test_{name}"] for fold in range(2)]).T


@pytest.fixture(scope="module")
def alone():
    """Return a function that gives the scores of a search in this process."""
    known = {}

    def alone(clf, X, y):
        if id(X) not in known:
            with joblib.parallel_config("sequential"):
                results = search(clf, X, y)
            assert (told(results, "process") == os.getpid()).all()
            losses = told(results, "loss")
            assert (losses[0] != losses[1]).all()  # the settings differ
            known[id(X)] = losses
        return known[id(X)]

    return alone


@pytest.mark.parametrize("scattered", [False, True])
def test_dask_searches_to_the_same_scores(dask, data, clf, alone, scattered):
    X, y = data
    with joblib.parallel_config("dask", scatter=[X, y] if scattered else None):
        results = search(clf, X, y)
    np.testing.assert_array_equal(told(results, "loss"), alone(clf, X, y))
    workers = set(dask.run(os.getpid).values())
    assert os.getpid() not in workers
    assert set(told(results, "process").ravel()) <= workers


def test_dask_workers_open_a_file_themselves(dask, data, packed, clf, alone):
    _, y = data
    with joblib.parallel_config("dask", scatter=[packed, y]):
        results = search(clf, packed, y)
    np.testing.assert_array_equal(told(results, "loss"), alone(clf, packed, y))
    assert os.getpid() not in told(results, "process")


def test_dask_validates_to_the_same_scores(dask, data, clf):
    X, y = data
    by = {"cv": ROWS, "scoring": SCORING, "n_jobs": 2}
    with joblib.parallel_config("dask", scatter=[X, y]):
        on_workers = cross_validate(clf, X, y, **by)
    with joblib.parallel_config("sequential"):
        here = cross_validate(clf, X, y, **by)
    np.testing.assert_array_equal(on_workers["test_loss"], here["test_loss"])
    assert os.getpid() not in on_workers["test_process"]


def test_a_training_on_a_dask_worker_knows_of_the_loop(dask):
    with joblib.parallel_config("dask"):
        (name,) = Parallel(n_jobs=2)([delayed(loop_around)()])
    assert name == "joblib._dask"


@pytest.fixture
def sent(dask, monkeypatch):
    """Count the bytes that client and scheduler write to the network."""
    from distributed.comm.tcp import TCP

    written = []
    write = TCP.write

    async def count(comm, *args, **kwargs):
        written.append(await write(comm, *args, **kwargs))
        return written[-1]

    monkeypatch.setattr(TCP, "write", count)
    return written


@pytest.mark.parametrize("kind", ["array", "float32", "int16"])
def test_a_search_sends_files_of_16_bits_by_name(sent, tmp_path, kind):
    X = np.random.default_rng(0).normal(size=(200, 12, 500)).astype(np.float32)
    y = np.arange(200) % 2
    records = X if kind == "array" else to_memmap(X, tmp_path / "x.npy", dtype=kind)
    guess = GridSearchCV(DummyClassifier(), {"strategy": ["prior", "uniform"]}, cv=3)
    with joblib.parallel_config("dask", scatter=[records, y]):
        guess.fit(records, y)
    if kind == "int16":
        assert len(pickle.dumps(records)) < 3_000 < X.nbytes / 1_000
        assert len(pickle.dumps(records[:20])) < 1_000
        assert sum(sent) < X.nbytes / 20
    else:  # numpy sends a memory map as what it holds
        # To the scheduler once, and to one worker, which hands it on.
        assert 2 * X.nbytes < sum(sent) < 3.2 * X.nbytes


class DiesOnce(Callback):
    """End a worker process in the second epoch, unless another one did so."""

    def __init__(self, marker, spared):
        self.marker = marker
        self.spared = spared

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 2 and os.getpid() != self.spared:
            try:
                os.close(os.open(self.marker, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return
            os._exit(1)


def test_a_dask_worker_that_dies_costs_nothing_if_each_has_all(
    data, clf, alone, tmp_path
):
    X, y = data
    marker = tmp_path / "died"
    dying = clf.set_params(callbacks=[DiesOnce(str(marker), spared=os.getpid())])
    with a_cluster(2) as client:
        client.amm.stop()  # else it drops copies that no worker asks for just now
        with joblib.parallel_config("dask", scatter=[X, y, *chain(*ROWS)]):
            results = search(dying, X, y)
    assert marker.exists()
    np.testing.assert_array_equal(
        told(results, "loss"), alone(clf.set_params(callbacks=None), X, y)
    )


def test_what_only_a_dead_dask_worker_had_is_an_error(data, clf, tmp_path):
    from distributed.client import FutureCancelledError

    clf.set_params(callbacks=[DiesOnce(str(tmp_path / "died"), spared=os.getpid())])
    with (
        a_cluster(1, n_threads=2),  # of one thread joblib makes no use
        joblib.parallel_config("dask"),
        pytest.raises(FutureCancelledError, match="_fit_and_score.* cancelled"),
    ):
        search(clf, *data)
