"""Leads by name or number, and paths, in whichever way they are written."""

import numpy as np
import pytest

from sk_erts.datasets import (
    STANDARD_LEADS,
    RecordArray,
    load_cinc2020,
    load_mitbih,
    load_ptbxl,
    read_records,
)
from sk_erts.exceptions import RecordError
from tests.datasets.wfdb_files import steps, write, write_annotations

NAMES = ("MLII", "v1", "Resp")


def write_named(folder, name, names=NAMES, seed=0):
    lines = [f"16 200/mV 16 0 0 0 0 {lead}" for lead in names]
    return write(folder, name, steps(len(names), seed=seed), lines)


@pytest.mark.parametrize("read", [read_records, RecordArray])
class TestOfAnyRecords:
    def rows(self, read, paths, leads):
        data = read(paths, leads=leads)
        return data.lead_names, data.load() if read is RecordArray else data.data

    @pytest.mark.parametrize(
        ("leads", "rows"),
        [
            ("V1", [1]),
            (2, [2]),
            (["resp", "mlii"], [2, 0]),
            ((1, "RESP"), [1, 2]),
            (np.array([2, 0]), [2, 0]),
            (np.array(["MLII"]), [0]),
            ({"V1": 0, "MLII": 0}, [1, 0]),
        ],
        ids=repr,
    )
    def test_come_in_the_order_that_is_asked_for(self, read, tmp_path, leads, rows):
        names, got = self.rows(read, [write_named(tmp_path, "a")], leads)
        assert names == tuple(("MLII", "V1", "Resp")[row] for row in rows)
        np.testing.assert_allclose(got[0], steps(3)[rows] / 200, rtol=1e-6)

    def test_that_a_record_lacks(self, read, tmp_path):
        path = write_named(tmp_path, "a")
        for leads in ("II", ["V1", 3]):
            with pytest.raises(RecordError, match="a: .*Got MLII, V1, Resp instead"):
                self.rows(read, [path], leads)

    def test_that_two_bear_one_name(self, read, tmp_path):
        path = write_named(tmp_path, "a", ["ECG", "II", "ecg"])
        with pytest.raises(
            RecordError, match="one lead 'ECG'.* by number, one of 0, 2"
        ):
            self.rows(read, [path], "ECG")
        _, got = self.rows(read, [path], 2)
        np.testing.assert_allclose(got[0], steps(3)[[2]] / 200, rtol=1e-6)
        with pytest.raises(RecordError, match="each lead once. Got II, 1 instead"):
            self.rows(read, [path], ["II", 1])

    @pytest.mark.parametrize(
        "leads", [[], (), ["I", "i"], [0, 0], -1, [1.5], [True], [None], ["I", ["II"]]]
    )
    def test_that_are_none(self, read, tmp_path, leads):
        with pytest.raises(ValueError, match="'leads' .*must name one lead or more"):
            self.rows(read, [write_named(tmp_path, "a")], leads)

    def test_of_records_that_spell_them_differently(self, read, tmp_path):
        paths = [
            write_named(tmp_path, "a"),
            write_named(tmp_path, "b", [name.swapcase() for name in NAMES], seed=1),
        ]
        names, got = self.rows(read, paths, None)
        assert names == ("MLII", "V1", "Resp")
        np.testing.assert_allclose(got[1], steps(3, seed=1) / 200, rtol=1e-6)

    def test_put_records_of_other_leads_in_one_order(self, read, tmp_path):
        paths = [
            write_named(tmp_path, "a", ["II", "V1"]),
            write_named(tmp_path, "b", ["ABP", "V1", "II"]),
        ]
        with pytest.raises(RecordError, match="b: a record .*Got ABP, V1, II"):
            self.rows(read, paths, None)
        _, got = self.rows(read, paths, ["V1", "II"])
        np.testing.assert_allclose(got[1], steps(3)[[1, 2]] / 200, rtol=1e-6)
        with pytest.raises(RecordError, match="b: a record .*Got ABP instead|ABP at"):
            self.rows(read, paths, 0)  # by number they are others

    def test_that_are_flat_do_not_matter_if_others_are_wanted(self, read, tmp_path):
        path = write(tmp_path, "a", steps(2) * [[0], [1]])
        with pytest.raises(RecordError, match="flat.* in I;"):
            self.rows(read, [path], None)
        assert self.rows(read, [path], "II")[0] == ("II",)

    @pytest.mark.parametrize("ending", ["", ".hea", ".dat"])
    def test_paths_may_have_an_ending(self, read, tmp_path, ending):
        write_named(tmp_path, "a")
        write_named(tmp_path, "a.b", seed=1)
        for path in (f"{tmp_path}/a{ending}", tmp_path / f"a{ending}"):
            _, got = self.rows(read, [path, tmp_path / f"a.b{ending}"], None)
            np.testing.assert_allclose(got[1], steps(3, seed=1) / 200, rtol=1e-6)

    @pytest.mark.parametrize("paths", [[3], [None], 3, [b"a"]])
    def test_paths_that_are_none(self, read, paths):
        with pytest.raises(
            ValueError, match=r"'paths' .*must hold a path or more. Got"
        ):
            read(paths)


@pytest.mark.parametrize("as_path", [True, False])
def test_one_path_is_no_sequence_of_paths(tmp_path, as_path):
    path = write_named(tmp_path, "x")
    given = path if as_path else str(path)
    with pytest.raises(ValueError, match=r"'paths' .*in a list. .*write \['.*x'\]"):
        RecordArray(given)


class TestOfTwelve:
    def test_ptbxl(self, tiny):
        whole = load_ptbxl(tiny).data
        for leads in (["v5", "AVR"], [10, 3], ["V5", 3]):
            data = load_ptbxl(tiny, leads=leads)
            assert data.lead_names == ("V5", "aVR")
            np.testing.assert_array_equal(data.data, whole[:, [10, 3]])

    def test_cinc2020(self, tmp_path, write_mat_record):
        x = np.round(np.sin(np.arange(12_000.0)), 3).reshape(12, 1000)
        dx = ["# Dx: 426783006"]
        write_mat_record(tmp_path / "E1", x, STANDARD_LEADS[::-1], 500, dx)
        whole = load_cinc2020(tmp_path)
        data = load_cinc2020(tmp_path, leads=("II", "V1"))
        assert data.lead_names == ("II", "V1")
        np.testing.assert_array_equal(data.data, whole.data[:, [1, 6]])
        # A reduced set of leads, as the challenge of 2021 has it.
        write_mat_record(tmp_path / "E2", x[:2], ["V1", "II"], 500, dx)
        with pytest.raises(RecordError, match="E2: the leads must be the twelve"):
            load_cinc2020(tmp_path)
        assert load_cinc2020(tmp_path, leads=("II", "V1")).data.shape == (2, 2, 1000)

    @pytest.mark.parametrize("leads", ["MLII", 12, ["I", 0], []])
    def test_that_are_none_of_them(self, tmp_path, leads):
        for load in (load_ptbxl, load_cinc2020):
            with pytest.raises(ValueError, match="'leads'"):
                load(tmp_path, leads=leads)


def test_mitbih_takes_names_in_any_case(tmp_path):
    lines = [f"16 200/mV 16 0 0 0 0 {lead}" for lead in ("mlii", "ABP")]
    lines[1] = lines[1].replace("mV", "mmHg")
    write(tmp_path, "101", steps(2), lines, "101 2 360 200")
    write_annotations(tmp_path, "101", (100, 1))
    data = load_mitbih(tmp_path, window_s=(0.1, 0.1), leads="MLII")
    expected = steps(2)[0, 64:136] / 200
    np.testing.assert_allclose(data.data[0, 0], expected, rtol=1e-6)
