"""What is learned of real small pairs, at the defaults but for width and batch."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from sk_erts.pretraining import ECGTextPretrainer
from sk_erts.pretraining._gaussians import Gaussians, similarity
from sk_erts.selection import Status
from tests.pretraining.conftest import WORDS, ecg, make, reports_of

N, N_SWAPPED = 160, 16


@pytest.fixture(scope="module")
def swapped():
    """Return which records have the report of another class."""
    found = np.zeros(N, dtype=bool)
    found[np.random.default_rng(0).choice(N, N_SWAPPED, replace=False)] = True
    return found


@pytest.fixture(scope="module")
def trained(swapped):
    X, y = ecg(N)
    other = {"NORM": "BBB", "BBB": "NORM"}
    told = [other[own] if wrong else own for own, wrong in zip(y, swapped, strict=True)]
    pretrainer = ECGTextPretrainer(
        module__width=8, batch_size=16, random_state=0, verbose=0
    )
    return pretrainer.fit(X, reports_of(told))


@pytest.fixture(scope="module")
def new():
    X, y = ecg(60, seed=1)
    return X, y == "BBB"


class TestZeroShot:
    def test_it_finds_the_class_of_new_records(self, trained, new):
        X, y = new
        proba = trained.predict_proba_zero_shot(X, WORDS)
        assert (proba.argmax(axis=1) == y).mean() > 0.8
        assert roc_auc_score(y, proba[:, 1]) > 0.9

    def test_several_sentences_a_class_do_so_too(self, trained, new):
        X, y = new
        prompts = {name: [own, f"Sinus rhythm. {own}"] for name, own in WORDS.items()}
        proba = trained.predict_proba_zero_shot(X, prompts)
        assert (proba.argmax(axis=1) == y).mean() > 0.8

    def test_they_are_averaged_before_the_softmax(self, trained, new):
        X, _ = new
        texts = [*WORDS.values(), "Sinus rhythm."]
        near = trained.similarity(X, texts)
        logits = np.stack([near[:, [0, 2]].mean(axis=1), near[:, 1]], axis=1)
        logits = trained.net_.criterion_.scale.item() * logits.astype(float)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        prompts = {"a": [texts[0], texts[2]], "b": texts[1]}
        found = trained.predict_proba_zero_shot(X, prompts)
        expected = odds / odds.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(found, expected, atol=1e-4)
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)

    def test_columns_are_in_the_order_of_the_prompts(self, trained, new):
        X, _ = new
        found = trained.predict_proba_zero_shot(X, WORDS)
        turned = dict(reversed(WORDS.items()))
        np.testing.assert_allclose(
            trained.predict_proba_zero_shot(X, turned)[:, ::-1], found, atol=1e-5
        )
        as_list = trained.predict_proba_zero_shot(X, list(WORDS.values()))
        np.testing.assert_array_equal(as_list, found)

    def test_of_a_list_each_sentence_is_a_column(self, trained, new):
        X, _ = new
        one, other = WORDS.values()
        found = trained.predict_proba_zero_shot(X, [one, other, one])
        assert found.shape == (60, 3)
        np.testing.assert_array_equal(found[:, 0], found[:, 2])

    def test_similarity_is_greatest_for_the_right_sentence(self, trained, new):
        X, y = new
        near = trained.similarity(X, list(WORDS.values()))
        assert (near.argmax(axis=1) == y).mean() > 0.8
        assert near.dtype == np.float32


class TestSelection:
    def test_there_is_a_row_for_each_record(self, trained):
        story = trained.selection_
        for name in ("status", "confidence", "focus"):
            assert getattr(story, name).shape == (30, N)
        assert story.mean_proba.shape == (N, 2)
        judged = [by for by in story.judged_by if by]
        assert set(judged) == {"fit of record and report"}

    def test_learned_pairs_are_skipped(self, trained):
        story, kept = trained.selection_, trained.kept_counts_
        warm = np.array(story.phases) == "warm-up"
        assert set(kept[warm]) == {N}
        assert kept[~warm].max() < N
        assert kept[-5:].mean() < 0.75 * N
        easy = story.status == Status.EASY
        confident = story.confidence[easy]
        # To the three digits of the story.
        assert confident.min() >= trained.confidence_threshold - 1e-3

    def test_it_costs_less_than_all(self, trained):
        assert trained.effective_epochs_ == pytest.approx(
            trained.kept_counts_.sum() / N
        )
        assert trained.effective_epochs_ < 25

    def test_swapped_reports_fit_less(self, trained, swapped):
        focus = trained.selection_.focus
        latest = np.array([own[np.isfinite(own)][-1:] for own in focus.T], dtype=object)
        judged = np.array([len(own) > 0 for own in latest])
        fit = np.array([own[0] for own in latest[judged]], dtype=float)
        assert judged[swapped].mean() > judged[~swapped].mean() - 1e-9
        assert roc_auc_score(swapped[judged], -fit) > 0.8

    def test_they_are_what_is_put_aside(self, trained, swapped):
        aside = trained.selection_.status == Status.UNRELIABLE
        assert aside[:, swapped].mean() > 5 * aside[:, ~swapped].mean()

    def test_they_are_not_learned(self, trained, swapped):
        proba = trained.selection_.mean_proba[:, 0]
        assert np.median(proba[swapped]) < np.median(proba[~swapped])

    def test_without_a_judge_nothing_is_put_aside(self):
        X, y = ecg(32)
        pretrainer = make(focus=None, confidence_threshold=0.1)
        pretrainer.fit(X, reports_of(y))
        status = pretrainer.selection_.status
        assert not (status == Status.UNRELIABLE).any()
        assert (status == Status.EASY).any()

    def test_without_a_dropout_all_are_trained(self):
        X, y = ecg(32)
        pretrainer = make(focus=None, data_dropout=None).fit(X, reports_of(y))
        assert pretrainer.kept_counts_.tolist() == [32] * 4


def test_the_loss_falls(trained):
    losses = trained.history_[:, "train_loss"]
    assert np.mean(losses[7:10]) < 0.9 * losses[0]


class TestExplain:
    def test_one_map_for_each_record(self, trained, new):
        X, _ = new
        maps = trained.explain(X[:6], WORDS["BBB"])
        assert (maps.shape, maps.dtype) == ((6, 300), np.float32)
        assert maps.min() >= 0
        assert maps.max() > 0

    def test_against_another_sentence_it_has_two_sides(self, trained, new):
        X, _ = new
        one, other = WORDS["BBB"], WORDS["NORM"]
        maps = trained.explain(X, one, contrast=other)
        assert maps.min() < 0 < maps.max()
        turned = trained.explain(X, other, contrast=one)
        np.testing.assert_allclose(turned, -maps, atol=1e-5)
        as_list = trained.explain(X, one, contrast=[other])
        np.testing.assert_array_equal(as_list, maps)

    def test_a_sentence_against_itself_has_nothing_to_show(self, trained, new):
        X, _ = new
        maps = trained.explain(X[:6], WORDS["BBB"], contrast=WORDS["BBB"])
        usual = trained.explain(X[:6], WORDS["BBB"], contrast=WORDS["NORM"])
        assert np.abs(maps).max() < 1e-4 * np.abs(usual).max()

    def test_another_sentence_has_another_map(self, trained, new):
        X, _ = new
        one, other = (trained.explain(X, text) for text in WORDS.values())
        apart = np.abs(one - other).mean(axis=1)
        assert np.median(apart) > 0.3 * np.median(one.mean(axis=1) + other.mean(axis=1))

    def test_maps_of_steps_sum_to_what_the_gradient_says(self, trained, new):
        """Of a linear layer behind pooling, without its bias, as in any Grad-CAM."""
        X, _ = new
        X = X[:6]
        texts = list(WORDS.values())
        steps = trained.explain(X, texts[1], contrast=texts[0], resample=False)
        assert steps.shape[1] < 300
        network = trained.net_.module_.eval()
        outputs = self.outputs(network, X).requires_grad_()
        rise = self.nearer(trained, outputs, texts)
        (direction,) = torch.autograd.grad(rise.sum(), outputs)
        bias = network.head.linear.bias
        expected = ((outputs - bias) * direction).sum(dim=1).detach().numpy()
        found = steps.sum(axis=1)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)

    def outputs(self, network, X):
        with torch.no_grad():
            return network(torch.from_numpy(X))

    def nearer(self, trained, outputs, texts):
        text = trained.net_.criterion_.text
        reports = Gaussians.of(text.outputs(texts))
        near = similarity(Gaussians.of(outputs), reports, trained.distance)
        return near[:, 1] - near[:, 0]
