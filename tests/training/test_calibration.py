"""What the validation part says of probabilities and decisions."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss, recall_score
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
    train_test_split,
)
from skorch.callbacks import Callback

from sk_erts import ERTSClassifier
from sk_erts._records.task import make_task
from sk_erts._training.calibration import Calibration
from sk_erts.exceptions import DoubtfulInputWarning
from tests.conftest import bumps

X, CODES, _ = bumps(300)
Y = np.array(["AFIB", "NORM", "PVC"])[CODES]
X_VALID, CODES_VALID, _ = bumps(240, seed=1)
Y_VALID = np.array(["AFIB", "NORM", "PVC"])[CODES_VALID]


def noisy_logits(n=400, n_classes=3, scale=1.0, seed=0):
    """Return logits that are calibrated but for their scale, and their labels."""
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(scale=2, size=(n, n_classes)))
    draws = rng.random((n, 1))
    codes = (logits.softmax(dim=1).cumsum(dim=1).numpy() < draws).sum(axis=1)
    return logits * scale, codes.clip(max=n_classes - 1)


class NeverBegins(Callback):
    def on_train_begin(self, net, **kwargs):
        raise AssertionError("a training has begun")


class TestTemperature:
    @pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
    def test_it_finds_the_factor_by_which_logits_are_too_large(self, scale):
        logits, codes = noisy_logits(5000, scale=scale)
        found = Calibration(temperature=True).measure(
            make_task(codes), logits, codes.astype(np.int64)
        )
        assert found.temperature == pytest.approx(scale, rel=0.1)

    def test_of_several_labels_too(self):
        rng = np.random.default_rng(0)
        logits = torch.from_numpy(rng.normal(scale=2, size=(4000, 3)))
        codes = (rng.random(logits.shape) < logits.sigmoid().numpy()).astype(np.float32)
        found = Calibration(temperature=True).measure(
            make_task(codes.astype(int)), 3 * logits, codes
        )
        assert found.temperature == pytest.approx(3, rel=0.1)

    def test_logits_that_leave_no_doubt_do_not_overflow(self):
        logits, codes = noisy_logits(200)
        found = Calibration(temperature=True).measure(
            make_task(codes), 1e6 * logits, codes.astype(np.int64)
        )
        assert np.isfinite(found.temperature)

    def test_it_is_the_best_of_the_validation_part_and_moves_no_record(self, small):
        given = small | {"validation_fraction": (X_VALID, Y_VALID)}
        plain = ERTSClassifier(**given).fit(X, Y)
        clf = ERTSClassifier(**given, calibration__temperature=True).fit(X, Y)
        assert plain.temperature_ == 1
        assert clf.temperature_ != 1
        assert np.array_equal(clf.predict(X), plain.predict(X))
        scaled = plain.predict_log_proba(X_VALID) / clf.temperature_
        expected = np.exp(scaled) / np.exp(scaled).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(clf.predict_proba(X_VALID), expected, atol=1e-10)
        losses = [
            log_loss(Y_VALID, other.predict_proba(X_VALID)) for other in (clf, plain)
        ]
        assert losses[0] < losses[1]

    def test_a_tenth_is_set_aside_for_it(self, small):
        clf = ERTSClassifier(**small, calibration__temperature=True).fit(X, Y)
        assert clf.kept_counts_[0] == 270
        assert ERTSClassifier(**small).fit(X, Y).kept_counts_[0] == 300


class TestOperatingPoints:
    @pytest.fixture(scope="class")
    @staticmethod
    def two():
        """Two classes that overlap."""
        rng = np.random.default_rng(0)
        X, codes, _ = bumps(600, n_classes=2)
        return X + rng.normal(scale=0.5, size=X.shape).astype(np.float32), codes

    def test_sensitivity_of_the_second_of_two_classes(self, small, two):
        X, y = two
        parts = train_test_split(X, y, test_size=300, random_state=0)
        X_train, X_valid, y_train, y_valid = parts
        given = small | {"validation_fraction": (X_valid, y_valid)}
        for share in (0.8, 0.95, 1.0):
            clf = ERTSClassifier(**given, calibration__sensitivity=share)
            clf.fit(X_train, y_train)
            found = recall_score(y_valid, clf.predict(X_valid))
            n = (y_valid == 1).sum()
            assert found == np.ceil(share * n - 1e-9) / n
            assert np.isnan(clf.thresholds_[0])
        spared = ERTSClassifier(**given, calibration__specificity=0.9)
        spared.fit(X_train, y_train)
        right = recall_score(y_valid, spared.predict(X_valid), pos_label=0)
        n = (y_valid == 0).sum()
        assert right == np.ceil(0.9 * n) / n

    def test_a_class_of_three_is_found_as_asked_for(self, small):
        noise = np.random.default_rng(0).normal(scale=0.6, size=X_VALID.shape)
        noisy = X_VALID + noise.astype(np.float32)
        given = small | {"validation_fraction": (noisy, Y_VALID)}
        clf = ERTSClassifier(**given, calibration__sensitivity={"PVC": 0.97})
        clf.fit(X, Y)
        plain = ERTSClassifier(**given).fit(X, Y)
        recalls = [
            recall_score(Y_VALID, each.predict(noisy), labels=["PVC"], average=None)[0]
            for each in (plain, clf)
        ]
        assert recalls[0] < 0.97 <= recalls[1] < 1
        # All others are what they were, of what is left.
        others = clf.predict(noisy) != "PVC"
        proba = plain.predict_proba(noisy)[others]
        among = plain.classes_[proba[:, :2].argmax(axis=1)]
        assert np.array_equal(clf.predict(noisy)[others], among)

    def test_several_labels_each_by_its_own(self, small):
        Y_MANY = np.eye(3, dtype=int)[CODES]
        Y_MANY[:, 0] |= Y_MANY[:, 2]
        many = np.eye(3, dtype=int)[CODES_VALID]
        many[:, 0] |= many[:, 2]
        given = small | {"validation_fraction": (X_VALID, many)}
        clf = ERTSClassifier(
            **given,
            calibration__sensitivity={0: 0.9},
            calibration__specificity={2: 0.9},
        ).fit(X, Y_MANY)
        said, proba = clf.predict(X_VALID), clf.predict_proba(X_VALID)
        n = many[:, 0].sum()
        assert said[many[:, 0] == 1, 0].sum() == np.ceil(0.9 * n)
        n = (many[:, 2] == 0).sum()
        assert (said[many[:, 2] == 0, 2] == 0).sum() == np.ceil(0.9 * n)
        assert np.array_equal(said[:, 1], proba[:, 1] > 0.5)
        assert np.isnan(clf.thresholds_[1])
        every = ERTSClassifier(**given, calibration__sensitivity=0.9).fit(X, Y_MANY)
        assert not np.isnan(every.thresholds_).any()

    def test_temperature_and_threshold_go_together(self, small, two):
        X, y = two
        given = small | {"validation_fraction": 0.4, "calibration__sensitivity": 0.9}
        plain = ERTSClassifier(**given).fit(X, y)
        clf = ERTSClassifier(**given, calibration__temperature=True).fit(X, y)
        assert clf.temperature_ != 1
        assert np.array_equal(clf.predict(X), plain.predict(X))

    def test_a_class_that_nobody_has_in_validation_is_told_of(self, small):
        given = small | {"validation_fraction": (X_VALID[:2], Y_VALID[:2])}
        absent = ({"AFIB", "NORM", "PVC"} - set(Y_VALID[:2])).pop()
        clf = ERTSClassifier(**given, calibration__sensitivity={absent: 0.9})
        with pytest.warns(DoubtfulInputWarning, match=f"no record with .*{absent}"):
            clf.fit(X, Y)
        assert np.isnan(clf.thresholds_).all()
        plain = ERTSClassifier(**given).fit(X, Y)
        assert np.array_equal(clf.predict(X), plain.predict(X))


class TestDecisions:
    """By hand: which class a record gets by probabilities and thresholds."""

    PROBA = np.array([[0.2, 0.3, 0.5], [0.1, 0.2, 0.7], [0.4, 0.35, 0.25]])

    @pytest.mark.parametrize(
        ("thresholds", "codes"),
        [
            ([np.nan, np.nan, 0.6], [1, 2, 0]),  # 0.5 is most probable, and too little
            ([np.nan, 0.3, np.nan], [1, 2, 1]),
            ([0.4, 0.3, np.nan], [1, 2, 1]),  # 0.35 / 0.3 is further above than 1
            ([0.9, 0.9, 0.9], [2, 2, 0]),  # as without any
            ([0.9, 0.9, 0.69], [2, 2, 0]),
        ],
    )
    def test_of_one_class(self, thresholds, codes):
        task = make_task(np.arange(3))
        assert task.codes_at(self.PROBA, np.array(thresholds)).tolist() == codes

    def test_of_several_labels(self):
        task = make_task(np.eye(3, dtype=int))
        codes = task.codes_at(self.PROBA, np.array([np.nan, 0.35, 0.2]))
        assert codes.tolist() == [[0, 0, 1], [0, 0, 1], [0, 1, 1]]


class TestParameters:
    def test_they_are_cloned_and_searched(self, small):
        clf = ERTSClassifier(**small, calibration__sensitivity={"PVC": 0.9})
        own = clone(clf).get_params()["calibration__sensitivity"]
        assert own == {"PVC": 0.9}
        assert ERTSClassifier().get_params()["calibration__temperature"] is False
        grid = {"calibration__temperature": [False, True]}
        search = GridSearchCV(
            ERTSClassifier(**small | {"max_epochs": 1}),
            grid,
            cv=2,
            scoring="neg_log_loss",
        ).fit(X[:60], Y[:60])
        first, second = search.cv_results_["mean_test_score"]
        assert first != second

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            (
                {"sensitivity": 0},
                r"'calibration__sensitivity' parameter of ERTS.*Got 0",
            ),
            ({"specificity": 1.5}, r"'calibration__specificity' parameter .*Got 1.5"),
            (
                {"temperature": "yes"},
                r"'calibration__temperature' parameter .*Got 'yes'",
            ),
            ({"sensitivity": {"PVC": 2}}, r"'calibration__sensitivity' .*Got 2"),
            ({"sensitivity": 0.9}, r"name the class .*3 classes .*\{'PVC': 0.9\}"),
            ({"sensitivity": {"PVX": 0.9}}, r"'PVX' is none of the classes"),
            (
                {"sensitivity": {"PVC": 0.9}, "specificity": {"PVC": 0.9}},
                r"'PVC' must have one operating point",
            ),
            ({"temperatur": True}, r"calibration__temperatur"),
        ],
    )
    def test_what_is_wrong_is_said_before_anything_is_trained(
        self, small, params, message
    ):
        given = {f"calibration__{name}": value for name, value in params.items()}
        clf = ERTSClassifier(**small, **given, callbacks=[NeverBegins()])
        with pytest.raises(ValueError, match=message):
            clf.fit(X, Y)


class TestScikitLearnsOwn:
    """The ways that scikit-learn has for the same."""

    @pytest.fixture(scope="class")
    @staticmethod
    def fitted(small):
        X, y, _ = bumps(300, n_classes=2)
        noise = np.random.default_rng(0).normal(scale=0.5, size=X.shape)
        noisy = X + noise.astype(np.float32)
        # So long that it is surer than it should be.
        clf = ERTSClassifier(**small | {"max_epochs": 20}).fit(noisy[:150], y[:150])
        return clf, noisy[150:], y[150:]

    @pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
    def test_calibrated_classifier(self, fitted, method):
        clf, X, y = fitted
        calibrated = CalibratedClassifierCV(FrozenEstimator(clf), method=method)
        proba = calibrated.fit(X, y).predict_proba(X)
        assert proba.shape == (len(X), 2)
        assert log_loss(y, proba) < log_loss(y, clf.predict_proba(X))

    def test_calibrated_classifier_trains_members_by_itself(self, small):
        clf = ERTSClassifier(**small | {"max_epochs": 2})
        calibrated = CalibratedClassifierCV(clf, cv=2).fit(X[:90], Y[:90])
        assert calibrated.predict_proba(X).shape == (300, 3)
        assert set(calibrated.predict(X)) <= set(Y)

    def test_fixed_threshold(self, fitted):
        clf, X, y = fitted
        fixed = FixedThresholdClassifier(FrozenEstimator(clf), threshold=0.2)
        said = fixed.fit(X, y).predict(X)
        assert np.array_equal(said, clf.predict_proba(X)[:, 1] >= 0.2)
        assert said.sum() > clf.predict(X).sum()

    def test_tuned_threshold(self, small, fitted):
        clf, X, y = fitted
        tuned = TunedThresholdClassifierCV(
            FrozenEstimator(clf), scoring="recall", cv="prefit", refit=False
        ).fit(X, y)
        assert recall_score(y, tuned.predict(X)) == 1
        inside = TunedThresholdClassifierCV(
            ERTSClassifier(**small | {"max_epochs": 2}), cv=2, random_state=0
        ).fit(X, y)
        assert 0 < inside.best_threshold_ < 1
