"""ECG waveforms of DICOM."""

import struct

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from sk_erts.datasets import STANDARD_LEADS, read_dicom
from sk_erts.exceptions import RecordError, RecordNotFoundError
from tests.datasets.formats import (
    SCP_NUMBERS,
    check_damage,
    dicom_channel,
    dicom_group,
    steps,
    write_dicom,
)

X = steps(12)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ecg.dcm"


def channels(n=12, **more):
    return [dicom_channel(number, **more) for number in SCP_NUMBERS[:n]]


def test_values_leads_and_frequency(path):
    write_dicom(path, [dicom_group(X, channels())])
    record = read_dicom(path)
    assert record.signal.dtype == np.float32
    np.testing.assert_allclose(record.signal, X * 2.5e-3, rtol=1e-6)
    assert record.lead_names == STANDARD_LEADS
    assert record.fs == 500


@pytest.mark.parametrize(("unit", "mv"), [("uV", 1e-3), ("mV", 1), ("V", 1e3)])
def test_unit_correction_and_baseline(path, unit, mv):
    described = channels(
        3, unit=unit, ChannelSensitivityCorrectionFactor=1.5, ChannelBaseline=7
    )
    write_dicom(path, [dicom_group(X[:3], described)])
    expected = (X[:3] * 2.5 * 1.5 + 7) * mv
    np.testing.assert_allclose(read_dicom(path).signal, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("scheme", "code", "meaning", "name"),
    [
        ("MDC", "2:62", "x", "aVR"),
        ("SCPECG", "5.6.3-9-7", "x", "V5"),
        ("99ME", "5.6.3-9-7", "Lead I (Einthoven)", "I"),
        ("99ME", "7", "Lead aVF", "aVF"),
        ("MDC", "2:19", "CC5", "CC5"),
        ("99ME", "7", "Finger", "Finger"),
    ],
)
def test_names_of_leads(path, scheme, code, meaning, name):
    described = channels(2)
    source = described[1].ChannelSourceSequence[0]
    source.CodingSchemeDesignator, source.CodeValue = scheme, code
    source.CodeMeaning = meaning
    write_dicom(path, [dicom_group(X[:2], described)])
    found = read_dicom(path, leads=[1])
    assert found.lead_names == (name,)


def test_the_original_group_is_read_or_the_one_asked_for(path):
    rhythm = dicom_group(X, channels())
    beat = dicom_group(X[:, :90], channels(), WaveformOriginality="DERIVED")
    write_dicom(path, [beat, rhythm])
    assert read_dicom(path).signal.shape == (12, 500)
    assert read_dicom(path, group=0).signal.shape == (12, 90)
    with pytest.raises(RecordError, match="group 2 is absent. The file holds 2"):
        read_dicom(path, group=2)
    with pytest.raises(ValueError, match="'group' parameter of read_dicom must"):
        read_dicom(path, group="RHYTHM")


def test_several_groups_are_one_too_many(path):
    write_dicom(path, [dicom_group(X[:3], channels(3))] * 2)
    with pytest.raises(RecordError, match=r"0: RHYTHM, 3 channels.*group=\.\.\."):
        read_dicom(path)
    assert read_dicom(path, group=1).signal.shape == (3, 500)


def test_missing_samples(path):
    stored = X[:3].copy()
    stored[1, 10:20] = -32768
    padding = np.array([-32768], dtype="<i2").tobytes()
    group = dicom_group(stored, channels(3))
    group.add_new("WaveformPaddingValue", "OW", padding)
    write_dicom(path, [group])
    with pytest.raises(RecordError, match="10 missing ones .*in II"):
        read_dicom(path)
    assert read_dicom(path, leads=["I"]).signal.shape == (1, 500)
    filled = read_dicom(path, missing="interpolate")
    np.testing.assert_allclose(filled.signal[[0, 2]], X[[0, 2]] * 2.5e-3, rtol=1e-6)
    assert abs(filled.signal[1]).max() < 80
    assert read_dicom(path, missing="cut").signal.shape == (3, 480)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"sensitivity": None}, "no Channel Sensitivity in I;"),
        ({"sensitivity": 0}, "Got 0 in I;"),
        ({"unit": None}, "Got no unit instead in I;"),
        ({"unit": "mm[Hg]"}, r"Got mm\[Hg\] instead in I;"),
    ],
)
def test_what_is_not_calibrated_or_no_voltage(path, more, message):
    described = [dicom_channel(1, **more), dicom_channel(2)]
    write_dicom(path, [dicom_group(X[:2], described)])
    with pytest.raises(RecordError, match=message):
        read_dicom(path)
    assert read_dicom(path, leads="II").lead_names == ("II",)


def test_leads_that_begin_apart(path):
    described = [dicom_channel(1), dicom_channel(2, ChannelOffset=5)]
    write_dicom(path, [dicom_group(X[:2], described)])
    with pytest.raises(RecordError, match="same first sample. Got 0, 5"):
        read_dicom(path)


def test_sound_is_no_ecg(path):
    group = dicom_group(X, channels(), WaveformSampleInterpretation="MB")
    write_dicom(path, [group])
    with pytest.raises(RecordError, match="the coding MB instead"):
        read_dicom(path)


def test_what_holds_no_waveform(path, tmp_path):
    write_dicom(path, [Dataset()])
    with pytest.raises(RecordError, match="ecg.dcm"):
        read_dicom(path)
    write_dicom(path, [])
    with pytest.raises(RecordError, match="must hold a waveform"):
        read_dicom(path)
    path.write_text("nothing of the kind")
    with pytest.raises(RecordError, match="ecg.dcm"):
        read_dicom(path)
    with pytest.raises(RecordNotFoundError, match="no such file"):
        read_dicom(tmp_path / "x.dcm")


def test_a_number_of_odd_length(path):
    """pydicom has an error of its own for it, and quotes all of what it found."""
    write_dicom(path, [dicom_group(X[:3], channels(3))])
    data = path.read_bytes()
    at = data.index(b"UL\4\0") + 2  # how long the length of the first part is
    path.write_bytes(data[:at] + struct.pack("<H", 2001) + data[at + 2 :])
    with pytest.raises(RecordError, match="no sound DICOM waveform") as error:
        read_dicom(path)
    assert len(str(error.value)) < len(str(path)) + 300


def test_a_real_recording():
    """Einthoven's and Goldberger's relations hold, as far as samples are rounded."""
    record = read_dicom(get_testdata_file("waveform_ecg.dcm"))
    one, two, three, avr, avl, avf = record.signal[:6]
    assert record.lead_names == STANDARD_LEADS
    np.testing.assert_allclose(three, two - one, atol=0.003)
    np.testing.assert_allclose(avr, -(one + two) / 2, atol=0.003)
    np.testing.assert_allclose(avl, one - two / 2, atol=0.003)
    np.testing.assert_allclose(avf, two - one / 2, atol=0.003)
    assert 0.5 < np.ptp(record.signal, axis=1).max() < 5  # of a heart, in mV


def test_damaged_files(path):
    write_dicom(path, [dicom_group(X[:3], channels(3))])
    assert check_damage(path, read_dicom) > 100
