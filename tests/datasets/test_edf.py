"""Recordings in EDF and EDF+."""

import numpy as np
import pytest

from sk_erts.datasets import read_edf
from sk_erts.exceptions import RecordError, RecordNotFoundError
from tests.datasets.formats import check_damage, steps, write_edf

X = steps()
NAMES = ["ECG I", "EKG avr", "V1"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "night.edf"


@pytest.mark.parametrize(
    ("unit", "mv"), [("uV", 1e-3), ("mV", 1), ("V", 1e3), ("nV", 1e-6), ("UV", 1e-3)]
)
def test_values_units_leads_and_frequency(path, unit, mv):
    write_edf(path, X, NAMES, unit=unit)
    record = read_edf(path)
    assert record.signal.dtype == np.float32
    np.testing.assert_allclose(record.signal, X * mv, rtol=1e-6, atol=1e-12)
    assert record.lead_names == ("I", "aVR", "V1")
    assert record.fs == 250
    assert record.name == str(path.with_suffix(""))
    assert record.comments == ()  # patient and date stay in the file


def test_annotations_are_no_lead(path):
    write_edf(path, X, NAMES, annotations=[(0.5, "N"), (1.5, "V")])
    assert read_edf(path).lead_names == ("I", "aVR", "V1")


@pytest.mark.parametrize(
    ("leads", "rows"),
    [(["V1", "I"], [2, 0]), ("aVR", [1]), ([2], [2]), (1, [1]), (["ECG I", 2], [0, 2])],
)
def test_leads_by_name_and_number(path, leads, rows):
    write_edf(path, X, NAMES)
    record = read_edf(path, leads=leads)
    np.testing.assert_allclose(record.signal, X[rows] / 1000, rtol=1e-6)


def test_other_quantities_are_refused_by_name_and_can_be_left_out(path):
    write_edf(path, X, ["II", "SpO2", "V5"], unit="uV")
    data = path.read_bytes()
    at = 256 + 4 * 96 + 8  # unit of the second of four, annotations being the last
    path.write_bytes(data[:at] + b"%       " + data[at + 8 :])
    with pytest.raises(
        RecordError, match=r"night.edf: .* Got % instead in SpO2; .*leads="
    ):
        read_edf(path)
    assert read_edf(path, leads=["II", "V5"]).lead_names == ("II", "V5")
    path.write_bytes(data[:at] + b" " * 8 + data[at + 8 :])
    with pytest.raises(RecordError, match="Got no unit instead in SpO2"):
        read_edf(path)


def test_leads_of_other_frequency(path):
    write_edf(path, [X[0], X[1][:4], X[2]], ["II", "airflow", "V5"], fs=[250, 2, 250])
    with pytest.raises(RecordError, match="same sampling frequency. Got 2 Hz, 250 Hz"):
        read_edf(path)
    assert read_edf(path, leads=["V5", "II"]).signal.shape == (2, 500)


def test_flat_leads_are_refused_unless_they_may_be(path):
    write_edf(path, [X[0], 0 * X[1], X[2]], NAMES)
    with pytest.raises(RecordError, match="flat. .* in aVR; pass allow_flat=True"):
        read_edf(path)
    assert read_edf(path, allow_flat=True).signal[1].tolist() == [0] * 500


def test_a_file_with_gaps_in_time(path):
    write_edf(path, X, NAMES, annotations=[(0.5, "N")])
    data = path.read_bytes()
    assert data[192:197] == b"EDF+C"
    path.write_bytes(data[:196] + b"D" + data[197:])
    with pytest.raises(RecordError, match="no sound EDF .*discontinuous"):
        read_edf(path)


def test_a_file_that_is_longer_or_shorter_than_its_header_says(path):
    write_edf(path, X, NAMES)
    data = path.read_bytes()
    for wrong in (data[:-2], data + b"\0\0"):
        path.write_bytes(wrong)
        with pytest.raises(RecordError, match=f"{len(data)} bytes.* Got {len(wrong)}"):
            read_edf(path)


def test_absent_files_and_folders(tmp_path):
    with pytest.raises(RecordNotFoundError, match="no such file"):
        read_edf(tmp_path / "x.edf")
    with pytest.raises(RecordError, match="cannot be opened"):
        read_edf(tmp_path)


@pytest.mark.parametrize("leads", [[], [1.5], [None], ["I", "I"], -1])
def test_leads_that_are_none(path, leads):
    write_edf(path, X, NAMES)
    with pytest.raises(ValueError, match="'leads' parameter of read_edf must") as error:
        read_edf(path, leads=leads)
    assert error.type is ValueError


@pytest.mark.parametrize("leads", [["V6"], [3]])
def test_leads_that_are_absent(path, leads):
    write_edf(path, X, NAMES)
    with pytest.raises(RecordError, match="night.edf: .*I, aVR, V1"):
        read_edf(path, leads=leads)


@pytest.mark.parametrize("duration", ["0", "-1", "nan", "inf"])
def test_a_file_in_which_no_time_passes_is_refused(path, duration):
    write_edf(path, X, NAMES)
    data = path.read_bytes()
    path.write_bytes(data[:244] + duration.ljust(8).encode() + data[252:])
    with pytest.raises(RecordError, match=rf"must last some seconds.* Got {duration} "):
        read_edf(path)


def test_damaged_files(path, capfd):
    write_edf(path, X, NAMES)
    assert check_damage(path, read_edf) > 100
    assert capfd.readouterr() == ("", "")
