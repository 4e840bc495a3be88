"""Labels that are doubted and trained all the same, softened."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from sk_erts import ERTSClassifier
from sk_erts._records.task import OneClass, SeveralLabels
from sk_erts.quality import SignalQuality
from sk_erts.selection import DBPD, FocusFilter, Reliability, Scores, Status
from tests.conftest import bumps

X, Y, _ = bumps(120)
WRONG = np.arange(120) % 10 == 0
GIVEN = np.where(WRONG, (Y + 1) % 3, Y)
# Of all records a tenth is wrong; a fifth is doubted.
ALL = {"data_dropout": None, "focus_threshold": 0.2}
PHASES = {"warmup_epochs": 3, "revision_epochs": 0, "max_epochs": 10}


def rows(n):
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(n))


class TestLoss:
    def test_of_one_class_is_cross_entropy_with_soft_labels(self):
        logits, codes = rows(4), torch.tensor([0, 1, 2, 1])
        doubt, proba = torch.tensor([0.0, 0.5, 1.0, 0.25]), rows(4).softmax(dim=1)
        target = (1 - doubt)[:, None] * functional.one_hot(codes, 3)
        target = target + doubt[:, None] * proba
        expected = functional.cross_entropy(logits, target, reduction="none")
        found = OneClass(np.arange(3)).softened_losses(
            lambda y: functional.cross_entropy(logits, y, reduction="none"),
            codes,
            doubt,
            proba,
        )
        torch.testing.assert_close(found, expected)

    def test_of_several_labels_has_shares_of_them(self):
        codes, doubt = torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([0.5])
        proba = torch.tensor([[0.2, 0.4, 1.0]])
        given = []
        SeveralLabels(np.arange(3)).softened_losses(given.append, codes, doubt, proba)
        torch.testing.assert_close(given[0], torch.tensor([[0.6, 0.2, 1.0]]))


def test_who_would_be_put_aside_is_softened():
    scores = {
        "y": np.zeros(3, int),
        "epoch": 1,
        "confidence": np.array([0.1, 0.2, 0.9]),
        "focus": np.array([0.3, 0.8, 0.9]),
    }
    rng = np.random.default_rng(0)
    dropped = FocusFilter(DBPD(0.5), threshold=0.5).select(Scores(**scores), rng)
    softened = FocusFilter(DBPD(0.5), threshold=0.5, doubt="soften").select(
        Scores(**scores), rng
    )
    assert dropped.tolist() == [Status.UNRELIABLE, Status.TRAINED, Status.EASY]
    assert softened.tolist() == [Status.SOFTENED, Status.TRAINED, Status.EASY]


def test_other_words_are_refused(small):
    with pytest.raises(ValueError, match="'doubt' parameter of FocusFilter must be"):
        FocusFilter(DBPD(), doubt="forget").select(
            Scores(np.zeros(1, int), 1, np.zeros(1), np.zeros(1)),
            np.random.default_rng(0),
        )
    with pytest.raises(ValueError, match="'doubt' parameter of ERTSClassifier"):
        ERTSClassifier(**small, doubt="forget").fit(X, Y)


def test_softened_records_take_gradients_and_are_told_of(small):
    clf = ERTSClassifier(**small | PHASES | ALL, doubt="soften").fit(X, GIVEN)
    status = clf.selection_.status
    softened = status == Status.SOFTENED
    assert softened[-1][WRONG].mean() > 0.9
    assert not (status == Status.UNRELIABLE).any()
    trained = np.isin(status, (Status.TRAINED, Status.REHEARSED, Status.SOFTENED))
    assert clf.kept_counts_.tolist() == trained.sum(axis=1).tolist()
    assert "softened" in set(clf.selection_.to_frame()["status"])


def test_the_loss_hears_of_labels_moved_by_doubt_towards_all_looks(small):
    """A loss that is told which labels it gets says so."""
    seen = []

    def listening(logits, codes):
        seen.append(codes.clone())
        return functional.cross_entropy(logits, codes, reduction="none")

    params = small | PHASES | {"criterion": listening, "doubt": "soften"}
    clf = ERTSClassifier(**params).fit(X, GIVEN)
    # Each class in turn, of batches with a doubted label, beside the labels given.
    whole = [tuple(set(codes.tolist())) for codes in seen]
    assert {(0,), (1,), (2,)} <= set(whole)
    assert (clf.selection_.status == Status.SOFTENED).any()


def test_wrong_labels_are_not_learned_by_heart(small):
    """Softened, what is right is believed more than where nobody doubts them."""
    params = small | PHASES | ALL | {"max_epochs": 20}

    def believed(**more):
        proba = ERTSClassifier(**params, **more).fit(X, GIVEN).predict_proba(X)
        return proba[np.arange(120), Y][WRONG].mean()

    plain = believed(focus=None)
    assert believed(doubt="soften") > plain + 0.05
    assert believed(doubt="soften", focus="support") > plain + 0.05


def test_several_labels(small):
    labels = np.stack([Y == 0, Y == 2], axis=1).astype(int)
    given = labels.copy()
    given[WRONG, 0] = 1 - given[WRONG, 0]
    params = small | PHASES | {"doubt": "soften"}
    clf = ERTSClassifier(**params).fit(X, given)
    softened = (clf.selection_.status == Status.SOFTENED).any(axis=0)
    assert softened[WRONG].mean() > 2 * softened[~WRONG].mean()
    assert (clf.predict(X)[WRONG] == labels[WRONG]).mean() > 0.8


class Squeezed(nn.Module):
    """A head that is no linear layer behind pooling: its maps cost a gradient."""

    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.features = nn.Conv1d(n_leads, 4, 5, padding=2)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, n_classes), nn.Tanh()
        )

    def forward(self, x):
        return self.head(self.features(x))


class TestDefaults:
    def statuses(self, params):
        return set(np.unique(ERTSClassifier(**params).fit(X, GIVEN).selection_.status))

    def test_evidence_decides_where_maps_are_free(self, small):
        params = small | PHASES
        clf = ERTSClassifier(**params).fit(X, GIVEN)
        told = ERTSClassifier(**params, focus="support", doubt="soften").fit(X, GIVEN)
        np.testing.assert_array_equal(clf.selection_.status, told.selection_.status)
        np.testing.assert_array_equal(clf.predict_proba(X), told.predict_proba(X))
        assert (clf.selection_.status == Status.SOFTENED).any()

    def test_probabilities_decide_elsewhere(self):
        params = PHASES | {"module": Squeezed, "random_state": 0, "verbose": 0}
        params |= {"looks__first_step": 0, "batch_size": 16}
        clf = ERTSClassifier(**params).fit(X, GIVEN)
        told = ERTSClassifier(**params, focus="reliability").fit(X, GIVEN)
        np.testing.assert_array_equal(clf.selection_.status, told.selection_.status)
        np.testing.assert_array_equal(clf.focus_score(X, Y), told.focus_score(X, Y))
        by_map = ERTSClassifier(**params, focus="support").fit(X, GIVEN)
        assert (clf.focus_score(X, Y) != by_map.focus_score(X, Y)).any()

    @pytest.mark.parametrize("focus", ["support", "balance", "reliability"])
    def test_a_degree_of_belief_softens(self, focus, small):
        found = self.statuses(small | PHASES | {"focus": focus})
        assert Status.SOFTENED in found
        assert Status.UNRELIABLE not in found

    @pytest.mark.parametrize(
        "focus",
        ["top_mass", lambda maps: maps.max(axis=1), Reliability(SignalQuality(100))],
    )
    def test_any_other_score_puts_aside(self, focus, small):
        found = self.statuses(small | PHASES | {"focus": focus})
        assert Status.UNRELIABLE in found
        assert Status.SOFTENED not in found
