import numpy as np
import pandas as pd
import pytest

from sk_erts.datasets import load_cinc2017
from sk_erts.exceptions import RecordError, RecordNotFoundError

LABELS = {"A00001": "N", "A00002": "A", "A00004": "~"}
LENGTHS = {"A00001": 2714, "A00002": 9000, "A00004": 18000}


@pytest.fixture
def folder(tmp_path, write_mat_record):
    rng = np.random.default_rng(0)
    for name, n_times in LENGTHS.items():
        signal = rng.normal(scale=0.3, size=(1, n_times))
        write_mat_record(tmp_path / name, signal, ["ECG"], 300)
    write_table(tmp_path, LABELS)
    return tmp_path


def write_table(folder, labels, name="REFERENCE-v3.csv"):
    (folder / name).write_text("".join(f"{k},{v}\n" for k, v in labels.items()))


def test_records_of_different_lengths(folder):
    data = load_cinc2017(folder)
    assert data.data.dtype == object
    assert [x.shape for x in data.data] == [(1, n) for n in LENGTHS.values()]
    assert {x.dtype for x in data.data} == {np.dtype("float32")}
    assert data.target.tolist() == ["N", "A", "~"]
    assert data.target_names == ["A", "N", "O", "~"]
    assert data.fs == 300
    assert data.lead_names == ("I",)
    assert data.groups.tolist() == list(LABELS)
    assert data.metadata["duration_s"].tolist() == [n / 300 for n in LENGTHS.values()]
    assert len(data.skipped) == 0
    assert "3 single-lead records of 9 to 60 s" in data.DESCR


def test_records_of_one_length_are_one_array(folder):
    write_table(folder, {"A00002": "A"})
    X, y = load_cinc2017(folder, return_X_y=True)
    assert X.shape == (1, 1, 9000)
    assert X.dtype == np.float32
    assert y.tolist() == ["A"]


def test_samples_in_mv_by_an_independent_reading(folder):
    data = load_cinc2017(folder)
    for x, name in zip(data.data, LABELS, strict=True):
        raw = np.fromfile(folder / f"{name}.mat", dtype="<i2", offset=24)
        np.testing.assert_allclose(x[0], raw / 1000, rtol=1e-6)


def test_the_third_correction_of_the_labels_comes_first(folder):
    write_table(folder, dict.fromkeys(LABELS, "O"), "REFERENCE.csv")
    assert load_cinc2017(folder).target.tolist() == ["N", "A", "~"]
    (folder / "REFERENCE-v3.csv").unlink()
    assert load_cinc2017(folder).target.tolist() == ["O", "O", "O"]


@pytest.mark.parametrize("place", ["A00", "training/A00"])
def test_the_folders_of_physionet(folder, write_mat_record, place):
    flat = load_cinc2017(folder)
    (folder / place).mkdir(parents=True)
    for path in folder.glob("A0000*.*"):
        path.rename(folder / place / path.name)
    (folder / "validation").mkdir()  # holds copies, which are not to be taken
    write_mat_record(folder / "validation/A00001", np.zeros((1, 50)), ["ECG"], 300)
    nested = load_cinc2017(folder)
    assert nested.groups.tolist() == list(LABELS)
    for x, expected in zip(nested.data, flat.data, strict=True):
        np.testing.assert_array_equal(x, expected)


class TestBadInput:
    def test_no_table(self, tmp_path):
        with pytest.raises(RecordNotFoundError, match=r"no REFERENCE-v3.csv or REF"):
            load_cinc2017(tmp_path)

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            ("A00001,N\nA00002,X\n", r"line 2: .*one of A, N, O, ~.*Got 'A00002,X'"),
            ("A00001,N\nA00001,A\n", r"line 2: .*named once.*Got 'A00001,A'"),
            ("A00001\n", r"line 1: .*Got 'A00001'"),
            ("../A00001,N\n", r"line 1: .*named without a folder. Got '../A00001'"),
            ("/A/A00001,N\n", r"line 1: .*named without a folder. Got '/A/A00001'"),
            ("..\\A00001,N\n", r"line 1: .*without a folder. Got '..\\\\A00001'"),
            ("..,N\n", r"line 1: .*named without a folder. Got '..'"),
            ("\n", "names no record"),
        ],
    )
    def test_a_table_that_is_not_one(self, folder, table, message):
        (folder / "REFERENCE-v3.csv").write_text(table)
        with pytest.raises(RecordError, match=message):
            load_cinc2017(folder)

    def test_a_label_without_its_record(self, folder):
        write_table(folder, LABELS | {"A09999": "N"})
        with pytest.raises(RecordNotFoundError, match=r"A09999\.hea: .*no such header"):
            load_cinc2017(folder)

    def test_another_frequency(self, folder, write_mat_record):
        write_mat_record(
            folder / "A00002", np.sin(np.arange(900.0))[np.newaxis], ["ECG"], 250
        )
        with pytest.raises(RecordError, match="A00002: .*one lead at 300 Hz.*250 Hz"):
            load_cinc2017(folder)

    @pytest.mark.parametrize("n_jobs", [None, 2])
    def test_skip_leaves_out_and_tells_why(self, folder, write_mat_record, n_jobs):
        write_mat_record(
            folder / "A00001",
            np.sin(np.arange(1800.0)).reshape(2, 900),
            ["I", "II"],
            300,
        )
        samples = (folder / "A00002.mat").read_bytes()
        (folder / "A00002.mat").write_bytes(samples[:-100])
        data = load_cinc2017(folder, on_error="skip", n_jobs=n_jobs)
        assert data.target.tolist() == ["~"]
        assert data.metadata.index.tolist() == ["A00004"]
        assert isinstance(data.skipped, pd.DataFrame)
        named = [record.rsplit("/", 1)[-1] for record in data.skipped["record"]]
        assert named == ["A00001", "A00002"]
        assert "Got 2 at 300 Hz instead" in data.skipped["error"][0]
        assert "A00002: " in data.skipped["error"][1]

    def test_a_table_that_is_not_in_utf_8(self, folder):
        table = folder / "REFERENCE-v3.csv"
        table.write_bytes("A00001,N\nA00002,\xe9\n".encode("latin-1"))
        with pytest.raises(RecordError, match=r"line 2: .*one of A, N, O, ~"):
            load_cinc2017(folder)

    def test_a_byte_order_mark_is_no_part_of_a_name(self, folder):
        table = folder / "REFERENCE-v3.csv"
        table.write_text(table.read_text(), encoding="utf-8-sig")
        assert load_cinc2017(folder).groups.tolist() == list(LABELS)

    def test_nothing_left_is_an_error_all_the_same(self, folder):
        for name in LABELS:
            (folder / f"{name}.mat").write_bytes(b"")
        with pytest.raises(ValueError, match="None of the 3 records"):
            load_cinc2017(folder, on_error="skip")

    def test_misspelt_on_error(self, folder):
        with pytest.raises(
            ValueError, match=r"'on_error' .*'raise' or 'skip'. Got 'x'"
        ):
            load_cinc2017(folder, on_error="x")


@pytest.mark.real
def test_real_records(cinc2017_folder):
    data = load_cinc2017(cinc2017_folder, n_jobs=2)
    table = (cinc2017_folder / "REFERENCE-v3.csv").read_text().split()
    assert [",".join(pair) for pair in zip(data.groups, data.target, strict=True)] == (
        table
    )
    counts = pd.Series(data.target).value_counts()
    assert counts.to_dict() == {"N": 500, "O": 250, "A": 170, "~": 80}
    durations = data.metadata["duration_s"]
    assert 9 <= durations.min() < durations.max() <= 61
    for k in (0, 500, 999):
        path = cinc2017_folder / f"{data.groups[k]}.mat"
        raw = np.fromfile(path, dtype="<i2", offset=24)
        assert data.data[k].shape == (1, len(raw))
        np.testing.assert_allclose(data.data[k][0], raw / 1000, rtol=1e-6)
