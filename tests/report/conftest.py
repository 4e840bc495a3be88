"""One small classifier of three classes, with names that a page must escape."""

import numpy as np
import pytest

from sk_erts import ERTSClassifier
from tests.conftest import bumps

NAMES = np.array(["<script>window.hurt=1</script>", 'MI "old" & new', "NORM"])


@pytest.fixture(scope="session")
def clf(small):
    X, codes, _ = bumps(120)
    return ERTSClassifier(**small | {"max_epochs": 3}).fit(X, NAMES[codes])


@pytest.fixture(scope="session")
def unseen():
    """Records with a few wrong labels."""
    X, codes, _ = bumps(90, seed=1)
    codes[::15] = (codes[::15] + 1) % 3
    return X, NAMES[codes]


@pytest.fixture(scope="session")
def several(small):
    """A classifier of two labels per record."""
    X, codes, _ = bumps(90)
    Y = np.stack([codes > 0, codes == 2], axis=1).astype(int)
    return ERTSClassifier(**small | {"max_epochs": 2}).fit(X, Y), X, Y
