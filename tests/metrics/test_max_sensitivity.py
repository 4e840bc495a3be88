import numpy as np
import pytest

from sk_erts.metrics import max_sensitivity


def own(X):
    return X


def test_of_a_map_that_is_its_record():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5, 2, 800))
    changes = max_sensitivity(own, X, radius=0.1, random_state=0)
    # Uniform noise has the variance of a third of the squared radius.
    expected = 0.1 / np.sqrt(3) * np.sqrt(1600) / np.linalg.norm(X, axis=(1, 2))
    np.testing.assert_allclose(changes, expected, rtol=0.06)
    assert (changes > expected).all()


def test_a_map_that_ignores_its_record_never_changes():
    changes = max_sensitivity(lambda X: np.ones((len(X), 3)), np.zeros((4, 1, 3)))
    assert changes.tolist() == [0, 0, 0, 0]


def test_the_radius_bounds_the_noise_and_is_reached():
    # The last value of one sample is the sample itself, so that its noise shows.
    X = np.ones((50, 1, 1))
    changes = max_sensitivity(own, X, radius=0.3, n_draws=200, random_state=0)
    assert (changes <= 0.3).all()
    assert (changes > 0.27).all()


def test_noise_adds_as_often_as_it_takes():
    seen = []

    def explain(X):
        seen.append(X)
        return X

    max_sensitivity(explain, np.ones((4, 2, 500)), radius=0.3, random_state=0)
    noise = np.array(seen[1:]) - 1
    assert abs(noise.mean()) < 4 * 0.3 / np.sqrt(3 * noise.size)
    assert -0.3 <= noise.min() < -0.29


def test_it_is_the_largest_over_the_draws():
    X = np.ones((3, 1, 4))
    few, more = (
        max_sensitivity(own, X, n_draws=n_draws, random_state=0) for n_draws in (2, 9)
    )
    assert (more >= few).all()
    assert (more > few).any()


def test_a_zero_map_has_no_relative_change():
    X = np.array([[[0.0, 0.0]], [[3.0, 4.0]]])
    changes = max_sensitivity(own, X, random_state=0)
    assert np.isnan(changes[0])
    assert changes[1] > 0


def test_the_scale_of_a_map_does_not_matter():
    X = np.random.default_rng(0).normal(size=(3, 2, 10))
    one, other = (
        max_sensitivity(lambda X, k=k: k * X[:, 0], X, random_state=0) for k in (1, 50)
    )
    np.testing.assert_allclose(one, other)


def test_records_keep_their_dtype():
    def explain(X):
        assert X.dtype == np.float32
        return X

    changes = max_sensitivity(explain, np.ones((1, 1, 4), dtype=np.float32), n_draws=1)
    assert changes[0] > 0


def test_a_map_may_be_coarser_than_its_record():
    X = np.ones((3, 2, 8))
    coarse = max_sensitivity(lambda X: X[:, 0, ::4], X, random_state=0)
    assert ((coarse > 0) & (coarse < 0.03)).all()


@pytest.mark.parametrize("bad", [0, 0.0])
def test_noise_of_nothing_is_refused(bad):
    with pytest.raises(ValueError, match="'radius' .* must be a finite number above 0"):
        max_sensitivity(own, np.ones((1, 1, 4)), radius=bad)
