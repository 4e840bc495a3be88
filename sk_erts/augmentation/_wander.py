"""Add a baseline that wanders."""

import numpy as np

from sk_erts._lib.checks import check_frequency, check_number
from sk_erts._lib.typing import FloatArray
from sk_erts.augmentation._augmentation import Augmentation

__all__ = ["AddWander"]

# Breathing, and electrodes that warm up and slip.
LOWEST_HZ, HIGHEST_HZ = 0.05, 0.5


class AddWander(Augmentation):
    """Add a slow wave of 0.05 to 0.5 Hz to each lead, as breathing does.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz.
    largest : float, default=0.2
        Amplitude of the strongest wave, in the unit of the records. Each lead draws
        its own between minus and plus this; a record has one frequency and phase.
    probability : float, default=0.5
        Of a record to be changed.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.augmentation import AddWander
    >>> X = np.zeros((1, 2, 1000), dtype=np.float32)
    >>> wave = AddWander(fs=100, probability=1)(X, np.random.default_rng(0))
    >>> bool(0 < abs(wave).max() <= 0.2)
    True
    """

    def __init__(
        self, fs: float, largest: float = 0.2, probability: float = 0.5
    ) -> None:
        super().__init__(probability)
        self.fs = fs
        self.largest = largest

    def _check(self) -> None:
        check_frequency(self, self.fs)
        check_number(self, "largest", self.largest, least=0)

    def _augment(self, X: FloatArray, rng: np.random.Generator) -> FloatArray:
        n_samples, n_leads, n_times = X.shape
        frequency = rng.uniform(LOWEST_HZ, HIGHEST_HZ, size=(n_samples, 1, 1))
        phase = rng.uniform(0, 2 * np.pi, size=(n_samples, 1, 1))
        height = rng.uniform(-self.largest, self.largest, size=(n_samples, n_leads, 1))
        time_s = np.arange(n_times) / self.fs
        wave = height * np.sin(2 * np.pi * frequency * time_s + phase)
        return X + wave.astype(np.float32)
