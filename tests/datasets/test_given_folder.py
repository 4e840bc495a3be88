"""Recordings of others: each one is read as wfdb reads it, or refused in our words.

``SK_ERTS_RECORDS`` names their folder, such as ``sample-data`` of a checkout of wfdb;
without it, the folder of the real recordings stands in.
"""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import wfdb

from sk_erts.datasets import read_any
from sk_erts.exceptions import RecordError

pytestmark = pytest.mark.real
ROOT = Path(__file__).parents[2]
DATA = os.environ.get("SK_ERTS_DATA", ROOT.parent / "shared" / "data")
GIVEN = Path(os.environ.get("SK_ERTS_RECORDS", DATA))
# Of a folder with thousands, some of all its parts.
MOST_RECORDS = 300


def headers():
    found = sorted(GIVEN.rglob("*.hea"))
    return found[:: -(-len(found) // MOST_RECORDS) or 1]


@pytest.fixture(scope="module")
def told():
    """Return of each header what it was read as, or why it was refused."""
    if not headers():
        pytest.skip(f"no records in {GIVEN}; SK_ERTS_RECORDS names their folder")
    outcomes = {}
    for header in headers():
        try:
            outcomes[header] = read_any(header)
        except RecordError as error:
            outcomes[header] = error
    return outcomes


def test_what_is_read_is_what_wfdb_reads(told):
    n_compared = 0
    for header, record in told.items():
        if isinstance(record, RecordError):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = wfdb.rdrecord(str(header.with_suffix("")))
        assert record.signal.shape == theirs.p_signal.T.shape, header
        assert record.fs == pytest.approx(theirs.fs)
        factor = [{"uv": 1e-3, "v": 1e3}.get(unit.lower(), 1) for unit in theirs.units]
        expected = theirs.p_signal.T * np.array(factor)[:, np.newaxis]
        np.testing.assert_allclose(record.signal, expected, rtol=1e-5, atol=1e-6)
        n_compared += 1
    assert n_compared


def test_what_is_refused_is_told_by_file_and_remedy(told):
    for header, error in told.items():
        if isinstance(error, RecordError):
            assert header.stem in str(error)
            assert len(str(error).split()) > 8
