"""XML exports of GE's MUSE."""

import numpy as np
import pytest

from sk_erts.datasets import STANDARD_LEADS, read_muse_xml
from sk_erts.exceptions import RecordError, RecordNotFoundError
from tests.datasets.formats import check_damage, muse, muse_lead, steps, write_muse

EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
X = steps(8)
MV = 4.88e-3


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ecg.xml"


def rhythm(samples=X, names=EIGHT, **more):
    return muse([muse_lead(n, x) for n, x in zip(names, samples, strict=True)], **more)


def rhythms(name, other, samples, **more):
    """Return one Waveform of two leads."""
    return [muse([muse_lead(name, X[0]), muse_lead(other, samples, **more)])]


def test_values_leads_and_frequency(path):
    beat = muse([muse_lead("I", X[0, :60])], kind="Median")
    write_muse(path, beat, rhythm())
    record = read_muse_xml(path)
    assert record.signal.dtype == np.float32
    assert record.lead_names == STANDARD_LEADS
    assert record.fs == 500
    one, two = X[:2] * MV
    expected = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    np.testing.assert_allclose(record.signal, [*expected, *X[2:] * MV], atol=1e-5)


def test_leads_that_are_stored_are_not_computed(path):
    write_muse(path, rhythm(X[:4], ("II", "I", "III", "V9")))
    record = read_muse_xml(path)
    assert record.lead_names == ("I", "II", "III", "aVR", "aVL", "aVF", "V9")
    np.testing.assert_allclose(record.signal[2], X[2] * MV, atol=1e-5)
    np.testing.assert_allclose(record.signal[6], X[3] * MV, atol=1e-5)


def test_two_leads_of_one_name_are_told_by_number(path):
    write_muse(path, rhythm(X[:3], ("II", "II", "I")))
    assert read_muse_xml(path).lead_names == ("II", "II", "I")
    found = read_muse_xml(path, leads=[1]).signal
    np.testing.assert_allclose(found, X[[1]] * MV, atol=1e-5)
    with pytest.raises(RecordError, match="II, II, I .*number"):
        read_muse_xml(path, leads="II")


def test_without_two_limb_leads_none_is_computed(path):
    write_muse(path, rhythm(X[:2], ("II", "V1")))
    assert read_muse_xml(path).lead_names == ("II", "V1")


def test_leads_by_name_and_number(path):
    write_muse(path, rhythm())
    record = read_muse_xml(path, leads=["aVF", 0])
    assert record.lead_names == ("aVF", "I")
    np.testing.assert_allclose(record.signal[0], (X[1] - X[0] / 2) * MV, atol=1e-5)


@pytest.mark.parametrize(("exponent", "fs"), [(0, 250), (1, 2500), (-1, 25)])
def test_the_frequency_has_a_power_of_ten(path, exponent, fs):
    write_muse(path, rhythm(fs=250, exponent=exponent))
    assert read_muse_xml(path).fs == pytest.approx(fs)


def test_units(path):
    mixed = [muse_lead("I", X[0], "MILLIVOLTS"), muse_lead("II", X[1])]
    write_muse(path, muse(mixed))
    record = read_muse_xml(path)
    one, two = X[0] * 4.88, X[1] * MV
    np.testing.assert_allclose(record.signal[:2], [one, two], rtol=1e-6)
    np.testing.assert_allclose(record.signal[2], two - one, rtol=1e-6)
    write_muse(path, muse([muse_lead("I", X[0]), muse_lead("resp", X[1], "OHM")]))
    with pytest.raises(RecordError, match="Got OHM instead in resp"):
        read_muse_xml(path)
    assert read_muse_xml(path, leads="I").lead_names == ("I",)


def test_numbers_with_a_comma(path):
    lead = muse_lead("I", X[0], LeadAmplitudeUnitsPerBit="4,88")
    write_muse(path, muse([lead]))
    np.testing.assert_allclose(read_muse_xml(path).signal[0], X[0] * MV, rtol=1e-6)


def test_checksums(path):
    write_muse(path, muse([muse_lead("I", X[0], checksum=12)]))
    with pytest.raises(
        RecordError, match="samples of I must have the checksum 12. Got"
    ):
        read_muse_xml(path)
    write_muse(path, muse([muse_lead("I", X[0], checksum=0)]))
    assert read_muse_xml(path).signal.shape == (1, 500)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"LeadSampleSize": 4}, "2 bytes. Got 4 in I"),
        ({"LeadAmplitudeUnitsPerBit": 0}, "Got 0 in I"),
        ({"LeadAmplitudeUnitsPerBit": "x"}, "PerBit must be a finite number. Got 'x'"),
        ({"LeadAmplitudeUnits": ""}, "Got no unit instead in I"),
        ({"LeadSampleCountTotal": 501}, "1002 bytes of samples. Got 1000"),
        ({"WaveFormData": "AAA"}, "samples of I are no base64"),
        ({"WaveFormData": "AA!AA"}, "samples of I are no base64"),
        ({"WaveFormData": "AAAA", "LeadSampleCountTotal": 1.5}, "two bytes for each"),
        ({"WaveFormData": "", "LeadSampleCountTotal": 0}, "must be samples. Got none"),
    ],
)
def test_what_is_wrong_with_a_lead(path, fields, message):
    write_muse(path, muse([muse_lead("I", X[0], **({"checksum": 0} | fields))]))
    with pytest.raises(RecordError, match=f"ecg.xml: .*{message}"):
        read_muse_xml(path)


@pytest.mark.parametrize(
    ("waveforms", "message"),
    [
        ([], "type Rhythm. Got 0"),
        ([rhythm(), rhythm()], "type Rhythm. Got 2"),
        ([rhythm(kind="Median")], "type Rhythm. Got 0"),
        ([muse([])], "lead or more. Got none"),
        ([rhythm(fs="")], "SampleBase must be a finite number"),
        ([rhythm(fs=0)], "above 0. Got 0.0 Hz"),
        ([rhythm(exponent=400)], "SampleExponent must be"),
        (rhythms("I", "V1", X[1][:-1]), "number of samples. Got 499, 500"),
        (rhythms("I", "V1", X[1], LeadOffsetFirstSample=9), "sample. Got 0, 9"),
    ],
)
def test_what_is_wrong_with_the_waveforms(path, waveforms, message):
    write_muse(path, *waveforms)
    with pytest.raises(RecordError, match=f"ecg.xml: .*{message}"):
        read_muse_xml(path)


@pytest.mark.parametrize(
    ("samples", "more", "message"),
    [
        (X[1][:-1], {}, "compute aVF from them. Got 500 and 499 samples"),
        (X[1], {"LeadOffsetFirstSample": 9}, "from 0 and 9"),
        (X[1], {"unit": "OHM"}, "Got OHM instead in II"),
    ],
)
def test_what_a_lead_is_computed_from(path, samples, more, message):
    write_muse(path, *rhythms("I", "II", samples, **more))
    with pytest.raises(RecordError, match=f"ecg.xml: .*{message}"):
        read_muse_xml(path, leads="aVF")


def test_what_is_no_muse(path, tmp_path):
    path.write_text("<AnnotatedECG/>")
    with pytest.raises(RecordError, match="RestingECG. Got AnnotatedECG .*read_any"):
        read_muse_xml(path)
    path.write_text('<!DOCTYPE a [<!ENTITY b "b">]><RestingECG>&b;</RestingECG>')
    with pytest.raises(RecordError, match="define XML entities. .*do not trust"):
        read_muse_xml(path)
    path.write_text('<?xml version="1.0" encoding="x-none"?><RestingECG/>')
    with pytest.raises(RecordError, match="no well-formed XML"):
        read_muse_xml(path)
    with pytest.raises(RecordNotFoundError, match="no such file"):
        read_muse_xml(tmp_path / "x.xml")


def test_damaged_files(path):
    leads = [muse_lead(n, x, checksum=0) for n, x in zip(EIGHT[:3], X[:3], strict=True)]
    write_muse(path, muse(leads))
    assert check_damage(path, read_muse_xml) > 200
