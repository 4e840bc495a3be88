"""Tables of text."""

import numpy as np
import pandas as pd
import pytest

from sk_erts.datasets import read_csv
from sk_erts.exceptions import RecordError, RecordNotFoundError
from tests.datasets.formats import check_damage, steps

X = steps(2, 250) / 1000
ROWS = [f"{one:.4f},{two:.4f}" for one, two in X.T]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ecg.csv"


def timed(times, heading="time (s),II (mV),V1 (mV)"):
    """Return a table with a column of times."""
    rows = (f"{time},{row}" for time, row in zip(times, ROWS, strict=True))
    return "\n".join([heading, *rows])


SECONDS = [f"{k / 360:.6f}" for k in range(250)]


@pytest.mark.parametrize(
    ("heading", "told", "mv"),
    [
        ("II (mV),V1 (mV)", {}, 1),
        ("ii [uV],ECG v1 [uV]", {}, 1e-3),
        ("II_mV,V1_mV", {}, 1),
        ("'II','V1'\n'mV','mV'", {}, 1),
        ('"II","V1"', {"unit": "V"}, 1e3),
        # The unit is for those without.
        ("II (uV),V1", {"unit": "V"}, np.array([[1e-3], [1e3]])),
        ("one,two", {"unit": "mV", "lead_names": ["II", "V1"]}, 1),
        ("# by hand\n\nII (\u00b5V),V1 (\u00b5V)", {}, 1e-3),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_values_units_leads_and_frequency(path, heading, told, mv, encoding):
    path.write_text("\n".join([heading, *ROWS]), encoding=encoding)
    record = read_csv(path, fs=360, **told)
    assert record.signal.dtype == np.float32
    np.testing.assert_allclose(record.signal, X * mv, rtol=1e-6)
    assert record.lead_names == ("II", "V1")
    assert record.fs == 360


@pytest.mark.parametrize("separator", [";", "\t", " ", ", "])
def test_separators(path, separator):
    text = "\n".join(["II,V1", *ROWS]).replace(",", separator)
    path.write_text(text)
    np.testing.assert_allclose(read_csv(path, fs=360, unit="mV").signal, X, rtol=1e-6)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas(path, separator):
    text = "\n".join(["II (mV),V1 (mV)", *ROWS]).replace(",", separator)
    path.write_text(text.replace(".", ","))
    np.testing.assert_allclose(read_csv(path, fs=360).signal, X, rtol=1e-6)


def test_no_headings_and_no_first_row_lost(path):
    path.write_text("\n".join(ROWS))
    told = {"fs": 360, "unit": "mV"}
    found = read_csv(path, **told, lead_names=["I", "II"])
    np.testing.assert_allclose(found.signal, X, rtol=1e-6)
    with pytest.raises(RecordError, match=r"Got 2 without one; pass lead_names="):
        read_csv(path, **told)


@pytest.mark.parametrize("first", ["NA,0.5", "nan,NaN", ",0.5", "N/A,null"])
def test_a_first_sample_that_is_missing_is_not_lost(path, first):
    path.write_text("\n".join(["II (mV),V1 (mV)", first, *ROWS]))
    with pytest.raises(RecordError, match="missing"):
        read_csv(path, fs=360)
    assert read_csv(path, fs=360, missing="cut").signal.shape == (2, 250)
    if first.endswith("5"):
        found = read_csv(path, fs=360, leads=["V1"]).signal
        np.testing.assert_allclose(found, [[0.5, *X[1]]], rtol=1e-6)


@pytest.mark.parametrize("first", ["O.5,0.5", "a,b", "mV,mV"])
def test_a_second_line_of_headings_holds_units_or_is_refused(path, first):
    path.write_text("\n".join(["II (mV),V1 (mV)", first, *ROWS]))
    with pytest.raises(RecordError, match="line under the headings .*Got '"):
        read_csv(path, fs=360)
    path.write_text("\n".join(["II,V1", "O.5,0.5", *ROWS]))
    with pytest.raises(RecordError, match="Got '0.5' in it"):
        read_csv(path, fs=360, unit="mV")


@pytest.mark.parametrize("index", [True, False])
def test_what_pandas_writes(path, index):
    """Columns without names are numbered, and rows too: that is no sample."""
    frame = pd.DataFrame(np.vstack([X, X[:1] / 2]).T)
    frame.to_csv(path, index=index)
    found = read_csv(path, fs=360, unit="mV", lead_names=["I", "II", "V1"])
    assert found.signal.shape == (3, 250)
    np.testing.assert_allclose(found.signal[:2], X, rtol=1e-6)


@pytest.mark.parametrize(
    ("times", "heading", "fs"),
    [
        (SECONDS, "time (s)", 360),
        (SECONDS, "Time [sec]", 360),
        ([f"{k / 0.36:.0f}" for k in range(250)], "t_ms", 360),
        ([f"{5 + k / 0.5:.2f}" for k in range(250)], "time (ms)", 500),
        ([f"{k / 4.5:.9f}" for k in range(250)], "t (s)", 4.5),
    ],
)
def test_frequency_from_times(path, times, heading, fs):
    path.write_text(timed(times, f"{heading},II (mV),V1 (mV)"))
    record = read_csv(path)
    assert record.fs == pytest.approx(fs, rel=1e-6)
    assert record.lead_names == ("II", "V1")
    np.testing.assert_allclose(record.signal, X, rtol=1e-6)
    with pytest.raises(RecordError, match=f"the file says .* Got fs={2 * fs}"):
        read_csv(path, fs=2 * fs)


@pytest.mark.parametrize(
    "heading", ["time", "sample", "sample #", "index", "elapsed time"]
)
def test_times_without_a_unit_and_counters_are_no_leads(path, heading):
    path.write_text(timed(range(250), f"{heading},II (mV),V1 (mV)"))
    assert read_csv(path, fs=360).lead_names == ("II", "V1")
    with pytest.raises(RecordError, match=r"Got none from the file; pass fs=\.\.\."):
        read_csv(path)


def test_clocks(path):
    clock = [f"0:00.{k:03d}" for k in range(250)]
    path.write_text(timed(clock, "'Elapsed time','II','V1'\n'mm:ss.mmm','mV','mV'"))
    np.testing.assert_allclose(read_csv(path, fs=360).signal, X, rtol=1e-6)


@pytest.mark.parametrize(
    "times",
    [
        [*SECONDS[:100], *[f"{9 + k / 360:.6f}" for k in range(150)]],
        SECONDS[::-1],
        ["1"] * 250,
        [*SECONDS[:5], "", *SECONDS[6:]],
    ],
)
def test_times_with_gaps(path, times):
    path.write_text(timed(times))
    with pytest.raises(RecordError, match="even steps"):
        read_csv(path)


def test_leads_by_name_and_number(path):
    path.write_text("\n".join(["II (mV),ABP (mmHg)", *ROWS]))
    with pytest.raises(RecordError, match="Got mmHg instead in ABP; .*leads="):
        read_csv(path, fs=360)
    for leads in ("ii", [0]):
        np.testing.assert_allclose(
            read_csv(path, fs=360, leads=leads).signal, X[:1], rtol=1e-6
        )


def test_missing_samples(path):
    rows = [*ROWS[:240], *(row.split(",")[0] + "," for row in ROWS[240:])]
    path.write_text("\n".join(["II (mV),V1 (mV)", *rows]))
    with pytest.raises(RecordError, match="10 missing ones .*in V1"):
        read_csv(path, fs=360)
    assert read_csv(path, fs=360, missing="cut").signal.shape == (2, 240)


@pytest.mark.parametrize(
    ("text", "told", "message"),
    [
        ("", {}, "a row for each sample. Got no row"),
        ("# nothing\n", {}, "Got no row"),
        ("II (mV)\n", {}, "no numbers below"),
        ("a,b\nc,d\ne,f\n1,2\n", {}, "Got 'a,b' and no numbers below"),
        ("II,V1\n1,2\n2,3\n", {}, "Got none for II, V1; pass unit='mV'"),
        ("II (mV)\n1\ntwo\n", {}, "no table of numbers .*two"),
        ("II (mV),V1 (mV)\n1,2\n1,2,3\n", {}, "no table of numbers"),
        ("II (mV)\n1\n1\n", {}, "flat"),
        ("II (mV)\n1\ninf\n", {}, "1 missing"),
        ("t_ms,II (mV)\n0,1\n", {"fs": None}, "Got none from the file"),
        ("II (mV)\n1\n2\n", {"lead_names": ["I", "II"]}, "1 columns .*Got 2 names"),
        ("time (s)\n1\n2\n", {"fs": None}, "lead or more. Got none"),
        ("II (mV),V1 (mV)\n1\n2\n", {}, "each of the 1 columns. Got 2"),
        ("II (mV)\n0,1\n0,2\n", {}, "each of the 2 columns. Got 1"),
    ],
)
def test_what_is_wrong(path, text, told, message):
    path.write_text(text)
    with pytest.raises(RecordError, match=f"ecg.csv: .*{message}"):
        read_csv(path, **{"fs": 360} | told)


def test_what_is_no_text(path, tmp_path):
    path.write_bytes(bytes(range(100)))
    with pytest.raises(RecordError, match="no text"):
        read_csv(path, fs=360)
    with pytest.raises(RecordNotFoundError, match="no such file"):
        read_csv(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"unit": "mmHg"}, "'unit' parameter of read_csv"),
        ({"fs": -1}, "'fs' parameter of read_csv"),
        ({"lead_names": []}, "'lead_names' parameter of read_csv"),
        ({"missing": "no"}, "'missing' parameter of read_csv"),
    ],
)
def test_parameters(path, wrong, message):
    path.write_text("\n".join(["II (mV),V1 (mV)", *ROWS]))
    with pytest.raises(ValueError, match=message) as error:
        read_csv(path, **{"fs": 360} | wrong)
    assert error.type is ValueError


def test_damaged_files(path):
    path.write_text(timed(SECONDS))
    assert check_damage(path, read_csv, stumps=(0, 1, 20)) > 150
