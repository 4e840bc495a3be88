"""Headers: what can be read without a doubt is, what cannot is named."""

import os
import tracemalloc

import numpy as np
import pytest

from sk_erts.datasets import read_records
from sk_erts.datasets._header import read_header
from sk_erts.exceptions import RecordError
from tests.datasets.wfdb_files import steps, write

SAMPLES = steps()
LINES = ["16 200/mV 16 0 0 0 0 I", "16 200/mV 16 0 0 0 0 II"]


def change(path, old, new):
    header = path.with_suffix(".hea")
    text = header.read_text(encoding="utf-8")
    assert old in text
    header.write_text(text.replace(old, new, 1), encoding="utf-8")


def read(folder):
    data = read_records(folder)
    np.testing.assert_allclose(data.data[0], SAMPLES / 200, rtol=1e-6)
    return data


@pytest.mark.parametrize(
    "line",
    [
        "a 2 250 200 12:30:00 01/02/2020",
        "a 2 250 200 2014-05-08 05:05:15",  # CinC 2017
        "a 2 250 200 05-May-2020 09:49:17",  # CinC 2021
        "a 2 250 200 2006",
        "a 2 250 200 0:00 1/1/89",
        "a 2 250 200 199",
        "a 2 250 200 whenever it was",
        "a.dat 2 250 200",
        "a.mat 2 250/1000(5) 200",
        "folder/of its/owner/a 2 250 200".replace(" its", "_its"),
        "Zoë 2 2.5e2 200",
        "a 2 250",
        "a 2 250 0",
        "a 2 250 10:00:00",
        "a 2 250 2020-01-01 10:00:00",
    ],
)
def test_neither_names_nor_dates_are_needed(tmp_path, line):
    write(tmp_path, "a", SAMPLES, record=line)
    assert read(tmp_path).fs == 250


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2 250", "two 250", "line 1: the number of signals .* Got 'two' instead"),
        ("2 250 200", "", "line 1: the number of signals .* Got ''"),
        ("2 250", "0 250", "line 1: the number of signals .* at least 1. Got '0'"),
        ("2 250", "3 250", "line 1: the number of signals .*signal lines. Got '3'"),
        ("2 250", "1 250", "line 1: the number of signals .*signal lines. Got '1'"),
        ("2 250", "2 0", "line 1: the sampling frequency .*above 0. Got '0'"),
        ("2 250", "2 -250", "line 1: the sampling frequency .*above 0. Got '-250'"),
        ("2 250", "2 1e999", "line 1: the sampling frequency .*finite.* Got '1e999'"),
        ("2 250", "2 250Hz", "line 1: the sampling frequency .*Got '250Hz'"),
        ("250 200", "250 -200", "line 1: the number of samples .*Got '-200'"),
        ("250 200", "250 2e2", "line 1: the number of samples .*Got '2e2'"),
        (" 16 200", " 17 200", "line 2: the format .*be one of 0, 8, 16.* Got '17'"),
        (" 16 200", " 16x0 200", "line 2: the number of samples per frame .*Got '0'"),
        (" 16 200", " 16:-1 200", "line 2: the format .*Got '16:-1'"),
        ("200/mV 16 0 0 0 0 II", "2OO/mV 16 0 0 0 0 II", "line 3: the gain .*'2OO/mV'"),
        ("200/mV", "1e999/mV", "line 2: the gain .*Got '1e999/mV'"),
        ("200/mV", "200(1/mV", r"line 2: the gain .*Got '200\(1/mV'"),
        ("16 0 0", "16 0.5 0", "line 2: the ADC zero .*whole number. Got '0.5'"),
        ("16 0 0", "16 0 1.5", "line 2: the initial value .*Got '1.5'"),
        ("a.dat", "../a.dat", "line 2: signal files must lie beside .*'../a.dat'"),
        ("a.dat", "..", "line 2: signal files must lie beside .*'..'"),
        ("a.dat", "b\\a.dat", "line 2: signal files must lie beside"),
        ("a.dat", "a\0.dat", "line 2: signal files must lie beside"),
    ],
)
def test_what_is_malformed_is_named_by_line_and_field(tmp_path, old, new, message):
    path = write(tmp_path, "a", SAMPLES)
    change(path, old, new)
    with pytest.raises(RecordError, match=rf"a\.hea, {message}"):
        read_records([path])


@pytest.mark.parametrize("remark", ["#a/b", "  #a/b", "\t# ../c 16 200", "   ", "\r"])
def test_remarks_may_be_indented(tmp_path, remark):
    path = write(tmp_path, "a", SAMPLES)
    change(path, "a.dat", f"{remark}\na.dat")
    comments = read(tmp_path).metadata["comments"]["a"]
    assert comments == tuple(filter(None, [remark.strip(" \t#\r")]))


@pytest.mark.parametrize("codec", ["utf-8-sig", "latin-1", "utf-8"])
def test_text_that_is_no_ascii(tmp_path, codec):
    path = write(tmp_path, "a", SAMPLES)
    text = path.with_suffix(".hea").read_text() + "# Übelkeit\n"
    path.with_suffix(".hea").write_bytes(text.replace("\n", "\r\n").encode(codec))
    assert read(tmp_path).metadata["comments"]["a"] == ("Übelkeit",)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("16 200/mV 16 0 0 0 0 Lead  II, sitting ", "Lead  II, sitting"),
        ("16 200/mV 16 0 II", "II"),
        ("16 200/mV 16.0 0 5 0.5 0 12", "12"),
        ("16 200/mV", None),
    ],
)
def test_descriptions(tmp_path, line, name):
    path = write(tmp_path, "a", steps(1), [line])
    assert read_header(str(path)).signals[0].name == name


def test_the_baseline_is_the_zero_of_the_converter_unless_told(tmp_path):
    for k, gain in enumerate(["200", "200(7)", "200(7.5)/mV"]):
        path = write(tmp_path, f"a{k}", steps(1), [f"16 {gain} 11 1024 0 0 0 II"])
        baseline = (1024, 7, 7.5)[k]
        got = read_records([path]).data[0]
        np.testing.assert_allclose(got, (steps(1) - baseline) / 200, rtol=1e-6)


def test_a_file_too_large_for_a_header_is_not_loaded(tmp_path):
    path = write(tmp_path, "a", SAMPLES)
    os.truncate(path.with_suffix(".hea"), 2**30)
    tracemalloc.start()
    try:
        with pytest.raises(RecordError, match="a.hea: a header must have at most"):
            read_records([path])
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_header_that_cannot_be_opened(tmp_path):
    (tmp_path / "a.hea").mkdir()
    with pytest.raises(RecordError, match="a.hea: the header must be readable"):
        read_records([tmp_path / "a"])
