"""A misspelt parameter is told in one way, whichever way it came."""

import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sk_erts import ERTSClassifier
from sk_erts._training.skorch_params import SkorchEstimator
from tests.conftest import bumps

X, Y, _ = bumps(12)
NEAREST = {
    "max_epoch": "max_epochs",
    "modul__width": "module__*",
    "looks__revisit_gap": "looks__revisit_gaps",
}


@pytest.fixture(params=NEAREST)
def misspelt(request):
    return request.param


@pytest.mark.parametrize(
    "tell",
    [
        lambda **wrong: ERTSClassifier(**wrong).fit(X, Y),
        lambda **wrong: ERTSClassifier(**wrong).partial_fit(X, Y),
        lambda **wrong: clone(ERTSClassifier(**wrong)).fit(X, Y),
        lambda **wrong: ERTSClassifier().set_params(**wrong),
        lambda **wrong: ERTSClassifier(**wrong).set_params(**wrong),
        lambda **wrong: ERTSClassifier(**wrong).set_params(lr=0.1),
        lambda **wrong: ERTSClassifier().set_params(
            **ERTSClassifier(**wrong).get_params()
        ),
        lambda **wrong: GridSearchCV(ERTSClassifier(**wrong), {"lr": [1]}, cv=2).fit(
            X, Y
        ),
        lambda **wrong: GridSearchCV(
            ERTSClassifier(), {name: [value] for name, value in wrong.items()}, cv=2
        ).fit(X, Y),
    ],
    ids=[
        "fit",
        "partial_fit",
        "clone",
        "set_params",
        "again",
        "another",
        "get_params",
        "search",
        "grid",
    ],
)
def test_is_told(tell, misspelt):
    message = (
        f"Invalid parameter '{misspelt}' for estimator ERTSClassifier. "
        f"Did you mean '{NEAREST[misspelt]}'?"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        tell(**{misspelt: 3})


def test_another_misspelt_name_is_no_advice():
    with pytest.raises(ValueError, match="'max_epoch' .*Did you mean 'max_epochs'"):
        ERTSClassifier(max_epoch=3, max_epoc=3, max_epos=3).fit(X, Y)


class Plain(SkorchEstimator):
    """An estimator that has nothing nested, and no names of earlier versions."""

    def __init__(self, lr=0.1, **skorch_params):
        self.lr = lr
        self._double_underscored = skorch_params


def test_of_an_estimator_with_nothing_nested():
    plain = Plain(module__width=4).set_params(lr=0.5, optimizer__eps=1e-6)
    expected = {"lr": 0.5, "module__width": 4, "optimizer__eps": 1e-6}
    assert clone(plain).get_params() == plain.get_params() == expected
    assert plain.parts().params == {"module__width": 4, "optimizer__eps": 1e-6}
    with pytest.raises(ValueError, match="'lrr' for estimator Plain.* mean 'lr'"):
        plain.set_params(lrr=3)


def test_parts_are_not_given_in_a_dictionary():
    clf = ERTSClassifier(skorch_params={"module__width": 4})
    with pytest.raises(ValueError, match="Invalid parameter 'skorch_params'"):
        clf.fit(X, Y)


def test_a_refusal_changes_nothing():
    clf = ERTSClassifier(max_epoch=3)
    before = clf.get_params()
    with pytest.raises(ValueError, match="max_epoch"):
        clf.set_params(lr=0.5)
    assert clf.get_params() == before
    assert np.array_equal(sorted(clone(clf).get_params()), sorted(before))
