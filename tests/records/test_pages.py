"""Memory maps that do not fill the memory."""

import sys
from pathlib import Path

import numpy as np
import pytest

from sk_erts import ERTSClassifier
from sk_erts._records import pages
from sk_erts._records.records import as_records
from sk_erts.datasets import make_ecg, to_memmap

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def mapped_mb():
    """Memory of this process that belongs to files, as Linux tells it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssFile:")[1].split()[0]) / 1024


@pytest.fixture
def large(tmp_path):
    """Return a file of 64 MB, as a map."""
    X = np.random.default_rng(0).normal(size=(1300, 12, 1000)).astype(np.float32)
    return X, to_memmap(X, tmp_path / "large.npy")


@linux
def test_pages_are_given_back(large, monkeypatch):
    monkeypatch.setattr(pages, "MAPPED_AT_MOST", 2**22)
    X, mapped = large
    before = mapped_mb()

    records = as_records(mapped, ERTSClassifier())
    for index in records.batches(64):
        np.testing.assert_array_equal(records.take(index), X[index])

    assert mapped_mb() - before < 16


@linux
def test_packed_records_give_theirs_back_too(large, tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "MAPPED_AT_MOST", 2**22)
    packed = to_memmap(large[0], tmp_path / "packed.npy", dtype="int16")
    before = mapped_mb()

    for start in range(0, 1300, 64):
        packed.take(np.arange(start, min(start + 64, 1300)))

    assert mapped_mb() - before < 16


def test_a_map_that_is_written_to_keeps_what_was_written(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "MAPPED_AT_MOST", 1)
    X, _ = make_ecg(8, n_leads=2, duration_s=1, random_state=0)
    to_memmap(X, tmp_path / "ecg.npy")
    copied = np.load(tmp_path / "ecg.npy", mmap_mode="c")
    copied[3] = 7  # in memory alone

    records = as_records(copied, ERTSClassifier())

    assert (records.take(np.array([3])) == 7).all()
    assert (copied[3] == 7).all()


def test_a_map_with_a_missing_sample_is_refused(tmp_path):
    X = np.zeros((200, 2, 50), dtype=np.float32)
    X[150, 1, 3] = np.nan
    np.save(tmp_path / "ecg.npy", X)

    with pytest.raises(ValueError, match="Input X contains NaN"):
        as_records(np.load(tmp_path / "ecg.npy", mmap_mode="r"), ERTSClassifier())
