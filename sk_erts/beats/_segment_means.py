"""Attributions of single beats, averaged by class and part of the beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sk_erts._lib.checks import as_numbers, check_choice, check_choices, is_int, refuse
from sk_erts.beats._many import check_same_length

__all__ = ["segment_means"]

STATISTICS = ("mean", "std", "count")


def segment_means(
    attributions: Any,
    y: Any,
    n_segments: Any = 11,
    *,
    statistics: str | Sequence[str] = "mean",
) -> Any:
    """Cut beats in parts of equal length and average attributions by class and part.

    Parameters
    ----------
    attributions : array-like of shape (n_beats, n_times) or (n_beats, n_leads, n_times)
        Signed attributions of beats that are aligned, such as those of
        `~sk_erts.datasets.load_mitbih`; leads are averaged.
    y : array-like of shape (n_beats,)
        Class of each beat.
    n_segments : int, default=11
        In how many parts each beat is cut. Where the number of time steps is no
        multiple of it, the first parts are one step longer than the others.
    statistics : {"mean", "std", "count"} or sequence of these, default="mean"
        What to return of the beats of a class: mean or sample standard deviation of
        their segments' averages, or how many they are.

    Returns
    -------
    means : pandas.DataFrame of n_classes rows
        Rows are the classes, sorted; columns are the segments, from 1. If `statistics`
        is a sequence, the columns have two levels: statistic and segment. The standard
        deviation of a single beat is NaN.

    Raises
    ------
    ValueError
        If attributions and classes do not fit each other, beats are shorter than
        `n_segments`, or a parameter is not what it must be.

    See Also
    --------
    beat_average : Aligns the beats of whole records.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts.beats import segment_means
    >>> attributions = np.array([[0.0, 2, 4, 4], [2, 4, 0, 0], [1, 1, 1, 3]])
    >>> segment_means(attributions, ["N", "N", "V"], n_segments=2)
    segment    1    2
    class
    N        2.0  2.0
    V        1.0  2.0
    >>> segment_means(attributions, ["N", "N", "V"], 2, statistics=["mean", "count"])
    statistic mean      count
    segment      1    2     1  2
    class
    N          2.0  2.0     2  2
    V          1.0  2.0     1  1
    """
    import pandas as pd

    owner = "segment_means"
    shapes = ("(n_beats, n_times)", "(n_beats, n_leads, n_times)")
    values = as_numbers(owner, "attributions", attributions, *shapes)
    check_same_length(owner, "y", y, "attributions", values)
    wanted = (
        (check_choice(owner, "statistics", statistics, STATISTICS),)
        if isinstance(statistics, str)
        else check_choices(owner, "statistics", statistics, STATISTICS)
    )
    n_times = values.shape[-1]
    if not is_int(n_segments) or not 1 <= n_segments <= n_times:
        whole = f"be an int from 1 to the {n_times} time steps of a beat"
        refuse(owner, "n_segments", whole, repr(n_segments))
    over_time = values.reshape(len(values), -1, n_times).mean(axis=1, dtype=np.float64)
    parts = np.array_split(over_time, int(n_segments), axis=1)
    # (n_beats, n_segments)
    means = np.stack([part.mean(axis=1) for part in parts], axis=1)
    columns = pd.RangeIndex(1, len(parts) + 1, name="segment")
    frame = pd.DataFrame(means, columns=columns)
    groups = frame.groupby(pd.Index(np.asarray(y), name="class"))
    found = {statistic: getattr(groups, statistic)() for statistic in wanted}
    if isinstance(statistics, str):
        return found[statistics]
    return pd.concat(found, axis=1, names=["statistic"])
