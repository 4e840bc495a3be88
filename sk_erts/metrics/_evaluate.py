"""All measures of several attribution methods, in one table."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from sk_erts._lib.checks import refuse
from sk_erts._lib.typing import Array, BoolArray, FloatArray, IntArray
from sk_erts.attribution import METHODS, randomise_weights
from sk_erts.metrics._arrays import check_records
from sk_erts.metrics._comprehensiveness import comprehensiveness
from sk_erts.metrics._evidence_enrichment import evidence_enrichment
from sk_erts.metrics._evidence_mass import evidence_mass
from sk_erts.metrics._faithfulness import faithfulness
from sk_erts.metrics._map_agreement import map_agreement
from sk_erts.metrics._max_sensitivity import max_sensitivity
from sk_erts.metrics._pointing_game import pointing_game
from sk_erts.metrics._ranking import RandomState
from sk_erts.metrics._sufficiency import sufficiency
from sk_erts.metrics._survives_randomisation import survives_randomisation

__all__ = ["evaluate_explanations"]

OWNER = "evaluate_explanations"

Explain = Callable[[Any, FloatArray, Array], FloatArray]


def evaluate_explanations(
    clf: Any,
    X: FloatArray,
    y: Any = None,
    methods: Sequence[str] | Mapping[str, Mapping[str, Any]] = ("gradcam",),
    *,
    evidence: BoolArray | None = None,
    other_seed: Any = None,
    random_labels: Any = None,
    window: int = 1,
    share: float = 0.1,
    baseline: Any = 0.0,
    radius: float = 0.02,
    n_sensitivity: int = 20,
    random_state: RandomState = None,
) -> Any:
    """Return all measures of several attribution methods, and what they cost.

    Parameters
    ----------
    clf : ERTSClassifier
        Fitted.
    X : ndarray of shape (n_samples, n_leads, n_times)
        Records, in the unit that it was fitted with.
    y : array-like of shape (n_samples,), optional
        The class of each record whose maps are judged, such as the true one; by
        default the most probable one.
    methods : sequence of str, or mapping of str to mapping, default=("gradcam",)
        Keys of :data:`sk_erts.attribution.METHODS`; a mapping gives the parameters of
        each, as in ``{"integrated_gradients": {"n_steps": 32}}``.
    evidence : bool ndarray of shape (n_samples, n_times), optional
        Where the evidence is known to be, as ``make_ecg(return_evidence=True)`` says.
    other_seed : ERTSClassifier, optional
        Fitted on the same records with another `random_state`.
    random_labels : ERTSClassifier, optional
        Fitted on the same records with labels by chance.
    window : int, default=1
        Neighbouring time steps that are removed together.
    share : float, default=0.1
        Of a record that `comprehensiveness` removes and `sufficiency` keeps.
    baseline : float, ndarray that broadcasts to (n_leads, n_times), or "mean", \
            default=0.0
        What a removed sample is replaced by, in the unit of `X`.
    radius : float, default=0.02
        Of the noise that maps should not feel, in the unit of `X`.
    n_sensitivity : int, default=20
        Records, from the first on, whose maps are made anew with noise.
    random_state : int, RandomState instance or None, default=None
        Of random orders, noise and weights.

    Returns
    -------
    table : pandas.DataFrame
        One row for each method, and a last one ``"random map"``, which is what chance
        gets; means over the records. Its columns:

        over
            "times" or "leads, times".
        deletion_gain, insertion_gain
            See `faithfulness`; 0 is chance, higher is better.
        comprehensiveness, sufficiency
            Higher is better, lower is better.
        pointing_game, evidence_mass, evidence_enrichment
            If `evidence` is given; higher is better.
        max_sensitivity
            Lower is better.
        weights_agreement, weights_null, survives_weights
            Rank correlation with the maps of a network of random weights, the same
            between different records, and whether the maps stay the same, which they
            should not. See `survives_randomisation`.
        labels_agreement, labels_null, survives_labels
            The same with `random_labels`.
        seed_agreement
            Rank correlation with the maps of `other_seed`; higher is better.
        seconds_per_record
            Wall time of one explanation, measured once.

    Raises
    ------
    ValueError
        If an argument is not what it must be.

    See Also
    --------
    faithfulness, survives_randomisation : Two of the measures by themselves.

    Notes
    -----
    A map that no measure speaks against may still mislead; what follows from a table,
    and what does not, is said in the documentation.

    Examples
    --------
    >>> from sk_erts import ERTSClassifier
    >>> from sk_erts.datasets import make_ecg
    >>> from sk_erts.metrics import evaluate_explanations
    >>> X, y = make_ecg(40, n_leads=2, duration_s=3, random_state=0)
    >>> clf = ERTSClassifier(
    ...     module__width=4, module__blocks=(1, 1), max_epochs=2, random_state=0
    ... ).fit(X, y)
    >>> table = evaluate_explanations(clf, X[:8], y[:8], random_state=0)
    >>> table.index.tolist()
    ['gradcam', 'random map']
    >>> bool(table.loc["gradcam", "survives_weights"])
    False
    """
    import pandas as pd

    records = check_records(OWNER, X)
    params = _check_methods(methods)
    rng = check_random_state(random_state)
    column = _columns(clf, records, y)
    labels = np.asarray(clf.classes_)[column]
    forgetful = copy.deepcopy(clf)
    network = forgetful.net_.module_
    seed = int(rng.randint(2**31 - 1))
    network.load_state_dict(randomise_weights(network, seed).state_dict())
    others = {"weights": forgetful, "labels": random_labels, "seed": other_seed}

    def measure(explain: Explain, over: str) -> dict[str, Any]:
        start = time.perf_counter()
        maps = explain(clf, records, labels)
        seconds = (time.perf_counter() - start) / len(records)
        few = slice(n_sensitivity)
        measured = {
            "over": over,
            **_of_maps(clf, records, maps, column, window, share, baseline, rng),
            **_of_evidence(maps, evidence),
            "max_sensitivity": np.nanmean(
                max_sensitivity(
                    lambda noisy: explain(clf, noisy, labels[few]),
                    records[few],
                    radius=radius,
                    n_draws=3,
                    batch_size=n_sensitivity,
                    random_state=rng,
                )
            ),
        }
        for name, twin in others.items():
            if twin is not None:
                measured |= _of_twin(name, maps, explain(twin, records, labels), rng)
        return measured | {"seconds_per_record": seconds}

    rows = {
        name: measure(_explainer(name, given), METHODS[name])
        for name, given in params.items()
    }
    rows["random map"] = measure(_by_chance(rng), "times")
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "method"
    return table


def _explainer(name: str, params: Mapping[str, Any]) -> Explain:
    def explain(clf: Any, X: FloatArray, labels: Array) -> FloatArray:
        maps: FloatArray = clf.explain(X, name, target=labels, **params)
        return maps

    return explain


def _by_chance(rng: np.random.RandomState) -> Explain:
    """Return what makes maps that know nothing: white noise over time."""
    return lambda clf, X, labels: rng.random_sample((len(X), X.shape[-1]))


def _of_maps(
    clf: Any,
    X: FloatArray,
    maps: FloatArray,
    column: IntArray,
    window: int,
    share: float,
    baseline: Any,
    rng: np.random.RandomState,
) -> dict[str, float]:
    """Return what the network itself says of maps."""
    common = {"window": window, "baseline": baseline, "random_state": rng}
    of = (clf.predict_proba, X, maps, column)
    areas = faithfulness(*of, **common)
    found = {name: areas[name] for name in ("deletion_gain", "insertion_gain")}
    for measured in (comprehensiveness, sufficiency):
        found[measured.__name__] = measured(*of, share=share, **common)
    return {name: float(values.mean()) for name, values in found.items()}


def _of_evidence(maps: FloatArray, evidence: BoolArray | None) -> dict[str, float]:
    """Return how maps meet what is known."""
    if evidence is None:
        return {}
    measures = (pointing_game, evidence_mass, evidence_enrichment)
    return {
        measure.__name__: float(np.nanmean(measure(maps, evidence)))
        for measure in measures
    }


def _of_twin(
    name: str, maps: FloatArray, others: FloatArray, rng: np.random.RandomState
) -> dict[str, Any]:
    """Return how alike the maps of two networks are."""
    if name == "seed":
        return {"seed_agreement": float(np.nanmean(map_agreement(maps, others)))}
    found = survives_randomisation(maps, others, random_state=rng)
    return {
        f"{name}_agreement": found.median,
        f"{name}_null": found.null_median,
        f"survives_{name}": found.survives,
    }


def _check_methods(methods: Any) -> dict[str, Mapping[str, Any]]:
    """Return the parameters of each method, or raise."""
    named = {methods: {}} if isinstance(methods, str) else methods
    given = named if isinstance(named, Mapping) else {name: {} for name in named}
    found = dict(given)
    unknown = [name for name in found if name not in METHODS]
    if unknown or not found:
        wanted = f"name one of {', '.join(METHODS)}, or several"
        refuse(OWNER, "methods", wanted, repr(unknown[0] if unknown else methods))
    return found


def _columns(clf: Any, X: FloatArray, y: Any) -> IntArray:
    """Return which column of the probabilities is explained for each record."""
    if y is None:
        predicted: IntArray = clf.predict_proba(X).argmax(axis=1)
        return predicted
    classes = np.asarray(clf.classes_).tolist()
    labels = np.asarray(y)
    unknown = set(labels.ravel().tolist()) - set(classes)
    if labels.shape != (len(X),) or unknown:
        wanted = f"be one of the classes {classes} for each of {len(X)} records"
        got = f"shape {labels.shape}" if not unknown else repr(sorted(unknown)[0])
        refuse(OWNER, "y", wanted, got)
    return np.array([classes.index(label) for label in labels.tolist()])
