"""Recordings in SCP-ECG."""

import struct
from functools import partial

import numpy as np
import pytest

from sk_erts.datasets import STANDARD_LEADS, read_scp
from sk_erts.exceptions import RecordError, RecordNotFoundError
from tests.datasets.formats import (
    SCP_NUMBERS,
    check_damage,
    huffman,
    scp_file,
    scp_leads,
    scp_rhythm,
    steps,
)

X = steps(12)
STANDARD_TABLE = struct.pack("<H", 19999)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ecg.scp"


def bodies(samples=X, numbers=SCP_NUMBERS, code=None, tables=STANDARD_TABLE, **more):
    """Return the sections of a file; patient data are what nobody reads."""
    coded = {} if code is None else {2: tables}
    return {
        1: b"\0\4\0Name\xff\0\0",
        **coded,
        3: scp_leads(numbers, samples.shape[1]),
        6: scp_rhythm(samples, code=code, **more),
    }


@pytest.mark.parametrize("code", [None, huffman])
@pytest.mark.parametrize("n_differences", [0, 1, 2])
def test_values_leads_and_frequency(path, n_differences, code):
    path.write_bytes(scp_file(bodies(n_differences=n_differences, code=code)))
    record = read_scp(path)
    assert record.signal.dtype == np.float32
    np.testing.assert_allclose(record.signal, X * 2.5e-3, rtol=1e-6)
    assert record.lead_names == STANDARD_LEADS
    assert record.fs == 500


@pytest.mark.parametrize("n_differences", [1, 2])
@pytest.mark.parametrize("n_times", [1, 2, 3])
def test_the_first_samples_stand_for_themselves(path, n_differences, n_times):
    samples = X[:2, 100 : 100 + n_times]
    written = bodies(samples, (1, 2), n_differences=n_differences)
    path.write_bytes(scp_file(written))
    found = read_scp(path, allow_flat=True).signal
    np.testing.assert_allclose(found, samples * 2.5e-3, rtol=1e-6)


def test_all_codes_of_the_standard(path):
    """Each short code, both escapes, and steps that leave 16 bits."""
    row = np.array([*range(-9, 10), 127, -128, 128, 32767, -32768, 32767, 0])
    samples = np.stack([row, row[::-1]])
    for n_differences in (0, 1, 2):
        written = bodies(samples, (2, 3), huffman, n_differences=n_differences)
        path.write_bytes(scp_file(written))
        np.testing.assert_allclose(read_scp(path).signal, samples * 2.5e-3, rtol=1e-6)


@pytest.mark.parametrize("sizes", [(1, 5), (5, 1)])
def test_tables_of_the_file(path, sizes):
    """The first table has a code for 5 and one that leads to the second."""
    tables = struct.pack("<H", 2)
    # Bits of prefix, of all, whether it is a value, value, prefix with first bit low.
    first = [(1, 1, 1, 5, 0b0), (2, 2, 0, 2, 0b01)]
    second = [(2, 2, 1, -7, 0b10), (*sizes, 1, 100, 0b1), (2, 2, 0, 1, 0b00)]
    for table in (first, second):
        tables += struct.pack("<H", len(table))
        tables += b"".join(struct.pack("<BBBhI", *row) for row in table)
    # 5, to table 2, -7, 100 - 3, to table 1, 5, to table 2, 100 + 4
    bits = "0" + "10" + "01" + "1" + "1101" + "00" + "0" + "10" + "1" + "0100"
    data = int(bits.ljust(24, "0"), 2).to_bytes(3, "big")
    samples = np.array([[5, -7, 97, 5, 104]])
    path.write_bytes(scp_file(bodies(samples, (2,), lambda _: data, tables)))
    np.testing.assert_allclose(read_scp(path).signal, samples * 2.5e-3, rtol=1e-6)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([(0, 4, 1, 5, 0)], "a code of 0 of 4 bits"),
        ([(33, 33, 1, 5, 0)], "a code of 33 of 33 bits"),
        ([(1, 40, 1, 5, 0)], "a code of 1 of 40 bits"),
        ([(1, 1, 0, 3, 0)], "use the Huffman tables of its file, 1 to 1. Got 3"),
        ([(3, 3, 1, 5, 7)], "must have 500 samples. Got 0 that can be decoded"),
        ([], "must have 500 samples"),
    ],
)
def test_tables_that_are_none(path, table, message):
    rows = b"".join(struct.pack("<BBBhI", *row) for row in table)
    tables = struct.pack("<HH", 1, len(table)) + rows
    path.write_bytes(scp_file(bodies(X[:2], (1, 2), lambda _: bytes(500), tables)))
    with pytest.raises(RecordError, match=f"ecg.scp: .*{message}"):
        read_scp(path)
    path.write_bytes(scp_file(bodies(code=huffman, tables=struct.pack("<H", 0))))
    with pytest.raises(RecordError, match="ecg.scp: .*no table"):
        read_scp(path)


def test_leads_by_name_and_number(path):
    path.write_bytes(scp_file(bodies(X[:3], (9, 62, 19))))
    assert read_scp(path).lead_names == ("V7", "aVR", "lead 19")
    found = read_scp(path, leads=["aVR", 0])
    np.testing.assert_allclose(found.signal, X[[1, 0]] * 2.5e-3, rtol=1e-6)


def test_leads_that_do_not_begin_together(path):
    written = bodies(X[:2], (1, 2))
    rows = struct.pack("<IIBIIB", 1, 500, 1, 501, 1000, 2)
    path.write_bytes(scp_file(written | {3: struct.pack("<BB", 2, 0) + rows}))
    with pytest.raises(RecordError, match="same first sample. Got 1, 501"):
        read_scp(path)
    assert read_scp(path, leads=["II"]).signal.shape == (1, 500)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({3: scp_leads(SCP_NUMBERS, 500, flags=5)}, "reference beat is subtracted"),
        ({6: scp_rhythm(X, bimodal=1)}, "bimodal compression in section 6"),
        ({6: scp_rhythm(X, step=0)}, "Got 0 nV and 2000 us"),
        ({6: scp_rhythm(X, us=0)}, "Got 2500 nV and 0 us"),
        ({6: struct.pack("<HHBB", 1, 1, 3, 0)}, "the coding 3 instead"),
        ({6: scp_rhythm(X)[:-9]}, "must have .* bytes for the leads"),
        ({6: b"\0"}, "no sound SCP-ECG"),
        ({3: scp_leads(SCP_NUMBERS, 501)}, "1002 bytes of samples. Got 1000"),
        ({3: scp_leads(SCP_NUMBERS, 0)}, "end after it begins. Got 0 samples"),
    ],
)
def test_what_is_not_read_is_named(path, changed, message):
    path.write_bytes(scp_file(bodies() | changed))
    with pytest.raises(RecordError, match=f"ecg.scp: .*{message}"):
        read_scp(path)


@pytest.mark.parametrize(
    ("there", "message"),
    [
        ((3, 12), "long-term rhythm in section 12"),
        ((1, 3), "rhythm must stand in section 6"),
        ((1, 6), "leads must stand in section 3"),
    ],
)
def test_absent_sections(path, there, message):
    written = bodies() | {12: b"ab"}
    path.write_bytes(scp_file({number: written[number] for number in there}))
    with pytest.raises(RecordError, match=message):
        read_scp(path)


def test_checksums(path):
    data = bytearray(scp_file(bodies()))
    data[-1] ^= 1  # a sample
    path.write_bytes(data)
    with pytest.raises(RecordError, match="section 6 .*checksum .*verify=False"):
        read_scp(path)
    found = read_scp(path, verify=False).signal
    assert (found != (X * 2.5e-3).astype(np.float32)).sum() == 1


def test_a_pointer_to_another_section(path):
    data = bytearray(scp_file(bodies()))
    third, sixth = (22 + 10 * number for number in (3, 6))
    data[sixth + 2 : sixth + 10] = data[third + 2 : third + 10]
    path.write_bytes(data)
    with pytest.raises(RecordError, match="section 6 must be .* Got section 3 there"):
        read_scp(path)


def test_a_file_that_was_cut_short(path):
    whole = scp_file(bodies(X[:3], (1, 2, 3)))
    path.write_bytes(whole[:-10])
    message = f"must have {len(whole)} bytes. Got {len(whole) - 10} instead"
    with pytest.raises(RecordError, match=message):
        read_scp(path)


def test_what_is_no_scp(path, tmp_path):
    path.write_bytes(b"\0" * 64)
    with pytest.raises(RecordError, match="must begin as SCP-ECG does"):
        read_scp(path)
    with pytest.raises(RecordNotFoundError, match="no such file"):
        read_scp(tmp_path / "x.scp")


@pytest.mark.parametrize("code", [None, huffman])
@pytest.mark.parametrize("verify", [True, False])
def test_damaged_files(path, code, verify):
    path.write_bytes(scp_file(bodies(X[:3], (1, 2, 3), code, n_differences=2)))
    read = partial(read_scp, verify=verify)
    assert check_damage(path, read, n=120, stumps=(0, 1, 200)) > (100 if verify else 20)
