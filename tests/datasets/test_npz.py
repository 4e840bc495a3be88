"""Archives of numpy.savez, opened where they lie."""

import pickle
import struct
import zipfile

import numpy as np
import pytest
from joblib import Parallel, delayed

from sk_erts import ERTSClassifier
from sk_erts.datasets import open_records
from sk_erts.exceptions import RecordError
from tests.conftest import bumps

X, Y, _ = bumps(40)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "h.npz"


@pytest.mark.parametrize("arrays", [{"y": Y, "X": X, "fs": 100}, {"ecg": X}])
def test_the_array_x_or_the_only_one(path, arrays):
    np.savez(path, **arrays)
    for same in (path, str(path)):
        opened = open_records(same)
        assert isinstance(opened, np.memmap)  # nothing is read
        assert opened.mode == "r"
        np.testing.assert_array_equal(opened, X)


@pytest.mark.parametrize(
    "stored",
    [
        X[:, 0],
        X.astype(np.float64),
        X.astype(">f4"),
        np.rint(X * 1000).astype(np.int16),
        np.asfortranarray(X),
        X[:1, :1, :7].astype(np.float16),
    ],
)
def test_numbers_are_those_that_are_stored(path, stored):
    np.savez(path, a_name_of_odd_length=np.zeros(3, dtype=np.int8), X=stored)
    opened = open_records(path)
    assert isinstance(opened, np.memmap)
    assert opened.dtype == stored.dtype
    np.testing.assert_array_equal(opened, stored)


def test_what_is_compressed_is_loaded(path):
    np.savez_compressed(path, X=X, y=Y)
    opened = open_records(path)
    assert type(opened) is np.ndarray
    np.testing.assert_array_equal(opened, X)


def test_is_told_by_its_first_bytes(path, tmp_path):
    np.savez(path, X=X)
    path.rename(tmp_path / "h.dat")
    np.testing.assert_array_equal(open_records(tmp_path / "h.dat"), X)


def test_goes_where_records_go(path, small):
    np.savez(path, fs=np.array([100], dtype=np.int8), X=X)
    opened = open_records(path)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(opened)), X)
    (total,) = Parallel(n_jobs=2)([delayed(np.sum)(opened)])
    assert total == X.sum()
    params = small | {"max_epochs": 3}
    proba = ERTSClassifier(**params).fit(opened, Y).predict_proba(opened)
    expected = ERTSClassifier(**params).fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(proba, expected)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"train": X, "test": X}, "an array 'X', .*It holds 'train', 'test'. .*load"),
        ({"X": X[0, 0]}, r"'X' of .*h.npz must .*Got float32 in the shape \(64,\)"),
        ({"y": np.array([["NORM"]])}, "'y' of .* real numbers .*Got <U4"),
        ({"X": np.array([None, 1.0])}, "Got object in the shape"),
    ],
)
def test_what_holds_no_records(path, arrays, message):
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message):
        open_records(path)


@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_anywhere_it_is_told_so(path, compressed):
    save = np.savez_compressed if compressed else np.savez
    save(path, X=X[:2, :, :9])
    sound = path.read_bytes()
    messages = []
    for place in range(4, len(sound)):
        for damaged in (sound[:place], flipped(sound, place)):
            path.write_bytes(damaged)
            try:
                opened = open_records(path)
            except ValueError as error:
                messages.append(str(error))
            else:
                assert opened.dtype.kind in "iuf"
    assert len(messages) > 1.2 * len(sound)
    assert all(str(path) in message for message in messages)


def flipped(data, place):
    changed = bytearray(data)
    changed[place] ^= 0x11
    return bytes(changed)


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 2, 9)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, -2, 9)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (",
        b"{'descr': '<f4', 'fortran_order': 3, 'shape': (2, 2, 9)}",
        b"(" * 99,
        b"\0\0",
    ],
)
def test_an_array_that_cannot_be(path, header):
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n"
    for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(path, "w", kind) as archive:
            archive.writestr("X.npy", content + bytes(99))
        with pytest.raises(RecordError, match=r"h.npz: the archive .* not sound"):
            open_records(path)


def test_an_array_alone_that_is_damaged(path):
    np.save(path.with_suffix(".npy"), X)
    sound = path.with_suffix(".npy").read_bytes()
    for damaged in (b"", sound[:5], sound[:100], sound[:-9], b"{" + sound):
        path.write_bytes(damaged)
        with pytest.raises(RecordError, match=r"h.npz: the array .* not sound"):
            open_records(path)


def test_an_empty_archive(path):
    np.savez(path)
    with pytest.raises(ValueError, match="holds none"):
        open_records(path)
