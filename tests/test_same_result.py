"""The same seed gives the same network, wherever the records lie and who reads them.

To the last bit, but for what sums in another order: several threads, and GPUs. Of two
processes see `training/test_precision.py`, of one training in several
`training/test_processes.py`, of a cluster `test_clusters.py`, of probabilities by batch
`test_classifier.py`.
"""

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV
from torch.utils.data import TensorDataset

from sk_erts import ERTSClassifier
from sk_erts.datasets import open_records, to_memmap
from tests.conftest import bumps
from tests.fuzz.cases import Pairs

TINY = {"module__width": 4, "module__blocks": (1, 1), "module__kernel_size": 5}
SAME = TINY | {"batch_size": 16, "random_state": 0, "verbose": 0}


def trained(X, y, n_threads=1, **params):
    """Return the choices, weights and probabilities of a training."""
    threads = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    given = SAME | {"max_epochs": 12, "lr": 0.01, "looks__first_step": 10}
    given |= {"looks__renewal_interval": 30}  # several choices per epoch
    try:
        clf = ERTSClassifier(**given | params).fit(X, y)
    finally:
        torch.set_num_threads(threads)
    weights = [part.numpy() for part in clf.net_.module_.state_dict().values()]
    proba = clf.predict_proba(bumps(20, seed=1)[0])
    return {"status": clf.selection_.status, "proba": proba} | dict(enumerate(weights))


def assert_same(one, other):
    for name, values in one.items():
        np.testing.assert_array_equal(other[name], values, err_msg=str(name))


@pytest.fixture(scope="module")
def data():
    X, y, _ = bumps(120)
    y[::10] = (y[::10] + 1) % 3  # some are wrong, and so judged
    return X, y


@pytest.fixture(scope="module")
def reference(data):
    found = trained(*data)
    assert len(np.unique(found["status"])) > 2  # there is something to be the same in
    return found


def memory_map(X, y, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r"), y


SOURCES = {
    "in double precision": lambda X, y, folder: (X.astype(float), y),
    "in Fortran's order": lambda X, y, folder: (np.asfortranarray(X), y),
    "of the other byte order": lambda X, y, folder: (X.astype(">f4"), y),
    "a list of arrays": lambda X, y, folder: (list(X), y),
    "a tensor": lambda X, y, folder: (torch.from_numpy(X), torch.from_numpy(y)),
    "a memory map": memory_map,
    "a packed file": lambda X, y, folder: (to_memmap(X, folder / "packed.npy"), y),
    "a file opened": lambda X, y, folder: (
        open_records(to_memmap(X, folder / "again.npy").filename),
        y,
    ),
    "a data set of pairs": lambda X, y, folder: (Pairs(X, y), None),
    "a data set of tensors": lambda X, y, folder: (
        TensorDataset(torch.from_numpy(X), torch.from_numpy(y)),
        None,
    ),
}


@pytest.mark.parametrize("source", SOURCES)
def test_from_any_source(data, reference, source, tmp_path):
    assert_same(reference, trained(*SOURCES[source](*data, tmp_path)))


@pytest.mark.parametrize("n_workers", [1, 2])
def test_with_workers_that_read(data, reference, n_workers):
    found = trained(*data, iterator_train__num_workers=n_workers)
    assert_same(reference, found)


@pytest.mark.parametrize("n_workers", [1, 2])
def test_with_workers_that_read_no_further_than_the_next_choice(data, n_workers):
    """Where every choice asks the network as it is, which steps have changed."""
    asks = {"looks__reuse_scores": False, "looks__revisit_gaps": (1,)}
    asks["module__dropout"] = 0.3
    found = trained(*data, iterator_train__num_workers=n_workers, **asks)
    assert_same(trained(*data, **asks), found)


def test_whatever_else_draws_at_random(data, reference):
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(4)
    before = torch.get_rng_state()
    assert_same(reference, trained(*data))
    assert torch.equal(torch.get_rng_state(), before)


def test_in_one_process_of_a_search_or_in_two(data):
    grid = {"focus_threshold": [0.2, 0.5]}

    def scores(n_jobs):
        clf = ERTSClassifier(max_epochs=4, **SAME)
        search = GridSearchCV(clf, grid, cv=2, n_jobs=n_jobs, scoring="neg_log_loss")
        found = search.fit(*data).cv_results_
        return np.array([found[f"split{i}_test_score"] for i in range(2)])

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        np.testing.assert_array_equal(scores(1), scores(2))
    finally:
        torch.set_num_threads(threads)


def test_threads_round_sums_otherwise_and_no_more(data):
    """In the first epochs, before a rounding has grown."""
    one, two = (trained(*data, n_threads=n, max_epochs=2) for n in (1, 2))
    np.testing.assert_array_equal(one["status"], two["status"])
    np.testing.assert_allclose(one["proba"], two["proba"], atol=1e-4)
