"""Evidence for the label against its strongest rival, as a judge."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._records.signals import Signals
from sk_erts.attribution import GradCAM, positive_share, support
from sk_erts.models import ResNet1d
from sk_erts.selection import JUDGES, Evidence, is_doubted
from tests.conftest import bumps

X, Y, CENTRE = bumps(120)
WRONG = np.arange(120) % 10 == 0
GIVEN = np.where(WRONG, (Y + 1) % 3, Y)


def logits_of(clf, X):
    module = clf.net_.module_.eval()
    with torch.no_grad():
        return module(torch.from_numpy(X)).numpy()


def margin(logits, codes):
    rows = np.arange(len(codes))
    others = logits.copy()
    others[rows, codes] = -np.inf
    return logits[rows, codes] - others.max(axis=1)


@pytest.mark.parametrize("name", ["support", "balance"])
def test_wrong_labels_are_doubted(small, name):
    """Of all records a tenth is wrong; a fifth is doubted."""
    params = small | {"warmup_epochs": 3, "revision_epochs": 0, "max_epochs": 10}
    params |= {"data_dropout": None, "focus_threshold": 0.2}
    story = ERTSClassifier(**params, focus=name).fit(X, GIVEN).selection_
    doubted = is_doubted(story.status[-1])
    assert doubted[WRONG].mean() > 0.9
    assert doubted[~WRONG].mean() < 0.15
    assert story.judged_by[-1] == "evidence for the label"


def test_evidence_behind_a_pooled_head_sums_to_the_margin(small):
    clf = ERTSClassifier(**small).fit(X, Y)
    maps = clf.explain(X, target=GIVEN, contrast="rival", resample=False)
    expected = margin(logits_of(clf, X), GIVEN)
    np.testing.assert_allclose(maps.sum(axis=1), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["support", "balance"])
def test_the_picture_is_what_was_judged(small, name):
    clf = ERTSClassifier(**small, focus=name).fit(X, GIVEN)
    maps = clf.explain(X, target=GIVEN, contrast="rival", resample=False)
    measure = {"support": support, "balance": positive_share}[name]
    np.testing.assert_allclose(clf.focus_score(X, GIVEN), measure(maps), atol=1e-5)


def test_a_score_is_the_mean_over_the_looks_of_all_epochs(small):
    """In epochs on all data the maps of steps are looked at too."""
    params = small | {"warmup_epochs": 12, "max_epochs": 14, "revision_epochs": 0}
    clf = ERTSClassifier(**params, focus="support").fit(X, GIVEN)
    memory, focus = clf._trained.memory, clf.selection_.focus[-1]
    assert memory["number of focus"].min() >= 12
    known = ~np.isnan(focus)
    mean = memory["sum of focus"] / memory["number of focus"]
    assert np.abs(mean - focus)[known].max() < 0.1  # one look may have come since
    assert (clf.focus_score(X, GIVEN) - mean)[known & WRONG].max() > 0.2


@pytest.mark.parametrize(
    ("scores", "share"),
    [([0.1, 0.9, 0.9, 0.9], 0.25), ([0.4, 0.9], 0.0), ([0.1, 0.1, 0.9], 0.5), ([], 0)],
)
def test_auto_doubts_whom_another_class_beats_in_two_thirds(scores, share):
    assert JUDGES["support"].share_doubted(np.array(scores)) == share


def test_biases_of_the_head_are_part_of_the_evidence():
    torch.manual_seed(0)
    network = ResNet1d(n_leads=2, n_classes=3, width=4)
    nn.init.normal_(GradCAM(network).linear.bias)
    x = torch.from_numpy(X[:8])

    def direction(logits):
        return torch.tensor([[1.0, -1.0, 0.0]]).expand(len(logits), 3)

    logits, with_bias = GradCAM(network).look(Signals(x), direction, bias=True)
    _, without = GradCAM(network).look(Signals(x), direction)
    gap = (logits[:, 0] - logits[:, 1]).numpy()
    np.testing.assert_allclose(with_bias.x.sum(1).numpy(), gap, atol=1e-5)
    assert np.abs(without.x.sum(1).numpy() - gap).min() > 1e-3


def test_several_labels_are_judged_by_the_least_certain_one(small):
    labels = np.stack([Y == 0, Y == 2], axis=1).astype(int)
    given = labels.copy()
    given[WRONG, 0] = 1 - given[WRONG, 0]
    params = small | {"warmup_epochs": 4, "revision_epochs": 0, "max_epochs": 8}
    clf = ERTSClassifier(**params, focus="support").fit(X, given)
    assert roc_auc_score(~WRONG, clf.focus_score(X, given)) > 0.8


def test_a_head_of_another_kind_is_asked_by_its_gradient(small):
    class Attending(nn.Module):
        def __init__(self, n_leads=2, n_classes=3):
            super().__init__()
            self.features = nn.Sequential(
                nn.Conv1d(n_leads, 8, 9, padding=4), nn.ReLU()
            )
            self.score = nn.Conv1d(8, 1, 1)
            self.out = nn.Linear(8, n_classes)

        def forward(self, x):
            z = self.features(x)
            return self.out((z * self.score(z).softmax(dim=-1)).sum(dim=-1))

    params = {k: v for k, v in small.items() if not k.startswith("module__")}
    params |= {"warmup_epochs": 4, "revision_epochs": 0, "max_epochs": 12}
    clf = ERTSClassifier(Attending, **params, focus="support").fit(X, GIVEN)
    assert "reliability filter" in clf.selection_.phases
    assert clf.focus_score(X, GIVEN).shape == (120,)


def test_any_measure_of_the_evidence_is_a_judge(small):
    def end_only(maps):
        return (maps[:, -1] > 0).astype(float)

    judge = Evidence(end_only)
    clf = ERTSClassifier(**small, focus=judge).fit(X, GIVEN)
    assert set(clf.focus_score(X, GIVEN)) <= {0.0, 1.0}
