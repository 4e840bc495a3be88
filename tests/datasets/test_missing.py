"""Missing samples: refused, filled in or cut away, and told."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from sk_erts.datasets import (
    STANDARD_LEADS,
    RecordArray,
    load_cinc2017,
    load_cinc2020,
    load_ptbxl,
    read_records,
)
from sk_erts.exceptions import RecordError
from tests.datasets.wfdb_files import steps, write, write_header, write_segments

LOST = -32768
COLUMNS = ["record", "lead", "n_missing", "n_times", "share", "first"]


def with_gaps(*gaps, n_leads=2):
    """Return steps of which some leads lack some samples: (lead, begin, end)."""
    x = steps(n_leads)
    for lead, begin, end in gaps:
        x[lead, begin:end] = LOST
    return x


def test_are_refused_by_default(tmp_path):
    path = write(tmp_path, "a", with_gaps((1, 5, 8)))
    for read in (read_records, lambda paths: RecordArray(paths).load()):
        with pytest.raises(
            RecordError, match="3 missing ones of 200 .* in II; .*'cut'"
        ):
            read([path])


def test_interpolation_draws_straight_lines_and_stays_level_at_the_ends(tmp_path):
    x = with_gaps((0, 0, 4), (0, 100, 103), (1, 190, 200))
    x[0, 99], x[0, 103] = 40, 80
    data = read_records([write(tmp_path, "a", x)], missing="interpolate")
    got = data.data[0] * 200
    np.testing.assert_allclose(got[0, :4], x[0, 4])
    np.testing.assert_allclose(got[0, 99:104], [40, 50, 60, 70, 80], rtol=1e-6)
    np.testing.assert_allclose(got[1, 190:], x[1, 189], rtol=1e-6)
    np.testing.assert_allclose(got[x != LOST], x[x != LOST], rtol=1e-5)
    expected = [("I", 7, 200, 0.035, 0), ("II", 10, 200, 0.05, 0)]
    assert list(data.missing.columns) == COLUMNS
    assert data.missing["record"].tolist() == [str(tmp_path / "a")] * 2
    assert list(data.missing[COLUMNS[1:]].itertuples(False, None)) == expected


@pytest.mark.parametrize(("n_lost", "fine"), [(100, True), (101, False)])
def test_what_is_mostly_missing_is_not_made_up(tmp_path, n_lost, fine):
    path = write(tmp_path, "a", with_gaps((1, 50, 50 + n_lost)))
    if fine:
        assert read_records([path], missing="interpolate").data.shape == (1, 2, 200)
        return
    with pytest.raises(RecordError, match="101 missing ones of 200 .*half of a lead"):
        read_records([path], missing="interpolate")
    write(tmp_path, "good", steps(seed=3))
    data = read_records(tmp_path, missing="interpolate", on_error="skip")
    assert data.groups.tolist() == ["good"]
    assert len(data.missing) == 0


def test_cutting_keeps_the_longest_stretch_in_which_no_lead_lacks_any(tmp_path):
    x = with_gaps((0, 0, 30), (1, 90, 95), (0, 170, 171), (1, 180, 200))
    data = read_records([write(tmp_path, "a", x)], missing="cut")
    np.testing.assert_allclose(data.data[0], x[:, 95:170] / 200, rtol=1e-6)
    expected = [("I", 31, 200, 0.155, 95), ("II", 25, 200, 0.125, 95)]
    assert list(data.missing[COLUMNS[1:]].itertuples(False, None)) == expected


def test_cutting_what_has_no_such_stretch(tmp_path):
    path = write(tmp_path, "a", with_gaps((0, 0, 100), (1, 100, 200)))
    with pytest.raises(RecordError, match="200 missing ones of 200 .* in I, II"):
        read_records([path], missing="cut")


@pytest.mark.parametrize("rate", [1, 2])
def test_the_tail_of_a_skewed_lead_is_missing(tmp_path, rate):
    lines = [f"16x{rate}:5 200/mV 16 0 0 0 0 I", f"16x{rate} 200/mV 16 0 0 0 0 II"]
    frames = steps(2 * rate, 200)
    path = write(tmp_path, "a", frames, lines, "a 2 250 200")
    x = frames.reshape(2, rate, 200).transpose(0, 2, 1).reshape(2, -1)
    data = read_records([path], missing="cut")
    n = (200 - 5) * rate
    expected = np.stack([x[0, 5 * rate :], x[1, :n]]) / 200
    np.testing.assert_allclose(data.data[0], expected, rtol=1e-6)
    assert data.missing["n_missing"].tolist() == [5 * rate]


def test_of_leads_that_nobody_wants_do_not_matter(tmp_path):
    path = write(tmp_path, "a", with_gaps((1, 5, 8)))
    data = read_records([path], leads="I")
    np.testing.assert_allclose(data.data[0], steps(2)[:1] / 200, rtol=1e-6)
    assert len(data.missing) == 0


@pytest.mark.parametrize("missing", ["raise", "interpolate", "cut"])
def test_a_gap_that_no_memory_holds(tmp_path, missing):
    write_segments(tmp_path)
    n = 10**13
    pieces = ["layout 0", "bit0 200", f"~ {n}"]
    path = write_header(tmp_path, "m", f"m/3 2 250 {n + 200}", *pieces)
    tracemalloc.start()
    try:
        if missing == "cut":
            data = read_records([path], missing=missing)
            assert data.data.shape == (1, 2, 200)
            assert data.missing["n_missing"].tolist() == [n, n]
        else:
            with pytest.raises(RecordError, match=f"{2 * n} missing ones"):
                read_records([path], missing=missing)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


class TestRecordArray:
    def test_tells_what_it_fills_in(self, tmp_path):
        write(tmp_path, "a", steps(seed=1))
        write(tmp_path, "b", with_gaps((0, 7, 9)))
        paths = [tmp_path / name for name in "ab"]
        records = RecordArray(paths, missing="interpolate")
        same = read_records(paths, missing="interpolate")
        np.testing.assert_array_equal(records.load(), same.data)
        pd.testing.assert_frame_equal(records.missing_samples(), same.missing)
        assert len(records[:1].missing_samples()) == 0

    def test_what_is_cut_must_have_the_length_of_the_first(self, tmp_path):
        write(tmp_path, "a", with_gaps((0, 190, 200)))
        write(tmp_path, "b", with_gaps((0, 0, 10)))
        write(tmp_path, "c", steps(seed=2))
        records = RecordArray([tmp_path / x for x in "abc"], missing="cut")
        assert records[:2].load().shape == (2, 2, 190)
        with pytest.raises(RecordError, match=r"c: .*\(2, 190\). Got .*\(2, 200\)"):
            records.load()


class TestLoaders:
    def test_ptbxl(self, tiny, write_record):
        x = np.sin(np.arange(12_000.0)).reshape(12, 1000)
        x[4, 10:13] = np.nan
        write_record(tiny / "records100/00000/00002_lr", x)
        data = load_ptbxl(tiny, missing="interpolate")
        assert data.data.shape == (6, 12, 1000)
        got = data.missing[["lead", "n_missing"]].to_numpy().tolist()
        assert got == [["aVL", 3]]
        with pytest.raises(ValueError, match="'missing' .*'raise' or 'interpolate'"):
            load_ptbxl(tiny, missing="cut")

    def test_cinc2017(self, tmp_path, write_mat_record):
        x = np.sin(np.arange(900.0))[None]
        x[0, 500] = LOST / 1000
        write_mat_record(tmp_path / "A00001", x, ["ECG"], 300)
        (tmp_path / "REFERENCE-v3.csv").write_text("A00001,N\n")
        data = load_cinc2017(tmp_path, missing="cut")
        assert data.data.shape == (1, 1, 500)
        assert data.missing["n_missing"].tolist() == [1]

    def test_cinc2020(self, tmp_path, write_mat_record):
        x = np.sin(np.arange(12_000.0)).reshape(12, 1000)
        x[3, 7] = LOST / 1000
        dx = ["# Dx: 426783006"]
        write_mat_record(tmp_path / "E00001", x, STANDARD_LEADS, 500, dx)
        data = load_cinc2020(tmp_path, missing="interpolate")
        assert data.data.shape == (1, 12, 1000)
        assert data.missing["lead"].tolist() == ["aVR"]

    def test_parameter(self, tmp_path):
        for read in (read_records, RecordArray, load_cinc2017, load_cinc2020):
            with pytest.raises(ValueError, match="'missing' .*'interpolate' or 'cut'"):
                read([tmp_path] if read is RecordArray else tmp_path, missing="fill")
