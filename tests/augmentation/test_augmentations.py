"""Each augmentation changes what it says, and nothing else."""

import inspect

import numpy as np
import pytest
from sklearn.base import clone

from sk_erts import augmentation
from sk_erts.augmentation import (
    AddNoise,
    AddWander,
    Augmentation,
    LeadDropout,
    RandomCrop,
    ScaleAmplitude,
    TimeShift,
)

EVERY = [
    TimeShift(fs=100),
    LeadDropout(),
    ScaleAmplitude(),
    AddNoise(),
    AddWander(fs=100),
]
by_name = pytest.mark.parametrize("augment", EVERY, ids=lambda a: type(a).__name__)


@pytest.fixture
def X():
    rng = np.random.default_rng(7)
    return rng.standard_normal((40, 3, 200)).astype(np.float32)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_every_augmentation_is_tested():
    public = {getattr(augmentation, name) for name in augmentation.__all__}

    # Crops change shapes: test_random_crop.py.
    assert {type(augment) for augment in EVERY} == public - {Augmentation, RandomCrop}


@by_name
def test_a_batch_is_changed_in_a_copy(augment, X):
    before = X.copy()

    changed = augment(X, rng())

    np.testing.assert_array_equal(X, before)
    assert changed.shape == X.shape
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()


@by_name
def test_probability_is_the_share_of_records_that_change(augment, X):
    never = clone(augment).set_params(probability=0)
    always = clone(augment).set_params(probability=1)
    sometimes = clone(augment).set_params(probability=0.3)

    def share(each):
        many = np.concatenate([X] * 10)
        return (each(many, rng()) != many).any(axis=(1, 2)).mean()

    assert share(never) == 0
    assert share(always) > 0.4  # a shift by nothing, or no lead lost, is drawn too
    assert 0.3 - 0.08 < share(sometimes) / share(always) < 0.3 + 0.08


@by_name
def test_records_are_changed_each_in_its_own_way(augment):
    same = np.repeat(np.arange(1, 25, dtype=np.float32).reshape(1, 2, 12), 30, axis=0)

    changed = clone(augment).set_params(probability=1)(same, rng())

    assert len(np.unique(changed.reshape(30, -1), axis=0)) > 2


@by_name
def test_the_generator_decides(augment, X):
    np.testing.assert_array_equal(augment(X, rng(1)), augment(X, rng(1)))
    assert (augment(X, rng(1)) != augment(X, rng(2))).any()


def parameters():
    for augment in EVERY:
        for name in inspect.signature(type(augment)).parameters:
            yield pytest.param(augment, name, id=f"{type(augment).__name__}.{name}")


@pytest.mark.parametrize(("augment", "name"), list(parameters()))
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "a", True, None])
def test_a_bad_parameter_is_named(augment, name, value, X):
    wrong = clone(augment).set_params(**{name: value})

    message = f"The '{name}' parameter of {type(augment).__name__} must be a .*number"
    with pytest.raises(ValueError, match=message):
        wrong(X, rng())


def test_a_shift_keeps_every_sample_and_all_leads_together(X):
    many = np.concatenate([X] * 5)

    shifted = TimeShift(fs=100, largest_s=0.1, probability=1)(many, rng())

    found = set()
    for before, after in zip(many, shifted, strict=True):
        steps = [k for k in range(-99, 100) if (np.roll(before, k, 1) == after).all()]
        assert len(steps) == 1
        found |= set(steps)
    assert min(found) == -10
    assert max(found) == 10


def test_lost_leads_are_zero_and_one_is_left(X):
    lost = LeadDropout(share=0.5, probability=1)(X, rng())

    is_lost = (lost == 0).all(axis=2)
    np.testing.assert_array_equal(lost[~is_lost], X[~is_lost])
    assert 0.3 < is_lost.mean() < 0.6
    assert (~is_lost).any(axis=1).all()
    all_but_one = LeadDropout(share=1, probability=1)(X, rng()).any(axis=2)
    assert (all_but_one.sum(axis=1) == 1).all()


def test_one_factor_scales_a_record(X):
    factors = ScaleAmplitude(largest=2, probability=1)(X, rng()) / X

    by_record = factors[:, 0, 0]
    np.testing.assert_allclose(factors, by_record[:, None, None] + 0 * X, rtol=1e-5)
    assert 0.5 <= by_record.min() < 0.7
    assert 1.4 < by_record.max() <= 2
    assert abs(np.log(by_record).mean()) < 0.2


def test_noise_is_white_and_of_each_strength_up_to_the_largest(X):
    zeros = np.zeros((200, 2, 400), dtype=np.float32)

    noise = AddNoise(largest=0.3, probability=1)(zeros, rng())

    strengths = noise.std(axis=(1, 2))
    assert strengths.min() < 0.05
    assert 0.25 < strengths.max() < 0.33
    lagged = (noise[..., 1:] * noise[..., :-1]).mean() / noise.var()
    assert abs(lagged) < 0.02


def test_wander_is_one_slow_wave_per_record(X):
    zeros = np.zeros((30, 2, 4000), dtype=np.float32)

    wander = AddWander(fs=100, largest=0.5, probability=1)(zeros, rng())

    power = np.abs(np.fft.rfft(wander, axis=2)) ** 2
    hz = np.fft.rfftfreq(4000, 1 / 100)
    in_band = power[..., hz <= 0.6].sum(axis=2) / power.sum(axis=2)
    assert (in_band > 0.98).all()
    assert 0.4 < np.abs(wander).max() <= 0.5
    for first, second in wander:
        assert abs(np.corrcoef(first, second)[0, 1]) > 0.999
