"""Records and their maps, as few bytes as a page needs to draw them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from sk_erts._lib.typing import Array, FloatArray, IntArray
from sk_erts.report._subject import Subject

__all__ = ["pack_records"]

# Bytes for all signals, and for all maps; a page of 10 MB has room for both.
SIGNAL_BYTES, MAP_BYTES = 5_500_000, 3_000_000
MOST_MAP_STEPS = 500
MOST_CLASSES = 6
# Of base64, per byte.
LONGER = 4 / 3


def pack_records(
    subject: Subject,
    chosen: Sequence[tuple[int, str]],
    methods: Sequence[str],
    names: Sequence[str],
    suspicion: FloatArray,
) -> list[dict[str, Any]]:
    """Return records with their maps, in the types of JSON.

    Parameters
    ----------
    subject : Subject
        Of the report.
    chosen : sequence of (row, kind)
        As `choose` returns them.
    methods : sequence of str
        Attribution methods.
    names : sequence of str
        What all records are called.
    suspicion : ndarray of shape (n_samples,)
        Of all records.

    Returns
    -------
    records : list of dict
        Signals as 16-bit numbers, maps as 8-bit numbers, in base64, with the value of
        1 (``scale``). The maps of a record and a method share a scale. Each record
        has those of its labels, of what was decided, and of the most probable classes:
        six at most. Where they would take too many bytes, neighbouring steps are
        averaged.
    """
    if not chosen:
        return []
    rows = np.array([row for row, _ in chosen])
    signals = subject.records.arrays(rows)
    shown = _classes_shown(subject, rows)
    maps = {method: _maps(subject, rows, shown, method) for method in methods}
    n_values = sum(signal.size for signal in signals)
    averaged = int(np.ceil(n_values * 2 * LONGER / SIGNAL_BYTES))
    n_maps = shown.size * sum(
        1 if of_method[0][0].ndim == 1 else len(of_method[0][0])
        for of_method in maps.values()
    )
    most = int(np.clip(MAP_BYTES / LONGER / max(n_maps, 1), 16, MOST_MAP_STEPS))
    decisions = subject.decisions
    confidence = decisions.confidence()
    return [
        {
            "name": names[row],
            "kind": kind,
            "true": _named(subject, decisions.true[row]),
            "decided": _named(subject, decisions.decided[row]),
            "right": bool((decisions.true[row] == decisions.decided[row]).all()),
            "confidence": float(confidence[row]),
            "suspicion": float(suspicion[row]),
            "n_times": int(signals[i].shape[1]),
            **_packed(_averaged(signals[i], averaged), np.int16),
            "classes": [
                {
                    "name": subject.classes[k],
                    "p": round(float(decisions.proba[row, k]), 4),
                }
                for k in shown[i]
            ],
            "maps": {
                method: _packed(
                    np.stack([_steps(own, most) for own in of_method[i]]), np.int8
                )
                for method, of_method in maps.items()
            },
        }
        for i, (row, kind) in enumerate(chosen)
    ]


def _classes_shown(subject: Subject, rows: IntArray) -> IntArray:
    """Return which classes are explained, (n, n_shown), the most probable first."""
    decisions = subject.decisions.of(rows)
    n_shown = min(MOST_CLASSES, len(subject.classes))
    rank = decisions.proba + 2.0 * decisions.decided + 4.0 * decisions.true
    shown = np.argsort(-rank, axis=1, kind="stable")[:, :n_shown]
    proba = np.take_along_axis(decisions.proba, shown, axis=1)
    order = np.argsort(-proba, axis=1, kind="stable")
    found: IntArray = np.take_along_axis(shown, order, axis=1)
    return found


def _maps(
    subject: Subject, rows: IntArray, shown: IntArray, method: str
) -> list[list[FloatArray]]:
    """Return maps of each class shown against its strongest rival, by record."""
    X = subject.X
    X = X.iloc[rows] if hasattr(X, "iloc") else subject.records.arrays(rows)
    labels: Array = np.asarray(subject.clf.classes_)
    by_rank = [
        subject.clf.explain(X, method, target=labels[column], contrast="rival")
        for column in shown.T
    ]
    return [[np.asarray(maps[i]) for maps in by_rank] for i in range(len(rows))]


def _named(subject: Subject, own: Array) -> list[str]:
    return [subject.classes[k] for k in np.flatnonzero(own)]


def _steps(own: FloatArray, most: int) -> FloatArray:
    """Return a map in at most so many steps."""
    return _averaged(own, int(np.ceil(own.shape[-1] / most)))


def _averaged(values: FloatArray, n: int) -> FloatArray:
    """Return the means of n neighbouring steps; the last step may be of fewer."""
    if n <= 1:
        return values
    starts = np.arange(0, values.shape[-1], n)
    counts = np.diff(np.append(starts, values.shape[-1]))
    means: FloatArray = np.add.reduceat(values, starts, axis=-1) / counts
    return means


def _packed(values: FloatArray, dtype: Any) -> dict[str, Any]:
    """Return numbers in base64, little-endian, with their shape and scale."""
    greatest = float(np.abs(values).max()) or 1.0
    scale = greatest / np.iinfo(dtype).max
    whole = np.round(values / scale).astype(np.dtype(dtype).newbyteorder("<"))
    return {
        "shape": list(whole.shape),
        "scale": float(f"{scale:.6g}"),
        "data": base64.b64encode(whole.tobytes()).decode("ascii"),
    }
