"""What is wrong with a record: one clear error, or left out with the reason."""

import warnings

import numpy as np
import pytest
import wfdb

from sk_erts.datasets import (
    STANDARD_LEADS,
    RecordArray,
    load_cinc2017,
    load_cinc2020,
    load_mitbih,
    load_ptbxl,
    make_ecg,
    read_records,
)
from sk_erts.exceptions import RecordError, RecordNotFoundError

BAD = "records100/00000/00002_lr"  # the second of six
SIGNAL = make_ecg(1, random_state=7)[0][0]


@pytest.fixture
def spoil(tiny, write_record):
    """Return a function that replaces the second record of a tiny PTB-XL."""

    def write(signal=SIGNAL, **options):
        write_record(tiny / BAD, signal, **options)

    return write


def flat(signal=SIGNAL, leads=("V2", "V4")):
    """Return a signal of which some leads stand still, at zero and elsewhere."""
    flat = signal.copy()
    for k, lead in enumerate(leads):
        flat[STANDARD_LEADS.index(lead)] = 0.5 * k
    return flat


def with_a_gap():
    gap = SIGNAL.copy()
    gap[4, 10:13] = np.nan
    return gap


# what is done to the record, what is said of it
CASES = {
    "flat leads": (lambda spoil: spoil(flat()), r"flat.*one value .* in V2, V4;"),
    "a lead is missing": (
        lambda spoil: spoil(SIGNAL[:11], leads=STANDARD_LEADS[:11]),
        r"twelve standard ones, I, .*, V6, .*Got I, .*, V5 instead",
    ),
    "another frequency": (lambda spoil: spoil(fs=250), r"be 100 Hz\. Got 250 Hz"),
    "missing samples": (
        lambda spoil: spoil(with_a_gap()),
        r"must be numbers\. Got 3 missing ones .* in aVL;",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_record_is_named_with_what_was_expected_and_found(tiny, spoil, case):
    change, message = CASES[case]
    change(spoil)
    with pytest.raises(RecordError, match=f"{BAD}: .*{message}"):
        load_ptbxl(tiny)


@pytest.mark.parametrize("case", CASES)
def test_a_bad_record_is_left_out_and_the_table_tells_why(tiny, spoil, case):
    whole = load_ptbxl(tiny)
    change, message = CASES[case]
    change(spoil)
    left_out(load_ptbxl(tiny, on_error="skip"), whole, tiny, message)


def left_out(data, whole, folder, message):
    """Assert that the second record is gone, and that ``skipped`` says why."""
    left = [0, 2, 3, 4, 5]
    np.testing.assert_array_equal(data.data, whole.data[left])
    np.testing.assert_array_equal(data.target, whole.target[left])
    assert data.metadata.index.tolist() == whole.metadata.index[left].tolist()
    assert data.skipped["record"].tolist() == [str(folder / BAD)]
    assert data.skipped["error"].str.contains(message).all()


def test_a_signal_file_that_is_cut_short(tiny):
    whole = load_ptbxl(tiny)
    path = tiny / f"{BAD}.dat"
    path.write_bytes(path.read_bytes()[:12_000])
    message = r"shape \(12, 1000\)\. Got 12000 bytes instead, shape \(12, 500\)"
    with pytest.raises(RecordError, match=f"00002_lr: .*{message}"):
        load_ptbxl(tiny)
    left_out(load_ptbxl(tiny, on_error="skip"), whole, tiny, message)


def test_a_signal_file_that_is_not_there(tiny):
    whole = load_ptbxl(tiny)
    (tiny / f"{BAD}.dat").unlink()
    with pytest.raises(RecordNotFoundError, match="1 of the 6 .*00002_lr"):
        load_ptbxl(tiny)
    left_out(load_ptbxl(tiny, on_error="skip"), whole, tiny, r"00002_lr\.dat")


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_leads_in_a_wrong_order_are_put_in_order(tiny, spoil, on_error):
    spoil()
    straight = load_ptbxl(tiny, on_error=on_error)
    order = np.random.default_rng(0).permutation(12)
    spoil(SIGNAL[order], leads=[STANDARD_LEADS[k] for k in order])
    shuffled = load_ptbxl(tiny, on_error=on_error)
    np.testing.assert_array_equal(shuffled.data, straight.data)
    assert len(shuffled.skipped) == 0


def test_where_leads_have_no_usual_order_another_one_is_an_error(
    tmp_path, write_record
):
    for name, leads in (("a", ["MLII", "V1"]), ("b", ["V1", "MLII"])):
        write_record(tmp_path / name, SIGNAL[:2], leads=leads)
    with pytest.raises(RecordError, match=r"b: .*MLII, V1\. Got V1, MLII instead"):
        read_records(tmp_path)
    data = read_records(tmp_path, on_error="skip")
    assert data.groups.tolist() == ["a"]
    assert data.skipped["record"].tolist() == [str(tmp_path / "b")]
    assert "Got V1, MLII instead" in data.skipped["error"][0]


def test_a_table_of_labels_that_names_missing_records(tmp_path, write_record):
    write_record(tmp_path / "a", SIGNAL)
    (tmp_path / "labels.csv").write_text("name,label\na,1\ngone,0\n")
    with pytest.raises(RecordNotFoundError, match="name 1 records .* among them gone"):
        read_records(tmp_path, labels=tmp_path / "labels.csv")
    data = read_records(tmp_path, labels=tmp_path / "labels.csv", on_error="skip")
    assert data.groups.tolist() == ["a"]
    assert data.skipped["record"].tolist() == ["gone"]
    assert "it is not there" in data.skipped["error"][0]


class TestFlatLeads:
    """Each loader refuses them, and keeps them where that is asked for."""

    def ptbxl(self, folder, write_record, write_mat_record):
        return load_ptbxl

    def records(self, folder, write_record, write_mat_record):
        write_record(folder / "r1", flat())
        return read_records

    def array(self, folder, write_record, write_mat_record):
        write_record(folder / "r1", flat())
        return lambda folder, **how: RecordArray([folder / "r1"], **how)

    def cinc2017(self, folder, write_record, write_mat_record):
        write_mat_record(folder / "A00001", np.full((1, 900), 0.2), ["ECG"], 300)
        (folder / "REFERENCE-v3.csv").write_text("A00001,N\n")
        return load_cinc2017

    def cinc2020(self, folder, write_record, write_mat_record):
        signal = flat()[::-1]
        write_mat_record(
            folder / "E00001", signal, STANDARD_LEADS[::-1], 500, ["# Dx: 426783006"]
        )
        return load_cinc2020

    def mitbih(self, folder, write_record, write_mat_record):
        signal = np.stack([np.zeros(2000), np.sin(np.arange(2000.0))])
        write_record(folder / "101", signal, ["MLII", "V1"], fs=360)
        with warnings.catch_warnings():
            # wfdb calls pandas in a way that recent versions deprecate.
            warnings.simplefilter("ignore", DeprecationWarning)
            wfdb.wrann("101", "atr", np.array([500]), ["N"], write_dir=str(folder))
        return load_mitbih

    @pytest.mark.parametrize(
        ("loader", "n_flat"),
        [
            ("ptbxl", 2),
            ("records", 2),
            ("array", 2),
            ("cinc2017", 1),
            ("cinc2020", 2),
            ("mitbih", 1),
        ],
    )
    def test_are_kept_if_asked_for(
        self, loader, n_flat, tmp_path, write_record, write_mat_record, request
    ):
        if loader == "ptbxl":
            request.getfixturevalue("spoil")(flat())
        load = getattr(self, loader)(tmp_path, write_record, write_mat_record)
        with pytest.raises(RecordError, match="no lead must be flat"):
            load(tmp_path)
        kept = load(tmp_path, allow_flat=True)
        data = kept.load() if loader == "array" else kept.data
        assert (np.ptp(data, axis=2) == 0).sum() == n_flat

    def test_one_sample_that_differs_is_enough(self, tmp_path, write_record):
        signal = flat()
        signal[[STANDARD_LEADS.index(lead) for lead in ("V2", "V4")], 999] += 0.1
        write_record(tmp_path / "r1", signal)
        np.testing.assert_allclose(read_records(tmp_path).data[0], signal, atol=6e-4)
