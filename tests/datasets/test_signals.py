"""Steps of a converter as voltages: units, calibration, files of every format."""

import tracemalloc

import numpy as np
import pytest

from sk_erts.datasets import RecordArray, read_records
from sk_erts.exceptions import RecordError
from tests.datasets.wfdb_files import steps, write, write_flac

SAMPLES = steps(1)


def one(folder, line, record="a 1 250 200", **how):
    path = write(folder, "a", SAMPLES, [line], record)
    return read_records([path], **how)


class TestUnits:
    @pytest.mark.parametrize(
        ("unit", "mv"),
        [
            *((unit, 1) for unit in ("mV", "mv", "MV", "millivolt")),
            *(
                (unit, 1e-3)
                for unit in ("uV", "UV", "\u00b5V", "\u03bcV", "microvolts")
            ),
            *((unit, 1e3) for unit in ("V", "v", "volts")),
            ("nV", 1e-6),
        ],
    )
    def test_of_voltage_become_mv(self, tmp_path, unit, mv):
        data = one(tmp_path, f"16 4(3)/{unit} 16 0 0 0 0 II")
        np.testing.assert_allclose(data.data[0], (SAMPLES - 3) / 4 * mv, rtol=1e-6)

    def test_micro_in_latin_1(self, tmp_path):
        path = write(tmp_path, "a", SAMPLES, ["16 4/\u00b5V 16 0 0 0 0 II"])
        header = path.with_suffix(".hea")
        header.write_bytes(header.read_text(encoding="utf-8").encode("latin-1"))
        data = read_records([path])
        np.testing.assert_allclose(data.data[0], SAMPLES / 4000, rtol=1e-6)

    @pytest.mark.parametrize("unit", ["mmHg", "NU", "?V", "mV2", "V/s"])
    def test_other_quantities_are_refused_by_name(self, tmp_path, unit):
        lines = ["16 200/mV 16 0 0 0 0 II", f"16 2/{unit} 16 0 0 0 0 ABP"]
        path = write(tmp_path, "a", steps(2), lines)
        unit = unit.replace("?", r"\?")
        with pytest.raises(RecordError, match=f"Got {unit} instead, of ABP.*'II'"):
            read_records([path])
        for leads in ("II", ["ii"], 0, [0]):
            for data in (
                read_records([path], leads=leads).data,
                RecordArray([path], leads=leads).load(),
            ):
                np.testing.assert_allclose(data[0, 0], steps(2)[0] / 200, rtol=1e-6)
        with pytest.raises(RecordError, match=f"Got {unit} instead, of ABP"):
            read_records([path], leads="ABP")

    def test_a_gain_without_unit_is_in_mv_as_the_format_says(self, tmp_path):
        data = one(tmp_path, "16 200 16 0 0 0 0 II")
        np.testing.assert_allclose(data.data[0], SAMPLES / 200, rtol=1e-6)


class TestWhatAHeaderDoesNotSay:
    @pytest.mark.parametrize("gain", [" 0", " 0/mV", " 0.0(0)/uV", " (0)/mV", ""])
    def test_no_gain(self, tmp_path, gain):
        line = f"16{gain} 16 0 0 0 0 II" if gain else "16"
        names = {"lead_names": ["II"]}
        with pytest.raises(RecordError, match=r"a\.hea, line 2: the gain .*'gain'"):
            one(tmp_path, line, assume=names)
        data = one(tmp_path, line, assume={"gain": 50} | names)
        np.testing.assert_allclose(data.data[0], SAMPLES / 50, rtol=1e-6)

    def test_no_frequency(self, tmp_path):
        line = "16 200/mV 16 0 0 0 0 II"
        with pytest.raises(RecordError, match=r"a\.hea: .*sampling frequency.*'fs'"):
            one(tmp_path, line, "a 1")
        assert one(tmp_path, line, "a 1", assume={"fs": 360}).fs == 360
        assert one(tmp_path, line, assume={"fs": 360}).fs == 250  # it does say it

    def test_no_description(self, tmp_path):
        line = "16 200/mV 16 0 0 0 0"
        with pytest.raises(RecordError, match=r"a\.hea, line 2: the description"):
            one(tmp_path, line)
        data = one(tmp_path, line, assume={"lead_names": ["AVR"]})
        assert data.lead_names == ("aVR",)
        with pytest.raises(RecordError, match="each of its 1 signals. Got I, II"):
            one(tmp_path, line, assume={"lead_names": ["I", "II"]})

    def test_names_are_assumed_only_where_there_are_none(self, tmp_path):
        lines = ["16 200/mV", "16 200/mV 16 0 0 0 0 V1"]
        path = write(tmp_path, "a", steps(2), lines)
        records = RecordArray([path], assume={"lead_names": ["II", "V5"]})
        assert records.lead_names == ("II", "V1")
        assert read_records([path], leads="V1").lead_names == ("V1",)

    @pytest.mark.parametrize(
        ("assume", "message"),
        [
            ({"frequency": 250}, "'assume' .*'fs', 'gain' or 'lead_names'"),
            ({"fs": 0}, r"assume\['fs'\].*above 0"),
            ({"gain": -1}, r"assume\['gain'\].*above 0"),
            ({"lead_names": "II"}, "'lead_names' .*sequence of one name or more"),
            ([("fs", 1)], "'assume' .*a dictionary"),
        ],
    )
    def test_parameter(self, tmp_path, assume, message):
        for read in (read_records, RecordArray):
            with pytest.raises(ValueError, match=message):
                read([write(tmp_path, "a", SAMPLES)], assume=assume)


def pack_212(x):
    pairs = x.T.reshape(-1, 2) & 0xFFF
    low, high = pairs.T
    both = [low & 0xFF, low >> 8 | (high >> 8) << 4, high & 0xFF]
    return np.stack(both, axis=1).astype(np.uint8).tobytes()


PACKERS = {
    "8": lambda x: np.diff(x, axis=1, prepend=0).T.astype("<i1").tobytes(),
    "16": lambda x: x.T.astype("<i2").tobytes(),
    "24": lambda x: x.T.astype("<i4").reshape(-1, 1).view("u1")[:, :3].tobytes(),
    "32": lambda x: x.T.astype("<i4").tobytes(),
    "61": lambda x: x.T.astype(">i2").tobytes(),
    "80": lambda x: (x + 128).T.astype("u1").tobytes(),
    "160": lambda x: (x + 32768).T.astype("<u2").tobytes(),
    "212": pack_212,
}


class TestFiles:
    @pytest.mark.parametrize("fmt", PACKERS)
    def test_of_every_format(self, tmp_path, fmt):
        x = steps(2, 50, largest=60).astype(np.int64)
        lines = [f"{fmt}+3 200/mV 12 0 0 0 0 {lead}" for lead in ("I", "II")]
        path = write(tmp_path, "a", x, lines)
        path.with_suffix(".dat").write_bytes(b"abc" + PACKERS[fmt](x))
        np.testing.assert_allclose(read_records([path]).data[0], x / 200, rtol=1e-6)

    def test_several_of_which_only_those_that_are_wanted_are_read(self, tmp_path):
        path = write(tmp_path, "a", steps(2))
        text = path.with_suffix(".hea").read_text()
        text = text.replace("2 250", "3 250") + "gone.dat 516 200/mV 16 0 0 0 0 V1\n"
        path.with_suffix(".hea").write_text(text)
        data = read_records([path], leads=["II", "I"]).data[0]
        np.testing.assert_allclose(data, steps(2)[::-1] / 200, rtol=1e-6)

    def test_signals_of_one_file_that_do_not_stand_together(self, tmp_path):
        path = write(tmp_path, "a", steps(2))
        write(tmp_path, "b", steps(1, seed=5))
        first, *lines = path.with_suffix(".hea").read_text().splitlines()
        lines.insert(1, "b.dat 16 200/mV 16 0 0 0 0 V1")
        text = "\n".join([first.replace("2 250", "3 250"), *lines])
        path.with_suffix(".hea").write_text(text)
        data = read_records([path])
        assert data.lead_names == ("I", "V1", "II")
        expected = np.stack([steps(2)[0], steps(1, seed=5)[0], steps(2)[1]]) / 200
        np.testing.assert_allclose(data.data[0], expected, rtol=1e-6)

    def test_that_mix_formats(self, tmp_path):
        lines = ["16 200/mV 16 0 0 0 0 I", "16+2 200/mV 16 0 0 0 0 II"]
        path = write(tmp_path, "a", steps(2), lines)
        with pytest.raises(RecordError, match=r"line 3: .*Got 16\+2 after 16\+0"):
            read_records([path])

    def test_samples_that_are_faster_than_frames_are_all_read(self, tmp_path):
        x = steps(3, 100)  # two samples of I, and one of ABP, in each frame
        lines = ["16x2 200/mV 16 0 0 0 0 I", "16 2/mmHg 16 0 0 0 0 ABP"]
        path = write(tmp_path, "a", x, lines, "a 2 62.5 100")
        data = read_records([path], leads="I")
        assert data.fs == 125
        assert isinstance(data.fs, int)
        expected = x[:2].T.reshape(1, 200) / 200
        np.testing.assert_allclose(data.data[0], expected, rtol=1e-6)

    def test_leads_of_different_frequencies(self, tmp_path):
        lines = ["16x2 200/mV 16 0 0 0 0 I", "16 200/mV 16 0 0 0 0 II"]
        path = write(tmp_path, "a", steps(3, 100), lines, "a 2 100 100")
        with pytest.raises(RecordError, match="per frame of I 2, II 1 .*'leads'"):
            read_records([path])

    @pytest.mark.parametrize("fmt", ["16", "516", "8", "212"])
    def test_a_length_that_a_file_cannot_hold(self, tmp_path, fmt):
        record = "a 1 250 100000000000"
        write_flac(tmp_path, "a", SAMPLES, ["516 200/mV 16 0 0 0 0 II"])
        header = f"{record}\na.dat {fmt} 200/mV 16 0 0 0 0 II\n"
        (tmp_path / "a.hea").write_text(header)
        tracemalloc.start()
        try:
            with pytest.raises(RecordError, match="the signal file must hold"):
                read_records([tmp_path / "a"])
            assert tracemalloc.get_traced_memory()[1] < 2**22
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize(
        ("fmt", "message"),
        [
            ("16", "a: a record must have samples"),
            ("212", "a: a record must have samples"),
            ("516", r"a: the signal file a\.dat must be readable"),
        ],
    )
    def test_without_samples(self, tmp_path, fmt, message):
        write(tmp_path, "a", SAMPLES, [f"{fmt} 200/mV 16 0 0 0 0 II"], "a 1 250")
        (tmp_path / "a.dat").write_bytes(b"")
        with pytest.raises(RecordError, match=message):
            read_records([tmp_path / "a"])

    def test_of_no_told_length_that_end_within_a_frame(self, tmp_path):
        write(tmp_path, "a", SAMPLES, record="a 1 250")
        (tmp_path / "a.dat").write_bytes(b"x" * 401)
        with pytest.raises(RecordError, match="a.dat: .*whole frames .*Got 401 bytes"):
            read_records([tmp_path / "a"])

    def test_a_damaged_flac_file(self, tmp_path):
        write(tmp_path, "good", SAMPLES)
        write_flac(tmp_path, "a", SAMPLES, ["516 200/mV 16 0 0 0 0 I"])
        whole = (tmp_path / "a.dat").read_bytes()
        assert len(read_records(tmp_path).data) == 2
        (tmp_path / "a.dat").write_bytes(whole[:4] + whole[:40])
        with pytest.raises(RecordError, match=r"a: the signal file a\.dat must be"):
            read_records(tmp_path)
        data = read_records(tmp_path, on_error="skip")
        assert data.groups.tolist() == ["good"]
        assert data.skipped["record"].tolist() == [str(tmp_path / "a")]

    def test_a_folder_in_place_of_one(self, tmp_path):
        path = write(tmp_path, "a", SAMPLES)
        path.with_suffix(".dat").unlink()
        path.with_suffix(".dat").mkdir()
        with pytest.raises(RecordError, match=r"a: the signal file a\.dat must be"):
            read_records([path])

    def test_a_gain_with_which_samples_overflow(self, tmp_path):
        with pytest.raises(RecordError, match="line 2: the gain .*Got 1e-300 instead"):
            one(tmp_path, "16 1e-300/V 16 0 0 0 0 II")

    def test_a_signal_that_was_not_recorded(self, tmp_path):
        path = write(tmp_path, "a", SAMPLES)
        text = path.with_suffix(".hea").read_text().replace("1 250", "2 250")
        path.with_suffix(".hea").write_text(f"{text}~ 0 200/mV 16 0 0 0 0 II\n")
        with pytest.raises(RecordError, match="line 3: II must have a signal file"):
            read_records([path])
        assert read_records([path], leads="I").lead_names == ("I",)
