"""The loss of pairs, against what is written out by hand."""

import copy

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn
from torch.nn import functional

from sk_erts.pretraining import PairFit
from sk_erts.pretraining._gaussians import (
    Gaussians,
    divergence,
    mismatch,
    similarity,
    spread,
)
from sk_erts.pretraining._pair_loss import Bank, PairLoss, SignalDecoder, Weights
from sk_erts.pretraining._pair_run import SHARE_LEFT_OUT, _left_out
from sk_erts.pretraining._text_encoders import TextEncoder
from sk_erts.selection import Known
from tests.pretraining.conftest import make, pairs

N_DIMS = 4
NONE = Weights(views=0, masked_signal=0, masked_words=0, divergence=0)
DISTANCES = ("cosine", "expected_likelihood", "wasserstein")


class Table(TextEncoder):
    """Encode texts by looking them up."""

    def __init__(self, n_texts):
        super().__init__()
        self.rows = nn.Parameter(normal(n_texts, 2 * N_DIMS, seed=1))

    def prepared(self, texts):
        return list(texts)

    def encode(self, prepared, index):
        return self.rows[torch.from_numpy(index)]


class Worded(Table):
    """Say for a second view something else, and what words cost."""

    def second_view(self, prepared, index):
        return self.encode(prepared, index) + 0.3, torch.tensor(2.0)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def loss_of(distance="expected_likelihood", weights=NONE, text=Table, decoder=None):
    return PairLoss(text(5), distance, weights, decoder)


CODES = torch.tensor([3, 1, 3, 0, 1, 3, 4])
OUTPUTS = normal(7, 2 * N_DIMS)


def near_of(loss, codes=CODES, outputs=OUTPUTS):
    """Return the scaled similarity of each record to the report of each pair."""
    reports = Gaussians.of(loss.text.rows[codes])
    near = similarity(Gaussians.of(outputs), reports, loss.distance)
    return (10.0 * near).detach().double().numpy()


@pytest.mark.parametrize("distance", DISTANCES)
class TestByHand:
    def test_a_record_finds_its_report(self, distance):
        """Whichever of the pairs with the same words it takes."""
        loss = loss_of(distance)
        loss(OUTPUTS, CODES)
        likely = np.exp(near_of(loss))
        for i, code in enumerate(CODES):
            own = (code == CODES).numpy()
            expected = likely[i, own].sum() / likely[i].sum()
            np.testing.assert_allclose(loss.told[i, 0], expected, rtol=1e-4)

    def test_the_loss_of_each_report(self, distance):
        """Half from record to report; half how far it is from its own records alike."""
        loss = loss_of(distance)
        found = loss(OUTPUTS, CODES).detach()
        likely = np.exp(near_of(loss))
        for code in CODES.unique():
            own = (code == CODES).numpy()
            towards = likely[:, own.argmax()] / likely[:, own.argmax()].sum()
            uneven = stats.entropy(own / own.sum(), towards)
            finds = likely[own][:, own].sum(axis=1) / likely[own].sum(axis=1)
            expected = 0.5 * (uneven - np.log(finds).mean())
            np.testing.assert_allclose(found[own].mean(), expected, rtol=1e-4)
            assert expected > 0

    def test_without_equal_reports_it_is_the_usual_one(self, distance):
        loss = loss_of(distance)
        codes = torch.tensor([2, 0, 4])
        found = loss(OUTPUTS[:3], codes).detach()
        near = torch.from_numpy(near_of(loss, codes, OUTPUTS[:3]))
        own = torch.arange(3)
        rows = functional.cross_entropy(near, own, reduction="none")
        columns = functional.cross_entropy(near.T, own, reduction="none")
        np.testing.assert_allclose(found, 0.5 * (rows + columns), rtol=1e-4)

    def test_the_order_of_pairs_does_not_matter(self, distance):
        loss = loss_of(distance)
        order = torch.tensor([4, 0, 6, 2, 1, 5, 3])
        found = loss(OUTPUTS, CODES)
        torch.testing.assert_close(loss(OUTPUTS[order], CODES[order]), found[order])


class TestItsParts:
    def test_how_pairs_fit(self):
        loss = loss_of()
        loss(OUTPUTS, CODES)
        reports = Gaussians.of(loss.text.rows[CODES])
        off = mismatch(Gaussians.of(OUTPUTS), reports)
        torch.testing.assert_close(loss.told[:, 1], torch.exp(-off / 2).detach())
        assert not loss.told.requires_grad

    def test_divergence_is_that_of_records_and_reports(self):
        plain, weighted = loss_of(), loss_of(weights=Weights(0, 0, 0, 0.3))
        reports = Gaussians.of(plain.text.rows[CODES])
        both = divergence(Gaussians.of(OUTPUTS)) + divergence(reports)
        expected = plain(OUTPUTS, CODES) + 0.3 * 0.5 * both
        torch.testing.assert_close(weighted(OUTPUTS, CODES), expected)

    def test_a_second_view(self):
        loss = loss_of(weights=Weights(0.2, 0, 0.7, 0), text=Worded)
        loss(OUTPUTS, CODES)
        other, x = normal(7, 2 * N_DIMS, seed=5), torch.zeros(7, 2, 8)
        left = torch.zeros(7, 8, dtype=torch.bool)
        found = loss.second_views(other, x[:, :0], x, left)
        reports = loss.text.rows[CODES]
        views = spread(Gaussians.of(OUTPUTS), Gaussians.of(other)).mean()
        views = (
            views + spread(Gaussians.of(reports), Gaussians.of(reports + 0.3)).mean()
        )
        torch.testing.assert_close(found, 0.2 * 0.5 * views + 0.7 * 2.0)

    @pytest.mark.parametrize(
        ("weights", "asks"),
        [
            (NONE, False),
            (Weights(0, 0, 0, 1), False),
            (Weights(1, 0, 0, 0), True),
            (Weights(0, 1, 0, 0), True),
            (Weights(0, 0, 1, 0), True),
        ],
    )
    def test_when_one_is_needed(self, weights, asks):
        assert weights.ask_second_view is asks

    def test_the_scale_is_learned_within_bounds(self):
        loss = loss_of()
        torch.testing.assert_close(loss.scale, torch.tensor(10.0))
        loss(OUTPUTS, CODES).sum().backward()
        assert loss.log_scale.grad.abs() > 0
        with torch.no_grad():
            loss.log_scale.fill_(50.0)
        assert loss.scale.item() == pytest.approx(100)


class TestSignals:
    N_SAMPLES, N_LEADS = 3, 2

    @pytest.fixture
    def decoder(self):
        torch.manual_seed(0)
        return SignalDecoder(4, self.N_LEADS, self.N_SAMPLES)

    def test_each_step_guesses_the_samples_around_it(self, decoder):
        with torch.no_grad():
            decoder.guess.weight.zero_()
            decoder.guess.bias.copy_(torch.arange(6.0))
        found = decoder(torch.zeros(1, 4, 4), 11)
        assert found.shape == (1, 2, 11)
        assert found[0, 0].tolist() == [0, 1, 2] * 3 + [0, 1]
        assert found[0, 1].tolist() == [3, 4, 5] * 3 + [3, 4]

    def test_steps_stay_in_order(self, decoder):
        with torch.no_grad():
            decoder.guess.weight.fill_(0.25)
            decoder.guess.bias.zero_()
        z = torch.arange(4.0).expand(1, 4, 4)
        assert decoder(z, 12)[0, 0].tolist() == np.repeat(range(4), 3).tolist()

    def cost(self, decoder, x, left, z=None):
        loss = loss_of(weights=Weights(0, 0.5, 0, 0), decoder=decoder)
        loss(OUTPUTS, CODES)
        z = torch.zeros(7, 4, 4) if z is None else z
        return loss.second_views(OUTPUTS, z, x, left).item() / 0.5

    def test_it_costs_the_share_of_the_energy_that_is_not_guessed(self, decoder):
        x, left = normal(7, 2, 12, seed=3), normal(7, 12, seed=4) > 0
        z = normal(7, 4, 4, seed=6)
        guessed = decoder(z, 12).detach().numpy()
        shares = []
        for signal, guess, there in zip(x.numpy(), guessed, left.numpy(), strict=True):
            off = ((guess - signal) ** 2)[:, there].sum()
            shares.append(off / ((signal**2)[:, there].sum() + 1e-3))
        found = self.cost(decoder, x, left, z)
        np.testing.assert_allclose(found, np.mean(shares), rtol=1e-5)

    def test_what_was_not_left_out_costs_nothing(self, decoder):
        x = normal(7, 2, 12, seed=3)
        left = torch.zeros(7, 12, dtype=torch.bool)
        assert self.cost(decoder, x, left) == 0
        left[:, :6] = True
        changed = x.clone()
        changed[:, :, 6:] += 100
        assert self.cost(decoder, x, left) == self.cost(decoder, changed, left)

    def test_a_flat_record_costs_little(self, decoder):
        left = torch.ones(7, 12, dtype=torch.bool)
        with torch.no_grad():
            decoder.guess.bias.zero_()
        assert self.cost(decoder, torch.zeros(7, 2, 12), left) == 0

    def test_a_share_of_time_is_left_out_in_pieces(self):
        torch.manual_seed(0)
        x = torch.zeros(2000, 1, 64)
        left = _left_out(x, 4)
        assert left.shape == (2000, 64)
        # 16 pieces of 4 steps would be 12 samples long: 6 pieces, the last one short.
        n_pieces = 2000 * 6
        share = left[:, ::12].float().mean().item()
        sd = np.sqrt(SHARE_LEFT_OUT * (1 - SHARE_LEFT_OUT) / n_pieces)
        assert abs(share - SHARE_LEFT_OUT) < 5 * sd
        changes = (left[:, 1:] != left[:, :-1]).nonzero()[:, 1] + 1
        assert set((changes % 12).tolist()) == {0}

    def test_even_of_the_shortest_record_some_is_kept(self):
        torch.manual_seed(0)
        left = _left_out(torch.zeros(500, 1, 2), 8)
        assert left.shape == (500, 2)
        assert 0 < left.float().mean() < 1


class TestALook:
    """What a look at records tells, over all the batches that they could be in."""

    COUNTS = np.array([40, 25, 20, 10, 5])

    @pytest.fixture
    def bank(self):
        loss = loss_of()
        # So that batches differ little in what there is to find, and the bound is
        # sharp.
        with torch.no_grad():
            loss.log_scale.fill_(np.log(2.0))
        reports = Gaussians.of(loss.text.rows.detach())

        def of(batch_size):
            return Bank(reports, torch.from_numpy(self.COUNTS).float(), batch_size)

        return loss, of

    def test_in_a_batch_of_all_it_is_what_a_step_tells(self, bank):
        loss, of = bank
        codes = torch.from_numpy(np.repeat(np.arange(5), self.COUNTS))
        outputs = normal(100, 2 * N_DIMS, seed=7)
        loss(outputs, codes)
        for batch_size in (100, 1000):
            found = loss.told_of(outputs, codes, of(batch_size))
            torch.testing.assert_close(found, loss.told, rtol=1e-4, atol=1e-6)

    def test_alone_in_a_batch_it_is_found(self, bank):
        loss, of = bank
        found = loss.told_of(OUTPUTS, CODES, of(1))
        torch.testing.assert_close(found[:, 0], torch.ones(7))

    @pytest.mark.parametrize("code", range(5))
    def test_it_is_the_mean_over_batches(self, bank, code):
        """With a for its own reports of all d there are in a batch, it is E a / E d.

        The mean of p = a / d is E a / E d - cov(p, d) / E d, and so is away from it by
        at most sd(p) sd(d) / E d, beside the error of a mean of draws.
        """
        loss, of = bank
        outputs, batch_size, n_draws = normal(1, 2 * N_DIMS, seed=8), 24, 3000
        reports = of(batch_size).reports
        near = 2.0 * similarity(Gaussians.of(outputs), reports, loss.distance)
        likely = near[0].detach().double().exp().numpy()
        rng = np.random.default_rng(0)
        others = self.COUNTS.copy()
        others[code] -= 1
        counts = rng.multivariate_hypergeometric(others, batch_size - 1, size=n_draws)
        counts[:, code] += 1
        d = counts @ likely
        p = counts[:, code] * likely[code] / d
        told = loss.told_of(outputs, torch.tensor([code]), of(batch_size))[0, 0].item()
        bound = p.std() * d.std() / d.mean() + 5 * p.std() / np.sqrt(n_draws)
        assert bound < 0.1 * told  # it says something
        assert abs(p.mean() - told) < bound
        # The ratio of means, which it is, to the error of draws.
        a = counts[:, code] * likely[code]
        error = (a - told * d).std() / d.mean() / np.sqrt(n_draws)
        assert abs(a.mean() / d.mean() - told) < 5 * error + 1e-6

    def test_a_step_tells_what_the_formula_says_of_its_batch(self, bank):
        loss, _ = bank
        counts = np.array([3, 1, 0, 2, 1])
        codes = torch.from_numpy(np.repeat(np.arange(5), counts))
        outputs = normal(1, 2 * N_DIMS, seed=8).expand(7, -1)
        loss(outputs, codes)
        reports = Gaussians.of(loss.text.rows.detach())
        near = 2.0 * similarity(Gaussians.of(outputs[:1]), reports, loss.distance)[0]
        weighted = counts * near.exp().numpy()
        expected = (weighted / weighted.sum())[codes]
        np.testing.assert_allclose(loss.told[:, 0], expected, rtol=1e-4)


class TestSteps:
    """A whole step of a real net."""

    @pytest.fixture
    def net(self, fitted):
        net = copy.deepcopy(fitted.net_)
        texts = sorted(set(pairs()[1]))
        net.criterion_.prepared = net.criterion_.text.prepared(texts)
        net.module_.train()
        net.criterion_.train()
        return net

    @pytest.fixture
    def batch(self):
        X, reports = pairs()
        _, codes = np.unique(reports[:16], return_inverse=True)
        return {"X": torch.from_numpy(X[:16])}, torch.from_numpy(codes)

    def test_a_second_view_reaches_all_parts_and_no_statistics(self, net, batch):
        net.module_.eval()
        net.criterion_(net.infer(batch[0]), batch[1])
        net.module_.train()
        before = {name: own.clone() for name, own in net.module_.named_buffers()}
        net.optimizer_.zero_grad()
        torch.manual_seed(0)
        net._second_views(batch[0]).backward()
        after = dict(net.module_.named_buffers())
        assert len(after) > 5
        assert all(torch.equal(own, after[name]) for name, own in before.items())
        parts = [
            net.module_.features,
            net.criterion_.decoder,
            net.criterion_.text.guess,
        ]
        for part in parts:
            assert all(own.grad.abs().sum() > 0 for own in part.parameters())

    def test_a_training_step_does_reach_statistics(self, net, batch):
        before = {name: own.clone() for name, own in net.module_.named_buffers()}
        net.infer(batch[0])
        after = dict(net.module_.named_buffers())
        assert not all(torch.equal(own, after[name]) for name, own in before.items())

    def test_validation_takes_no_second_look(self, net, batch):
        outputs = net.infer(batch[0])
        net.criterion_.text.eval()
        once = net.get_loss(outputs, batch[1], X=batch[0], training=False)
        expected = net.criterion_(outputs, batch[1]).mean()
        torch.testing.assert_close(once, expected)
        torch.manual_seed(0)
        more = net.get_loss(outputs, batch[1], X=batch[0], training=True)
        assert abs(more - once) > 1e-3


def test_a_look_knows_all_reports_as_they_are_encoded_now(monkeypatch):
    X, reports = pairs()
    texts, counts = np.unique(reports, return_counts=True)
    told_of, scales = PairLoss.told_of, []

    def spy(self, outputs, codes, bank):
        expected = Gaussians.of(self.text.outputs(texts.tolist()))
        torch.testing.assert_close(bank.reports.mean, expected.mean)
        torch.testing.assert_close(bank.reports.log_var, expected.log_var)
        assert (bank.counts.tolist(), bank.batch_size) == (counts.tolist(), 16)
        scales.append(self.scale.item())
        return told_of(self, outputs, codes, bank)

    monkeypatch.setattr(PairLoss, "told_of", spy)
    make(looks__reuse_scores=False).fit(X, reports)
    assert len(set(scales)) > 3  # before training, and as it went on


def test_the_judge_reads_the_fit():
    known = Known(np.array([1, 0]), np.array([[0.9, 0.2], [0.1, 0.6]]))
    assert PairFit().score(known).tolist() == [0.2, 0.6]
    assert PairFit().remembers
    assert not PairFit().reads_maps
