import warnings

import numpy as np
import pandas as pd
import pytest

from sk_erts.datasets import load_mitbih
from sk_erts.exceptions import RecordError, RecordNotFoundError

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import wfdb

N_TIMES = 3600
# symbol and sample of each annotation; "+" and "~" are remarks, not beats
NOTES = [("+", 5), ("N", 60), ("V", 500), ("~", 700), ("A", 1000), ("/", 3550)]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name, leads in (("101", ["MLII", "V1"]), ("202", ["V5", "MLII"])):
        write(tmp_path, name, rng.normal(scale=0.4, size=(2, N_TIMES)), leads)
    return tmp_path


def write(folder, name, signal, leads, fs=360):
    n = len(leads)
    symbols, samples = zip(*NOTES, strict=True)
    with warnings.catch_warnings():
        # wfdb calls pandas in a way that recent versions deprecate.
        warnings.simplefilter("ignore", DeprecationWarning)
        wfdb.wrsamp(
            name,
            fs,
            ["mV"] * n,
            leads,
            p_signal=signal.T,
            fmt=["16"] * n,
            adc_gain=[200.0] * n,
            baseline=[0] * n,
            write_dir=str(folder),
        )
        wfdb.wrann(name, "atr", np.array(samples), list(symbols), write_dir=str(folder))


def samples_of(folder, name):
    """Read the samples in mV without wfdb."""
    raw = np.fromfile(folder / f"{name}.dat", dtype="<i2")
    return raw.reshape(-1, 2).T / 200


def test_beats_are_cut_around_their_r_peaks(folder):
    data = load_mitbih(folder, window_s=(0.1, 0.2))
    assert data.data.shape == (6, 1, 36 + 72)
    assert data.data.dtype == np.float32
    assert data.r_peak == 36
    assert data.metadata["sample"].tolist() == [60, 500, 1000] * 2
    for k, name, lead in ((1, "101", 0), (4, "202", 1)):
        expected = samples_of(folder, name)[lead, 500 - 36 : 500 + 72]
        np.testing.assert_allclose(data.data[k, 0], expected, atol=1e-6)


def test_classes_of_aami_and_symbols(folder):
    data = load_mitbih(folder, window_s=(0.1, 0.1))
    assert data.target.tolist() == ["N", "V", "S", "Q"] * 2
    assert data.target_names == ["N", "S", "V", "F", "Q"]
    symbols = load_mitbih(folder, window_s=(0.1, 0.1), classes="symbols")
    assert symbols.target.tolist() == ["N", "V", "A", "/"] * 2
    assert set(symbols.target) <= set(symbols.target_names)


def test_beats_that_do_not_fit_are_counted(folder):
    data = load_mitbih(folder, window_s=(0.2, 0.2))  # 60 - 72 < 0, 3550 + 72 > 3600
    assert data.metadata["sample"].tolist() == [500, 1000] * 2
    assert data.n_cut == 4
    assert "4 beats too near an end" in data.DESCR


def test_windows_may_touch_both_ends(folder):
    whole = load_mitbih(folder, window_s=(60 / 360, 50 / 360))
    assert whole.n_cut == 0
    np.testing.assert_allclose(
        whole.data[0, 0], samples_of(folder, "101")[0, :110], atol=1e-6
    )


def test_two_records_of_one_patient_are_one_group(folder):
    data = load_mitbih(folder, records=["101", "202"])
    assert set(data.groups) == {"101", "201"}
    assert set(data.metadata["record"]) == {"101", "202"}


def test_leads_by_name(folder):
    (folder / "202.hea").unlink()
    both = load_mitbih(folder, leads=("V1", "MLII"), return_X_y=True)[0]
    assert both.shape[1] == 2
    np.testing.assert_array_equal(both[:, [1]], load_mitbih(folder).data)


class TestBadInput:
    def test_no_folder(self, tmp_path):
        with pytest.raises(RecordNotFoundError, match="no folder .*unpack it"):
            load_mitbih(tmp_path / "nowhere")

    def test_no_records(self, tmp_path):
        with pytest.raises(RecordNotFoundError, match="none of the 44 records"):
            load_mitbih(tmp_path)

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"window_s": 0.5}, r"'window_s' .*two numbers of seconds.*Got 0.5"),
            ({"window_s": (-0.1, 0.2)}, r"'window_s' .*Got \(-0.1, 0.2\)"),
            ({"window_s": (0, 0)}, r"'window_s' .*Got \(0, 0\)"),
            ({"window_s": (0.1, "a")}, "'window_s'"),
            ({"classes": "five"}, "'classes' .*'aami' or 'symbols'. Got 'five'"),
            ({"records": "ds3"}, "'records' .*'ds1', 'ds2' or a list"),
            ({"records": []}, r"'records' .*Got \[\]"),
            ({"records": ["../101"]}, "'records' .*in the folder.*'../101'"),
            ({"leads": ()}, "'leads' .*must name a lead"),
            ({"on_error": None}, "'on_error'"),
        ],
    )
    def test_parameters(self, folder, params, message):
        with pytest.raises(ValueError, match=message):
            load_mitbih(folder, **params)

    def test_a_half_of_the_database_must_be_whole(self, folder):
        with pytest.raises(RecordNotFoundError, match=r"106\.hea: .*no such header"):
            load_mitbih(folder, records="ds1")

    def test_a_lead_that_a_record_lacks(self, folder):
        with pytest.raises(RecordError, match="202: .*the leads V1. Got V5, MLII"):
            load_mitbih(folder, leads="V1")

    def test_another_frequency(self, folder):
        write(
            folder,
            "101",
            np.sin(np.arange(2.0 * N_TIMES)).reshape(2, -1),
            ["MLII", "V1"],
            fs=250,
        )
        with pytest.raises(RecordError, match="101: .*360 Hz. Got 250 Hz"):
            load_mitbih(folder)

    def test_no_annotations(self, folder):
        (folder / "202.atr").unlink()
        with pytest.raises(RecordNotFoundError, match=r"202\.atr: .*is not there"):
            load_mitbih(folder)

    def test_skip_leaves_out_and_tells_why(self, folder):
        (folder / "101.atr").unlink()
        data = load_mitbih(folder, on_error="skip")
        assert set(data.metadata["record"]) == set(data.groups) ^ {"201", "202"}
        assert isinstance(data.skipped, pd.DataFrame)
        assert data.skipped["record"].tolist() == [str(folder / "101")]
        (folder / "202.atr").unlink()
        with pytest.raises(ValueError, match="None of the 2 records"):
            load_mitbih(folder, on_error="skip")


@pytest.mark.real
def test_real_beats_of_ds1(mitbih_folder):
    data = load_mitbih(mitbih_folder, records="ds1", window_s=(0, 1 / 360), n_jobs=2)
    # The counts that are usual in the literature.
    expected = {"N": 45866, "S": 944, "V": 3788, "F": 415, "Q": 8}
    assert pd.Series(data.target).value_counts().to_dict() == expected
    assert data.n_cut == 0
    first = data.metadata["record"] == "101"
    raw = np.fromfile(mitbih_folder / "101.dat", dtype=np.uint8).reshape(-1, 3)
    low = raw[:, 0].astype(int) | (raw[:, 1].astype(int) & 0x0F) << 8  # format 212
    mv = (np.where(low > 2047, low - 4096, low) - 1024) / 200
    samples = data.metadata["sample"][first]
    np.testing.assert_allclose(data.data[first, 0, 0], mv[samples], atol=1e-5)
