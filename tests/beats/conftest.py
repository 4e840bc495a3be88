"""The real recordings, where they are at hand."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def mitbih_folder():
    """Return the folder of the real MIT-BIH, or skip."""
    default = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("SK_ERTS_DATA", default)) / "mitbih"
    if not (folder / "101.atr").is_file():
        pytest.skip(f"no recordings in {folder}; set SK_ERTS_DATA to its parent folder")
    return folder
