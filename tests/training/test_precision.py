"""Half the bits where they pay: chosen once, and only if close enough."""

import numpy as np
import pytest
import torch

from sk_erts._training.precision import ScoringPrecision
from sk_erts.selection import _precision

CPU = torch.device("cpu")


def dtype_inside(precision, confidences=lambda: np.zeros(1)):
    with precision(confidences):
        return torch.nn.functional.linear(torch.ones(1, 2), torch.ones(1, 2)).dtype


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(_precision, "bfloat16_pays", lambda device: True)


def confidences(error):
    """Return a look whose result is off by `error` under autocast."""
    return lambda: np.array([0.5 + error * torch.is_autocast_enabled("cpu"), 0.2])


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_what_is_wanted_is_taken_without_a_look(name):
    def look():
        raise AssertionError("looked")

    assert dtype_inside(ScoringPrecision(name, CPU), look) == getattr(torch, name)


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(
    ("error", "expected"),
    [(0.0, torch.bfloat16), (0.04, torch.bfloat16), (0.06, torch.float32)],
)
def test_auto_is_fast_where_it_is_close(error, expected):
    assert dtype_inside(ScoringPrecision("auto", CPU), confidences(error)) == expected


def test_auto_is_exact_where_the_processor_is_no_faster(monkeypatch):
    monkeypatch.setattr(_precision, "bfloat16_pays", lambda device: False)
    precision = ScoringPrecision("auto", CPU)
    assert dtype_inside(precision, confidences(0.0)) == torch.float32


@pytest.mark.usefixtures("fast")
def test_the_choice_is_made_once():
    precision = ScoringPrecision("auto", CPU)
    dtype_inside(precision, confidences(0.0))
    assert dtype_inside(precision, confidences(1.0)) == torch.bfloat16


@pytest.mark.parametrize(
    ("half", "pays"), [(0.5, True), (0.89, True), (0.91, False), (3.0, False)]
)
def test_a_tenth_faster_pays(monkeypatch, half, pays):
    seconds = {torch.float32: 1.0, torch.bfloat16: half}
    monkeypatch.setattr(_precision, "_time_convolution", seconds.get)
    assert _precision.bfloat16_pays.__wrapped__("cpu") == pays
