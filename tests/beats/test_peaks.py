import subprocess
import sys
import warnings

import numpy as np
import pytest

from sk_erts.beats import r_peaks
from sk_erts.datasets import make_ecg

with warnings.catch_warnings():
    # wfdb calls pandas in a way that recent versions deprecate.
    warnings.simplefilter("ignore", DeprecationWarning)
    import wfdb
    import wfdb.processing

FS = 250
LEADS = ("II", "V1")
BEATS = set("NLRejAaJSVEF/fQ")


@pytest.fixture(scope="module")
def records():
    return make_ecg(
        8, 2, FS, classes=["NORM", "HYP"], random_state=0, return_evidence=True
    )


class Lazy:
    """Records that are read when they are asked for."""

    def __init__(self, X):
        self.X = X

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return self.X[index]


def assert_same_beats(found, true, n_times, fs, within_s):
    """Compare peaks, but for those whose complex the ends of the record cut."""
    edge = 0.15 * fs

    def whole(peaks):
        return peaks[(peaks >= edge) & (peaks < n_times - edge)]

    assert len(whole(true)) >= 5
    assert len(whole(found)) == len(whole(true))
    assert abs(whole(found) - whole(true)).max() <= within_s * fs


@pytest.mark.parametrize("fs", [100, 250, 500])
def test_finds_exactly_the_beats_of_synthetic_records(fs):
    X, _, evidence = make_ecg(
        24, 12, fs, classes=["NORM", "STE", "HYP"], random_state=0, return_evidence=True
    )
    assert evidence.lead_names[1] == "II"
    for found, true in zip(r_peaks(X, fs, lead=1), evidence.r_peaks, strict=True):
        assert_same_beats(found, true, X.shape[2], fs, 0.011)
    for found, true in zip(r_peaks(X, fs), evidence.r_peaks, strict=True):
        assert_same_beats(found, true, X.shape[2], fs, 0.04)  # perhaps Q or S


def test_one_record_is_one_array_and_many_are_a_list(records):
    X, _, _ = records
    together = r_peaks(X, FS)
    assert isinstance(together, list)
    assert len(together) == len(X)
    one_by_one = r_peaks(Lazy(X), FS)
    for record, found, again in zip(X, together, one_by_one, strict=True):
        alone = r_peaks(record, FS)
        assert alone.dtype == np.int64
        np.testing.assert_array_equal(alone, found)
        np.testing.assert_array_equal(again, found)


def test_records_of_different_lengths(records):
    X, _, evidence = records
    cut = [X[1], X[2][:, :1500]]
    for found, x, true in zip(
        r_peaks(cut, FS), cut, evidence.r_peaks[1:3], strict=True
    ):
        assert_same_beats(found, true[true < x.shape[1]], x.shape[1], FS, 0.04)


def test_a_lead_by_name_or_position(records):
    X, _, _ = records
    X = X.copy()
    X[:, 1] = np.roll(X[:, 1], 50, axis=-1)  # so that leads tell different peaks
    named = r_peaks(X[0], FS, lead="v1", lead_names=LEADS)
    np.testing.assert_array_equal(named, r_peaks(X[0], FS, lead=1))
    np.testing.assert_array_equal(named, r_peaks(X[0, 1:], FS))
    assert not np.array_equal(named, r_peaks(X[0], FS, lead=0))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lead, rng: 3 * rng.normal(size=lead.shape),
        lambda lead, rng: np.zeros_like(lead),
        lambda lead, rng: np.full_like(lead, 0.1),
        lambda lead, rng: lead + 2 * rng.normal(size=lead.shape),
        lambda lead, rng: 4 * np.sin(np.arange(len(lead)) * 2 * np.pi * 12 / FS),
    ],
    ids=["noise", "flat at zero", "flat", "noisy", "hum"],
)
@pytest.mark.parametrize("bad", [0, 1])
def test_by_itself_it_looks_at_the_clear_lead(records, spoil, bad):
    X, _, _ = records
    rng = np.random.default_rng(0)
    for record in X:
        spoilt = record.astype(np.float64)
        spoilt[bad] = spoil(spoilt[bad], rng)
        np.testing.assert_array_equal(
            r_peaks(spoilt, FS), r_peaks(record, FS, lead=1 - bad)
        )


@pytest.mark.parametrize("factor", [0.001, 1000])
def test_the_scale_does_not_matter(records, factor):
    X, _, _ = records
    for found, expected in zip(r_peaks(factor * X, FS), r_peaks(X, FS), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "record",
    [
        np.zeros((2, 2500)),
        np.full((2, 2500), 0.7),
        np.random.default_rng(0).normal(size=(2, FS - 1)),
        np.ones((1, 1)),
        np.concatenate([np.zeros((1, 2480)), np.arange(20)[np.newaxis]], axis=1),
    ],
    ids=["zero", "constant", "short", "one step", "flat but for the end"],
)
@pytest.mark.parametrize("lead", [None, 0])
def test_no_beat_is_an_empty_array(record, lead):
    found = r_peaks(record, FS, lead=lead)
    assert found.shape == (0,)
    assert found.dtype == np.int64
    assert [len(peaks) for peaks in r_peaks([record, record], FS)] == [0, 0]


def test_no_records_have_no_peaks():
    assert r_peaks([], FS) == []


@pytest.mark.parametrize(
    ("X", "params", "message"),
    [
        (np.zeros(100), {}, r"'X\[0\]' .* \(n_leads, n_times\).*shape \(\)"),
        ([np.zeros((2, 9)), np.zeros(9)], {}, r"'X\[1\]' .* Got shape \(9,\)"),
        (np.zeros((2, 0)), {}, r"'X' .* of r_peaks .* none of them 0. .*\(2, 0"),
        ([np.full((2, 9), np.nan)], {}, r"'X\[0\]' .* of r_peaks .* Got 18 NaN"),
        (np.full((2, 9), "a"), {}, "'X' .* of r_peaks .*numbers. Got ndarray of dt"),
        (np.zeros((2, 9)), {"lead": 2}, "'lead' .* below 2, the number .* Got 2"),
        (np.zeros((2, 9)), {"lead": -1}, "'lead' .* a position from 0 on, .* Got -1"),
        (np.zeros((2, 9)), {"lead": True}, "'lead' .* a position .* Got True"),
        (np.zeros((2, 9)), {"lead": "II"}, "no 'lead_names' .* Got 'II'.* Give"),
        (
            np.zeros((2, 9)),
            {"lead": "v11", "lead_names": LEADS},
            "'lead' .* be 'II' or 'V1'. Got 'v11' instead. Did you mean 'V1'",
        ),
        (np.zeros((3, 9)), {"lead_names": LEADS}, "3 leads of X. Got"),
        (np.zeros((2, 9)), {"fs": 60}, "'fs' .* above 60 Hz. Got 60 instead. Resample"),
        (np.zeros((2, 9)), {"fs": "a"}, "'fs' .* sampling frequency .* Got 'a'"),
    ],
)
def test_errors_say_what_to_do(X, params, message):
    with pytest.raises(ValueError, match=message):
        r_peaks(X, **{"fs": FS, **params})


def test_without_the_library_the_command_is_named(records, monkeypatch):
    monkeypatch.setitem(sys.modules, "sleepecg", None)
    with pytest.raises(ImportError, match=r'pip install "sk-erts\[beats\]"'):
        r_peaks(records[0], FS)


def test_importing_beats_does_not_import_the_library():
    script = "import sk_erts.beats, sys; sys.exit('sleepecg' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_importing_the_library_does_not_warn():
    script = "import sleepecg"
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_a_lead_that_points_downwards_is_not_the_choice(records):
    X, _, _ = records
    for record in X:
        both = np.stack([-record[0], record[0]])
        np.testing.assert_array_equal(r_peaks(both, FS), r_peaks(both, FS, lead=1))
        assert not np.array_equal(r_peaks(both, FS), r_peaks(both, FS, lead=0))


@pytest.mark.real
# wfdb calls pandas in a way that recent versions deprecate.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["101", "112", "115", "122", "209", "220", "230"])
def test_real_beats(mitbih_folder, name):
    record = wfdb.rdrecord(str(mitbih_folder / name), channels=[0])
    notes = wfdb.rdann(str(mitbih_folder / name), "atr")
    true = notes.sample[[symbol in BEATS for symbol in notes.symbol]]

    found = r_peaks(record.p_signal.T, record.fs)

    # Within 150 ms, as ANSI/AAMI EC57 counts; wfdb pairs the two by itself.
    comparison = wfdb.processing.compare_annotations(true, found, int(0.15 * record.fs))
    assert comparison.sensitivity >= 0.99
    assert comparison.positive_predictivity >= 0.99
