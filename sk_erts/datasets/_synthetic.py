"""Synthetic ECG whose evidence is known."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch, check_random_state

from sk_erts._lib.checks import (
    check_choices,
    check_count,
    check_frequency,
    check_number,
    refuse,
)
from sk_erts.datasets._beats import CLASS_PATTERNS, Morphology, draw_morphology
from sk_erts.datasets._fibrillation import draw_fibrillation, fibrillation
from sk_erts.datasets._leads import INDEPENDENT_LEADS, choose_leads, lead_matrix
from sk_erts.datasets._noise import (
    Corruption,
    add_interference,
    draw_corruption,
    flatten_lost_leads,
)
from sk_erts.datasets._packed import open_npy, write_npy
from sk_erts.datasets._rhythm import Rhythm, breathing, draw_rhythm, r_peak_steps
from sk_erts.datasets._waves import beat_grid, evidence_mask, wave_signals

# Time steps worked on at once: bounds the memory of intermediate arrays, which are
# about forty floats for each time step.
_CHUNK_STEPS = 2**17

_OWNER = "make_ecg"

_Signals = NDArray[np.float32]
_Labels = NDArray[np.str_]


@dataclass(frozen=True)
class _Hearts:
    """What is drawn of all records before the first signal is made."""

    y_true: _Labels
    rhythm: Rhythm
    shape: Morphology
    atria: NDArray[np.float64]
    swing: NDArray[np.float64]  # of the size, with breath
    white_mv: NDArray[np.float32]
    damage: Corruption


@overload
def make_ecg(
    n_samples: int = ...,
    n_leads: int = ...,
    fs: float = ...,
    duration_s: float = ...,
    *,
    classes: Sequence[str] = ...,
    noise: float = ...,
    label_noise: float = ...,
    random_state: int | np.random.RandomState | None = ...,
    return_evidence: Literal[False] = ...,
    out: str | os.PathLike[str] | None = ...,
) -> tuple[_Signals, _Labels]: ...


@overload
def make_ecg(
    n_samples: int = ...,
    n_leads: int = ...,
    fs: float = ...,
    duration_s: float = ...,
    *,
    classes: Sequence[str] = ...,
    noise: float = ...,
    label_noise: float = ...,
    random_state: int | np.random.RandomState | None = ...,
    return_evidence: Literal[True],
    out: str | os.PathLike[str] | None = ...,
) -> tuple[_Signals, _Labels, Bunch]: ...


def make_ecg(
    n_samples: int = 100,
    n_leads: int = 12,
    fs: float = 100,
    duration_s: float = 10.0,
    *,
    classes: Sequence[str] = ("NORM", "AFIB", "BBB", "STE", "HYP", "PVC"),
    noise: float = 0.0,
    label_noise: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
    return_evidence: bool = False,
    out: str | os.PathLike[str] | None = None,
) -> tuple[_Signals, _Labels] | tuple[_Signals, _Labels, Bunch]:
    """Make synthetic ECG records of six kinds of heart.

    Beats are sums of Gaussian waves, in the manner of [1]_, projected on the leads.
    Heart rate, electrical axis, sizes and widths vary from record to record, and
    bundle branch block, ST elevation and hypertrophy come in degrees, so that classes
    overlap somewhat.

    Parameters
    ----------
    n_samples : int, default=100
        Number of records.
    n_leads : int, default=12
        Number of leads, 1 to 12, taken in the order II, V1, V5, I, V3, V2, V4, V6,
        aVF, aVL, III, aVR and returned in the standard order: 1 gives II; 2 gives II
        and V1; 8 gives the independent leads I, II, V1 to V6.
    fs : float, default=100
        Sampling frequency in Hz.
    duration_s : float, default=10.0
        Length of each record in s.
    classes : sequence of str, default=("NORM", "AFIB", "BBB", "STE", "HYP", "PVC")
        Classes to draw from, each as often as the others (the first ones once more
        where the division leaves a remainder): normal; atrial fibrillation; bundle
        branch block, left or right; ST elevation, anterior, inferior or lateral;
        left ventricular hypertrophy; premature ventricular contractions.
    noise : float, default=0.0
        Share of records that are spoilt, each by one of baseline wander ("wander"),
        muscle noise ("muscle"), moving electrodes ("motion") or flat leads
        ("lost_leads"). All records have white noise of 5 to 20 microvolt.
    label_noise : float, default=0.0
        Share of records whose label is flipped to another of the classes.
    random_state : int, RandomState instance or None, default=None
        Source of randomness; an int makes the call reproducible.
    return_evidence : bool, default=False
        Whether to return the third value.
    out : path-like, default=None
        File to write the records to, piece by piece, and to open as `open_records`
        does: for more records than fit in memory. Its name should end in ``.npy``, and
        there must be no such file. It appears when it is whole.

    Returns
    -------
    X : ndarray of shape (n_samples, n_leads, n_times), dtype float32
        Records in mV; ``n_times`` is ``fs * duration_s``, rounded. With `out`, the same
        ones in a memory map.
    y : ndarray of shape (n_samples,), dtype str
        Labels.
    evidence : :class:`~sklearn.utils.Bunch`
        Only if ``return_evidence`` is true, with the attributes:

        mask : ndarray of shape (n_samples, n_times), dtype bool
            Where in time the true class can be seen (see Notes).
        corrupted : ndarray of shape (n_samples,), dtype bool
            Whether the record is spoilt.
        corruption : ndarray of shape (n_samples,), dtype str
            Kind of damage, or "".
        flipped : ndarray of shape (n_samples,), dtype bool
            Whether ``y`` differs from the true class.
        y_true : ndarray of shape (n_samples,), dtype str
            True classes.
        lead_names : tuple of str
            Names of the leads.
        r_peaks : list of ndarray of shape (n_beats,), dtype int64
            Time steps of the R peaks of each record.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or ``label_noise`` is given with a single
        class.
    FileExistsError
        If there is a file `out`.

    See Also
    --------
    load_ptbxl : Load real records from disk.
    to_memmap : Write any records to a file.

    Notes
    -----
    The evidence is, for NORM, P, QRS and T of every beat, as all of them together make
    a normal record; for AFIB the stretches from the end of T to the next QRS, where P
    is missing; for BBB each QRS; for STE each ST segment; for HYP each QRS with its ST
    and T (voltage and strain); for PVC QRS and T of the premature beats alone. Damage
    does not change it, nor does a flipped label. A record shorter than about two beats
    may hold no evidence.

    III = II - I, aVR = -(I + II)/2, aVL = I - II/2 and aVF = II - I/2 hold for noise
    too, lost leads excepted. A call with fewer leads returns the same leads as a call
    with more, but for which leads are lost.

    With `out`, memory holds a piece of the signals at a time, but for every record its
    label, rate and wave shapes (about 3 KB while they are drawn), and the evidence if
    it is asked for: one byte per time step.

    References
    ----------
    .. [1] McSharry et al., "A dynamical model for generating synthetic
       electrocardiogram signals", IEEE Trans. Biomed. Eng. 50 (2003),
       doi:10.1109/TBME.2003.808805

    Examples
    --------
    >>> from sk_erts.datasets import make_ecg
    >>> X, y, evidence = make_ecg(
    ...     n_samples=6, noise=0.5, random_state=0, return_evidence=True
    ... )
    >>> X.shape, X.dtype
    ((6, 12, 1000), dtype('float32'))
    >>> sorted(y.tolist())
    ['AFIB', 'BBB', 'HYP', 'NORM', 'PVC', 'STE']
    >>> evidence.mask.shape, int(evidence.corrupted.sum())
    ((6, 1000), 3)
    """
    check_count(_OWNER, "n_samples", n_samples)
    check_count(_OWNER, "n_leads", n_leads, 1, 12)
    n_times = _count_times(fs, duration_s)
    check_number(_OWNER, "noise", noise, least=0, most=1)
    check_number(_OWNER, "label_noise", label_noise, least=0, most=1)
    names = _check_classes(classes, label_noise)

    # One stream for each purpose: noise, flips or leads do not move the heart beats.
    seeds = check_random_state(random_state).randint(2**31 - 1, size=6)
    labels_rng, heart_rng, white_rng, damage_rng, muscle_rng, flip_rng = map(
        np.random.default_rng, seeds
    )
    true = labels_rng.permutation(np.arange(n_samples) % len(names))
    y_true = names[true]
    flipped = np.zeros(n_samples, dtype=bool)
    flipped[flip_rng.permutation(n_samples)[: round(label_noise * n_samples)]] = True
    shift = flip_rng.integers(1, max(len(names), 2), n_samples)
    y = names[np.where(flipped, (true + shift) % len(names), true)]

    lead_names = choose_leads(n_leads)
    rhythm = draw_rhythm(y_true == "AFIB", y_true == "PVC", n_times / fs, heart_rng)
    hearts = _Hearts(
        y_true=y_true,
        rhythm=rhythm,
        shape=draw_morphology(y_true, rhythm.mean_rr, heart_rng),
        atria=draw_fibrillation(n_samples, heart_rng),
        swing=heart_rng.uniform(0.0, 0.08, (n_samples, 1)),
        white_mv=heart_rng.uniform(0.005, 0.02, (n_samples, 1, 1)).astype(np.float32),
        damage=draw_corruption(
            n_samples, round(noise * n_samples), n_leads, n_times / fs, damage_rng
        ),
    )
    mask = np.empty((n_samples, n_times), dtype=bool) if return_evidence else None
    pieces = _pieces(hearts, n_times, fs, lead_names, white_rng, muscle_rng, mask)
    shape = (n_samples, n_leads, n_times)
    if out is None:
        X = np.empty(shape, dtype=np.float32)
        for part, piece in zip(_chunks(n_samples, n_times), pieces, strict=True):
            X[part] = piece
    else:
        write_npy(out, np.dtype(np.float32), shape, pieces)
        X = open_npy(out)

    if not return_evidence:
        return X, y
    evidence = Bunch(
        mask=mask,
        corrupted=hearts.damage.kind != "",
        corruption=hearts.damage.kind,
        flipped=flipped,
        y_true=y_true,
        lead_names=lead_names,
        r_peaks=r_peak_steps(rhythm, n_times, fs),
    )
    return X, y, evidence


def _count_times(fs: Any, duration_s: Any) -> int:
    """Return the number of time steps of a record, or say that there is none."""
    seconds = check_number(_OWNER, "duration_s", duration_s, above=0)
    n_times = round(check_frequency(_OWNER, fs) * seconds)
    if n_times < 1:
        got = f"{duration_s!r} s at fs={fs!r} Hz"
        refuse(_OWNER, "duration_s", "give at least one time step", got)
    return n_times


def _check_classes(classes: Any, label_noise: float) -> _Labels:
    """Return the classes as an array, or say what is wrong with them."""
    names = check_choices(_OWNER, "classes", classes, CLASS_PATTERNS)
    if len(set(names)) < len(names):
        refuse(_OWNER, "classes", "be distinct names", repr(names))
    if label_noise > 0 and len(names) == 1:
        wanted = "be 0 with a single class, as there is no other to flip to"
        got = f"{label_noise!r} with {names!r}"
        refuse(_OWNER, "label_noise", wanted, got, "Give two or more classes.")
    return np.array(names)


def _pieces(
    hearts: _Hearts,
    n_times: int,
    fs: float,
    lead_names: tuple[str, ...],
    white_rng: np.random.Generator,
    muscle_rng: np.random.Generator,
    mask: NDArray[np.bool_] | None,
) -> Iterator[_Signals]:
    """Yield the signals of one part of the records after the other; fill the mask."""
    to_leads = lead_matrix(lead_names)
    t = np.arange(n_times) / fs
    for part in _chunks(len(hearts.y_true), n_times):
        labels = hearts.y_true[part]
        grid = beat_grid(hearts.rhythm, part, n_times, fs)
        if mask is not None:
            mask[part] = evidence_mask(labels, grid, hearts.shape, part)
        flutter = fibrillation(hearts.atria[part], labels == "AFIB", t)
        waves = wave_signals(grid, hearts.shape, part, flutter)
        breath = breathing(hearts.rhythm, part, t)
        waves *= (1.0 + hearts.swing[part] * breath).astype(np.float32)[:, None]
        signal = hearts.shape.amplitude[part] @ waves  # (n, 8, times)
        signal += hearts.white_mv[part] * white_rng.standard_normal(
            (len(signal), len(INDEPENDENT_LEADS), n_times), dtype=np.float32
        )
        add_interference(signal, hearts.damage, part, fs, muscle_rng)
        leads = np.matmul(to_leads, signal)  # (n, leads, times)
        flatten_lost_leads(leads, hearts.damage, part)
        yield leads


def _chunks(n_samples: int, n_times: int) -> Iterator[slice]:
    """Cut the records into parts of bounded size."""
    size = max(1, _CHUNK_STEPS // n_times)
    for start in range(0, n_samples, size):
        yield slice(start, min(start + size, n_samples))
