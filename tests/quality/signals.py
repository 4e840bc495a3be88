"""Signals whose quality is known."""

import numpy as np

FS = 100


def sine(frequency, height=1.0, fs=FS, duration_s=10, n_leads=1):
    """Return one record of sines with random phases, (1, n_leads, n_times)."""
    t = np.arange(round(duration_s * fs)) / fs
    phase = np.random.default_rng(0).uniform(0, 2 * np.pi, size=(1, n_leads, 1))
    return height * np.sin(2 * np.pi * frequency * t + phase)
