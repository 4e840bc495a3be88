"""Pairs that many tests share: beats, and what a report says of them."""

import numpy as np
import pytest

from sk_erts.datasets import make_ecg
from sk_erts.pretraining import ECGTextPretrainer
from tests.conftest import bumps

# A network and an encoder that train in a fraction of a second, in all phases, with
# all parts of the loss.
TINY = {
    "module__width": 4,
    "module__blocks": (1, 1),
    "module__kernel_size": 5,
    "n_dims": 8,
    "views": 0.1,
    "masked_signal": 0.1,
    "masked_words": 0.1,
    "max_epochs": 4,
    "batch_size": 16,
    "warmup_epochs": 1,
    "looks__first_step": 0,
    "confidence_threshold": 0.3,
    "lr": 0.01,
    "random_state": 0,
    "verbose": 0,
}
OF_NETWORK = {name: value for name, value in TINY.items() if "module" not in name}
# In one report alone, and no word of it in another.
SECRET = "Palpitations since childhood, worse after Tuesday."
WORDS = {"NORM": "Narrow QRS complexes.", "BBB": "Wide QRS complexes."}


def pairs(n=48):
    """Return records with one bump each, and reports that tell its height and place."""
    X, codes, centre = bumps(n)
    heights = np.array(["A low", "No", "A high"])[codes]
    places = np.array(["Early.", "Late."])[(centre > 32).astype(int)]
    reports = [f"{h} bump. {p}" for h, p in zip(heights, places, strict=True)]
    reports[5] = f"{reports[5]} {SECRET}"
    return X, reports


def make(**params):
    """Return a tiny pretrainer, not fitted."""
    return ECGTextPretrainer(**TINY | params)


def ecg(n, seed=0):
    """Return synthetic ECG, and its classes."""
    kinds = {"n_leads": 2, "duration_s": 3, "classes": tuple(WORDS)}
    return make_ecg(n, random_state=seed, **kinds)


def reports_of(y):
    """Return what is written under records of these classes."""
    return [f"Sinus rhythm. {WORDS[label]}" for label in y]


@pytest.fixture(scope="session")
def data():
    return pairs()


@pytest.fixture(scope="session")
def fitted(data):
    return make().fit(*data)
