"""The same seed gives the same encoders, wherever records and reports lie."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from sk_erts._records import ragged as lengths
from sk_erts.datasets import open_records, to_memmap
from sk_erts.models import PooledLinear
from sk_erts.pretraining import ECGTextPretrainer
from tests.pretraining.conftest import OF_NETWORK, make, pairs


def trained(X, reports, **params):
    """Return all that a new training ends with."""
    return left_of(make(**params).fit(X, reports))


def left_of(pretrainer):
    """Return all that a training has ended with."""
    net = pretrainer.net_
    tensors = [*net.module_.state_dict().values(), *net.criterion_.parameters()]
    return [
        pretrainer.selection_.status,
        pretrainer.selection_.confidence,
        pretrainer.selection_.focus,
        pretrainer.history_[:, "train_loss"],
        *(tensor.detach().numpy() for tensor in tensors),
    ]


def assert_same(one, other):
    for i, (values, found) in enumerate(zip(one, other, strict=True)):
        np.testing.assert_array_equal(found, values, err_msg=str(i))


@pytest.fixture(scope="module")
def reference(data):
    found = trained(*data)
    assert len(np.unique(found[0])) > 2  # there is something to be the same in
    return found


def test_another_seed_is_another_training(data, reference):
    found = trained(*data, random_state=1)
    assert not np.array_equal(found[4], reference[4])
    assert found[3] != reference[3]


def test_whatever_else_draws_at_random(data, reference):
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(4)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    assert_same(reference, trained(*data))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_no_method_draws(data, fitted):
    X, reports = data
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    once = [
        fitted.transform(X),
        fitted.embed_text(reports),
        fitted.uncertainty(X),
        fitted.explain(X, reports[0]),
    ]
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert_same(once[:1], [fitted.transform(X)])
    assert_same(once[1:2], [fitted.embed_text(reports)])


def memory_map(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


class Lazy:
    """A collection that reads record by record."""

    def __init__(self, X):
        self.X = X

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i]


SOURCES = {
    "in double precision": lambda X, folder: X.astype(float),
    "in Fortran's order": lambda X, folder: np.asfortranarray(X),
    "a list of arrays": lambda X, folder: list(X),
    "a tensor": lambda X, folder: torch.from_numpy(X),
    "a memory map": memory_map,
    "a file opened": lambda X, folder: open_records(
        to_memmap(X, folder / "X.npy").filename
    ),
    "a data set of tensors": lambda X, folder: TensorDataset(torch.from_numpy(X)),
    "a lazy collection": lambda X, folder: Lazy(X),
}


@pytest.mark.parametrize("source", SOURCES)
def test_records_from_any_source(data, reference, source, tmp_path):
    X, reports = data
    assert_same(reference, trained(SOURCES[source](X, tmp_path), reports))


@pytest.mark.parametrize("source", SOURCES)
def test_new_records_from_any_source(data, fitted, source, tmp_path):
    X, reports = data
    given = SOURCES[source](X, tmp_path)
    for ask in (
        fitted.transform,
        fitted.uncertainty,
        lambda X: fitted.similarity(X, reports[:3]),
        lambda X: fitted.explain(X, reports[0]),
    ):
        np.testing.assert_array_equal(ask(given), ask(X))


SEQUENCES = {
    "tuple": tuple,
    "array of text": np.array,
    "array of objects": lambda reports: np.array(reports, dtype=object),
    "series": pd.Series,
    "series of another index": lambda reports: pd.Series(
        reports, index=np.arange(len(reports))[::-1]
    ),
    "one section": lambda reports: pd.DataFrame({"observations": reports}),
    "one of several sections": lambda reports: pd.DataFrame(
        {"verdict": "", "other": 1.0, "observations": reports}
    ),
}


@pytest.mark.parametrize("kind", SEQUENCES)
def test_reports_of_any_kind(data, reference, kind):
    X, reports = data
    assert_same(reference, trained(X, SEQUENCES[kind](reports)))


def test_sections_follow_each_other_in_their_own_order(data):
    X, reports = data
    parts = [report.split(". ", 1) for report in reports]
    frame = pd.DataFrame(parts, columns=["verdict", "definition"])
    joined = [f"{second}\n{first}" for first, second in parts]
    assert_same(trained(X, joined, max_epochs=1), trained(X, frame, max_epochs=1))


def test_word_pieces_know_no_order_of_records(data):
    X, reports = data
    order = np.random.default_rng(0).permutation(len(X))
    one = make(max_epochs=1).fit(X, reports)
    other = make(max_epochs=1).fit(X[order], [reports[i] for i in order])
    assert one.net_.criterion_.text.told == other.net_.criterion_.text.told


@pytest.mark.parametrize("n_workers", [1, 2])
def test_workers_that_read_change_nothing(data, reference, n_workers):
    assert_same(reference, trained(*data, iterator_train__num_workers=n_workers))


def test_another_process_trains_the_same(data, reference, tmp_path):
    script = (
        "from tests.pretraining.conftest import pairs\n"
        "from tests.pretraining.test_same_pairs import trained\n"
        "import numpy as np\n"
        f"np.savez({str(tmp_path / 'found.npz')!r}, *trained(*pairs()))\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
    with np.load(tmp_path / "found.npz") as found:
        assert_same(reference, [found[f"arr_{i}"] for i in range(len(reference))])


class TestCompany:
    def test_a_record_alone_is_what_it_is_among_others(self, data, fitted):
        X, _ = data
        rows = [np.array([7]), np.arange(40, 5, -1), np.repeat(7, 200)]
        whole = fitted.transform(X), fitted.uncertainty(X)
        for index in rows:
            assert np.array_equal(fitted.transform(X[index]), whole[0][index])
            assert np.array_equal(fitted.uncertainty(X[index]), whole[1][index])

    def test_a_text_alone_is_what_it_is_among_others(self, data, fitted):
        _, reports = data
        long = " ".join(reports[:20])
        together = fitted.embed_text([*reports, long])
        for i in (0, 5, 30):
            alone = fitted.embed_text([reports[i]])
            np.testing.assert_allclose(alone[0], together[i], atol=1e-6)


@pytest.fixture(scope="module")
def ragged():
    X, reports = pairs()
    return [x[:, : 40 + 6 * (i % 5)] for i, x in enumerate(X)], reports


@pytest.fixture(scope="module")
def of_any_length(ragged):
    return make().fit(*ragged)


class TestDifferentLengths:
    def test_a_record_alone_is_what_it_is_among_others(self, ragged, of_any_length):
        X, _ = ragged
        together = of_any_length.transform(X)
        for i in range(5):
            alone = of_any_length.transform([X[i]])
            np.testing.assert_allclose(alone[0], together[i], atol=1e-6)

    def test_how_far_batches_are_padded_does_not_matter(self, ragged, monkeypatch):
        # What is left out of records is drawn for the batch as it is padded.
        without = {"views": 0, "masked_signal": 0, "masked_words": 0}

        def found():
            return make(looks__precision="float32", **without).fit(*ragged)

        usual = found()
        monkeypatch.setattr(lengths, "padded_length", lambda n_times: n_times + 64)
        padded = found()
        np.testing.assert_array_equal(padded.selection_.status, usual.selection_.status)
        for scores in ("confidence", "focus"):
            values = getattr(padded.selection_, scores)
            assert np.isfinite(values).any()
            np.testing.assert_allclose(
                values, getattr(usual.selection_, scores), atol=1e-3
            )

    def test_maps_end_where_records_do(self, ragged, of_any_length):
        X, reports = ragged
        maps = of_any_length.explain(X, reports[0])
        assert [len(one) for one in maps] == [x.shape[1] for x in X]

    def test_only_of_a_network_that_takes_lengths(self, ragged):
        class Deaf(nn.Module):
            def __init__(self, n_leads, n_classes):
                super().__init__()
                self.features = nn.Conv1d(n_leads, 4, 3)
                self.head = PooledLinear(4, n_classes)

            def forward(self, x):
                return self.head(self.features(x))

        pretrainer = ECGTextPretrainer(Deaf, **OF_NETWORK)
        with pytest.raises(
            ValueError, match="40 to 64 time steps, and the module Deaf"
        ):
            pretrainer.fit(*ragged)


def test_threads_round_sums_otherwise_and_no_more(data):
    threads = torch.get_num_threads()
    X, reports = data
    found = []
    try:
        for n in (1, 2):
            torch.set_num_threads(n)
            found.append(make(max_epochs=1).fit(X, reports).transform(X))
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_allclose(*found, atol=1e-4)
