"""Selection at work inside fit: what is trained, counted and written down."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._network.network import Network
from sk_erts._records.records import Records
from sk_erts._records.task import make_task
from sk_erts._records.training_set import TrainingSet
from sk_erts._training.judging import Judging
from sk_erts._training.precision import ScoringPrecision
from sk_erts._training.scorer import Scorer
from sk_erts.attribution import GradCAM, top_mass
from sk_erts.models import ResNet1d
from sk_erts.selection import (
    DBPD,
    SRD,
    FocusFilter,
    HardnessFilter,
    InfoBatch,
    Ledger,
    Policy,
    RandomFilter,
    Rehearsal,
    SelectiveBackprop,
    Status,
    as_judge,
    takes_gradient,
)
from tests.conftest import BY_MAP, bumps

X, Y, _ = bumps(200)
AFRESH = {"looks__reuse_scores": False, "looks__revisit_gaps": (1,)}


class TwoLayerHead(nn.Module):
    """A network whose maps have no closed form."""

    def __init__(self, n_leads, n_classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(n_leads, 8, 9, padding=4), nn.ReLU(), nn.MaxPool1d(4)
        )
        pooled = [nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(8, 8), nn.ReLU()]
        self.head = nn.Sequential(*pooled, nn.Linear(8, n_classes))

    def forward(self, x):
        return self.head(self.features(x))


def make_scorer():
    torch.manual_seed(0)
    network = Network(ResNet1d(2, 3, width=4, blocks=(1,)))
    training_set = TrainingSet(Records(X), np.arange(200), Y, np.ones(200))
    return Scorer(
        network,
        training_set,
        make_task(Y),
        Judging(as_judge("top_mass"), training_set, make_task(Y), Ledger(200)),
        ScoringPrecision("float32", torch.device("cpu")),
    )


class Watch(Callback):
    """Count what the network is given, record by record and step by step."""

    def __init__(self):
        self.steps = []
        self.seen = []

    def on_epoch_begin(self, net, **kwargs):
        self.seen.append(np.zeros(len(X), dtype=int))
        self.steps.append([])

    def on_batch_end(self, net, batch, training, **kwargs):
        if training:
            index = batch[0]["index"].numpy()
            np.add.at(self.seen[-1], index, 1)
            self.steps[-1].append(len(index))


@pytest.fixture(scope="module")
def phases(small):
    schedule = {"max_epochs": 10, "warmup_epochs": (2, 2)}
    return small | schedule | {"looks__probe_records": 0}


@pytest.fixture(scope="module")
def parameters(phases):
    return phases | BY_MAP


def fit(parameters, **others):
    return ERTSClassifier(**parameters | others, callbacks=[Watch()]).fit(X, Y)


def watch(clf):
    return dict(clf.net_.callbacks_)["Watch"]


@pytest.fixture(scope="module")
def erts(parameters):
    return fit(parameters, focus_threshold=0.4)


class TestCounts:
    def test_what_is_written_is_what_was_trained(self, erts):
        trained = takes_gradient(erts.selection_.status)
        np.testing.assert_array_equal(np.array(watch(erts).seen), trained.astype(int))

    def test_effective_epochs_count_gradients(self, erts):
        n_gradients = sum(seen.sum() for seen in watch(erts).seen)
        assert erts.effective_epochs_ == n_gradients / len(X)
        assert erts.kept_counts_.sum() == n_gradients
        assert erts.history_[-1, "EE"] == erts.effective_epochs_

    def test_scoring_passes_count_forward_passes(self, parameters):
        sizes = []

        def count(maps):
            sizes.append(len(maps))
            return top_mass(maps)

        clf = fit(parameters, focus=count, warmup_epochs=2, **AFRESH)
        assert clf.scoring_passes_ == (sum(sizes) - 2) / len(X)  # two are tried out
        assert clf.scoring_passes_ == 10 - 2 - 1

    def test_full_data_is_plain_training(self, parameters):
        clf = fit(parameters, data_dropout=None, focus=None)
        assert clf.effective_epochs_ == 10
        assert clf.scoring_passes_ == 0
        assert (clf.selection_.status == Status.TRAINED).all()

    def test_wall_time_is_told(self, erts):
        assert 0 < sum(erts.history_[:, "dur"]) <= erts.fit_time_s_

    def test_shares_of_the_history(self, erts):
        kept = erts.kept_counts_ / len(X)
        np.testing.assert_allclose(erts.history_[:, "kept"], kept)
        story = erts.selection_
        candidates = story.share(Status.UNRELIABLE) + story.share(Status.TRAINED)
        np.testing.assert_allclose(erts.history_[:, "candidates"], candidates)


class TestControls:
    def test_random_filter_is_matched_to_the_focus_filter(self, phases):
        stories = [
            fit(phases, selection=policy).selection_
            for policy in (
                FocusFilter(DBPD(0.6), threshold=0.4),
                RandomFilter(DBPD(0.6), threshold=0.4),
            )
        ]
        first = 4  # up to here the networks are the same
        of_focus, at_random = (story.status[first] for story in stories)
        assert (of_focus == Status.UNRELIABLE).any()
        np.testing.assert_array_equal(np.bincount(of_focus), np.bincount(at_random))
        assert (of_focus != at_random).any()
        assert np.isnan(stories[1].focus).all()

    def test_hardness_filter_trains_a_band(self, phases):
        policy = HardnessFilter(DBPD(0.6), 0.4, class_rescue=False, by_class=False)
        story = fit(phases, selection=policy).selection_
        for status, confidence in zip(
            story.status[4:9], story.confidence[4:9], strict=True
        ):
            aside = confidence[status == Status.UNRELIABLE]
            trained = confidence[status == Status.TRAINED]
            assert aside.max(initial=0) <= trained.min(initial=1)
        assert (story.status[4] == Status.UNRELIABLE).any()

    def test_selective_backprop_trains_about_half_from_the_first_epoch_on(self, phases):
        clf = fit(phases, selection=SelectiveBackprop())
        kept = clf.kept_counts_ / len(X)
        np.testing.assert_array_equal(kept[[0, 1, 9]], 1)
        np.testing.assert_allclose(kept[2:9], 0.5, atol=0.15)

    def test_infobatch_weighs_whom_it_keeps_of_the_easy(self, phases):
        class Weights(Callback):
            def __init__(self):
                self.seen = {}

            def on_batch_begin(self, net, batch, training, **kwargs):
                if training:
                    index, weight = batch[0]["index"], batch[0]["weight"]
                    self.seen[len(net.history) - 1] = self.seen.get(
                        len(net.history) - 1, {}
                    ) | dict(zip(index.tolist(), weight.tolist(), strict=True))

        clf = ERTSClassifier(
            **phases,
            selection=InfoBatch(0.75),
            class_weight=None,
            callbacks=[Weights()],
        ).fit(X, Y)
        seen = dict(clf.net_.callbacks_)["Weights"].seen
        status = clf.selection_.status
        assert set(status[2:9].ravel()) == {
            Status.TRAINED,
            Status.EASY,
            Status.REHEARSED,
        }
        for epoch, weights in seen.items():
            plain = 1 + 3 * (status[epoch] == Status.REHEARSED)
            for record, weight in weights.items():
                assert weight == pytest.approx(plain[record])
            # What is left out is made up for: the weights sum to all records'.
            assert sum(weights.values()) == pytest.approx(len(X), abs=4)


class TestPhases:
    def test_warm_up_dropout_focus_revision(self, erts):
        easy = erts.selection_.share(Status.EASY) > 0
        unreliable = erts.selection_.share(Status.UNRELIABLE) > 0
        assert not easy[[0, 1, 9]].any()
        assert easy[2:9].all()
        assert not unreliable[[0, 1, 2, 3, 9]].any()
        assert unreliable[4:9].any()

    def test_easy_records_are_above_tau_and_candidates_below(self, erts):
        story = erts.selection_
        judged = slice(2, 9)
        easy = story.status[judged] == Status.EASY
        assert (story.confidence[judged][easy] >= 0.2999).all()
        aside = story.status[judged] == Status.UNRELIABLE
        assert (story.confidence[judged][aside] < 0.3001).all()

    def test_the_unreliable_are_the_least_focused_candidates(self, phases):
        clf = fit(
            phases,
            selection=FocusFilter(
                DBPD(0.9), threshold=0.5, class_rescue=False, by_class=False
            ),
            looks__renewal_interval="epoch",
            **AFRESH,
            lr=1e-6,
        )
        story = clf.selection_
        for epoch in range(4, 9):
            aside = story.status[epoch] == Status.UNRELIABLE
            kept = story.status[epoch] == Status.TRAINED
            assert aside.sum() == (aside.sum() + kept.sum()) // 2
            assert story.focus[epoch][aside].max() <= story.focus[epoch][kept].min()

    @pytest.mark.parametrize("dropout", ["dbpd", "smrd", "srd", None])
    @pytest.mark.parametrize("focus", ["top_mass", None])
    def test_every_mode_runs_and_saves_what_it_says(self, parameters, dropout, focus):
        chosen = SRD(decay=0.8) if dropout == "srd" else dropout
        clf = fit(parameters, data_dropout=chosen, focus=focus)
        saves = dropout is not None or focus is not None
        assert (clf.effective_epochs_ < 10) == saves
        reads_scores = dropout in ("dbpd", "smrd") or focus is not None
        assert (clf.scoring_passes_ > 0) == reads_scores


class TestInterval:
    def test_the_authors_scheme_trains_what_is_left_of_each_batch(self, parameters):
        clf = fit(
            parameters, looks__renewal_interval="batch", focus=None, batch_size=50
        )
        assert [len(steps) for steps in watch(clf).steps[:2]] == [4, 4]
        assert all(len(steps) <= 4 for steps in watch(clf).steps)
        assert any(0 < size < 50 for steps in watch(clf).steps[2:9] for size in steps)

    @pytest.mark.parametrize("interval", [30, "epoch"])
    def test_batches_are_full_but_for_the_last(self, parameters, interval):
        clf = fit(
            parameters, looks__renewal_interval=interval, confidence_threshold=0.9
        )
        for steps in watch(clf).steps:
            assert all(size == 32 for size in steps[:-1])

    def test_a_choice_sees_the_network_as_it_is_then(self, phases):
        """Renewing every batch scores with weights that earlier steps have changed."""
        states = []

        class Spy(Policy):
            reads = frozenset({"confidence"})

            def _keep(self, scores, rng):
                states.append(scores.confidence.copy())
                return np.ones(len(scores), dtype=bool)

        params = {"selection": Spy(), "max_epochs": 4} | AFRESH
        ERTSClassifier(**phases | params, looks__renewal_interval="batch").fit(X, Y)
        by_batch = np.concatenate(states)
        states.clear()
        ERTSClassifier(**phases | params, looks__renewal_interval="epoch").fit(X, Y)
        once = np.concatenate(states)
        assert by_batch.shape == once.shape
        np.testing.assert_allclose(by_batch[:32], once[:32], rtol=1e-4)
        assert np.abs(by_batch[32:] - once[32:]).max() > 1e-3


class TestStepScores:
    def test_are_kept_and_used_instead_of_a_new_look(self, parameters):
        reused = fit(parameters)
        afresh = fit(parameters, **AFRESH)
        assert afresh.scoring_passes_ == 7
        assert reused.scoring_passes_ < 6
        # All were trained in the last epoch of the warm-up: none is due.
        assert reused.history_[2, "scoring_passes"] == 0

    def test_confidence_is_that_of_the_step(self, parameters):
        """With a learning rate of almost zero, steps and looks agree."""
        frozen = parameters | {"lr": 1e-12, "data_dropout": None, "focus": None}
        clf = ERTSClassifier(**frozen | {"batch_size": 200, "max_epochs": 2}).fit(X, Y)
        module = clf.net_.module_.train()
        with torch.no_grad():
            logits = module(torch.from_numpy(X))
        expected = logits.softmax(dim=1)[np.arange(200), Y]
        np.testing.assert_allclose(clf.selection_.confidence[1], expected, atol=2e-3)

    def test_focus_of_a_step_is_that_of_its_maps(self, phases):
        policy = FocusFilter(DBPD(1.0), threshold=0.0)
        params = {"lr": 1e-12, "batch_size": 200, "max_epochs": 3, "warmup_epochs": 0}
        clf = ERTSClassifier(**phases | params, selection=policy).fit(X, Y)
        cam = GradCAM(clf.net_.module_)
        module = clf.net_.module_.train()
        with torch.no_grad():
            z = module.features(torch.from_numpy(X))
            one_hot = torch.nn.functional.one_hot(torch.from_numpy(Y), 3).float()
            maps = cam.maps_from_features(z, one_hot).numpy()
        np.testing.assert_allclose(clf.selection_.focus[1], top_mass(maps), atol=5e-3)


class TestNormalisation:
    def statistics_of_all_data(self, clf):
        module = clf.net_.module_.eval()
        inputs = []
        norm = module.features[1]
        hook = norm.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
        with torch.no_grad():
            module(torch.from_numpy(X))
        hook.remove()
        return norm, inputs[0].mean(dim=(0, 2)), inputs[0].var(dim=(0, 2))

    def test_statistics_after_selection_are_those_of_all_data(self, parameters):
        params = {
            "revision_epochs": 0,
            "looks__renewal_interval": "epoch",
            "looks__probe_records": 200,
        }
        norm, mean, var = self.statistics_of_all_data(fit(parameters, **params))
        torch.testing.assert_close(norm.running_mean, mean, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(norm.running_var, var, rtol=0.05, atol=1e-3)

    def test_without_renewal_they_are_those_of_the_selected(self, parameters):
        params = {
            "revision_epochs": 0,
            "looks__renewal_interval": "epoch",
            "looks__probe_records": 0,
        }
        norm, _, var = self.statistics_of_all_data(fit(parameters, **params))
        assert (norm.running_var / var - 1).abs().max() > 0.05

    def test_are_renewed_before_validation_and_counted_once(self, parameters):
        seen = []

        class Look(Callback):
            def on_batch_begin(self, net, training, **kwargs):
                if not training:
                    seen.append(net.module_.features[1].num_batches_tracked.item())

        split = [(np.arange(160), np.arange(160, 200))]
        params = parameters | {
            "looks__probe_records": 64,
            "focus": None,
            "data_dropout": "srd",
        }
        clf = ERTSClassifier(
            **params, validation_fraction=split, callbacks=[Look()]
        ).fit(X, Y)
        # Reset in each of the ten epochs, then one batch of 64; each validation is two
        # batches.
        assert seen == [1] * 20
        assert clf.scoring_passes_ == 10 * 64 / 160


class TestSpacedRevisits:
    def test_save_looks(self, parameters):
        everything = fit(parameters, **AFRESH)
        spaced = fit(parameters, looks__reuse_scores=False, looks__revisit_gaps=(2, 4))
        assert everything.scoring_passes_ == 7
        assert spaced.scoring_passes_ < 5

    def test_a_skipped_record_is_judged_by_its_last_look(self, parameters):
        story = fit(parameters, easy_share=0, looks__revisit_gaps=(2,)).selection_
        judged = slice(2, 9)
        easy = story.status[judged] == Status.EASY
        confidence = story.confidence[judged]
        again = easy[1:] & easy[:-1]
        same = confidence[1:] == confidence[:-1]
        assert (confidence[easy] >= 0.2999).all()
        assert 0.3 < same[again].mean() < 1

    @pytest.mark.parametrize("noise", [0.0, 5.0])
    def test_drift_shortens_the_gaps(self, parameters, noise, monkeypatch):
        """Probes that see everything forgotten bring the looks forward."""
        probe = Scorer.probe

        def forgetful(self, index):
            found = probe(self, index)
            return found if noise == 0 else found | {"confidence": np.zeros(len(index))}

        monkeypatch.setattr(Scorer, "probe", forgetful)
        params = {
            "looks__probe_records": 50,
            "looks__revisit_gaps": (8,),
            "easy_share": 0,
        }
        n_shortened = []
        monkeypatch.setattr(
            Ledger, "shorten_gaps", lambda ledger: n_shortened.append(ledger.epoch)
        )
        fit(parameters, focus=None, lr=1e-6, confidence_threshold=0.1, **params)
        assert n_shortened == ([] if noise == 0 else list(range(2, 9)))


class TestCheapLooks:
    class Measured:
        """A focus measure that counts what it is asked for."""

        def __init__(self):
            self.n = 0

        def __call__(self, maps):
            self.n += len(maps)
            return top_mass(maps)

    def test_behind_other_heads_the_focus_of_the_easy_is_not_measured(self):
        measure = self.Measured()
        clf = ERTSClassifier(
            TwoLayerHead,
            focus=measure,
            confidence_threshold=0.3,
            easy_share=0,
            max_epochs=4,
            warmup_epochs=2,
            revision_epochs=0,
            looks__first_step=0,
            looks__probe_records=0,
            lr=0.01,
            random_state=0,
            verbose=0,
            **AFRESH,
        ).fit(X, Y)
        status = clf.selection_.status[2:]
        hard = (status == Status.TRAINED) | (status == Status.UNRELIABLE)
        assert 0 < hard.mean() < 0.8
        assert measure.n == hard.sum() + 2  # two are tried out
        assert clf.scoring_passes_ == 2 + hard.sum() / len(X)

    @pytest.mark.parametrize("precision", ["float32", "bfloat16"])
    def test_looks_have_the_precision_that_is_asked_for(self, parameters, precision):
        seen = set()

        class Listen(Callback):
            def on_train_begin(self, net, **kwargs):
                layer = net.module_.features[3].conv1
                layer.register_forward_hook(
                    lambda layer, _, z: seen.add((layer.training, z.dtype))
                )

        clf = ERTSClassifier(
            **parameters, looks__precision=precision, callbacks=[Listen()]
        ).fit(X, Y)
        clf.predict(X)
        looks = {getattr(torch, precision), torch.float32}  # predict is exact
        assert seen == {(True, torch.float32)} | {(False, dtype) for dtype in looks}


class TestSizes:
    """A processor prepares its convolutions anew for every size of a batch."""

    def sizes(self, parameters, **others):
        seen = set()

        class Listen(Callback):
            def on_train_begin(self, net, **kwargs):
                layer = net.module_.features[0]
                layer.register_forward_hook(
                    lambda layer, _, z: seen.add((layer.training, len(z)))
                )

        ERTSClassifier(**parameters | others, callbacks=[Listen()]).fit(X, Y)
        return seen

    def test_of_steps_are_those_of_full_data(self, parameters):
        sizes = self.sizes(parameters, confidence_threshold=0.8, easy_share=0.2)
        assert {n for training, n in sizes if training} == {32, 200 % 32}

    def test_of_looks_are_multiples_of_32(self, parameters):
        params = AFRESH | {"looks__renewal_interval": 45, "focus": None}
        looks = {n for training, n in self.sizes(parameters, **params) if not training}
        assert looks == {64}  # four intervals of 50

    def test_filling_up_changes_no_score(self):
        for n in (1, 31, 32, 33):
            scorer = make_scorer()
            scores = scorer.score(np.arange(n), frozenset({"confidence", "focus"}))
            alone = scorer.score(np.arange(1), frozenset({"confidence", "focus"}))
            for name in ("confidence", "focus"):
                assert scores[name].shape == (n,)
                np.testing.assert_allclose(scores[name][0], alone[name][0], rtol=1e-5)
            assert scorer.n_scored == n + 1

    def test_what_fills_a_batch_is_called_rehearsed(self, parameters):
        clf = fit(parameters, easy_share=1e-9, confidence_threshold=0.9)
        for epoch in range(2, 9):
            status = clf.selection_.status[epoch]
            n_hard, n_easy, n_filling = (
                (status == each).sum()
                for each in (Status.TRAINED, Status.EASY, Status.REHEARSED)
            )
            n_free = -n_hard % 32
            assert n_filling == min(n_free, n_easy + n_filling)
        assert (clf.selection_.status[2:9] == Status.REHEARSED).any()
        assert clf.kept_counts_.sum() == takes_gradient(clf.selection_.status).sum()


class TestWeights:
    def test_rehearsed_records_weigh_in_the_loss(self, phases):
        """What the criterion was told, read back from what a batch carried."""
        weighed = []

        class Listen(Callback):
            def on_batch_end(self, net, batch, training, **kwargs):
                if training:
                    inputs = batch[0]
                    weighed[-1][inputs["index"]] = inputs["weight"]

            def on_epoch_begin(self, net, **kwargs):
                weighed.append(np.ones(len(X)))

        clf = ERTSClassifier(
            **phases, selection=Rehearsal(DBPD(0.3), 0.3, 4), callbacks=[Listen()]
        ).fit(X, Y)
        rehearsed = clf.selection_.status == Status.REHEARSED
        assert rehearsed.any()
        np.testing.assert_array_equal(np.array(weighed), np.where(rehearsed, 4, 1))


class TestStopWhenLearned:
    def test_goes_on_to_the_revision_and_ends(self, parameters):
        params = {"max_epochs": 30, "confidence_threshold": 0.01}
        clf = fit(parameters, early_stopping="learned", **params)
        shares = clf.history_[:, "candidates"]
        assert shares[2] <= 0.01  # so the first epoch of selection is the last
        assert len(shares) == 4
        assert clf.kept_counts_[3] == len(X)

    def test_does_not_stop_while_there_is_something_to_learn(self, parameters):
        clf = fit(parameters, early_stopping="learned", confidence_threshold=1.0)
        assert len(clf.history_) == 10

    def test_is_off_by_default(self, parameters):
        clf = fit(parameters, confidence_threshold=0.0)
        assert len(clf.history_) == 10


def test_losses_of_batches_stand_in_the_history_after_an_epoch(parameters):
    clf = fit(parameters, data_dropout=None, focus=None, max_epochs=2)
    batches = clf.history_[-1, "batches"]
    losses, sizes = (
        np.array([row[name] for row in batches])
        for name in ("train_loss", "train_batch_size")
    )
    assert sizes.tolist() == watch(clf).steps[-1]
    expected = (losses * sizes).sum() / sizes.sum()
    assert clf.history_[-1, "train_loss"] == pytest.approx(expected)
    assert clf.history_[-1, "train_batch_count"] == len(batches)


class TestRecordsOutsideTheTrainingSet:
    def test_are_never_looked_at(self, parameters):
        weight = np.ones(200)
        weight[:20] = 0
        split = [(np.arange(100), np.arange(100, 180))]
        clf = ERTSClassifier(**parameters, validation_fraction=split)
        clf.fit(X, Y, sample_weight=weight)
        outside = (clf.selection_.status == Status.NOT_LOOKED_AT).all(axis=0)
        np.testing.assert_array_equal(
            outside, (np.arange(200) < 20) | (np.arange(200) >= 100)
        )
        assert clf.kept_counts_[0] == 80


class TestExplain:
    def test_maps_of_any_class_by_name(self, small):
        names = np.array(["AFIB", "NORM", "PVC"])
        clf = ERTSClassifier(**small).fit(X, names[Y])
        one = clf.explain(X, target="PVC")
        np.testing.assert_array_equal(one, clf.explain(X, target=np.repeat("PVC", 200)))
        predicted = clf.explain(X, target=clf.predict(X))
        np.testing.assert_array_equal(clf.explain(X), predicted)
        assert one.shape == (200, 64)
        assert one.dtype == np.float32
        assert clf.explain(X, resample=False).shape == (200, 16)

    def test_maps_do_not_depend_on_the_other_records(self, erts):
        alone = np.concatenate([erts.explain(X[i : i + 1]) for i in range(5)])
        np.testing.assert_allclose(erts.explain(X)[:5], alone, rtol=1e-4, atol=1e-6)

    def test_focus_score_is_the_measure_of_the_map(self, erts):
        maps = erts.explain(X, target=Y, resample=False)
        np.testing.assert_allclose(erts.focus_score(X, Y), top_mass(maps), rtol=1e-5)
        maps = erts.explain(X, resample=False)
        np.testing.assert_allclose(erts.focus_score(X), top_mass(maps), rtol=1e-5)

    @pytest.mark.parametrize("known", [True, False])
    def test_focus_score_is_of_the_layer_of_the_estimator(self, small, known):
        params = small | BY_MAP | {"max_epochs": 2}
        scores = []
        for layer in ("features.0", None):
            clf = ERTSClassifier(**params, cam_layer=layer).fit(X, Y)
            target = Y if known else clf.predict(X)
            maps = clf.explain(X, target=target, resample=False)
            scores.append(clf.focus_score(X, Y if known else None))
            np.testing.assert_allclose(scores[-1], top_mass(maps), rtol=1e-5)
        assert not np.allclose(*scores, rtol=1e-2)

    def test_a_map_of_a_learned_class_points_at_its_evidence(self, small):
        X, y, centre = bumps(300, n_times=128, seed=5)
        params = small | {"max_epochs": 30, "warmup_epochs": 30}
        clf = ERTSClassifier(**params).fit(X, y)
        shown = (y != 1) & (clf.predict(X) == y)  # class 1 has no bump
        peak = clf.explain(X[shown]).argmax(axis=1)
        hits = np.abs(peak - centre[shown]) <= 10
        assert shown.sum() > 150
        assert hits.mean() > 0.8  # 21 of 128 samples would be hit by chance
