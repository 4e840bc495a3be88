"""explain(contrast=...): where a record speaks for one class, and where for another."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from sk_erts import ERTSClassifier, explain
from sk_erts.plotting import ECGDisplay
from tests.conftest import bumps

X, CODES, CENTRE = bumps(120)
Y = np.array(["down", "flat", "up"])[CODES]


@pytest.fixture(scope="module")
def clf(small):
    return ERTSClassifier(**small | {"max_epochs": 12}).fit(X, Y)


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def logits(clf):
    with torch.no_grad():
        return clf.net_.module_.eval()(torch.from_numpy(X)).numpy()


def test_a_class_against_another_sums_to_the_difference_of_logits(clf):
    maps = clf.explain(X, target="up", contrast="down", resample=False)
    found = logits(clf)
    np.testing.assert_allclose(
        maps.sum(axis=1), found[:, 2] - found[:, 0], rtol=1e-4, atol=1e-4
    )


def test_the_rival_is_the_most_probable_other_class(clf):
    found = logits(clf)
    found[:, 2] = -np.inf
    rivals = clf.classes_[found.argmax(axis=1)]
    np.testing.assert_array_equal(
        clf.explain(X, target="up", contrast="rival"),
        clf.explain(X, target="up", contrast=rivals),
    )


def test_turned_round_it_changes_its_sign(clf):
    one = clf.explain(X, target="up", contrast="down")
    np.testing.assert_allclose(
        one, -clf.explain(X, target="down", contrast="up"), atol=1e-5
    )


def test_by_default_the_predicted_class_is_set_against_its_rival(clf):
    np.testing.assert_array_equal(
        clf.explain(X, contrast="rival"),
        clf.explain(X, target=clf.predict(X), contrast="rival"),
    )


def test_evidence_stands_where_the_bump_is(clf):
    """Up against down: the bump decides, above zero in the one, below in the other."""
    maps = clf.explain(X, target="up", contrast="down")
    at = np.abs(maps - np.median(maps, axis=1, keepdims=True)).argmax(axis=1)
    bumped = CODES != 1
    assert np.median(np.abs(at - CENTRE)[bumped]) <= 6
    values = maps[np.arange(len(X)), CENTRE]
    assert (values[CODES == 2] > 0).mean() > 0.9
    assert (values[CODES == 0] < 0).mean() > 0.9


@pytest.mark.parametrize("method", ["saliency", "input_x_gradient", "occlusion"])
def test_other_methods_explain_the_difference_too(clf, method):
    pytest.importorskip("captum")
    one = clf.explain(X[:5], method, target="up", signed=True)
    other = clf.explain(X[:5], method, target="down", signed=True)
    found = clf.explain(X[:5], method, target="up", contrast="down")
    if method != "saliency":  # whose size has no sign
        np.testing.assert_allclose(found, one - other, atol=1e-5)
    assert found.shape == one.shape


def test_of_several_labels_the_rival_is_the_absence(small):
    labels = np.stack([CODES == 0, CODES == 2], axis=1).astype(int)
    clf = ERTSClassifier(**small).fit(X, labels)
    np.testing.assert_array_equal(
        clf.explain(X, target=1, contrast="rival"),
        clf.explain(X, target=1, signed=True, bias=True),
    )


def test_goes_through_pipelines(clf):
    np.testing.assert_array_equal(
        explain(clf, X, target="up", contrast="rival"),
        clf.explain(X, target="up", contrast="rival"),
    )


@pytest.mark.parametrize(
    ("contrast", "message"),
    [
        ("sideways", "none of the classes seen in fit"),
        (["up", "down"], "'contrast' of explain must be one class, or one for each"),
    ],
)
def test_other_contrasts_are_refused(clf, contrast, message):
    with pytest.raises(ValueError, match=message):
        clf.explain(X, contrast=contrast)


def test_a_figure_names_the_rival(clf):
    found = logits(clf)[0]
    first, second = clf.classes_[np.argsort(-found)[:2]]
    display = ECGDisplay.from_estimator(clf, X[0], fs=100, contrast="rival")
    label = " ".join(display.colorbar_.ax.get_ylabel().split())
    assert f"{first} over {second}" in label
    np.testing.assert_array_equal(display.heat, clf.explain(X[:1], contrast="rival")[0])


def test_a_figure_of_two_classes_that_are_named(clf):
    display = ECGDisplay.from_estimator(clf, X[0], fs=100, target="up", contrast="down")
    label = " ".join(display.colorbar_.ax.get_ylabel().split())
    assert "up over down" in label


class TestAudit:
    def test_says_where_a_label_is_contradicted(self, clf):
        given = np.where(CODES == 0, "up", Y)
        table = clf.audit(X, given, evidence=True).set_index("record").sort_index()
        maps = clf.explain(X, target=given, contrast="rival")
        wrong = CODES == 0
        np.testing.assert_allclose(table["support"], (maps > 0).mean(axis=1))
        np.testing.assert_array_equal(
            table["contradicted_at"][wrong], maps.argmin(axis=1)[wrong]
        )
        assert np.median(np.abs(table["contradicted_at"] - CENTRE)[wrong]) <= 6

    def test_only_if_asked(self, clf):
        assert "support" not in clf.audit(X, Y)
