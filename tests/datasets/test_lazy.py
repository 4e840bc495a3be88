"""Records that stay on disk: what they give, and what the estimator makes of them."""

import pickle

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score

from sk_erts import ERTSClassifier
from sk_erts.datasets import (
    RecordArray,
    make_ecg,
    to_memmap,
)
from sk_erts.exceptions import RecordError, RecordNotFoundError

N = 70  # more than are read at once
CLASSES = ("NORM", "BBB")
X, Y = make_ecg(N, n_leads=2, duration_s=1.5, classes=CLASSES, random_state=0)
X = np.round(X * 1000) / 1000  # what 16 bits of 1000 per mV hold
X = X.astype(np.float32)
LEADS = ["I", "II"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("records")


@pytest.fixture(scope="module")
def on_disk(folder):
    paths = []
    for k, signal in enumerate(X):
        name = f"r{k:03d}"
        file = f"{name}.dat 16 1000/mV 16 0 0 0 0"
        header = [f"{name} 2 100 150", *(f"{file} {lead}" for lead in LEADS)]
        (folder / f"{name}.hea").write_text("\n".join(header) + "\n")
        samples = np.round(signal.T * 1000).astype("<i2")
        (folder / f"{name}.dat").write_bytes(samples.tobytes())
        paths.append(folder / name)
    return RecordArray(paths)


@pytest.fixture(scope="module")
def packed(folder):
    return to_memmap(X, folder / "packed.npy", dtype="int16")


@pytest.fixture(params=["on_disk", "packed"])
def lazy(request):
    return request.getfixturevalue(request.param)


def close(x, y):
    np.testing.assert_allclose(x, y, atol=2e-4)  # 16 bits of the largest amplitude


class TestIndexing:
    def test_looks_like_an_array(self, lazy):
        assert lazy.shape == X.shape
        assert lazy.dtype == np.float32
        assert lazy.ndim == 3
        assert len(lazy) == N
        assert repr(lazy) == f"{type(lazy).__name__}(shape=(70, 2, 150))"

    def test_an_integer_gives_a_record(self, lazy):
        for k in (0, 5, -1, np.int64(7)):
            assert lazy[k].shape == (2, 150)
            close(lazy[k], X[k])

    @pytest.mark.parametrize(
        "key",
        [
            slice(3, 9),
            slice(None, None, -7),
            [4, 4, 0],
            np.array([69, 2]),
            np.arange(N) % 3 == 0,
            np.array([], dtype=int),
        ],
        ids=repr,
    )
    def test_anything_else_gives_a_collection_of_which_nothing_is_read(
        self, lazy, key, monkeypatch
    ):
        with monkeypatch.context() as patch:
            patch.setattr(type(lazy), "_read", None)
            part = lazy[key]
        assert type(part) is type(lazy)
        assert part.shape == X[key].shape
        close(part.load(), X[key])

    def test_parts_of_parts(self, lazy):
        close(lazy[10:40][::2][[3, 1]].load(), X[10:40][::2][[3, 1]])
        close(lazy[10:40].take(np.array([2, 0])), X[10:40][[2, 0]])

    def test_out_of_range(self, lazy):
        for key in (N, [0, N]):
            with pytest.raises(IndexError):
                lazy[key]
        with pytest.raises(IndexError, match="one index, that of the records"):
            lazy[0, 1]
        with pytest.raises(IndexError):
            lazy[:3].take(np.array([3]))

    def test_pickles_and_reads_on(self, lazy):
        again = pickle.loads(pickle.dumps(lazy[5:8]))
        close(again.load(), X[5:8])

    def test_the_file_itself_is_not_pickled(self, packed):
        assert len(pickle.dumps(packed)) < 3000


class TestEstimator:
    def fitted(self, small, records):
        return ERTSClassifier(**small).fit(records, Y)

    def test_learns_the_same_as_from_an_array(self, small, on_disk):
        lazily, plainly = self.fitted(small, on_disk), self.fitted(small, X)
        np.testing.assert_allclose(
            lazily.predict_proba(on_disk), plainly.predict_proba(X), atol=1e-6
        )
        np.testing.assert_allclose(
            lazily.explain(on_disk[:4]), plainly.explain(X[:4]), atol=1e-5
        )

    def test_cross_validation_and_search_divide_it_without_loading(
        self, small, lazy, monkeypatch
    ):
        """No collection is ever loaded whole; only batches are read."""
        monkeypatch.setattr(type(lazy), "load", None)
        clf = ERTSClassifier(**small | {"max_epochs": 3})
        lazily = cross_val_score(clf, lazy, Y, cv=2)
        assert lazily == pytest.approx(cross_val_score(clf, X, Y, cv=2), abs=0.03)
        search = GridSearchCV(clf, {"focus_threshold": [0.1, 0.4]}, cv=2)
        assert search.fit(lazy, Y).predict(lazy).shape == (N,)

    def test_search_with_two_processes(self, small, lazy):
        clf = ERTSClassifier(**small | {"max_epochs": 2})
        grid = {"focus_threshold": [0.1, 0.4]}
        search = GridSearchCV(clf, grid, cv=2, n_jobs=2, error_score="raise")
        assert search.fit(lazy, Y).best_estimator_.n_times_in_ == 150

    def test_whole_batches_are_read_at_once(self, small, lazy, monkeypatch):
        sizes = []
        take = type(lazy).take
        monkeypatch.setattr(
            type(lazy),
            "take",
            lambda self, index: sizes.append(len(index)) or take(self, index),
        )
        ERTSClassifier(**small | {"max_epochs": 1}).fit(lazy, Y)
        # Three steps, and a look at all for the statistics of normalisation.
        assert sizes[-4:] == [32, 32, 6, 70]


class TestRecordArray:
    def test_tells_leads_and_frequency(self, on_disk):
        assert on_disk.lead_names == ("I", "II")
        assert on_disk.fs == 100

    def test_reads_with_two_processes(self, on_disk):
        both = RecordArray(on_disk.paths[:6], n_jobs=2)
        np.testing.assert_allclose(both.load(), X[:6], atol=1e-6)

    def test_no_paths(self):
        with pytest.raises(ValueError, match="a path or more"):
            RecordArray([])

    def test_an_absent_record_fails_before_anything_is_trained(self, on_disk, small):
        gone = RecordArray([*on_disk.paths[:9], "nowhere"])
        with pytest.raises(RecordNotFoundError, match=r"nowhere\.hea"):
            ERTSClassifier(**small).fit(gone, Y[:10])

    def test_a_record_unlike_the_first(self, on_disk, folder):
        header = (folder / "r001.hea").read_text().replace("2 100 150", "2 200 150")
        (folder / "other.hea").write_text(header)
        records = RecordArray([on_disk.paths[0], folder / "other"])
        with pytest.raises(RecordError, match=r"other: .*I, II at 100 Hz.*at 200 Hz"):
            records.load()
