"""What the figures of a report do not say, as far as they themselves can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sk_erts._lib.typing import IntArray

__all__ = ["limits"]

# A class of fewer records has intervals too wide to conclude much from.
FEW_RECORDS = 30
# Probabilities that are off by more are no frequencies.
LARGE_ERROR = 0.05


def limits(
    *,
    classes: Sequence[str],
    counts: IntArray,
    seen_in_training: bool,
    has_groups: bool,
    has_metadata: bool,
    calibration_error: float,
) -> Iterator[str]:
    """Say what limits the figures.

    Parameters
    ----------
    classes : sequence of str
        Names of the classes.
    counts : int ndarray of shape (n_classes,)
        Records of each.
    seen_in_training : bool
        Whether they are those that the classifier was trained on.
    has_groups, has_metadata : bool
        Whether groups and metadata were given.
    calibration_error : float
        From 0 to 1.

    Yields
    ------
    sentence : str
        The gravest first.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.report._card import limits
    >>> said = limits(
    ...     classes=["NORM", "MI"],
    ...     counts=np.array([300, 12]),
    ...     seen_in_training=False,
    ...     has_groups=True,
    ...     has_metadata=True,
    ...     calibration_error=0.01,
    ... )
    >>> next(said)
    'Few records: MI (12). What is said of such a class is uncertain.'
    """
    if seen_in_training:
        yield (
            "These are the records that the classifier was trained on. Every figure "
            "is better than it will be on new records."
        )
    few = [
        f"{name} ({count})"
        for name, count in zip(classes, counts, strict=True)
        if 0 < count < FEW_RECORDS
    ]
    if few:
        which = ", ".join(few)
        yield f"Few records: {which}. What is said of such a class is uncertain."
    none = [name for name, count in zip(classes, counts, strict=True) if count == 0]
    if none:
        yield f"No record of {', '.join(none)}: nothing is known of how it is found."
    if not has_groups:
        yield (
            "No groups were given, so each record counts for itself. If patients have "
            "several records, the intervals are too narrow."
        )
    if not has_metadata:
        yield "No metadata was given: no subgroup of patients was looked at."
    if calibration_error > LARGE_ERROR:
        yield (
            f"Probabilities are off by {calibration_error:.2f} on average: they rank "
            "records, and are no frequencies."
        )
    yield (
        "All figures hold for records like these: the same devices, the same wards, "
        "the same share of each class. Predictive values change with that share."
    )
