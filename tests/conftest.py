"""Data that many tests share: beats whose class is plain to see."""

import os
import signal
import sys

import numpy as np
import pytest
from hypothesis import settings

# `make test` tries the same examples each time; `make fuzz` looks for new ones.
settings.register_profile("short", derandomize=True, deadline=None)
settings.register_profile("fuzz", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))


@pytest.fixture
def key_works():
    """Listen to SIGINT as a terminal does; jobs in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def bumps(n_samples, n_leads=2, n_times=64, n_classes=3, seed=0):
    """Return records with one bump each, whose height tells the class.

    The third value is where in time the bump is.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(scale=0.1, size=(n_samples, n_leads, n_times)).astype(np.float32)
    codes = np.arange(n_samples) % n_classes
    rng.shuffle(codes)
    centre = rng.integers(8, n_times - 8, size=n_samples)
    heights = np.linspace(-1, 1, n_classes)
    for i, (code, t) in enumerate(zip(codes, centre, strict=True)):
        X[i, 0, t - 4 : t + 5] += heights[code] * np.hanning(9)
    return X, codes, centre


def hide(monkeypatch, *packages):
    """Let packages seem not to be installed."""

    class Hidden:
        def find_spec(self, name, path=None, target=None):
            package = name.partition(".")[0]
            if package in packages:
                raise ModuleNotFoundError(f"No module named {name!r}", name=package)

    for name in list(sys.modules):
        if name.partition(".")[0] in packages:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Hidden(), *sys.meta_path])


@pytest.fixture(scope="session")
def records():
    X, codes, _ = bumps(120)
    return X, np.array(["AFIB", "NORM", "PVC"])[codes]


# The papers' filter, by the map.
BY_MAP = {"confidence_threshold": 0.3, "focus": "top_mass", "focus_threshold": 0.2}


@pytest.fixture(scope="session")
def small():
    """Parameters of a network that trains in a fraction of a second, in all phases."""
    return {
        "module__width": 8,
        "module__blocks": (1, 1),
        "module__kernel_size": 5,
        "max_epochs": 6,
        "lr": 0.01,
        "batch_size": 32,
        "warmup_epochs": (1, 1),
        "looks__first_step": 0,
        "lr_schedule": "constant",
        "revision_epochs": 1,
        "random_state": 0,
        "verbose": 0,
    }
