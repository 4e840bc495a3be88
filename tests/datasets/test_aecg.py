"""Annotated ECGs of HL7."""

import numpy as np
import pytest

from sk_erts.datasets import STANDARD_LEADS, read_aecg
from sk_erts.exceptions import RecordError, RecordNotFoundError
from tests.datasets.formats import (
    aecg_lead,
    aecg_series,
    aecg_times,
    check_damage,
    steps,
    write_aecg,
)

X = steps(12)
NAMES = [name.upper() for name in STANDARD_LEADS]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ecg.xml"


def series(samples=X, names=NAMES, times=None, derived="", **more):
    leads = [aecg_lead(n, x, **more) for n, x in zip(names, samples, strict=True)]
    return aecg_series([times or aecg_times(), *leads], derived)


@pytest.mark.parametrize(("unit", "mv"), [("uV", 1e-3), ("mV", 1), ("nV", 1e-6)])
def test_values_units_leads_and_frequency(path, unit, mv):
    write_aecg(path, series(unit=unit, scale=2.5, origin=100))
    record = read_aecg(path)
    assert record.signal.dtype == np.float32
    np.testing.assert_allclose(record.signal, (100 + 2.5 * X) * mv, rtol=1e-6)
    assert record.lead_names == STANDARD_LEADS
    assert record.fs == 500


def test_origin_and_scale_have_each_a_unit(path):
    write_aecg(path, series(origin=0.2, origin_unit="mV", scale=5, unit="uV"))
    expected = 0.2 + 5e-3 * X
    np.testing.assert_allclose(read_aecg(path).signal, expected, rtol=1e-5, atol=1e-6)
    write_aecg(path, series(origin=0.2, origin_unit="s"))
    with pytest.raises(RecordError, match="origin of .* must be a voltage. Got s"):
        read_aecg(path)


@pytest.mark.parametrize(
    ("step", "unit", "fs"),
    [
        ("2", "ms", 500),
        ("1000", "us", 1000),
        ("0.000976562", "s", 1024),
        ("3", "ms", 1e3 / 3),
    ],
)
def test_frequency(path, step, unit, fs):
    write_aecg(path, series(times=aecg_times(step, unit)))
    assert read_aecg(path).fs == fs


def test_average_beats_are_no_series(path):
    beat = series(X[:, :60]).replace("series>", "derivedSeries>")
    derived = "<derivation>" + beat.removeprefix("<component>").removesuffix(
        "</component>"
    )
    write_aecg(path, series(derived=derived + "</derivation>"))
    assert read_aecg(path).signal.shape == (12, 500)


def test_one_of_several_series(path):
    write_aecg(path, series(), series(X[:, ::2]))
    with pytest.raises(RecordError, match=r"one series .* Got 2; .*series=\.\.\."):
        read_aecg(path)
    assert read_aecg(path, series=0).signal.shape == (12, 500)
    assert read_aecg(path, series=1).signal.shape == (12, 250)
    with pytest.raises(RecordError, match="series 2 is absent. The file holds 2"):
        read_aecg(path, series=2)
    with pytest.raises(ValueError, match="'series' parameter of read_aecg must"):
        read_aecg(path, series=-1)


def test_leads_by_name_and_number(path):
    write_aecg(path, series(X[:3], ["II", "X", "MLII"]))
    record = read_aecg(path, leads=["MLII", 0])
    assert record.lead_names == ("MLII", "II")
    np.testing.assert_allclose(record.signal, X[[2, 0]] * 5e-3, rtol=1e-6)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (series(X[:1], ["II"], unit="mm[Hg]"), r"Got mm\[Hg\] instead in II"),
        (series(X[:1], ["II"], unit=""), "Got no unit instead in II"),
        (series(X[:1], ["II"], scale=0), "scale of MDC_ECG_LEAD_II must .* Got 0"),
        (series(X[:1], ["II"], scale="x"), "scale of .* finite number. Got 'x'"),
        (series(X[:1], ["II"], origin="inf"), "origin of .* finite number. Got 'inf'"),
        (series([["1", "two"]], ["II"]), "digits of .* must be numbers"),
        (series([["1", "nan", "3"]], ["II"]), "1 missing ones .*in II"),
        (series([[]], ["II"]), "must be samples. Got none"),
        (series([X[0], X[1][:-1]], ["I", "II"]), "number of samples. Got 499, 500"),
        (
            series(X[:1], ["II"], times=aecg_times("0")),
            "above 0, in s, ms or us. Got 0 s",
        ),
        (series(X[:1], ["II"], times=aecg_times("2", "h")), "Got 2 h"),
        (aecg_series([aecg_lead("II", X[0])]), "sequence of times. Got none"),
        (aecg_series([aecg_times()]), "lead or more. Got none"),
        ("", "one series of waveforms. Got 0"),
    ],
)
def test_what_is_wrong(path, written, message):
    write_aecg(path, written)
    with pytest.raises(RecordError, match=f"ecg.xml: .*{message}"):
        read_aecg(path)


def test_what_is_no_aecg(path, tmp_path):
    path.write_text("<RestingECG/>")
    with pytest.raises(RecordError, match="AnnotatedECG. Got RestingECG"):
        read_aecg(path)
    with pytest.raises(RecordNotFoundError, match="no such file"):
        read_aecg(tmp_path / "x.xml")


def test_damaged_files(path):
    write_aecg(path, series(X[:3], NAMES[:3]))
    assert check_damage(path, read_aecg) > 200
