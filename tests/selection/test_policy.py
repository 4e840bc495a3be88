import inspect
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

import sk_erts.selection
from sk_erts.selection import (
    DBPD,
    SMRD,
    SRD,
    FocusFilter,
    HardnessFilter,
    InfoBatch,
    KeepAll,
    Policy,
    RandomFilter,
    Refinement,
    Rehearsal,
    Scores,
    SelectiveBackprop,
    Status,
    as_judge,
    takes_gradient,
)
from tests.strategies import distinct_scores, examples, scores, seeds

POLICIES = [
    KeepAll(),
    DBPD(0.4),
    SMRD(0.4),
    SRD(0.9),
    FocusFilter(DBPD(0.6), threshold=0.4),
    FocusFilter(KeepAll(), threshold="auto"),
    FocusFilter(DBPD(0.6), threshold=0.3, ranking="hard_focus"),
    Rehearsal(DBPD(0.4), 0.2),
    Rehearsal(FocusFilter(DBPD(0.6)), 0.5),
    RandomFilter(DBPD(0.6), threshold=0.4),
    Rehearsal(RandomFilter(DBPD(0.6)), 0.5),
    HardnessFilter(DBPD(0.6), threshold=0.4),
    SelectiveBackprop(2.0),
    InfoBatch(0.3),
    FocusFilter(InfoBatch()),
]
RANDOM = SMRD | SRD | Rehearsal | RandomFilter | SelectiveBackprop | InfoBatch
DETERMINISTIC = [
    p
    for p in POLICIES
    if not isinstance(p, RANDOM) and not isinstance(getattr(p, "policy", None), RANDOM)
]


def kept(policy, of, seed=0):
    return takes_gradient(policy.select(of, np.random.default_rng(seed)))


def test_completeness__every_policy_is_under_contract():
    public = {
        value
        for value in vars(sk_erts.selection).values()
        if inspect.isclass(value) and issubclass(value, Policy)
    }
    assert public - {Policy, Refinement} == {type(policy) for policy in POLICIES}


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
class TestContract:
    @given(of=scores(), seed=seeds)
    def test_gives_each_record_one_status(self, policy, of, seed):
        status = policy.select(of, np.random.default_rng(seed))
        assert status.shape == (len(of),)
        assert set(status.tolist()) <= {int(s) for s in Status if s}

    @given(of=scores(), seed=seeds)
    def test_same_seed_same_mask(self, policy, of, seed):
        np.testing.assert_array_equal(kept(policy, of, seed), kept(policy, of, seed))

    @given(of=scores(min_size=1))
    def test_does_not_change_its_input(self, policy, of):
        before = [of.y.copy(), of.confidence.copy(), of.focus.copy()]
        kept(policy, of)
        for old, new in zip(before, [of.y, of.confidence, of.focus], strict=True):
            np.testing.assert_array_equal(old, new)

    @given(of=scores(min_size=1))
    def test_reads_only_what_it_declares(self, policy, of):
        declared = {name: getattr(of, name) for name in policy.reads}
        reduced = Scores(y=of.y, epoch=of.epoch, **declared)
        np.testing.assert_array_equal(kept(policy, of), kept(policy, reduced))

    @examples(20)
    @given(of=scores(), seed=seeds)
    def test_weights_are_finite_and_above_nothing(self, policy, of, seed):
        status = policy.select(of, np.random.default_rng(seed))
        weights = policy.loss_weights(status)
        assert weights.shape == (len(of),)
        assert weights.dtype == np.float32
        assert np.isfinite(weights).all()
        assert (weights > 0).all()
        np.testing.assert_array_equal(weights[status == Status.TRAINED], 1)

    @examples(20)
    @given(of=scores(), other=scores(), seed=seeds)
    def test_remembers_nothing_and_draws_from_its_generator_alone(
        self, policy, of, other, seed
    ):
        fresh, known = clone(policy), pickle.dumps(policy)
        state = np.random.get_state()[1].tobytes()  # noqa: NPY002
        policy.select(other, np.random.default_rng(1))
        status = policy.select(of, np.random.default_rng(seed))
        np.testing.assert_array_equal(
            status, fresh.select(of, np.random.default_rng(seed))
        )
        assert pickle.dumps(policy) == known
        assert np.random.get_state()[1].tobytes() == state  # noqa: NPY002

    @examples(20)
    @given(of=scores(), seed=seeds)
    def test_scores_that_are_measured_when_read_are_as_good(self, policy, of, seed):
        read = {name: getattr(of, name).__getitem__ for name in policy.reads}
        lazy = Scores(y=of.y, epoch=of.epoch, **read)
        np.testing.assert_array_equal(kept(policy, of, seed), kept(policy, lazy, seed))

    @examples(20)
    @given(of=scores(), seed=seeds, names=st.permutations(range(4)))
    def test_what_classes_are_called_does_not_matter(self, policy, of, seed, names):
        """As many of each class are trained; who ties is broken by the order."""
        renamed = Scores(np.array(names)[of.y], of.epoch, of.confidence, of.focus)
        one, other = kept(policy, of, seed), kept(policy, renamed, seed)
        if policy in DETERMINISTIC:
            np.testing.assert_array_equal(one, other)
        assert one.sum() == other.sum()

    @examples(20)
    @given(of=scores(), seed=seeds)
    def test_a_refinement_decides_over_its_own_alone(self, policy, of, seed):
        if not isinstance(policy, Refinement):
            return
        inner = policy.policy.select(of, np.random.default_rng(seed))
        status = policy.select(of, np.random.default_rng(seed))
        np.testing.assert_array_equal(
            status[inner != policy.decides_over], inner[inner != policy.decides_over]
        )
        own = set(status[inner == policy.decides_over].tolist())
        assert own <= {int(policy.accepted), int(policy.reason)}

    @examples(20)
    @given(of=scores(), seed=seeds)
    def test_before_the_focus_filter_no_focus_is_read(self, policy, of, seed):
        early = policy.without_focus()
        assert "focus" not in early.reads
        blind = Scores(y=of.y, epoch=of.epoch, confidence=of.confidence)
        assert kept(early, blind, seed).shape == (len(of),)

    def test_can_be_cloned_and_searched(self, policy):
        twin = clone(policy)
        assert repr(twin) == repr(policy)
        assert twin is not policy


@pytest.mark.parametrize("policy", DETERMINISTIC, ids=repr)
@given(of=distinct_scores(), seed=seeds)
def test_masks_permute_with_their_records(policy, of, seed):
    order = np.random.default_rng(seed).permutation(len(of))
    np.testing.assert_array_equal(kept(policy, of)[order], kept(policy, of.take(order)))


def test_without_focus_leaves_the_data_dropout():
    policy = Rehearsal(FocusFilter(DBPD(0.5)), 0.2).without_focus()
    assert policy.reads == {"confidence"}
    assert repr(policy) == repr(Rehearsal(DBPD(0.5), 0.2))


@pytest.mark.parametrize("filter_of", [RandomFilter, HardnessFilter], ids=repr)
def test_a_control_sets_in_with_the_focus_filter(filter_of):
    policy = Rehearsal(filter_of(DBPD(0.5)), 0.2)
    assert repr(policy.without_focus()) == repr(Rehearsal(DBPD(0.5), 0.2))


@pytest.mark.parametrize(
    "policy",
    [RandomFilter(DBPD()), HardnessFilter(DBPD()), SelectiveBackprop(), InfoBatch()],
    ids=repr,
)
def test_a_control_looks_at_no_map(policy):
    assert policy.reads == {"confidence"}
    assert policy.judge is None


def test_the_judge_is_found_through_wrappers():
    assert Rehearsal(FocusFilter(DBPD(), focus="gini")).judge is as_judge("gini")
    assert Rehearsal(DBPD()).judge is None


@pytest.mark.parametrize(
    "mask", [np.ones(2, bool), np.ones(3), np.array([0, 1, 2])], ids=str
)
def test_a_policy_with_a_wrong_mask_is_named(mask):
    class Broken(Policy):
        def _keep(self, of, rng):
            return mask

    of = Scores(y=np.zeros(3, int), epoch=1)
    with pytest.raises(ValueError, match=r"Broken\._keep must return a boolean mask"):
        kept(Broken(), of)


def test_a_policy_that_reads_more_than_it_declares_is_told():
    of = Scores(y=np.zeros(3, int), epoch=1)
    with pytest.raises(ValueError, match="reads 'confidence', but it was not measured"):
        kept(DBPD(), of)


@given(of=scores(), index=st.lists(st.integers(0, 100)))
def test_taking_scores_takes_all_of_them(of, index):
    index = np.array([i for i in index if i < len(of)], dtype=int)
    some = of.take(index)
    np.testing.assert_array_equal(some.y, of.y[index])
    np.testing.assert_array_equal(some.confidence, of.confidence[index])
    np.testing.assert_array_equal(some.focus, of.focus[index])
    assert some.epoch == of.epoch
