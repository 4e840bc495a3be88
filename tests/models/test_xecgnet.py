import numpy as np
import pytest
import torch

from sk_erts import ERTSClassifier
from sk_erts.models import XECGNet
from sk_erts.models._attention import Attended, attention_distance
from tests.conftest import bumps


def attended(attention, responses, steps=None):
    """Return what a forward pass might have returned."""
    attention, responses = (
        torch.as_tensor(each, dtype=torch.float32) for each in (attention, responses)
    )
    n, n_steps = attention.shape
    steps = torch.full((n,), n_steps) if steps is None else torch.tensor(steps)
    return Attended(torch.zeros(n, responses.shape[1]), attention, responses, steps)


class TestDistance:
    def test_it_is_that_of_the_formula(self):
        # Two labels: (0, 2, 4) has the shape (0, 0.5, 1), (3, -1, 0) that of (1, 0, 0).
        responses = [[[0, 2, 4], [3, -1, 0], [9, 9, 9]]]
        output = attended([[0.5, 0.5, 0.0]], responses)
        one = attention_distance(output, torch.tensor([0]))
        assert one.item() == pytest.approx(np.sqrt((0.25 + 0 + 1) / 3))
        both = attention_distance(output, torch.tensor([[1.0, 1.0, 0.0]]))
        assert both.item() == pytest.approx(np.sqrt((0 + 0.25**2 + 0.25) / 3))

    def test_attention_like_the_mean_response_costs_nothing(self):
        attention = torch.tensor([[0.5, 0.25, 0.5]], requires_grad=True)
        output = attended([[0.0] * 3], [[[0, 2, 4], [3, -1, 0]]])
        output = output._replace(attention=attention)
        distance = attention_distance(output, torch.ones(1, 2))
        assert distance.item() == 0
        distance.sum().backward()
        assert attention.grad.isfinite().all()

    def test_how_confident_a_label_is_does_not_matter(self):
        responses = torch.rand(4, 3, 10, generator=torch.Generator().manual_seed(0))
        codes = torch.tensor([[1.0, 1, 0], [0, 1, 1], [1, 0, 0], [1, 1, 1]])
        scale = torch.tensor([1.0, 7.0, 0.1])[:, None]
        attention = torch.full((4, 10), 0.5)
        found, scaled = (
            attention_distance(attended(attention, each), codes)
            for each in (responses, responses * scale)
        )
        torch.testing.assert_close(found, scaled)

    def test_labels_without_evidence_or_records_without_labels_have_no_say(self):
        responses = [[[-1, -2], [0, 1]]] * 3
        output = attended([[0.5, 0.5]] * 3, responses)
        codes = torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
        both, without, none = attention_distance(output, codes)
        assert both == attention_distance(output, torch.tensor([1, 1, 1]))[0] > 0
        assert without == none == 0

    def test_padding_does_not_make_a_record_weigh_less(self):
        short = attended([[0.5, 0.5]], [[[1, 0]]])
        padded = attended([[0.5, 0.5, 0, 0]], [[[1, 0, 0, 0]]], steps=[2])
        codes = torch.tensor([0])
        assert attention_distance(short, codes) == attention_distance(padded, codes)

    def test_the_reference_is_held_fixed(self):
        responses = torch.rand(1, 2, 5, requires_grad=True)
        attention = torch.rand(1, 5, requires_grad=True)
        output = Attended(torch.zeros(1, 2), attention, responses, torch.tensor([5]))
        attention_distance(output, torch.tensor([1])).sum().backward()
        assert responses.grad is None
        assert attention.grad.abs().sum() > 0


def test_the_term_is_part_of_the_loss_by_its_weight():
    network = XECGNet(2, 3, width=4, attention_weight=0.5)
    codes = torch.tensor([0, 1, 2, 0])
    output = network(torch.randn(4, 2, 200))
    penalty = network.penalty(output, codes)
    assert penalty.shape == (4,)
    assert penalty.sum() > 0
    torch.testing.assert_close(penalty, 0.5 * attention_distance(output, codes))


def test_responses_are_the_class_activation_maps():
    network = XECGNet(2, 3, width=4)
    output = network(torch.randn(4, 2, 200))
    # The mean over time of the map is the logit without its bias.
    expected = output.responses.mean(dim=2) + network.head.linear.bias
    torch.testing.assert_close(output.logits, expected)


def test_logits_alone_in_evaluation_or_without_the_term():
    x = torch.randn(4, 2, 200)
    codes = torch.tensor([0, 1, 2, 0])
    for network in (XECGNet(2, 3, width=4).eval(), XECGNet(2, 3, attention_weight=0)):
        logits = network(x)
        assert logits.shape == (4, 3)
        assert network.penalty(logits, codes).tolist() == [0] * 4


def test_attention_weighs_what_the_last_block_reads():
    network = XECGNet(1, 2, width=4).eval()
    x = torch.randn(3, 1, 160)
    attention = network.attention_map(x)
    assert attention.shape == (3, 10)
    assert ((attention > 0) & (attention < 1)).all()
    before = network.features(x)
    network.attention.norm2.bias.data += 3
    assert (network.features(x) - before).abs().max() > 1e-3


def test_padding_has_no_part_in_a_training_step():
    x = torch.randn(3, 2, 64, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([64, 40, 9])

    def step(n_padded, behind):
        torch.manual_seed(0)
        network = XECGNet(2, 3, width=4)
        padded = torch.full((3, 2, n_padded), behind)
        padded[:, :, :64] = x
        for record, n in zip(padded, lengths, strict=True):
            record[:, n:] = behind
        output = network(padded, lengths)
        assert (output.attention[2, 1:] == 0).all()
        penalty = network.penalty(output, torch.tensor([0, 1, 2]))
        (output.logits.square().sum() + penalty.sum()).backward()
        return [*(p.grad for p in network.parameters()), *network.buffers()]

    for short, long in zip(step(64, 0.0), step(100, 7.0), strict=True):
        torch.testing.assert_close(short, long)


def mean_distance(clf, X, codes):
    """Return the distance of the two maps, with statistics of these records."""
    network = clf.net_.module_.train()
    with torch.no_grad():
        output = network(torch.from_numpy(X))
        distance = attention_distance(output, torch.from_numpy(codes)).mean().item()
    network.eval()
    return distance


@pytest.mark.parametrize("several", [False, True])
def test_a_classifier_trains_it_and_the_term_brings_the_maps_together(several, small):
    X, codes, _ = bumps(120)
    y = np.eye(3, dtype=np.float32)[codes] if several else codes
    y = y[:, :2] if several else y
    params = {k: v for k, v in small.items() if not k.startswith("module__")}
    params["max_epochs"] = 12
    distances = []
    for weight in (1e-6, 3.0):
        clf = ERTSClassifier(
            "xecgnet",
            **params,
            module__width=8,
            module__n_stages=2,
            module__attention_weight=weight,
        ).fit(X, y)
        assert clf.score(X, y) > 0.6
        distances.append(mean_distance(clf, X, y))
    assert distances[1] < 0.85 * distances[0]
    assert clf.explain(X[:5]).shape[0] == 5
    assert np.isfinite(clf.focus_score(X[:5], y[:5])).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"width": 0}, "'width' parameter of XECGNet must be .* at least 1. Got 0"),
        ({"n_stages": 0}, "'n_stages' .* at least 1"),
        ({"kernel_size": 4}, "'kernel_size' .* must be odd"),
        ({"attention_weight": -0.1}, "'attention_weight' .* at least 0. Got -0.1"),
    ],
)
def test_wrong_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        XECGNet(n_leads=1, n_classes=2, **params)
