"""Distances of distributions, against formulas that are computed independently."""

import numpy as np
import pytest
import torch
from scipy import integrate, linalg, stats
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from sk_erts.pretraining import _gaussians
from sk_erts.pretraining._gaussians import (
    DISTANCES,
    MOST_OFF,
    Gaussians,
    divergence,
    mismatch,
    similarity,
    spread,
)

N_DIMS = 5


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def drawn(n, seed=0):
    return Gaussians.of(2 * normal(n, 2 * N_DIMS, seed=seed))


A, B = drawn(7), drawn(4, seed=1)


def own(part, i):
    """Return one of them as numbers in double precision."""
    return part.mean[i].double().numpy(), part.var[i].double().numpy()


class TestTheirNumbers:
    def test_means_have_length_one_and_variances_bounds(self):
        outputs = 1e3 * normal(50, 2 * N_DIMS)
        found = Gaussians.of(outputs)
        torch.testing.assert_close(found.mean.norm(dim=1), torch.ones(50))
        off = found.log_var + np.log(N_DIMS)
        assert off.abs().max() <= MOST_OFF + 1e-5
        assert off.abs().max() > MOST_OFF - 0.1  # the bounds are reached
        assert found.n_dims == N_DIMS

    def test_outputs_of_zero_are_spread_as_a_point_on_the_sphere(self):
        found = Gaussians.of(torch.zeros(1, 2 * N_DIMS))
        torch.testing.assert_close(found.var.sum(), torch.tensor(1.0))
        assert torch.isfinite(found.mean).all()

    def test_the_first_half_of_the_outputs_are_means(self):
        outputs = torch.tensor([[3.0, 4.0, 0.5, -0.5]])
        found = Gaussians.of(outputs)
        torch.testing.assert_close(found.mean, torch.tensor([[0.6, 0.8]]))
        assert found.log_var[0, 0] > found.log_var[0, 1]

    def test_of_half_precision_they_are_read_in_single(self):
        found = Gaussians.of(normal(3, 4).bfloat16())
        assert (found.mean.dtype, found.var.dtype) == (torch.float32, torch.float32)

    def test_some_of_them(self):
        part = A.take(torch.tensor([4, 1]))
        torch.testing.assert_close(part.mean[0], A.mean[4])
        torch.testing.assert_close(part.var[1], A.var[1])


class TestExpectedLikelihood:
    def test_in_one_dimension_it_is_an_integral(self):
        a = Gaussians(torch.tensor([[1.0]]), torch.tensor([[-1.2]]))
        b = Gaussians(torch.tensor([[-0.4]]), torch.tensor([[0.7]]))
        densities = [stats.norm(float(g.mean), float(g.var) ** 0.5).pdf for g in (a, b)]
        overlap, _ = integrate.quad(
            lambda x: densities[0](x) * densities[1](x), -40, 40, points=[-0.4, 1.0]
        )
        # The constant: log(2 pi) of the density, log(d) of the scale.
        expected = np.log(overlap) + 0.5 * np.log(2 * np.pi)
        found = similarity(a, b, "expected_likelihood")
        np.testing.assert_allclose(found.item(), expected, rtol=1e-5)

    def test_in_several_it_is_the_density_of_their_difference(self):
        found = similarity(A, B, "expected_likelihood")
        constant = 0.5 * np.log(2 * np.pi) - 0.5 * np.log(N_DIMS)
        for i in range(7):
            for j in range(4):
                (mean, var), (other, other_var) = own(A, i), own(B, j)
                joint = torch.diag(torch.from_numpy(var + other_var))
                both = MultivariateNormal(torch.from_numpy(other), joint)
                log_p = both.log_prob(torch.from_numpy(mean)).item()
                expected = log_p / N_DIMS + constant
                np.testing.assert_allclose(found[i, j], expected, rtol=1e-4, atol=1e-6)

    def test_pieces_are_as_good_as_the_whole(self, monkeypatch):
        reports = drawn(300, seed=2)
        cut = similarity(A, reports, "expected_likelihood")
        assert cut.shape == (7, 300)
        monkeypatch.setattr(_gaussians, "N_AT_ONCE", 1000)
        whole = similarity(A, reports, "expected_likelihood")
        assert torch.equal(cut, whole)


class TestWasserstein:
    def test_it_is_half_of_the_squared_distance(self):
        found = similarity(A, B, "wasserstein")
        for i in range(7):
            for j in range(4):
                (mean, var), (other, other_var) = own(A, i), own(B, j)
                root = linalg.sqrtm(np.diag(var))
                cross = linalg.sqrtm(root @ np.diag(other_var) @ root)
                apart = np.trace(np.diag(var) + np.diag(other_var) - 2 * cross)
                squared = ((mean - other) ** 2).sum() + apart
                # Means have length 1: |a - b|^2 / 2 = 1 - ab.
                np.testing.assert_allclose(found[i, j], 1 - 0.5 * squared, rtol=1e-4)

    def test_in_one_dimension_it_is_that_of_sorted_draws(self):
        a = Gaussians(torch.tensor([[1.0]]), torch.tensor([[-1.2]]))
        b = Gaussians(torch.tensor([[-1.0]]), torch.tensor([[0.7]]))
        p = (np.arange(200_000) + 0.5) / 200_000
        one, other = (
            stats.norm(float(g.mean), float(g.var) ** 0.5).ppf(p) for g in (a, b)
        )
        expected = 1 - 0.5 * np.mean((one - other) ** 2)
        found = similarity(a, b, "wasserstein").item()
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_angle_knows_no_variances():
    found = similarity(A, B, "cosine")
    expected = [[own(A, i)[0] @ own(B, j)[0] for j in range(4)] for i in range(7)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    wider = Gaussians(A.mean, A.log_var + 1)
    assert torch.equal(similarity(wider, B, "cosine"), found)


@pytest.mark.parametrize("distance", DISTANCES)
class TestAny:
    def test_pairs_are_the_diagonal(self, distance):
        reports = drawn(7, seed=3)
        whole = similarity(A, reports, distance)
        paired = similarity(A, reports, distance, paired=True)
        torch.testing.assert_close(paired, whole.diagonal())

    def test_it_has_no_direction(self, distance):
        found = similarity(A, B, distance)
        torch.testing.assert_close(similarity(B, A, distance).T, found)

    def test_its_gradient_is_that_of_differences(self, distance):
        outputs = normal(2, 2 * N_DIMS)

        def near(outputs):
            # Single precision is what outputs are read in.
            return similarity(Gaussians.of(outputs), B, distance).sum()

        outputs.requires_grad_()
        (found,) = torch.autograd.grad(near(outputs), outputs)
        for place in [(0, 0), (1, N_DIMS), (0, 2 * N_DIMS - 1)]:
            step = torch.zeros_like(outputs)
            step[place] = 1e-2
            rise = (near(outputs + step) - near(outputs - step)) / 2e-2
            torch.testing.assert_close(found[place], rise, atol=2e-3, rtol=2e-2)


def test_the_divergence_is_that_of_torch():
    for i, found in enumerate(divergence(A)):
        mean, var = own(A, i)
        parts = kl_divergence(
            Normal(torch.from_numpy(mean), torch.from_numpy(var).sqrt()),
            Normal(0.0, N_DIMS**-0.5),
        )
        np.testing.assert_allclose(found, parts.mean(), rtol=1e-4)


def test_the_divergence_is_least_for_variances_as_of_a_point_on_the_sphere():
    usual = Gaussians.of(torch.cat([normal(1, 5), torch.zeros(1, 5)], dim=1))
    for off in (-0.5, 0.5):
        other = Gaussians(usual.mean, usual.log_var + off)
        assert divergence(other) > divergence(usual) + 0.05


def test_the_loss_of_views_is_the_likelihood_of_their_difference():
    other = drawn(7, seed=4)
    expected = -similarity(A, other, "expected_likelihood").diagonal()
    torch.testing.assert_close(spread(A, other), expected)


class TestMismatch:
    def test_it_is_written_out(self):
        other = drawn(7, seed=4)
        for i, found in enumerate(mismatch(A, other)):
            (mean, var), (mean_2, var_2) = own(A, i), own(other, i)
            expected = np.mean((mean - mean_2) ** 2 / (var + var_2))
            np.testing.assert_allclose(found, expected, rtol=1e-4)

    def test_it_is_one_where_pairs_are_as_far_apart_as_they_say(self):
        rng = np.random.default_rng(0)
        n, d = 400, 64
        log_var = rng.normal(-4, 1, size=(n, d))
        sd = np.exp(0.5 * log_var)
        draws = [rng.normal(size=(n, d)) * sd for _ in range(2)]
        pair = [
            Gaussians(torch.from_numpy(x), torch.from_numpy(log_var)) for x in draws
        ]
        # A mean of n d squares of standard normals has variance 2 / (n d).
        bound = 5 * np.sqrt(2 / (n * d))
        assert abs(mismatch(*pair).mean().item() - 1) < bound
