"""Labels reach their records as they are written, or an error says why not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sk_erts.datasets import read_records
from sk_erts.datasets._label_table import labels_by_record
from sk_erts.exceptions import RecordError, RecordNotFoundError

NAMES = ["a1", "b2", "c3"]
ROWS = ["a1,AFIB", "b2,NORM", "c3,AFIB"]


@pytest.fixture
def folder(tmp_path, write_mat_record):
    for name in NAMES:
        signal = np.random.default_rng(len(name)).normal(size=(1, 60))
        write_mat_record(tmp_path / name, signal, ["II"], 250)
    return tmp_path


@pytest.fixture
def table(tmp_path):
    """Return a function that writes lines into a file of labels."""

    def write(*lines, encoding="utf-8"):
        path = tmp_path / "l.csv"
        path.write_bytes("\n".join([*lines, ""]).encode(encoding))
        return path

    return write


def read(labels, name_column=None, label_column=None):
    return labels_by_record(labels, name_column, label_column, NAMES)


class TestHeadings:
    @pytest.mark.parametrize("ending", ["", ".hea", ".HEA", ".mat"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    def test_a_table_without_headings_loses_no_record(
        self, folder, table, ending, encoding
    ):
        rows = [row.replace(",", f"{ending},") for row in ROWS]
        data = read_records(folder, labels=table(*rows, encoding=encoding))
        assert data.groups.tolist() == NAMES
        assert data.target.tolist() == ["AFIB", "NORM", "AFIB"]
        assert len(data.skipped) == 0

    def test_nor_one_that_is_not_there(self, folder, table):
        labels = table("x9,NORM", *ROWS)
        with pytest.raises(RecordNotFoundError, match="1 records .*among them x9"):
            read_records(folder, labels=labels)
        data = read_records(folder, labels=labels, on_error="skip")
        assert data.skipped["record"].tolist() == ["x9"]
        assert data.groups.tolist() == NAMES

    def test_headings_are_no_record(self, table):
        assert read(table("record,label", *ROWS)) == read(table(*ROWS))

    @pytest.mark.parametrize(
        ("lines", "columns"),
        [
            (["a1,7,AFIB", "b2,8,NORM"], {}),
            (["a1,7,AFIB", "b2,8,NORM"], {"name_column": "a1", "label_column": "AFIB"}),
            (ROWS, {"name_column": "a1", "label_column": "AFIB"}),
            (["AFIB,a1", "NORM,b2"], {}),
            (["a1", "b2"], {}),
        ],
    )
    def test_a_record_in_their_place_is_named(self, table, lines, columns):
        with pytest.raises(RecordError, match=r"l\.csv: .*headings.*the record 'a1'"):
            read(table(*lines), **columns)

    def test_a_record_in_the_headings_of_a_frame_is_named(self, table):
        path = table(*ROWS)
        frame = pd.read_csv(path)
        for labels in (frame, frame.set_index("a1"), frame.set_index("a1")["AFIB"]):
            with pytest.raises(RecordError, match="labels: .*'a1' .*header=None"):
                read(labels)
        assert read(pd.read_csv(path, header=None)) == read(path)


class TestAsTheyAreWritten:
    @pytest.mark.parametrize("label", ["NA", "None", "nan", "null", "N/A", "NaN"])
    def test_words_that_pandas_takes_for_nothing_are_labels(self, table, label):
        labels = read(table("name,label", f"a1,{label}", "b2,NORM"))
        assert labels == {"a1": label, "b2": "NORM"}

    @pytest.mark.parametrize(
        "written", [["01", "1"], ["1.0", "2"], ["1e3", "2"], ["+1", "1"], ["True", "1"]]
    )
    def test_codes_are_not_bent_to_numbers(self, table, written):
        labels = read(table("name,label", f"a1,{written[0]}", f"b2,{written[1]}"))
        assert list(labels.values()) == written

    def test_plain_whole_numbers_are_numbers(self, folder, table):
        data = read_records(folder, labels=table("a1,0", "b2,-1", "c3,10"))
        assert data.target.tolist() == [0, -1, 10]
        huge = str(2**63)
        assert read(table("a1,0", f"b2,{huge}")) == {"a1": "0", "b2": huge}

    def test_blanks_around_them_are_no_part_of_them(self, table):
        assert read(table("name, label", " a1.hea , NORM", "b2,NORM ")) == {
            "a1": "NORM",
            "b2": "NORM",
        }

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(st.text("01.eNAn +-é", min_size=1), min_size=3, max_size=3).filter(
            lambda labels: all(label.strip() for label in labels)
        )
    )
    @pytest.mark.parametrize("headings", [["name,label"], []])
    def test_whatever_is_written_comes_back(self, table, headings, written):
        lines = [f"{n},{label}" for n, label in zip(NAMES, written, strict=True)]
        found = read(table(*headings, *lines))
        assert [str(label) for label in found.values()] == [t.strip() for t in written]
        assert list(found) == NAMES


class TestWhatIsNoLabel:
    @pytest.mark.parametrize(
        "label", [["NORM"], ["NORM", "MI"], ("NORM", "MI"), {"NORM"}, np.array([1, 2])]
    )
    def test_several_values(self, label):
        message = r"must be one value per record.* for 'b2' instead.*indicator matrix"
        for labels in (
            {"a1": "AFIB", "b2": label},
            pd.DataFrame({"name": ["a1", "b2"], "label": ["AFIB", label]}),
        ):
            with pytest.raises(RecordError, match=message):
                read(labels)

    @pytest.mark.parametrize("label", [None, np.nan, pd.NA, pd.NaT, ""])
    def test_nothing(self, label):
        with pytest.raises(RecordError, match="have none for 'b2'"):
            read({"a1": "AFIB", "b2": label})

    def test_an_empty_field(self, table):
        for line in ("b2,", "b2", "b2, "):
            with pytest.raises(RecordError, match="have none for 'b2'"):
                read(table("name,label", "a1,AFIB", line))

    @pytest.mark.parametrize("other", [1, 1.5, True])
    def test_text_and_numbers_together(self, other):
        with pytest.raises(RecordError, match=f"Got 'AFIB' and {other} instead"):
            read({"a1": "AFIB", "b2": other})

    def test_truth_and_numbers_together(self):
        with pytest.raises(RecordError, match="Got True and 2 instead"):
            read({"a1": True, "b2": 2})
        assert read({"a1": 1, "b2": 2.5}) == {"a1": 1, "b2": 2.5}


class TestFilesThatAreNoTables:
    def test_in_another_encoding(self, table):
        path = table("name,label", "a1,Herzstörung", encoding="latin-1")
        with pytest.raises(RecordError, match=r"l\.csv: .*UTF-8\. Got the byte 0xf6"):
            read(path)
        frame = pd.read_csv(path, encoding="latin-1", dtype=str)
        assert read(frame) == {"a1": "Herzstörung"}

    @pytest.mark.parametrize(
        "lines", [[], ["name,label", "a1,AFIB,7"], ["name,label", *ROWS, 'a,"b']]
    )
    def test_empty_or_ragged(self, table, lines):
        with pytest.raises(RecordError, match=r"l\.csv: .*must be a CSV table"):
            read(table(*lines))
