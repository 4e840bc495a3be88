"""Annotated beats: all of them, or an error."""

import numpy as np
import pytest

from sk_erts.datasets import load_mitbih
from sk_erts.datasets._annotations import read_beats
from sk_erts.exceptions import RecordError, RecordNotFoundError
from tests.datasets.wfdb_files import steps, write, write_annotations

NORMAL, PVC, RHYTHM = 1, 5, 28


@pytest.fixture
def folder(tmp_path):
    for name in ("101", "106"):
        lines = ["16 200/mV 16 0 0 0 0 MLII"]
        write(tmp_path, name, steps(1), lines, f"{name} 1 360 200")
        write_annotations(tmp_path, name, (9, RHYTHM), (40, NORMAL), (60, PVC))
    return tmp_path


def test_beats_without_other_remarks(folder):
    symbols, samples = read_beats(str(folder / "101"), "NV", 200)
    assert symbols == ["N", "V"]
    np.testing.assert_array_equal(samples, [49, 109])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must end with two bytes of 0. Got 0 bytes"),
        (b"\0", "must end with two bytes of 0. Got 1 bytes"),
        (b"\0\0", "a beat or more. Got 0 annotations"),
        (b"\x09\x70\0\0", "a beat or more. Got 1 annotations and no beat"),
        (b"\x28\x04\x3c\x14", "must end with two bytes of 0. Got 4 bytes"),
        (b"\x28\x04\0\0\0", "must end with two bytes of 0. Got 5 bytes"),
        (b"\xc8\x04\0\0", "time steps 0 to 199. Got 200 to 200"),
        (b"\0\xec\xff\xff\x9c\xff\x01\x04\0\0", "steps 0 to 199. Got -99 to -99"),
        (b"\0\xec\0\0\0\0", "must be readable as what it claims to be"),
    ],
)
def test_a_file_that_holds_no_sound_beats(folder, content, message):
    (folder / "101.atr").write_bytes(content)
    with pytest.raises(RecordError, match=rf"101\.atr: .*{message}"):
        load_mitbih(folder, window_s=(0.1, 0.1))
    data = load_mitbih(folder, window_s=(0.1, 0.1), on_error="skip")
    assert set(data.metadata["record"]) == {"106"}
    assert data.skipped["record"].tolist() == [str(folder / "101")]


def test_a_file_that_is_not_there(folder):
    (folder / "101.atr").unlink()
    with pytest.raises(RecordNotFoundError, match=r"101\.atr: .*is not there"):
        read_beats(str(folder / "101"), "N", 200)
