"""Records, labels and parameters as anybody may give them, sound and not."""

from __future__ import annotations

import contextlib
from numbers import Integral

import numpy as np
import pandas as pd
import torch
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from torch import nn

from sk_erts.augmentation import AddNoise
from sk_erts.losses import FocalLoss
from sk_erts.selection import (
    DBPD,
    SMRD,
    SRD,
    FocusFilter,
    HardnessFilter,
    InfoBatch,
    KeepAll,
    Looks,
    RandomFilter,
    Rehearsal,
    SelectiveBackprop,
)
from tests.strategies import seeds

TINY = {
    "module__width": 2,
    "module__blocks": (1,),
    "module__kernel_size": 3,
    "module__dropout": 0.2,
    "max_epochs": 2,
    "warmup_epochs": 1,
    "looks__first_step": 0,
    "batch_size": 8,
    "random_state": 0,
    "verbose": 0,
}


class Lazy:
    """A collection that is read record by record."""

    def __init__(self, X):
        self.X = X

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i]


class Pairs(torch.utils.data.Dataset):
    """A data set of records and labels."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i], self.y[i]


# --- records ------------------------------------------------------------------------

PLAIN = ("f4", "f8", "f2", ">f4", ">f8", "i2", "i1", "u1", "i8", ">i2", "u8")
ODD = ("g", "?", "c8", "c16", "O", "U", "S", "M8[s]", "m8[s]", "V4")
SPECIAL = (
    *(np.nan, np.inf, -np.inf, 1e30, -1e30, 1e300, 1e38, 3.5e38, 1e-30, 1e-40, 1e-320),
    *(0.0, -0.0, 65504.0, 65520.0, 1e5, 1e20),
)


@st.composite
def numbers(draw, min_side=1, specials=True):
    """Float64 records (n, leads, times) of noise, some with odd values."""
    n = draw(st.integers(2, 14) if min_side else st.integers(0, 4))
    n_leads = draw(st.integers(min_side, 4))
    n_times = draw(st.integers(min_side, 24))
    rng = np.random.default_rng(draw(seeds))
    scale = draw(st.sampled_from([1.0, 1.0, 1.0, 1e-3, 300.0, 1e-20, 1e10]))
    X = scale * rng.normal(size=(n, n_leads, n_times))
    if not specials or not X.size:
        return X
    for _ in range(draw(st.integers(0, 3))):
        i, lead = rng.integers(n), rng.integers(n_leads)
        value = draw(st.sampled_from(SPECIAL))
        match draw(st.integers(0, 3)):
            case 0:
                X[i, lead, rng.integers(n_times)] = value
            case 1:
                X[i, lead] = value
            case 2:
                X[i] = value
            case 3:
                X[:, lead] = value
    return X


def as_dtype(X, dtype):
    """Return numbers in a dtype, as far as they go into it."""
    with np.errstate(all="ignore"):
        if np.dtype(dtype).kind in "iuMm":
            return (
                np.nan_to_num(X * 10, nan=0, posinf=9, neginf=-9)
                .clip(0, 100)
                .astype(dtype)
            )
        if np.dtype(dtype).kind == "V":
            return np.zeros(X.shape, dtype)
        return X.astype(dtype)


LAYOUTS = {
    "as it is": lambda X: X,
    "Fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=-1)[..., ::2],
    "backwards": lambda X: X[..., ::-1].copy()[..., ::-1],
    "records backwards": lambda X: X[::-1].copy()[::-1],
    "turned": lambda X: X.swapaxes(0, -1).copy().swapaxes(0, -1),
    "part of more": lambda X: np.pad(X, 1)[tuple([slice(1, -1)] * X.ndim)],
    "unaligned": lambda X: unaligned(X),
    "swapped": lambda X: X.astype(X.dtype.newbyteorder()),
    "read only": lambda X: read_only(X),
}
CONTAINERS = {
    "list": lambda X: X.tolist(),
    "tuple": lambda X: tuple(X),
    "list of arrays": list,
    "objects": lambda X: objects(X),
    "lazy": Lazy,
    "tensor": lambda X: torch.from_numpy(X.copy()),
}


def unaligned(X):
    """Return an array whose numbers begin between two of their places in memory."""
    if X.dtype == object:
        return X
    raw = np.empty(X.nbytes + 1, dtype=np.uint8)
    other = raw[1:].view(X.dtype).reshape(X.shape)
    other[...] = X
    return other


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def objects(X):
    """Return an object array of arrays, one per record."""
    together = np.empty(len(X), dtype=object)
    for i, x in enumerate(X):
        together[i] = np.atleast_1d(x)
    return together


@st.composite
def ragged(draw):
    """Records of different lengths."""
    n, n_leads = draw(st.integers(2, 10)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(seeds))
    shortest = draw(st.sampled_from([0, 1, 4]))
    lengths = rng.integers(shortest, 24, n)
    records = [rng.normal(size=(n_leads, k)) for k in lengths]
    if draw(st.booleans()):
        records = [record.astype(np.float32) for record in records]
    match draw(st.integers(0, 8)):
        case 0:
            records[0][..., :1] = np.nan
        case 1:
            records[0] = records[0][0]
        case 2:
            records[0] = records[0].tolist()
        case 3:
            records[-1] = rng.normal(size=(n_leads + 1, 5))
    return records


@st.composite
def any_records(draw):
    """Records in any dtype, number of dimensions, layout and container."""
    if draw(st.integers(0, 9)) == 0:
        return draw(ragged())
    min_side = 0 if draw(st.integers(0, 14)) == 0 else 1
    X = as_dtype(draw(numbers(min_side)), draw(st.sampled_from(PLAIN * 4 + ODD)))
    match draw(st.integers(0, 12)):
        case 0 | 1:
            X = X[:, 0] if X.shape[1] else X
        case 2:
            X = X[..., None]
        case 3:
            X = X[:, :1].ravel()[: len(X)]
    X = LAYOUTS[draw(st.sampled_from(list(LAYOUTS)))](X) if X.size else X
    if draw(st.integers(0, 2)) == 0:
        wrap = CONTAINERS[draw(st.sampled_from(list(CONTAINERS)))]
        with contextlib.suppress(TypeError, ValueError):  # torch has no such dtype
            X = wrap(X)
    elif X.ndim == 2 and draw(st.booleans()):
        X = pd.DataFrame(X)
    return X


# --- labels -------------------------------------------------------------------------


@st.composite
def any_labels(draw, n):
    """Labels of so many records, of any kind, some of them not labels."""
    rng = np.random.default_rng(draw(seeds))
    codes = rng.integers(draw(st.integers(1, 4)), size=n)
    kind = draw(st.sampled_from(KINDS_OF_LABELS))
    y = LABELS[kind](codes, rng)
    match draw(st.integers(0, 11)):
        case 0 if isinstance(y, np.ndarray) and y.ndim == 1:
            y = y.tolist()
        case 1 if isinstance(y, np.ndarray) and y.ndim == 1:
            y = pd.Series(y)
        case 2 if isinstance(y, np.ndarray):
            y = y[: max(n - 1, 0)]
        case 3 if isinstance(y, np.ndarray) and y.ndim == 1:
            y = y[:, None]
        case 4 if isinstance(y, np.ndarray) and y.ndim == 2:
            y = pd.DataFrame(y, columns=list("abcdefgh")[: y.shape[1]])
    return y


def _missing(codes, rng, value, dtype=object):
    y = np.array([*"abcd"], dtype=object)[codes] if dtype is object else codes
    y = y.astype(dtype)
    if len(y):
        y[rng.integers(len(y))] = value
    return y


LABELS = {
    "ints": lambda codes, rng: codes,
    "bytes of ints": lambda codes, rng: codes.astype(np.uint8),
    "odd ints": lambda codes, rng: codes * 1000 - 7,
    "large ints": lambda codes, rng: codes.astype(np.uint64) + 2**63,
    "text": lambda codes, rng: np.array([*"abcd"])[codes],
    "long text": lambda codes, rng: np.array(["NORM", "\u00e9" * 40, "", " "])[codes],
    "objects": lambda codes, rng: np.array([*"abcd"], dtype=object)[codes],
    "bools": lambda codes, rng: codes > 0,
    "object bools": lambda codes, rng: (codes > 0).astype(object),
    "whole floats": lambda codes, rng: codes.astype(np.float64),
    "half": lambda codes, rng: codes.astype(np.float16),
    "floats": lambda codes, rng: codes + 0.5,
    "bytes": lambda codes, rng: np.array([*"abcd"]).astype("S")[codes],
    "mixed": lambda codes, rng: np.array(["a", 1, "c", 2.5], dtype=object)[codes],
    "tuples": lambda codes, rng: [(int(code),) for code in codes],
    "strings of lists": lambda codes, rng: [["a"] * (1 + code % 2) for code in codes],
    "dates": lambda codes, rng: codes.astype("M8[D]"),
    "categories": lambda codes, rng: pd.Series([*"abcd"]).astype("category")[codes],
    "pandas text": lambda codes, rng: pd.Series(
        np.array([*"abcd"], dtype=object)[codes], dtype="string"
    ),
    "pandas ints": lambda codes, rng: pd.Series(codes, dtype="Int64"),
    "indicator": lambda codes, rng: rng.integers(2, size=(len(codes), 3)),
    "bool indicator": lambda codes, rng: rng.random((len(codes), 2)) > 0.5,
    "float indicator": lambda codes, rng: rng.integers(2, size=(len(codes), 4)) * 1.0,
    "sparse indicator": lambda codes, rng: csr_matrix(
        rng.integers(2, size=(len(codes), 3))
    ),
    "constant indicator": lambda codes, rng: np.ones((len(codes), 2), int),
    "one column": lambda codes, rng: rng.integers(2, size=(len(codes), 1)),
    "no column": lambda codes, rng: np.zeros((len(codes), 0), int),
    "several classes": lambda codes, rng: rng.integers(3, size=(len(codes), 2)),
    "three dimensions": lambda codes, rng: np.zeros((len(codes), 2, 2), int),
    "missing float": lambda codes, rng: _missing(codes, rng, np.nan, float),
    "infinite": lambda codes, rng: _missing(codes, rng, np.inf, float),
    "missing": lambda codes, rng: _missing(codes, rng, None),
    "missing text": lambda codes, rng: _missing(codes, rng, np.nan),
    "pandas missing": lambda codes, rng: _missing(codes, rng, pd.NA),
    "complex": lambda codes, rng: codes + 1j,
    "tensor": lambda codes, rng: torch.from_numpy(codes),
    "scalar": lambda codes, rng: 3,
    "string": lambda codes, rng: "abc",
    "nothing": lambda codes, rng: None,
    "dict": lambda codes, rng: dict(enumerate(codes.tolist())),
    "generator": lambda codes, rng: (int(code) for code in codes),
}
SOUND_LABELS = (
    *("ints", "bytes of ints", "odd ints", "text", "objects", "bools"),
    *("whole floats", "indicator", "bool indicator", "float indicator"),
)
KINDS_OF_LABELS = (*SOUND_LABELS * 5, *LABELS)


# --- parameters ---------------------------------------------------------------------

ENDLESS = 10**30
ODD_VALUES = (
    *(None, True, False, -1, 0, 1, 2, 0.5, -0.5, 1.5, 1e308, ENDLESS, -ENDLESS),
    *(np.nan, np.inf, -np.inf, "", "auto", "x", b"x", (), [], {}, (1,), (1, 2), [0.5]),
    *(np.float32(0.5), np.int8(3), np.bool_(True), np.array(0.5), np.array([1, 2])),
    *(object, int, len, 1j, {"a": 1}, {0: 2.0, 1: 1.0}, {1, 2}, range(3), pd.NA),
    *([None], [len], [object], [("x", 1)], ["x"], (object,), {"x": len}),
    *(nn.ReLU, torch.optim.SGD, torch.device("cpu"), DBPD(), DBPD, "cuda", "dbpd"),
)
SOUND_PARAMETERS = {
    "data_dropout": ["dbpd", "smrd", "srd", None, SRD(0.9), DBPD(0.5)],
    "confidence_threshold": [0, 0.3, 0.7, 1, np.float32(0.5)],
    "easy_share": [0, 0.05, 0.5, 1],
    "focus": ["auto", "support", "reliability", "top_mass", "gini", None],
    "focus_threshold": [0, 0.2, 0.5, 0.99, "auto"],
    "doubt": ["auto", "drop", "soften"],
    "warmup_epochs": [0, 1, 5, (0, 1), (1, 1), [0, 0]],
    "revision_epochs": [0, 1, 2, 9],
    "max_epochs": [1, 2, 3, np.int8(2)],
    "max_effective_epochs": [None, 1e-9, 0.5, 1, 7.5],
    "batch_size": [1, 2, 7, 8, 1000],
    "lr": [1e-12, 1e-3, 1, np.float32(0.1)],
    "lr_schedule": ["constant", "cosine", "one-cycle"],
    "optimizer": [torch.optim.SGD, torch.optim.AdamW],
    "criterion": [None, FocalLoss],
    "class_weight": [None, "balanced", "effective"],
    "augment": [None, AddNoise(0.1), [AddNoise(0.1)], []],
    "validation_fraction": [None, 0.2, 0.5],
    "early_stopping": [False, True, 1, "best", "learned"],
    "random_state": [0, 1, np.random.RandomState(0), 2**32 - 1],
    "warm_start": [False, True],
    "looks": [None, Looks(), Looks(renewal_interval=3), Looks(reuse_scores=True)],
    "looks__renewal_interval": ["epoch", 1, 5, 64],
    "looks__reuse_scores": [True, False],
    "looks__revisit_gaps": [(1,), (2, 4, 8), (1, 10**6)],
    "looks__probe_records": [0, 1, 100],
    "looks__first_step": [0, 1, 100],
    "module": ["fcn1d", "resnet1d", "lstm1d"],
    "module__width": [1, 2, 3],
    "module__dropout": [0, 0.5, 0.9],
    "optimizer__weight_decay": [0.0, 0.1],
    "iterator_train__num_workers": [0],
    "calibration__temperature": [True, False],
    "steps__precision": ["float32", "bfloat16", "auto"],
    "cam_layer": [None],
    "device": ["auto", "cpu", torch.device("cpu")],
    "callbacks": [None, []],
    "verbose": [0],
    "selection": [
        None,
        KeepAll(),
        DBPD(0.4),
        SMRD(0.4),
        SRD(0.5),
        Rehearsal(FocusFilter(DBPD(0.6), threshold=0.4), 0.2),
        RandomFilter(DBPD(0.6), threshold=0.4),
        HardnessFilter(DBPD(0.6), threshold=0.4),
        SelectiveBackprop(2.0),
        InfoBatch(0.3),
        DBPD(0),
        SRD(0),
    ],
}


@st.composite
def sound_parameters(draw, most=4):
    """Some parameters, each as the documentation allows it."""
    names = draw(
        st.lists(st.sampled_from(list(SOUND_PARAMETERS)), max_size=most, unique=True)
    )
    return {name: draw(st.sampled_from(SOUND_PARAMETERS[name])) for name in names}


@st.composite
def any_parameters(draw):
    """Some parameters, of which one or two are anything."""
    params = draw(sound_parameters())
    for _ in range(draw(st.integers(1, 2))):
        params[draw(st.sampled_from(list(SOUND_PARAMETERS)))] = draw(
            st.sampled_from(ODD_VALUES)
        )
    for name, most in (("max_epochs", 3), ("iterator_train__num_workers", 2)):
        value = params.get(name)
        # They may be asked for, and take for ever or more cores than there are.
        if isinstance(value, Integral) and value > most:
            del params[name]
    return params
