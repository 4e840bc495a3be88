"""Which records are shown, and whether what is packed is what was there."""

import base64

import numpy as np
import pytest

from sk_erts.report import _packed
from sk_erts.report._gallery import audit, choose
from sk_erts.report._packed import pack_records
from sk_erts.report._subject import subject_of
from tests.report.test_performance import example


def unpacked(packed, dtype):
    values = np.frombuffer(base64.b64decode(packed["data"]), dtype)
    return values.reshape(packed["shape"]) * packed["scale"]


def test_a_third_of_each_kind_and_no_record_twice():
    decisions = example()
    suspicion = 1 - decisions.confidence()
    chosen = choose(decisions, suspicion, 30)
    rows = [row for row, _ in chosen]
    assert len(set(rows)) == 30
    kinds = [kind for _, kind in chosen]
    assert kinds == ["best"] * 10 + ["worst"] * 10 + ["suspicious"] * 10
    assert decisions.right()[rows[:10]].all()
    assert not decisions.right()[rows[10:20]].any()


def test_each_class_has_its_turn():
    decisions = example()
    confidence, codes = decisions.confidence(), decisions.true.argmax(axis=1)
    best = [row for row, kind in choose(decisions, confidence, 9) if kind == "best"]
    assert sorted(codes[best]) == [0, 1, 2]
    for k in range(3):
        own = (codes == k) & decisions.right()
        assert confidence[best][codes[best] == k] == confidence[own].max()


def test_where_all_is_right_others_take_the_place_of_the_worst():
    decisions = example()
    right = type(decisions)(decisions.true, decisions.true, decisions.proba, False)
    kinds = [kind for _, kind in choose(right, np.arange(200.0), 10)]
    assert kinds == ["best"] * 5 + ["suspicious"] * 5


def test_there_are_no_more_than_there_are():
    decisions = example(n=7)
    assert len(choose(decisions, np.zeros(7), 50)) == 7


def test_packed_is_what_was_there(clf, unseen):
    X, y = unseen
    subject = subject_of(clf, X, y, None, None)
    names = [f"r{row}" for row in range(len(X))]
    chosen = [(5, "best"), (70, "worst")]
    methods = ("gradcam", "saliency")
    suspicion = audit(subject)["suspicion"].to_numpy()
    first, second = pack_records(subject, chosen, methods, names, suspicion)
    assert (first["name"], second["kind"]) == ("r5", "worst")
    signal = unpacked(second, "<i2")
    assert np.abs(signal - X[70]).max() < np.abs(X[70]).max() / 60_000
    for method, packed in second["maps"].items():
        found = unpacked(packed, "i1")
        greatest = np.abs(found).max()
        for own, shown in zip(second["classes"], found, strict=True):
            real = clf.explain(X[70:71], method, target=own["name"], contrast="rival")[
                0
            ]
            assert np.abs(shown - real).max() < greatest / 250
    proba = clf.predict_proba(X[70:71])[0]
    given = [one["p"] for one in second["classes"]]
    assert given == pytest.approx(sorted(proba, reverse=True), abs=1e-4)


def test_too_many_steps_are_averaged(clf, unseen, monkeypatch):
    X, y = unseen
    subject = subject_of(clf, X, y, None, None)
    monkeypatch.setattr(_packed, "SIGNAL_BYTES", 150)  # of 341
    monkeypatch.setattr(_packed, "MOST_MAP_STEPS", 20)
    names, nothing = ["r"] * len(X), np.zeros(len(X))
    (one,) = pack_records(subject, [(0, "best")], ("gradcam",), names, nothing)
    steps = np.arange(0, 64, 3)
    means = np.stack([X[0][:, k : k + 3].mean(axis=1) for k in steps], axis=1)
    assert unpacked(one, "<i2") == pytest.approx(means, abs=1e-3)
    assert one["n_times"] == 64
    assert one["maps"]["gradcam"]["shape"] == [3, 16]


def test_of_many_classes_the_true_and_the_probable_are_shown(clf, unseen, monkeypatch):
    X, y = unseen
    subject = subject_of(clf, X, y, None, None)
    wrong = np.flatnonzero(~subject.decisions.right())
    monkeypatch.setattr(_packed, "MOST_CLASSES", 2)
    names, nothing = ["r"] * len(X), np.zeros(len(X))
    chosen = [(int(row), "worst") for row in wrong]
    assert chosen
    for one in pack_records(subject, chosen, ("gradcam",), names, nothing):
        shown = {own["name"] for own in one["classes"]}
        assert shown == {*one["true"], *one["decided"]}
