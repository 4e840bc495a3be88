"""Whatever is wrong with the files of a record is one kind of error."""

import numpy as np
import pytest

from sk_erts.datasets._annotations import read_beats
from sk_erts.datasets._mitbih import AAMI
from sk_erts.datasets._options import Reading
from sk_erts.datasets._records import read_record
from sk_erts.exceptions import RecordError, RecordNotFoundError
from tests.datasets.wfdb_files import (
    N_TIMES,
    damage_bytes,
    damage_text,
    write_annotations,
    write_kinds,
)

OURS = (RecordError, RecordNotFoundError)
N_HEADERS, N_SIGNALS, N_ANNOTATIONS = 3000, 1000, 1000
HOW = [
    Reading(allow_flat=True, missing=missing, leads=leads, fs=fs, gain=gain)
    for missing in ("raise", "interpolate", "cut")
    for leads, fs, gain in [(None, None, None), ((0,), 250.0, 200.0)]
]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    write_kinds(folder)
    return folder


def attempt(read, n_bytes):
    """Read what may be damaged; return whether it could be read."""
    try:
        record = read()
    except OURS:
        return False
    assert np.isfinite(record.signal).all()
    assert record.signal.ndim == 2
    assert record.signal.size > 0
    assert len(record.lead_names) == len(record.signal)
    assert record.fs > 0
    assert record.signal.size <= 4 * n_bytes  # nothing is made up
    return True


class TestNoOtherError:
    """5,000 damaged files, each read, or refused by our own error."""

    def damaged(self, kinds, pattern, damage, n):
        rng = np.random.default_rng(0)
        files = sorted(kinds.glob(pattern))
        kept = {file: file.read_bytes() for file in files}
        n_bytes = sum(file.stat().st_size for file in kinds.iterdir())
        n_read = 0
        for k in range(n):
            file = files[k % len(files)]
            file.write_bytes(damage(rng, kept[file]))
            path = file.with_suffix("")
            if file.stem.startswith(("part", "bit", "layout")):  # through the whole
                path = kinds / ("fixed" if file.stem.startswith("part") else "varied")
            how = HOW[rng.integers(len(HOW))]
            n_read += attempt(lambda p=path, h=how: read_record(p, h), n_bytes)
            file.write_bytes(kept[file])
        assert 0.02 * n < n_read < 0.9 * n  # else nothing is tried

    def test_of_headers(self, kinds):
        def damage(rng, content):
            if rng.random() < 0.2:
                return damage_bytes(rng, content)
            return damage_text(rng, content.decode()).encode("utf-8", "replace")

        self.damaged(kinds, "*.hea", damage, N_HEADERS)

    def test_of_signal_files(self, kinds):
        self.damaged(kinds, "*.dat", damage_bytes, N_SIGNALS)

    def test_of_annotations(self, tmp_path):
        rng = np.random.default_rng(0)
        beats = [(int(step), int(code)) for step, code in rng.integers(1, 14, (12, 2))]
        write_annotations(tmp_path, "101", (5, 28), *beats, (0, 63 ^ 0b100), (9, 1))
        whole = (tmp_path / "101.atr").read_bytes()
        n_read = 0
        for _ in range(N_ANNOTATIONS):
            damaged = damage_bytes(rng, whole)
            end = b"\0\0" if rng.random() < 0.7 else b""
            (tmp_path / "101.atr").write_bytes(damaged + end)
            try:
                found, samples = read_beats(str(tmp_path / "101"), AAMI, N_TIMES)
            except OURS:
                continue
            assert len(found) == len(samples) > 0
            assert set(found) <= set(AAMI)
            n_read += 1
        assert n_read > 0.02 * N_ANNOTATIONS
