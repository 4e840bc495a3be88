import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from sk_erts.selection import share_below_gap
from sk_erts.selection._gap import MARGINS_SKEWED, _single_groups
from tests.strategies import seeds

ONE_GROUP = {
    "normal": lambda rng, n: rng.normal(size=n),
    "uniform": lambda rng, n: rng.random(n),
    "beta(2, 5)": lambda rng, n: rng.beta(2, 5, n),
    "beta(5, 2)": lambda rng, n: rng.beta(5, 2, n),
    "beta(8, 1)": lambda rng, n: rng.beta(8, 1, n),
    "beta(1, 8)": lambda rng, n: rng.beta(1, 8, n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "exponential to the left": lambda rng, n: -rng.exponential(size=n),
    "Laplace": lambda rng, n: rng.laplace(size=n),
    "Student's t": lambda rng, n: rng.standard_t(3, n),
}


def two_groups(rng, n, share, distance):
    n_low = round(share * n)
    low, high = rng.normal(size=n_low), distance + rng.normal(size=n - n_low)
    return rng.permutation(np.concatenate([low, high]))


def mean_share(draw, n_draws=80):
    rng = np.random.default_rng(0)
    return np.mean([share_below_gap(draw(rng)) for _ in range(n_draws)])


@pytest.mark.parametrize("n", [60, 200, 500])
@pytest.mark.parametrize("shape", ONE_GROUP)
def test_puts_next_to_nothing_aside_where_there_is_one_group(shape, n):
    assert mean_share(lambda rng: ONE_GROUP[shape](rng, n)) < 0.03


@pytest.mark.parametrize("n", [200, 500])
@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.4])
def test_finds_a_lower_group_three_deviations_away(share, n):
    found = mean_share(lambda rng: two_groups(rng, n, share, 3))
    assert found == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.4])
def test_finds_a_lower_group_among_few_that_is_farther_away(share):
    found = mean_share(lambda rng: two_groups(rng, 60, share, 6))
    assert found == pytest.approx(share, abs=0.02)


def test_two_groups_that_make_one_mode_are_one():
    focus = two_groups(np.random.default_rng(0), 20_000, 0.5, 1.8)
    assert share_below_gap(focus) == 0


@given(seed=seeds, scale=st.floats(1e-3, 1e3), offset=st.floats(-1e3, 1e3))
def test_scale_and_offset_do_not_matter(seed, scale, offset):
    rng = np.random.default_rng(seed)
    focus = two_groups(rng, 60, 0.25, 5)
    assert share_below_gap(scale * focus + offset) == share_below_gap(focus)


@given(
    focus=hnp.arrays(
        np.float32,
        st.integers(0, 80),
        elements=st.one_of(
            st.floats(0, 1, width=32), st.sampled_from([0.0, 0.25, 0.5, 1.0])
        ),
    )
)
def test_any_scores_have_a_share_that_is_cut_between_two_values(focus):
    share = share_below_gap(focus)
    assert 0 <= share <= 0.5
    n_aside = round(share * len(focus))
    if 0 < share < 0.5:
        below, above = np.split(np.sort(focus), [n_aside])
        assert below[-1] < above[0]


def test_puts_aside_half_at_most():
    assert share_below_gap(np.repeat([0.1, 0.9], [70, 30])) == 0.5


@pytest.mark.parametrize("focus", [np.zeros(0), np.full(100, 0.1), np.arange(19) // 10])
def test_says_nothing_of_few_or_equal_scores(focus):
    assert share_below_gap(focus.astype(float)) == 0


def test_maps_without_evidence_are_a_group():
    rng = np.random.default_rng(0)
    focus = np.concatenate([np.zeros(12), rng.normal(0.5, 0.08, 88)])
    assert share_below_gap(focus) == 0.12


def test_scores_whose_squares_are_no_numbers_have_the_same_share():
    scores = np.r_[np.full(10, 0.2), np.full(40, 0.8)]

    assert share_below_gap(scores * 1e-308) == share_below_gap(scores) == 0.2
    assert share_below_gap(np.r_[1e-308, np.zeros(39)]) == share_below_gap(
        np.r_[1.0, np.zeros(39)]
    )


@pytest.mark.parametrize("draw", [np.square, np.exp, lambda z: -np.exp(z)])
def test_what_is_normal_as_a_logarithm_or_as_a_root_is_judged_so(draw):
    """By its full likelihood, the price of four parameters added."""
    z = np.sort(draw(np.random.default_rng(0).normal(4, 0.7, 80)))
    z = (z - z.mean()) / z.std()
    normal, *found = list(_single_groups(z))[:3]

    def criterion(of, log_slope):
        """Twice the negative logarithm, of the best side and margin there is."""
        found = []
        for side in (z - z[0], z[-1] - z):
            for margin in MARGINS_SKEWED:
                x = side + margin * np.ptp(z)
                y = of(x)
                likelihood = stats.norm.logpdf(y, y.mean(), y.std()) + log_slope(x)
                found.append(-2 * likelihood.sum() + 4 * np.log(80))
        return min(found)

    expected = [
        criterion(np.log, lambda x: -np.log(x)),
        criterion(np.sqrt, lambda x: -np.log(2 * np.sqrt(x))),
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert normal == pytest.approx(
        -2 * stats.norm.logpdf(z).sum() + 2 * np.log(80), rel=1e-12
    )
