"""Begin records earlier or later."""

import numpy as np

from sk_erts._lib.checks import check_frequency, check_number
from sk_erts._lib.typing import FloatArray
from sk_erts.augmentation._augmentation import Augmentation

__all__ = ["TimeShift"]


class TimeShift(Augmentation):
    """Move records in time; what leaves at one end comes in at the other.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz.
    largest_s : float, default=0.5
        Largest shift to either side, in seconds.
    probability : float, default=0.5
        Of a record to be changed.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.augmentation import TimeShift
    >>> X = np.arange(5, dtype=np.float32)[np.newaxis, np.newaxis]
    >>> shift = TimeShift(fs=1, largest_s=2, probability=1)
    >>> shift(X, np.random.default_rng(3)).tolist()
    [[[2.0, 3.0, 4.0, 0.0, 1.0]]]
    """

    def __init__(
        self, fs: float, largest_s: float = 0.5, probability: float = 0.5
    ) -> None:
        super().__init__(probability)
        self.fs = fs
        self.largest_s = largest_s

    def _check(self) -> None:
        check_frequency(self, self.fs)
        check_number(self, "largest_s", self.largest_s, least=0)

    def _augment(self, X: FloatArray, rng: np.random.Generator) -> FloatArray:
        n_samples, _, n_times = X.shape
        largest = round(self.largest_s * self.fs)
        shift = rng.integers(-largest, largest, endpoint=True, size=(n_samples, 1, 1))
        source = (np.arange(n_times) - shift) % n_times  # (n, 1, times)
        return np.take_along_axis(X, source, axis=2)
