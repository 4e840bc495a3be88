"""Hypothesis strategies: scores and maps as policies and measures may meet them."""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sk_erts.selection import Scores


def examples(short):
    """Return settings with so many examples in `make test`, and all in `make fuzz`."""
    is_short = settings.get_current_profile_name() == "short"
    few = {"max_examples": short} if is_short else {}
    return settings(suppress_health_check=list(HealthCheck), **few)


shares = st.floats(0, 0.99)
thresholds = st.floats(0, 1)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def scores(draw, min_size=0, max_size=60):
    """Scores of a few records in up to four classes; ties are frequent."""
    n = draw(st.integers(min_size, max_size))
    unit = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.3, 0.5, 1.0]))
    return Scores(
        y=draw(hnp.arrays(np.int64, n, elements=st.integers(0, 3))),
        epoch=draw(st.integers(1, 50)),
        confidence=draw(hnp.arrays(np.float64, n, elements=unit)),
        focus=draw(hnp.arrays(np.float64, n, elements=unit)),
    )


@st.composite
def distinct_scores(draw):
    """Scores without ties, which policies break by position."""
    n = draw(st.integers(0, 60))
    rng = np.random.default_rng(draw(seeds))
    return Scores(
        y=rng.integers(4, size=n),
        epoch=1,
        confidence=rng.random(n),
        focus=rng.random(n),
    )


@st.composite
def signed_maps(draw):
    """Signed maps of shape (n, times), some of them zero or without evidence."""
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 40)))
    values = st.one_of(st.just(0.0), st.floats(-100, 100, width=32))
    return draw(hnp.arrays(np.float32, shape, elements=values))


@st.composite
def tied_maps(draw, min_records=1):
    """Maps over time, or over leads and time, of whole numbers; ties are frequent."""
    n = draw(st.integers(min_records, 4))
    leads = draw(st.sampled_from([(), (1,), (3,)]))
    shape = (n, *leads, draw(st.integers(1, 12)))
    return draw(hnp.arrays(np.float64, shape, elements=st.integers(-4, 4)))


# Functions that keep the order of whole numbers from -4 to 4, and their ties.
rising = st.sampled_from([np.exp, np.cbrt, lambda v: 3 * v - 100, lambda v: v**3])


@st.composite
def beats(draw, max_times=400):
    """Time steps of a record, and rising R peaks in it, perhaps none."""
    n_times = draw(st.integers(1, max_times))
    peaks = draw(st.sets(st.integers(0, n_times - 1), max_size=12))
    return n_times, np.array(sorted(peaks), dtype=np.int64)


@st.composite
def maps_with_segments(draw):
    """Signed maps (n, leads, times), and a label of 0 to 4 for each time step."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 30)))
    values = st.one_of(st.just(0.0), st.floats(-100, 100, width=32))
    maps = draw(hnp.arrays(np.float32, shape, elements=values))
    labels = st.integers(0, 4)
    return maps, draw(hnp.arrays(np.int64, shape[::2], elements=labels))


BOTH = st.booleans()


@st.composite
def beliefs(draw, several=BOTH):
    """Encoded labels, one class or several labels per record, and probabilities."""
    n, n_classes = draw(st.integers(0, 20)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(seeds))
    if draw(several):
        return rng.integers(2, size=(n, n_classes)), rng.random((n, n_classes))
    proba = rng.dirichlet(np.full(n_classes, draw(st.sampled_from([0.1, 1.0]))), n)
    return rng.integers(n_classes, size=n), proba


# Above 0, with what rounding likes least: no power of two.
probabilities = st.one_of(
    st.floats(1e-6, 1), st.sampled_from([0.1, 0.3, 1 / 3, 0.7, 0.9, 1.0])
)


@st.composite
def close_scores(draw, min_size=1, dtype=np.float32, of=probabilities):
    """Scores in (0, 1] that differ by a few units in the last place."""
    n, value = draw(st.integers(min_size, 80)), draw(of)
    ulps = np.random.default_rng(draw(seeds)).integers(-4, 5, size=n)
    return np.minimum(value * (1 + np.finfo(dtype).eps * ulps), 1).astype(dtype)


@st.composite
def tied_scores(draw, min_size=1):
    """Scores in (0, 1] of few different values."""
    values = draw(st.lists(probabilities, min_size=1, max_size=3))
    n = draw(st.integers(min_size, 80))
    return np.random.default_rng(draw(seeds)).choice(values, size=n)
