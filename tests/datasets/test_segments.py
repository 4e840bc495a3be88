"""Records of segments: the whole or its parts, never the same samples twice."""

import numpy as np
import pytest

from sk_erts.datasets import RecordArray, load_cinc2020, load_mitbih, read_records
from sk_erts.datasets._paths import without_parts
from sk_erts.exceptions import RecordError, RecordNotFoundError
from tests.datasets.wfdb_files import (
    steps,
    write,
    write_annotations,
    write_header,
    write_segments,
)

WHOLE = np.concatenate([steps(seed=0), steps(seed=1)], axis=1) / 200
NAN = np.nan
VARIED = np.concatenate(
    [
        np.full((2, 30), NAN),
        steps(seed=0) / 200,
        np.full((2, 10), NAN),
        np.stack([np.full(200, NAN), steps(1, seed=1)[0] / 200]),
    ],
    axis=1,
)


@pytest.fixture
def folder(tmp_path):
    write_segments(tmp_path)
    return tmp_path


def close(x, y):
    np.testing.assert_allclose(x, y, rtol=1e-6)


class TestNeverBoth:
    def test_of_a_folder_the_wholes_are_read(self, folder):
        write(folder, "plain", steps(seed=7))
        data = read_records(folder, leads="II", missing="interpolate")
        assert data.groups.tolist() == ["fixed", "plain", "varied"]
        close(data.data[0], WHOLE[[1]])
        assert len(data.skipped) == 0

    @pytest.mark.parametrize("names", ["ab", "ba", "zy"])
    def test_whichever_names_they_have(self, tmp_path, names):
        for k, name in enumerate(names):
            write(tmp_path, name, steps(seed=k))
        write_header(tmp_path, "m", "m/2 2 250 400", *(f"{x} 200" for x in names))
        data = read_records(tmp_path)
        assert data.groups.tolist() == ["m"]
        close(data.data[0], WHOLE)

    @pytest.mark.parametrize("both", [["fixed", "part1"], ["part1", "part0", "fixed"]])
    def test_of_paths_that_name_both(self, folder, both):
        paths = [folder / name for name in both]
        message = (
            "part1: records must share no samples. Got a segment of .*fixed beside"
        )
        with pytest.raises(RecordError, match="records must share no samples"):
            read_records(paths)
        data = read_records(paths, on_error="skip")
        assert data.groups.tolist() == ["fixed"]
        assert len(data.skipped) == len(both) - 1
        assert data.skipped["error"].str.contains(message).any()

    def test_labels_say_which_are_meant(self, folder):
        parts = read_records(folder, labels={"part0": "a", "part1": "b"})
        assert parts.groups.tolist() == ["part0", "part1"]
        whole = read_records(folder, labels={"fixed": "a"})
        assert whole.groups.tolist() == ["fixed"]
        with pytest.raises(RecordError, match="part0: records must share no samples"):
            read_records(folder, labels={"fixed": "a", "part0": "b"})

    def test_in_a_record_array(self, folder):
        # With a single segment of samples both have one shape.
        write_header(folder, "m", "m/2 2 250 200", "layout 0", "part0 200")
        close(RecordArray([folder / "m"]).load()[0], WHOLE[:, :200])
        for both in (["m", "part0"], ["part0", "m.hea"]):
            paths = [folder / name for name in both]
            with pytest.raises(
                RecordError, match="part0: records must share no sample"
            ):
                RecordArray(paths).load()

    def test_in_load_cinc2020(self, folder):
        leads = ("I", "II", "III", "aVR", "aVL", "aVF", *(f"V{k}" for k in range(1, 7)))
        lines = [f"16 200/mV 16 0 0 0 0 {lead}" for lead in leads]
        for k in range(2):
            write(folder, f"E{k}", steps(12, seed=k), lines)
        dx = "# Dx: 426783006"
        write_header(folder, "E9", "E9/2 12 250 400", "E0 200", "E1 200", dx)
        for name in ("part0", "part1", "fixed", "varied", "layout", "bit0", "bit1"):
            (folder / f"{name}.hea").unlink()
        assert load_cinc2020(folder, sources="E").groups.tolist() == ["E9"]

    def test_in_load_mitbih(self, folder):
        for name in ("fixed", "part0", "part1"):
            text = (folder / f"{name}.hea").read_text().replace("2 250", "2 360")
            (folder / f"{name}.hea").write_text(text)
            write_annotations(folder, name, (100, 1))
        with pytest.raises(RecordError, match="part0: records must share no samples"):
            load_mitbih(folder, records=["part0", "fixed"], leads="I")
        alone = load_mitbih(folder, records=["fixed"], leads="I", window_s=(0.1, 0.1))
        close(alone.data[0], WHOLE[[0], 64:136])

    def test_plain_headers_are_not_parsed_to_find_out(self, tmp_path, monkeypatch):
        paths = [write(tmp_path, name, steps()) for name in "ab"]
        (tmp_path / "b.hea").write_text("nonsense")
        assert without_parts(paths) == paths


class TestTheWhole:
    def test_of_a_layout_has_gaps_where_a_lead_is_absent(self, folder):
        with pytest.raises(RecordError, match="varied: .*Got 280 missing .* in I, II;"):
            read_records([folder / "varied"])
        cut = read_records([folder / "varied"], leads="II", missing="cut")
        close(cut.data[0], VARIED[[1], 30:230])
        first = read_records([folder / "varied"], missing="cut")
        close(first.data[0], VARIED[:, 30:230])
        assert first.missing["first"].tolist() == [30, 30]
        assert first.missing["n_missing"].tolist() == [240, 40]
        filled = read_records([folder / "varied"], leads="II", missing="interpolate")
        assert filled.data.shape == (1, 1, 440)
        there = ~np.isnan(VARIED[1])
        close(filled.data[0, 0][there], VARIED[1][there])

    def test_units_and_gains_may_differ_between_segments(self, folder):
        lines = [f"16 4/uV 16 0 0 0 0 {lead}" for lead in ("i", "ii")]
        write(folder, "part1", steps(seed=1), lines)
        expected = np.concatenate([steps(seed=0) / 200, steps(seed=1) / 4000], axis=1)
        close(read_records([folder / "fixed"]).data[0], expected)

    def test_what_is_wrong_with_a_lead_that_nobody_wants_does_not_matter(self, folder):
        text = (
            (folder / "layout.hea")
            .read_text()
            .replace("mV 16 0 0 0 0 II", "NU 8 0 0 0 0 P")
        )
        (folder / "layout.hea").write_text(text)
        for k in range(2):
            text = (folder / f"bit{k}.hea").read_text()
            text = text.replace("mV 16 0 0 0 0 II", "NU 8 0 0 0 0 P")
            (folder / f"bit{k}.hea").write_text(text)
        with pytest.raises(RecordError, match="layout: .*Got NU instead, of P"):
            read_records([folder / "varied"], missing="cut")
        data = read_records([folder / "varied"], leads="I", missing="cut")
        close(data.data[0], VARIED[[0], 30:230])

    def test_the_frequency_may_stand_in_the_segments_alone(self, folder):
        write_header(folder, "fixed", "fixed/2 2", "part0 200", "part1 200")
        assert read_records([folder / "fixed"]).fs == 250

    @pytest.mark.parametrize(
        ("name", "old", "new", "message"),
        [
            ("fixed", "250 400", "250 401", "fixed: .*401 samples. Got 400 in all"),
            (
                "fixed",
                "250 400",
                "360 400",
                "fixed: .*360 Hz in all .*250 Hz in .*part",
            ),
            ("fixed", "2 2", "2 3", "fixed: .*3 signals. Got 2 in .*part0"),
            ("fixed", "fixed/2", "fixed/3", "line 1: the number of segments .*Got '3'"),
            ("fixed", "part1 200", "part1", "line 3: the segment must have a name"),
            ("fixed", "part1 200", "part1 x", "line 3: the number of samples .*'x'"),
            ("fixed", "part1", "../part1", "line 3: segments must lie beside"),
            ("fixed", "part1", "fixed", "a segment of .*fixed must have no segments"),
            ("part1", "250 200", "250 199", "fixed: .*200 samples. Got 199 in .*part1"),
            ("part1", " II", " V1", "fixed|part1: .*the leads of the other segments"),
            ("bit1", " II", " V1", "bit1: .*leads of the layout only. Got v1 in"),
            ("varied", "bit0 200\n~ 10\nbit1 200", "~ 410\n~ 0\n~ 0", "samples of the"),
        ],
    )
    def test_what_does_not_fit_together(self, folder, name, old, new, message):
        header = folder / f"{name}.hea"
        text = header.read_text()
        assert old in text
        header.write_text(text.replace(old, new))
        whole = "varied" if name in ("varied", "bit1") else "fixed"
        with pytest.raises(RecordError, match=message):
            read_records([folder / whole], missing="cut")

    def test_a_segment_that_is_not_there(self, folder):
        (folder / "part1.hea").unlink()
        with pytest.raises(
            RecordNotFoundError, match="part1.hea: .*fixed.hea names it"
        ):
            read_records([folder / "fixed"])

    def test_a_layout_alone_is_no_record(self, tmp_path):
        write(tmp_path, "good", steps())
        write_header(tmp_path, "z", "z 1 250 0", "~ 0 200/mV 16 0 0 0 0 II")
        with pytest.raises(RecordError, match="z.hea: .*the layout of a record of"):
            read_records(tmp_path)
        data = read_records(tmp_path, on_error="skip")
        assert data.groups.tolist() == ["good"]
        assert data.skipped["record"].tolist() == [str(tmp_path / "z")]
