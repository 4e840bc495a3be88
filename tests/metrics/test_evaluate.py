"""The table of all measures: what each column is made of."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sk_erts import ERTSClassifier
from sk_erts.attribution import METHODS
from sk_erts.datasets import make_ecg
from sk_erts.metrics import (
    comprehensiveness,
    evaluate_explanations,
    evidence_mass,
    faithfulness,
    map_agreement,
    pointing_game,
    sufficiency,
)

CLASSES = ("PVC", "STE")


@pytest.fixture(scope="module")
def ecg():
    return make_ecg(
        240, 2, duration_s=4, classes=CLASSES, random_state=0, return_evidence=True
    )


@pytest.fixture(scope="module")
def clf(ecg):
    X, y, _ = ecg
    return ERTSClassifier(
        module__width=8,
        module__blocks=(1, 1),
        max_epochs=12,
        lr=5e-3,
        random_state=0,
        verbose=0,
    ).fit(X[40:], y[40:])


@pytest.fixture(scope="module")
def twins(clf, ecg):
    X, y, _ = ecg
    other = clone(clf).set_params(random_state=1).fit(X[40:], y[40:])
    shuffled = np.random.default_rng(0).permutation(y[40:])
    return other, clone(clf).fit(X[40:], shuffled)


@pytest.fixture(scope="module")
def table(clf, twins, ecg):
    X, y, evidence = ecg
    return evaluate_explanations(
        clf,
        X[:40],
        y[:40],
        ["gradcam", "saliency"],
        evidence=evidence.mask[:40],
        other_seed=twins[0],
        random_labels=twins[1],
        random_state=0,
    )


def test_rows_are_methods_and_chance(table):
    assert table.index.tolist() == ["gradcam", "saliency", "random map"]
    assert table["over"].tolist() == ["times", "leads, times", "times"]
    assert (table["seconds_per_record"] > 0).all()
    assert not table.isna().any(axis=None)


def test_columns_are_the_measures(table, clf, twins, ecg):
    X, y, evidence = ecg[0][:40], ecg[1][:40], ecg[2].mask[:40]
    column = np.searchsorted(clf.classes_, y)
    maps = clf.explain(X, "gradcam", target=y)
    row = table.loc["gradcam"]
    of = (clf.predict_proba, X, maps, column)

    gains = faithfulness(*of, random_state=0)
    assert row["deletion_gain"] == pytest.approx(
        gains["deletion_gain"].mean(), abs=0.02
    )
    assert row["insertion_gain"] == pytest.approx(
        gains["insertion_gain"].mean(), abs=0.02
    )
    for measure in (comprehensiveness, sufficiency):
        expected = measure(*of, random_state=0).mean()
        assert row[measure.__name__] == pytest.approx(expected, abs=0.01)
    for measure in (pointing_game, evidence_mass):
        assert row[measure.__name__] == pytest.approx(measure(maps, evidence).mean())
    others = twins[0].explain(X, "gradcam", target=y)
    assert row["seed_agreement"] == pytest.approx(map_agreement(maps, others).mean())


def test_gradcam_is_better_than_chance_and_knows_the_weights(table):
    gradcam, chance = table.loc["gradcam"], table.loc["random map"]

    assert gradcam["deletion_gain"] > 0.05
    assert abs(chance["deletion_gain"]) < 0.03
    assert gradcam["pointing_game"] > chance["pointing_game"] + 0.2
    assert gradcam["evidence_enrichment"] > 1.2
    assert chance["evidence_enrichment"] == pytest.approx(1, abs=0.1)
    assert not gradcam["survives_weights"]
    assert gradcam["seed_agreement"] > gradcam["weights_agreement"] + 0.2


def test_a_map_that_draws_the_record_survives(clf, ecg, monkeypatch):
    def draw(self, X, method="gradcam", target=None):
        return abs(X).sum(axis=1)

    monkeypatch.setattr(ERTSClassifier, "explain", draw)

    table = evaluate_explanations(clf, ecg[0][:10], random_state=0)

    assert table.loc["gradcam", "survives_weights"]
    assert table.loc["gradcam", "weights_agreement"] == pytest.approx(1)


def test_the_classifier_is_left_as_it_was(clf, ecg):
    X = ecg[0][:10]
    before = clf.predict_proba(X)

    evaluate_explanations(clf, X, random_state=0)

    np.testing.assert_array_equal(clf.predict_proba(X), before)


def test_the_most_probable_class_is_explained_by_default(clf, ecg):
    X = ecg[0][:10]

    default = evaluate_explanations(clf, X, random_state=0)
    given = evaluate_explanations(clf, X, clf.predict(X), random_state=0)

    measured = default.columns.drop("seconds_per_record")
    pd.testing.assert_frame_equal(default[measured], given[measured])


def test_parameters_reach_the_methods(clf, ecg):
    X, y, _ = ecg
    methods = {"integrated_gradients": {"n_steps": 2}}

    rough = evaluate_explanations(clf, X[:6], y[:6], methods, random_state=0)
    fine = evaluate_explanations(
        clf, X[:6], y[:6], "integrated_gradients", random_state=0
    )

    name = "weights_agreement"
    assert rough.loc["integrated_gradients", name] != fine[name].iloc[0]


def test_window_and_share_reach_the_measures(clf, ecg):
    X, y, _ = ecg

    def measured(**params):
        table = evaluate_explanations(clf, X[:6], y[:6], random_state=0, **params)
        return table.loc["gradcam", ["deletion_gain", "comprehensiveness"]].tolist()

    assert measured()[0] != measured(window=20)[0]
    assert measured()[1] < measured(share=0.5)[1]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"methods": ["grad"]}, "'methods' .* must name one of gradcam.*Got 'grad'"),
        ({"methods": []}, "'methods' parameter of evaluate_explanations"),
        (
            {"y": ["PVC", "AF"]},
            "'y' .* one of the classes .*'STE'\\].*Got 'AF'",
        ),
        ({"y": ["PVC"]}, "'y' .* for each of 2 records. Got shape \\(1,\\)"),
        ({"window": 0}, "'window' parameter"),
    ],
)
def test_bad_input_is_named(clf, ecg, params, message):
    with pytest.raises(ValueError, match=message):
        evaluate_explanations(clf, ecg[0][:2], **params)


def test_every_method_can_be_evaluated(clf, ecg):
    X, y, _ = ecg
    methods = {name: {} for name in METHODS if name != "intrinsic"}
    methods["integrated_gradients"] = {"n_steps": 8}
    methods["gradient_shap"] = {"n_draws": 2}
    methods["occlusion"] = {"window": 100}

    table = evaluate_explanations(
        clf, X[:3], y[:3], methods, n_sensitivity=2, random_state=0
    )

    assert table.index.tolist() == [*methods, "random map"]
    measured = table.drop(columns=["over", "survives_weights"]).astype(float)
    assert np.isfinite(measured).all(axis=None)
