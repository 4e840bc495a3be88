import numpy as np
import pandas as pd
import pytest

from sk_erts.datasets import read_records
from sk_erts.exceptions import RecordError, RecordNotFoundError

LABELS = {"a1": "AFIB", "b2": "NORM", "c3": "AFIB"}
LEADS = ["I", "V1"]
MOVING = np.sin(np.arange(1000.0)).reshape(2, 500)


@pytest.fixture
def folder(tmp_path, write_mat_record):
    rng = np.random.default_rng(0)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    places = ["deep/er/a1", "b2", "deep/c3", "d4"]
    for place in places:
        signal = rng.normal(scale=0.3, size=(2, 300))
        write_mat_record(tmp_path / place, signal, LEADS, 250, ["# Age: 50"])
    return tmp_path


def raw(folder, place):
    samples = np.fromfile(folder / f"{place}.mat", dtype="<i2", offset=24)
    return samples.reshape(-1, 2).T / 1000


def test_a_folder_at_any_depth_in_the_order_of_names(folder):
    data = read_records(folder)
    assert data.groups.tolist() == ["a1", "b2", "c3", "d4"]
    assert data.data.shape == (4, 2, 300)
    for x, place in zip(data.data, ["deep/er/a1", "b2", "deep/c3", "d4"], strict=True):
        np.testing.assert_allclose(x, raw(folder, place), atol=1e-6)
    assert data.fs == 250
    assert data.lead_names == ("I", "V1")
    assert data.target is None
    assert data.metadata["comments"]["b2"] == ("Age: 50",)


def test_paths_keep_their_order(folder):
    paths = [folder / "d4.hea", str(folder / "deep/er/a1")]
    X, y = read_records(paths, return_X_y=True)
    np.testing.assert_allclose(X[0], raw(folder, "d4"), atol=1e-6)
    assert y is None


@pytest.mark.parametrize("kind", ["mapping", "series", "table"])
def test_only_records_with_a_label_are_read(folder, kind):
    labels = pd.Series(LABELS)
    if kind == "mapping":
        labels = LABELS
    elif kind == "table":
        labels.rename_axis("name").rename("rhythm").to_csv(folder / "labels.csv")
        labels = folder / "labels.csv"
    data = read_records(folder, labels=labels)
    assert data.groups.tolist() == list(LABELS)
    assert data.target.tolist() == list(LABELS.values())
    assert data.target_names == ["AFIB", "NORM"]


class TestTables:
    COLUMNS = "file,patient,label"

    @pytest.fixture
    def table(self, folder):
        rows = ["deep/er/a1.mat,7,AFIB", "b2.hea,8,NORM", "c3,9,AFIB"]
        path = folder / "l.csv"
        path.write_text("\n".join([self.COLUMNS, *rows]))
        return path

    @pytest.mark.parametrize("as_frame", [False, True])
    def test_of_more_than_two_columns_must_say_which(self, folder, table, as_frame):
        labels = pd.read_csv(table) if as_frame else table
        message = (
            "'file', 'patient', 'label', and .*"
            r"name_column='file', label_column='label'\)"
        )
        with pytest.raises(RecordError, match=message):
            read_records(folder, labels=labels)
        data = read_records(
            folder, labels=labels, name_column="file", label_column="label"
        )
        assert data.groups.tolist() == list(LABELS)
        assert data.target.tolist() == list(LABELS.values())

    def test_the_columns_may_stand_in_any_order(self, folder, table):
        moved = pd.read_csv(table)[["label", "patient", "file"]]
        moved.to_csv(table, index=False)
        with pytest.raises(RecordError, match="name_column='file', label_column='lab"):
            read_records(folder, labels=table)

    def test_a_frame_may_have_its_names_in_the_index(self, folder, table):
        frame = pd.read_csv(table).set_index("file")
        message = r"'patient', 'label', 'age', and .*\(\.\.\., label_column='label'\)"
        with pytest.raises(RecordError, match=message):
            read_records(folder, labels=frame.assign(age=5))
        for labels in (frame[["label"]], frame):
            column = "label" if labels is frame else None
            data = read_records(folder, labels=labels, label_column=column)
            assert data.target.tolist() == list(LABELS.values())

    def test_a_column_that_is_not_there(self, folder, table):
        for given in ({"name_column": "name"}, {"label_column": "y"}):
            columns = {"name_column": "file", "label_column": "label"} | given
            with pytest.raises(ValueError, match=f"'{next(iter(given))}' .*'patient'"):
                read_records(folder, labels=table, **columns)
        with pytest.raises(ValueError, match="'labels' .* be a table"):
            read_records(folder, labels=LABELS, label_column="label")
        with pytest.raises(ValueError, match="'labels' .* be a table"):
            read_records(folder, label_column="label")


@pytest.mark.parametrize("ending", [".mat", ".hea", ""])
@pytest.mark.parametrize("before", ["hosp/", "C:\\hosp\\", ""])
def test_names_may_have_a_folder_and_an_ending(folder, before, ending):
    labels = {f"{before}{name}{ending}": label for name, label in LABELS.items()}
    data = read_records(folder, labels=labels)
    assert data.groups.tolist() == list(LABELS)
    assert data.target.tolist() == list(LABELS.values())


def test_two_names_of_one_record(folder):
    with pytest.raises(RecordError, match="name 'a1' twice, as 'hosp/a1.hea' too"):
        read_records(folder, labels={"a1": 1, "hosp/a1.hea": 2})


def test_paths_may_be_those_of_signal_files(folder):
    data = read_records([folder / "b2.mat", folder / "d4"])
    assert data.groups.tolist() == ["b2", "d4"]


def test_leads_in_upper_case_are_the_standard_ones(folder, write_mat_record):
    for place, leads in [("x1", ["AVR", "V1"]), ("x2", ["aVR", "v1"])]:
        write_mat_record(folder / place, MOVING, leads, 250)
    data = read_records([folder / "x1", folder / "x2"])
    assert data.lead_names == ("aVR", "V1")


def test_names_that_look_like_numbers_stay_names(folder, write_mat_record):
    write_mat_record(folder / "00012", MOVING[:, :300], LEADS, 250)
    (folder / "labels.csv").write_text("name,label\n00012,3\n")
    data = read_records(folder, labels=folder / "labels.csv")
    assert data.groups.tolist() == ["00012"]
    assert data.target.tolist() == [3]


def test_lengths_and_frequencies_may_differ(folder, write_mat_record):
    write_mat_record(folder / "b2", MOVING, LEADS, 500)
    data = read_records(folder)
    assert data.data.dtype == object
    assert [x.shape[1] for x in data.data] == [300, 500, 300, 300]
    assert data.fs.tolist() == [250, 500, 250, 250]


class TestBadInput:
    def test_no_folder_and_an_empty_one(self, tmp_path):
        with pytest.raises(RecordNotFoundError, match="no folder .*nowhere"):
            read_records(tmp_path / "nowhere")
        with pytest.raises(RecordNotFoundError, match="holds no header"):
            read_records(tmp_path)
        with pytest.raises(ValueError, match="'paths' .*must hold a path or more"):
            read_records([])

    def test_two_records_of_one_name(self, folder, write_mat_record):
        write_mat_record(folder / "a1", MOVING[:, :300], LEADS, 250)
        with pytest.raises(ValueError, match="have one name"):
            read_records(folder)

    def test_labels_without_their_record(self, folder):
        labels = LABELS | {"x9": "NORM"}
        with pytest.raises(RecordNotFoundError, match="1 records .*among them x9"):
            read_records(folder, labels=labels)
        data = read_records(folder, labels=labels, on_error="skip")
        assert data.groups.tolist() == list(LABELS)
        assert data.skipped["record"].tolist() == ["x9"]
        with pytest.raises(ValueError, match="None of the records .* has a label"):
            read_records(folder, labels={"x9": 1}, on_error="skip")

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            ({}, "mapping from names to labels.*Got {}"),
            (["a1"], "mapping from names to labels"),
            (pd.Series([1, 2], index=["a1", "a1"]), "name 'a1' twice"),
            ({"a1": None}, "have none for 'a1'"),
            ("nowhere.csv", "no file nowhere.csv"),
        ],
    )
    def test_labels_that_are_none(self, folder, labels, message):
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            read_records(folder, labels=labels)

    def test_a_table_of_one_column(self, folder):
        (folder / "labels.csv").write_text("name\na1\n")
        with pytest.raises(RecordError, match=r"labels\.csv: .*two columns.*Got 1"):
            read_records(folder, labels=folder / "labels.csv")

    def test_other_leads_than_the_first(self, folder, write_mat_record):
        write_mat_record(folder / "deep/c3", MOVING[:, :300], ["I", "V2"], 250)
        with pytest.raises(RecordError, match="c3: .*leads of the first one, I, V1"):
            read_records(folder)
        data = read_records(folder, on_error="skip")
        assert data.groups.tolist() == ["a1", "b2", "d4"]
        assert len(data.data) == len(data.metadata) == 3
        assert data.skipped["record"].tolist() == [str(folder / "deep/c3")]

    def test_skip_leaves_out_what_cannot_be_read(self, folder):
        (folder / "b2.mat").write_bytes(b"")
        with pytest.raises(RecordError, match="b2: "):
            read_records(folder, labels=LABELS)
        data = read_records(folder, labels=LABELS, on_error="skip", n_jobs=2)
        assert data.target.tolist() == ["AFIB", "AFIB"]
        assert data.skipped["record"].tolist() == [str(folder / "b2")]
