"""Files of records: written whole or not at all, and what they give back."""

import os

import numpy as np
import pytest

from sk_erts.datasets import (
    PackedRecords,
    RecordArray,
    _packed,
    make_ecg,
    open_records,
    to_memmap,
)

N = 70  # more than are read at once
X, _ = make_ecg(N, n_leads=2, duration_s=1.5, random_state=0)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "packed.npy"
    return to_memmap(X, path, dtype="int16")


@pytest.fixture
def on_disk(tmp_path, write_record):
    paths = [tmp_path / f"r{k:03d}" for k in range(N)]
    for path, signal in zip(paths, X, strict=True):
        write_record(path, signal, leads=["I", "II"])
    return RecordArray(paths)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_single_precision_is_exact(on_disk, tmp_path, n_jobs):
    mapped = to_memmap(on_disk, tmp_path / "x.npy", n_jobs=n_jobs)
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(mapped, on_disk.load())
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), mapped)


def test_16_bits_are_exact_to_half_a_step_of_each_record(tmp_path):
    x = X * np.logspace(-3, 3, N, dtype=np.float32)[:, None, None]
    x[3] = 0
    packed = to_memmap(x, tmp_path / "x.npy", dtype="int16")
    assert isinstance(packed, PackedRecords)
    step = abs(x).max(axis=(1, 2), keepdims=True) / 32767
    # Single precision adds 32767 * 2 ** -24 of a step.
    assert (abs(packed.load() - x) <= 0.502 * step).all()
    full, half = x.nbytes, os.path.getsize(tmp_path / "x.npy")
    assert half < 0.52 * full


def test_opens_again(packed, tmp_path):
    again = open_records(packed.path)
    np.testing.assert_array_equal(again.load(), packed.load())
    to_memmap(packed, tmp_path / "x.npy")
    np.testing.assert_array_equal(open_records(tmp_path / "x.npy"), packed.load())


@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_a_crash_leaves_no_file(tmp_path, monkeypatch, dtype):
    load = _packed._load

    def crash(part, first, *how):
        if first:
            raise KeyboardInterrupt
        return load(part, first, *how)

    monkeypatch.setattr(_packed, "_load", crash)
    with pytest.raises(KeyboardInterrupt):
        to_memmap(X, tmp_path / "x.npy", dtype=dtype)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_not_replaced_unless_asked(tmp_path, monkeypatch):
    path = tmp_path / "x.npy"
    to_memmap(X, path)
    monkeypatch.setattr(_packed, "_load", None)  # nothing is read
    with pytest.raises(FileExistsError, match="overwrite=True"):
        to_memmap(X + 1, path)
    monkeypatch.undo()
    np.testing.assert_array_equal(open_records(path), X)
    np.testing.assert_array_equal(to_memmap(X + 1, path, overwrite=True), X + 1)


def test_gets_the_rights_of_new_files(tmp_path):
    to_memmap(X, tmp_path / "x.npy")
    (tmp_path / "new").touch()
    rights = {(tmp_path / name).stat().st_mode & 0o777 for name in ("x.npy", "new")}
    assert len(rights) == 1


@pytest.mark.parametrize("spoilt", [np.nan, np.inf])
def test_bad_samples_are_named(tmp_path, spoilt):
    x = X.copy()
    x[68, 1, 3] = spoilt
    with pytest.raises(ValueError, match="Record 68 of to_memmap .*NaN or inf"):
        to_memmap(x, tmp_path / "x.npy")
    assert list(tmp_path.iterdir()) == []


def test_parameters(tmp_path):
    with pytest.raises(ValueError, match="'float32' or 'int16'. Got 'int8'"):
        to_memmap(X, tmp_path / "x.npy", dtype="int8")
    with pytest.raises(ValueError, match=r"Got shape \(70, 150\) instead"):
        to_memmap(X[:, 0], tmp_path / "x.npy")


def test_another_file(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(3))
    with pytest.raises(ValueError, match="of float64 with 1 dimensions"):
        open_records(tmp_path / "x.npy")


def test_a_progress_bar_where_it_is_wanted(tmp_path, capfd):
    to_memmap(X, tmp_path / "x.npy")
    assert capfd.readouterr().err == ""
    to_memmap(X, tmp_path / "y.npy", verbose=True)
    assert "70/70" in capfd.readouterr().err
