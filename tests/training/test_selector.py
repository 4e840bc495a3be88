"""The selection of a training with a network whose scores are given."""

import types

import numpy as np
import pytest
import torch
from torch import nn

from sk_erts._records.signals import Signals
from sk_erts._training.processes import Processes
from sk_erts._training.selector import Selector
from sk_erts._training.steps import Steps
from sk_erts.selection import (
    DBPD,
    FocusFilter,
    KeepAll,
    Ledger,
    Policy,
    Rehearsal,
    Schedule,
    Status,
    as_judge,
)

N = 12
EASY, HARD = 0.9, 0.1


class Keeps(Policy):
    """Train who is named; the others are easy."""

    reads = frozenset({"confidence"})
    reason = Status.EASY
    phase = "mine"

    def __init__(self, least=0.5):
        self.least = least

    def _keep(self, scores, rng):
        return scores.read("confidence") < self.least

    def loss_weights(self, status):
        return 1 + (status == Status.EASY).astype(np.float32)


class Knows:
    """A scorer that has the scores of all records, and remembers who asked."""

    def __init__(self, judge="support", free=True):
        self.confidence = np.full(N, HARD, dtype=np.float32)
        self.focus = np.full(N, 0.5, dtype=np.float32)
        self.judging = types.SimpleNamespace(
            judge=as_judge(judge),
            of_memory=lambda index: self.focus[index],
            of_maps=lambda maps, index, proba: self.focus[index],
            direction=lambda index, device: lambda logits: logits[:, :1],
        )
        self.task = types.SimpleNamespace(strata=lambda codes: codes)
        self.training_set = types.SimpleNamespace(codes=np.arange(N) % 2)
        self.network = types.SimpleNamespace(module=nn.BatchNorm1d(2))
        self.precision = types.SimpleNamespace(chosen="float32")
        self.processes = Processes()
        self.maps_are_free = free
        self.n_scored = 0
        self.asked, self.probed = [], []

    def _found(self, index):
        right = self.confidence[index]
        proba = np.stack([right, 1 - right], axis=1)
        return {"confidence": right, "focus": self.focus[index], "proba": proba}

    def score(self, index, reads):
        self.n_scored += len(index)
        self.asked.append((index.tolist(), sorted(reads)))
        return {k: v for k, v in self._found(index).items() if k in {*reads, "proba"}}

    def probe(self, index):
        self.n_scored += len(index)
        self.probed.append(index.tolist())
        return {k: v for k, v in self._found(index).items() if k != "focus"}

    def believed(self, logits, index):
        return {k: v for k, v in self._found(index).items() if k != "focus"}


def selector(policy=None, scorer=None, schedule=None, gaps=(1,), averaged=(), **params):
    given = {"hears_steps": True, "reuse_scores": True, "probe_records": 0}
    return Selector(
        policy or Keeps(),
        schedule or Schedule(6, 1, 0, 1),
        Ledger(N, gaps=gaps, n_classes=2, averaged=averaged),
        scorer or Knows(),
        np.random.default_rng(0),
        **given | params,
    )


def train(own, index):
    """Take a step on some records."""
    own.steps.begin(np.asarray(index), len(index))
    own.count_step(torch.zeros(len(index), 2))


def epoch(own, index=None):
    """Run an epoch, and return who was trained and what was found."""
    own.open_epoch()
    kept = own.choose(np.arange(N) if index is None else np.asarray(index))
    if len(kept):
        train(own, kept)
    return kept.tolist(), own.close_epoch()


class TestAnEpoch:
    def test_who_is_chosen_and_what_is_said_of_it(self):
        scorer = Knows()
        scorer.confidence[3:] = EASY
        own = selector(scorer=scorer, reuse_scores=False)

        first, figures = epoch(own)
        assert first == list(range(N))  # the warm-up
        assert scorer.asked == []
        expected = {"candidates": 1, "kept": 1, "EE": 1, "scoring_passes": 0}
        assert figures == expected

        second, figures = epoch(own, [5, 1, 0, 9, 2, 3])
        assert second == [1, 0, 2]  # in the order that they came in
        assert scorer.asked == [([5, 1, 0, 9, 2, 3], ["confidence"])]
        assert figures == {
            "candidates": 3 / N,
            "kept": 3 / N,
            "EE": 15 / N,
            "scoring_passes": 6 / N,
        }
        status = own.ledger.status(np.arange(N)).tolist()
        assert status == [1, 1, 1, 2, 0, 2, 0, 0, 0, 2, 0, 0]
        history = own.ledger.history(np.arange(N), N)
        assert history.phases == ("warm-up", "mine")
        assert history.judged_by == ("", "")
        assert own.n_trained == [12, 3]
        assert own.effective_epochs == 15 / 12
        assert own.scoring_passes == 0.5

    @pytest.mark.parametrize("reuse", [True, False])
    def test_steps_spare_the_next_look(self, reuse):
        scorer = Knows()
        own = selector(scorer=scorer, reuse_scores=reuse)
        epoch(own)
        epoch(own)
        assert scorer.asked == ([] if reuse else [([*range(N)], ["confidence"])])
        assert not own.ledger.due("confidence", np.arange(N), own.epoch).any()
        after = own.ledger.due("confidence", np.arange(N), own.epoch + 1)
        assert after.all() if not reuse else not after.any()

    def test_of_changed_records_a_step_tells_probabilities_alone(self):
        own = selector(hears_steps=False)
        epoch(own)
        assert own.ledger.due("confidence", np.arange(N), own.epoch).all()
        proba = own.ledger.mean_proba(np.arange(N))
        np.testing.assert_allclose(proba, [[HARD, 1 - HARD]] * N, rtol=1e-6)

    def test_what_records_weigh_is_for_the_policy_of_the_epoch_to_say(self):
        scorer = Knows()
        scorer.confidence[3:] = EASY
        own = selector(scorer=scorer)
        epoch(own)
        assert own.loss_weights(np.arange(N)).tolist() == [1] * N
        epoch(own)
        assert own.loss_weights(np.array([2, 3])).tolist() == [1, 2]
        assert own.ruling is own.policy
        for _ in range(3):
            epoch(own)
        own.open_epoch()
        assert isinstance(own.ruling, KeepAll)

    def test_focus_is_asked_for_with_what_is_free(self):
        for free in (True, False):
            scorer = Knows(free=free)
            policy = FocusFilter(DBPD(0.3), "support", 0.2)
            own = selector(policy, scorer, reuse_scores=False)
            epoch(own)
            epoch(own)
            asked = [reads for _, reads in scorer.asked]
            both = ["confidence", "focus"]
            assert asked == ([both] if free else [["confidence"], ["focus"]])
            judged_by = own.ledger.history(np.arange(N), N).judged_by
            assert judged_by == ("", scorer.judging.judge.shown_as)

    def test_a_judge_that_remembers_needs_no_look_of_its_own(self):
        scorer = Knows("reliability")
        scorer.focus[:2] = 0.0
        policy = FocusFilter(DBPD(0.3), "reliability", 0.2, doubt="drop")
        own = selector(policy, scorer)
        epoch(own)
        kept, _ = epoch(own)
        assert scorer.asked == []
        assert kept == list(range(2, N))  # a fifth of the candidates, rounded down

    def test_the_policy_knows_how_long_there_has_been_a_selection(self):
        class Asks(Keeps):
            told = []  # noqa: RUF012

            def _keep(self, scores, rng):
                self.told.append((scores.epoch, scores.y.tolist()))
                return super()._keep(scores, rng)

        own = selector(Asks(), schedule=Schedule(6, 2, 0, 1))
        for _ in range(4):
            epoch(own, [3, 2, 8])
        assert Asks.told == [(1, [1, 0, 0]), (2, [1, 0, 0])]

    @pytest.mark.parametrize(("reuse", "judged"), [(True, [2, 3, 4]), (False, [])])
    def test_maps_of_steps_are_judged_where_the_next_epoch_reads_them(
        self, reuse, judged
    ):
        policy = FocusFilter(DBPD(0.3), "top_mass", 0.2)
        scorer = Knows("top_mass")
        own = selector(policy, scorer, Schedule(7, 1, 2, 1), reuse_scores=reuse)
        found = []
        for i in range(7):
            own.open_epoch()
            if own.steps.wants_maps():
                found.append(i)
        assert not own.judge.averaged
        assert found == judged

    def test_those_of_a_judge_that_averages_always_are(self):
        policy = FocusFilter(DBPD(0.3), "support", 0.2)
        own = selector(policy, schedule=Schedule(7, 1, 2, 1), reuse_scores=False)
        assert own.judge.averaged
        own.open_epoch()
        assert own.steps.wants_maps()
        without = selector(DBPD(0.3), schedule=Schedule(7, 1, 2, 1))
        without.open_epoch()
        assert not without.steps.wants_maps()


class TestRehearsal:
    def test_easy_records_that_are_left(self):
        scorer = Knows()
        scorer.confidence[3:] = EASY
        own = selector(Rehearsal(DBPD(0.3), 1e-9), scorer)
        epoch(own)
        assert own.spare(3).tolist() == []
        own.open_epoch()
        own.choose(np.arange(N))
        easy = [i for i in range(N) if own.ledger.status(np.arange(N))[i] == 2]
        assert len(easy) == 9
        spared = own.spare(4).tolist()
        assert len(set(spared)) == 4
        assert set(spared) <= set(easy)
        assert (own.ledger.status(np.array(spared)) == Status.REHEARSED).all()
        rest = own.spare(99).tolist()
        assert set(rest) == set(easy) - set(spared)
        assert rest != sorted(rest)

    def test_not_for_a_policy_that_does_not_rehearse(self):
        scorer = Knows()
        scorer.confidence[3:] = EASY
        own = selector(scorer=scorer)
        epoch(own)
        epoch(own)
        assert own.spare(4).tolist() == []

    def test_they_cost_too(self):
        scorer = Knows()
        scorer.confidence[3:] = EASY
        own = selector(Rehearsal(DBPD(0.3), 1e-9), scorer, budget=17 / N)
        epoch(own)
        own.open_epoch()
        kept = own.choose(np.arange(N))
        assert len(kept) == 3
        assert len(own.spare(9)) == 2
        assert own.spare(9).tolist() == []
        assert own.is_over


class TestBudget:
    @pytest.mark.parametrize(
        ("budget", "n"), [(1.5, 18), (0.01, 1), (1 / N, 1), (1.9 / N, 2), (5, 60)]
    )
    def test_so_many_gradients_are_taken(self, budget, n):
        own = selector(KeepAll(), schedule=Schedule(9, 0, 0, 0), budget=budget)
        while not own.is_over:
            epoch(own)
        assert sum(own.n_trained) == n
        assert own.choose(np.arange(N)).tolist() == []

    def test_who_comes_late_is_not_looked_at(self):
        own = selector(budget=5 / N)
        own.open_epoch()
        assert own.choose(np.arange(4)).tolist() == [0, 1, 2, 3]
        assert own.choose(np.arange(4, N)).tolist() == [4]
        assert own.ledger.status(np.arange(N)).tolist() == [1] * 5 + [0] * 7

    @pytest.mark.parametrize(
        ("budget", "ends"),
        [
            # Of 5 epochs of selection at 12 each: room for the revision of one epoch.
            (9.0, (6, 1)),
            (4.0, (4, 1)),
            (3.5, (4, 2)),
            (2.0, (2, 0)),
        ],
    )
    def test_there_is_room_for_the_revision(self, budget, ends):
        own = selector(budget=budget)
        while not own.is_over:
            epoch(own)
        assert (own.schedule.max_epochs, own.schedule.revision_epochs) == ends
        assert sum(own.n_trained) <= round(budget * N)

    def test_without_a_budget_or_a_revision_nothing_is_cut(self):
        for given in ({}, {"budget": 3.5, "schedule": Schedule(6, 1, 0, 0)}):
            own = selector(**given)
            before = own.schedule
            for _ in range(3):
                epoch(own)
            assert own.schedule == before


class TestTheEnd:
    def test_of_the_schedule(self):
        own = selector(schedule=Schedule(3, 1, 0, 1))
        ends = []
        for _ in range(3):
            ends.append(own.is_over)
            epoch(own)
        assert ends == [False] * 3
        assert own.is_over

    def test_there_may_be_none(self):
        own = selector(schedule=Schedule(None, 1, 0, 0))
        for _ in range(9):
            epoch(own)
        assert not own.is_over
        assert own.progress == 0

    @pytest.mark.parametrize(("n_hard", "ends"), [(0, 3), (1, 6), (6, 6)])
    def test_when_hardly_a_candidate_is_left(self, n_hard, ends):
        scorer = Knows()
        scorer.confidence[n_hard:] = EASY
        own = selector(scorer=scorer)
        epoch(own)
        own.end_when_learned()
        assert own.schedule.max_epochs == 6  # not in the warm-up
        epoch(own)
        own.end_when_learned()
        assert own.schedule.max_epochs == ends


class TestProgress:
    def test_of_full_data_it_is_the_share_of_the_steps(self):
        own = selector(KeepAll(), schedule=Schedule(4, 0, 0, 0))
        found = []
        for _ in range(4):
            own.open_epoch()
            for part in np.split(np.arange(N), 3):
                found.append(own.progress)
                train(own, own.choose(part))
            own.close_epoch()
        np.testing.assert_allclose(found, np.arange(12) / 12)
        assert own.progress == 1

    def test_epochs_to_come_spend_what_the_last_one_did(self):
        scorer = Knows()
        scorer.confidence[3:] = EASY
        own = selector(scorer=scorer, schedule=Schedule(5, 1, 0, 1))
        own.open_epoch()
        # Of selection a quarter is expected: 1 + 3 / 4 + 1.
        assert own.progress == 0
        train(own, own.choose(np.arange(6)))
        assert own.progress == pytest.approx(0.5 / 2.75)
        train(own, own.choose(np.arange(6, N)))
        assert own.progress == pytest.approx(1 / 2.75)
        own.close_epoch()
        scorer.confidence[:6], scorer.confidence[6:] = HARD, EASY
        own.ledger.record("confidence", np.arange(N), scorer.confidence, until=9)
        epoch(own)
        # Half was: of it two epochs are to come, and the revision.
        own.open_epoch()
        assert own.progress == pytest.approx(1.5 / (1 + 0.5 + 2 * 0.5 + 1))

    def test_of_less_than_one_epoch(self):
        own = selector(KeepAll(), schedule=Schedule(1, 0, 0, 0), budget=0.5)
        own.open_epoch()
        train(own, own.choose(np.arange(3)))
        assert own.progress == 0.5
        train(own, own.choose(np.arange(3, N)))
        assert own.progress == 1

    def test_it_never_falls_and_ends_with_the_budget(self):
        own = selector(budget=2.5)
        found = [0.0]
        while not own.is_over:
            own.open_epoch()
            for part in np.split(np.arange(N), 4):
                kept = own.choose(part)
                if len(kept):
                    train(own, kept)
                found.append(own.progress)
            own.close_epoch()
        assert (np.diff(found) >= 0).all()
        assert found[1] == pytest.approx(0.25 / 2.5)
        assert found[-1] == 1


class TestProbes:
    def easy_after_warm_up(self, n_probed=6, policy=None, gaps=(4,)):
        scorer = Knows()
        scorer.confidence[6:] = EASY
        own = selector(policy, scorer, probe_records=n_probed, gaps=gaps)
        epoch(own)
        assert scorer.probed == []  # nobody was left out
        return own, scorer

    @pytest.mark.parametrize(("n_probed", "n"), [(0, 0), (1, 0), (2, 2), (99, N)])
    def test_after_steps_on_selected_records_so_many_are_looked_at(self, n_probed, n):
        own, scorer = self.easy_after_warm_up(n_probed)
        epoch(own)
        assert [len(index) for index in scorer.probed] == ([n] if n else [])
        assert all(len(set(index)) == n for index in scorer.probed)
        own.probe()  # nothing has happened since
        assert len(scorer.probed) == bool(n)

    def test_what_is_seen_counts_in_the_next_epoch(self):
        own, _ = self.easy_after_warm_up(N)
        own.open_epoch()
        own.choose(np.arange(N))
        own.close_epoch()
        assert not own.ledger.due("confidence", np.arange(N), own.epoch + 1).any()
        assert own.ledger.due("confidence", np.arange(6), own.epoch + 2).all()

    @pytest.mark.parametrize(("n_forgotten", "shortened"), [(2, False), (3, True)])
    def test_if_a_third_of_the_easy_is_forgotten_looks_come_earlier(
        self, n_forgotten, shortened
    ):
        own, scorer = self.easy_after_warm_up(N)
        # Easy are those under no threshold: the policy calls six so.
        scorer.confidence[6 : 6 + n_forgotten] = HARD
        own.open_epoch()
        own.ledger.record(
            "confidence", np.arange(N), np.repeat([HARD, EASY], 6), until=own.epoch
        )
        own.choose(np.arange(N))
        before = own.ledger._until["confidence"].copy()
        own.close_epoch()
        calls = own.ledger._n_looks[6:].tolist()
        assert calls == ([0] * 6 if shortened else [1] * 6)
        assert before[6] == own.epoch + 3

    def test_statistics_are_renewed_before_others_look(self):
        own, scorer = self.easy_after_warm_up()
        for n_probes in (1, 2):
            train(own, np.arange(3))
            own.renew()
            own.renew()  # no step was taken since
            assert len(scorer.probed) == n_probes
        scorer.network.module = nn.Linear(1, 1)  # has none
        train(own, np.arange(3))
        own.renew()
        assert len(scorer.probed) == 2

    def test_a_policy_that_reads_more_than_confidence_forgets_nobody(self):
        class Both(Keeps):
            reads = frozenset({"confidence", "focus"})

        own, _ = self.easy_after_warm_up(N, Both())
        own.open_epoch()
        own.choose(np.arange(N))
        assert not own._is_easy(np.arange(N)).any()


class TestSoftening:
    def test_labels_that_are_doubted(self):
        scorer = Knows("reliability")
        scorer.focus[:2] = 0.1
        policy = FocusFilter(DBPD(0.3), "reliability", 0.2, doubt="soften")
        own = selector(policy, scorer)
        epoch(own)
        assert own.softening(np.arange(N)) is None
        epoch(own)
        index = np.array([5, 1, 0])
        doubt, proba = own.softening(index)
        expected = own.judge.doubt(np.full(2, 0.1, dtype=np.float32))
        assert doubt.dtype == np.float32
        assert doubt[0] == 0
        np.testing.assert_allclose(doubt[1:], expected)
        assert (doubt[1:] > 0).all()
        np.testing.assert_allclose(proba, [[HARD, 1 - HARD]] * 3, rtol=1e-6)
        assert own.softening(np.array([5, 6])) is None


def test_it_goes_on_from_a_state():
    def made(confidence=EASY):
        scorer = Knows()
        scorer.confidence[3:] = confidence
        return selector(scorer=scorer, budget=6.0, probe_records=4)

    own = made()
    for _ in range(3):
        epoch(own)
    own.open_epoch()
    train(own, own.choose(np.arange(N)))
    assert own.progress > 0
    state = own.state()
    assert state["n_trained"] is not own.n_trained
    assert own._is_stale
    assert own._has_stepped
    other = made()
    other.load(state)
    assert other.state() == state
    assert other.n_trained is not state["n_trained"]
    assert other.schedule == own.schedule
    assert other.scorer.precision.chosen == "float32"
    other.end_when_learned()
    assert set(state) == {
        *("epoch", "end", "revision_epochs", "n_trained", "n_scored", "precision"),
        *("is_stale", "has_stepped", "progress", "share", "n_left"),
    }


class TestSteps:
    class Headed(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(4, 2)

        def forward(self, x):
            return self.head(x)

    def steps(self, scorer, wants=True, hears=True):
        own = Steps(
            scorer, Ledger(N, n_classes=2), hears=hears, wants_maps=lambda: wants
        )
        scorer.cam = types.SimpleNamespace(in_closed_form=self.in_closed_form)
        self.given = []
        return own, types.SimpleNamespace(module=self.Headed())

    def in_closed_form(self, z, direction, *, bias):
        self.given.append((z.x.shape, z.x.requires_grad, direction.shape, bias))
        return Signals(z.x)

    @pytest.mark.parametrize("free", [True, False])
    @pytest.mark.parametrize("hears", [True, False])
    @pytest.mark.parametrize("wants", [True, False])
    def test_maps_are_heard_on_their_way_if_they_are_wanted(self, free, hears, wants):
        scorer = Knows(free=free)
        own, network = self.steps(scorer, wants, hears)
        own.listen(network)
        network.module(torch.ones(3, 4))  # nobody's
        own.begin(np.array([4, 2]), 2)
        logits = network.module(torch.ones(2, 4, requires_grad=True))
        assert own.end(logits) == 2
        assert own.end(logits) == 0  # it has ended
        own.ledger.open_epoch(0)
        own.write_down(0)
        heard = free and hears and wants
        bias = scorer.judging.judge.against_rival
        assert self.given == ([((2, 4), False, (2, 1), bias)] if heard else [])
        due = own.ledger.due("focus", np.arange(N), 0)
        assert np.flatnonzero(~due).tolist() == ([2, 4] if heard else [])
        due = own.ledger.due("confidence", np.arange(N), 0)
        assert np.flatnonzero(~due).tolist() == ([2, 4] if hears else [])
        own.stop()
        own.stop()
        assert not network.module.head._forward_hooks

    def test_a_step_is_written_down_once(self):
        scorer = Knows()
        own, _ = self.steps(scorer)
        own.begin(np.arange(3), 3)
        own.end(torch.zeros(3, 2))
        own.write_down(5)
        scorer.confidence[:] = EASY
        own.write_down(9)
        assert own.ledger.scores("confidence", np.arange(3)).tolist() == pytest.approx(
            [HARD] * 3
        )
        assert own.ledger.due("confidence", np.arange(3), 6).all()
        assert not own.ledger.due("confidence", np.arange(3), 5).any()

    @pytest.mark.parametrize(
        ("rank", "n_in_all", "told"), [(0, 2, 1), (1, 2, 0), (0, 4, 1), (1, 4, 1)]
    )
    def test_what_processes_did_alike_the_first_tells(self, rank, n_in_all, told):
        scorer = Knows()
        scorer.processes.rank = rank
        own, _ = self.steps(scorer)
        own.begin(np.array([1, 2]), n_in_all)
        assert own.end(torch.zeros(2, 2)) == n_in_all
        assert len(own._heard()) == told

    def test_nobodys_step_tells_nothing(self):
        own, _ = self.steps(Knows())
        own.begin(None)
        assert own.end(torch.zeros(2, 2)) == 0
        assert own._heard() == []
