"""Matrices of MATLAB."""

import struct

import numpy as np
import pytest
from scipy.io import savemat

from sk_erts.datasets import read_mat
from sk_erts.exceptions import RecordError, RecordNotFoundError
from tests.datasets.formats import check_damage, steps

X = steps()
NAMES = ["ii", "V1", "V2"]
TOLD = {"lead_names": NAMES, "unit": "uV", "fs": 250}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ecg.mat"


@pytest.mark.parametrize(
    "how", [{}, {"format": "4"}, {"do_compression": True}, {"oned_as": "row"}]
)
@pytest.mark.parametrize("dtype", ["i2", "f4", "f8", ">i4"])
@pytest.mark.parametrize("turned", [False, True])
def test_values_units_leads_and_frequency(path, how, dtype, turned):
    matrix = X.astype(dtype)
    savemat(path, {"ecg": matrix.T if turned else matrix}, **how)
    record = read_mat(path, **TOLD)
    assert record.signal.dtype == np.float32
    np.testing.assert_allclose(record.signal, X / 1000, rtol=1e-6)
    assert record.lead_names == ("II", "V1", "V2")
    assert record.fs == 250
    np.testing.assert_allclose(read_mat(path, **TOLD | {"unit": "mV"}).signal, X)


def test_leads_by_name_and_number(path):
    savemat(path, {"ecg": X})
    found = read_mat(path, **TOLD, leads=["V2", 0])
    np.testing.assert_allclose(found.signal, X[[2, 0]] / 1000, rtol=1e-6)


def test_of_as_many_leads_as_samples_leads_are_rows(path):
    savemat(path, {"ecg": X[:, :3]})
    np.testing.assert_allclose(
        read_mat(path, **TOLD).signal, X[:, :3] / 1000, rtol=1e-6
    )


@pytest.mark.parametrize("key", ["fs", "Fs", "FS"])
def test_the_frequency_of_the_file(path, key):
    savemat(path, {"ecg": X, key: 500.0})
    told = {"lead_names": NAMES, "unit": "uV"}
    assert read_mat(path, **told).fs == 500
    assert read_mat(path, **told, fs=501).fs == 501
    with pytest.raises(RecordError, match="the file says 500 Hz. Got fs=250"):
        read_mat(path, **told, fs=250)
    savemat(path, {"ecg": X, key: np.nan})
    with pytest.raises(RecordError, match="a number above 0. Got nan Hz"):
        read_mat(path, **told)
    savemat(path, {"ecg": X})
    with pytest.raises(
        RecordError, match=r"ecg.mat: .*Got none .*fs=\.\.\. to read_mat"
    ):
        read_mat(path, **told)


def test_one_of_several_matrices(path):
    savemat(path, {"a": X, "b": 2 * X, "c": X[:2], "d": "text", "e": {"x": X}})
    with pytest.raises(RecordError, match=r"one matrix .*a \(3, 500\), b \(3, 500\)"):
        read_mat(path, **TOLD)
    found = read_mat(path, **TOLD, variable="b").signal
    np.testing.assert_allclose(found, 2 * X / 1000, rtol=1e-6)
    for wrong in ("c", "d", "z"):
        with pytest.raises(RecordError, match="one matrix"):
            read_mat(path, **TOLD, variable=wrong)
    savemat(path, {"a": 2 * X, "val": X})
    np.testing.assert_allclose(read_mat(path, **TOLD).signal, X / 1000, rtol=1e-6)


def test_missing_samples(path):
    matrix = X.astype(float)
    matrix[1, 490:] = np.nan
    savemat(path, {"ecg": matrix})
    with pytest.raises(RecordError, match="10 missing ones .*in V1"):
        read_mat(path, **TOLD)
    assert read_mat(path, **TOLD, missing="cut").signal.shape == (3, 490)


def test_version_7_3(path):
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(512))
    with pytest.raises(RecordError, match="Got 7.3, .* '-v7'"):
        read_mat(path, **TOLD)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"unit": "mmHg"}, "'unit' parameter of read_mat must be 'V', 'mV'"),
        ({"unit": 1}, "'unit' parameter"),
        ({"fs": 0}, "'fs' parameter"),
        ({"lead_names": "II"}, "'lead_names' parameter"),
    ],
)
def test_parameters(path, wrong, message):
    savemat(path, {"ecg": X})
    with pytest.raises(ValueError, match=message) as error:
        read_mat(path, **TOLD | wrong)
    assert error.type is ValueError


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (128, 13, "an element of the type 13 is no variable"),
        (132, 10**6, "ends behind the end of the file"),
        (136, 7, "a variable has no flags"),
        (152, 6, "a variable has no shape"),
        (160, 2**32 - 1, r"a variable has shape \(-1, 500\)"),
        (168, 0x30002, "a variable has no name"),
        (176, 0x10000, "numbers of the type 0"),
        (176, 8, "numbers of the type 8"),
        (180, 2998, r"a variable of shape \(3, 500\) has 2998 bytes"),
    ],
)
def test_what_scipy_would_crash_on(path, at, value, message):
    savemat(path, {"val": X})
    data = path.read_bytes()
    path.write_bytes(data[:at] + struct.pack("<I", value) + data[at + 4 :])
    with pytest.raises(RecordError, match=message):
        read_mat(path, **TOLD)


def test_absent_files(tmp_path):
    with pytest.raises(RecordNotFoundError, match="no such file"):
        read_mat(tmp_path / "x.mat", **TOLD)


@pytest.mark.parametrize("how", [{}, {"format": "4"}, {"do_compression": True}])
def test_damaged_files(path, how):
    savemat(path, {"val": X}, **how)
    n_refused = check_damage(
        path, lambda x: read_mat(x, **TOLD), stumps=(0, 1, 30, 150)
    )
    assert n_refused > 100
