"""Several classifiers that are trained alike, and what they do not agree on."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any, TypeVar

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from sk_erts._classifier import ERTSClassifier
from sk_erts._lib.checks import check_count, refuse
from sk_erts._lib.typing import Array, FloatArray
from sk_erts._records.records import targets_of
from sk_erts._records.task import SeveralLabels, Task, make_task
from sk_erts._training.at_a_glance import ShowsAtAGlance
from sk_erts._training.checkpoint import checkpoints_inside, keeper_of
from sk_erts._training.how_sure import Uncertainty
from sk_erts.exceptions import DoubtfulInputWarning, ExplanationWarning

__all__ = ["DeepEnsemble"]

Answer = TypeVar("Answer")


class DeepEnsemble(ShowsAtAGlance, MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    r"""Classify by the mean of several trainings, and tell where they do not agree.

    The members are clones of one classifier, trained on the same records, that differ
    by their seed alone [1]_. Their mean is better and better calibrated than one of
    them, and on a record that is unlike those of the training they contradict each
    other: `predict_uncertainty` measures by how much.

    Parameters
    ----------
    estimator : classifier, optional
        With `predict_proba` and a `random_state`, by default an
        :class:`ERTSClassifier`. Any of scikit-learn's does whose probabilities are an
        array (n_samples, n_classes); one without chance has equal members.
    n_ensemble : int, default=5
        Number of members.
    n_jobs : int, optional
        Members that are trained at a time, each in a process of its own; -1 is one
        for each core. By default one, in this process, or what joblib's
        ``parallel_config`` says.
    random_state : int, RandomState instance or None, default=None
        Seeds all members, whatever seed the estimator has.

    Attributes
    ----------
    estimators_ : list of classifiers
        The members.
    classes_ : ndarray of shape (n_classes,)
        Class labels; see :class:`ERTSClassifier`.
    n_features_in_ : int
        Leads times time steps of a record, if there is one number of them.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if `X` was a data frame.

    See Also
    --------
    ERTSClassifier.predict_uncertainty : By one network, with dropout.
    sk_erts.metrics.risk_coverage : What abstaining above a threshold is worth.

    Notes
    -----
    It costs `n_ensemble` trainings, and as much of each prediction. Each member is
    trained on one thread of the processor, since sums are rounded otherwise on several:
    so the result is the same for any `n_jobs`, and cores are used by `n_jobs`.

    **Members share no looks**, nor anything else but the records. Where they do not
    agree, the records do not settle the matter, because each has come to its answer by
    itself: from other weights, in another order, from other candidates, doubting other
    labels. If one looked for all, a record that it takes for easy or for mislabelled
    would be left out of every training, all would make the same mistake, and their
    agreement would be taken for knowledge.

    References
    ----------
    .. [1] B. Lakshminarayanan, A. Pritzel, C. Blundell, "Simple and scalable predictive
       uncertainty estimation using deep ensembles", NeurIPS 2017, arXiv:1612.01474.

    Examples
    --------
    >>> from sk_erts import DeepEnsemble, ERTSClassifier
    >>> from sk_erts.datasets import make_ecg
    >>> X, y = make_ecg(40, n_leads=1, duration_s=2, random_state=0)
    >>> clf = ERTSClassifier(module__width=4, max_epochs=2)
    >>> ensemble = DeepEnsemble(clf, n_ensemble=3, random_state=0).fit(X, y)
    >>> sure = ensemble.predict_uncertainty(X)
    >>> sure.epistemic.shape, bool((sure.epistemic > 0).all())
    ((40,), True)
    """

    def __init__(
        self,
        estimator: Any = None,
        n_ensemble: int = 5,
        *,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_ensemble = n_ensemble
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        groups: Any = None,
        *,
        checkpoint: Any = None,
        resume: bool = False,
    ) -> DeepEnsemble:
        """Train the members.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as the members take them.
        y : array-like of shape (n_samples,) or (n_samples, n_labels), optional
            Labels, as the members take them. A data set of pairs brings its own.
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each record, handed on.
        groups : array-like of shape (n_samples,), optional
            Groups that a validation split must not divide, handed on.
        checkpoint : str, path-like or Checkpoint, optional
            Folder in which each member writes its training down, as
            :meth:`ERTSClassifier.fit` does; needs a number as `random_state`, by which
            members are known again.
        resume : bool, default=False
            Go on with the trainings in `checkpoint`: members that are whole are not
            trained again.

        Returns
        -------
        self : DeepEnsemble
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is not what it must be; or whatever the members refuse. A fit
            that fails changes nothing.
        """
        check_count(self, "n_ensemble", self.n_ensemble)
        base = self._base()
        if not hasattr(base, "predict_proba"):
            wanted = "be a classifier with 'predict_proba'"
            refuse(self, "estimator", wanted, repr(base))
        kept = self._kept(base, checkpoint, resume)
        rng = check_random_state(self.random_state)
        members = [_seeded_clone(base, rng) for _ in range(self.n_ensemble)]
        given = {"sample_weight": sample_weight, "groups": groups}
        handed_on = {name: value for name, value in given.items() if value is not None}
        members = Parallel(n_jobs=self.n_jobs)(
            delayed(_fitted)(member, X, y, handed_on | kept[i], i > 0)
            for i, member in enumerate(members)
        )
        # After the members, whose errors say what their `fit` wants.
        task = make_task(targets_of(X) if y is None else y)
        self._task: Task = task
        self.classes_: Array = task.classes
        self.estimators_: list[Any] = members
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the mean of the members' probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; for several labels, one probability each.

        Raises
        ------
        ValueError
            If the records have another shape than those of `fit`, or bad values.
        """
        proba: FloatArray = self._samples(X).mean(axis=0)
        return proba

    def predict(self, X: Any) -> Array:
        """Return the class that is most probable on average, or all labels above half.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels of the kind that `fit` was given. Thresholds of the members'
            ``calibration__*`` are those of each by itself, and have no part in it.

        Raises
        ------
        ValueError
            If the records have another shape than those of `fit`, or bad values.
        """
        proba = self.predict_proba(X)
        return self._task.decode(proba)

    def predict_uncertainty(self, X: Any) -> Uncertainty:
        """Return how sure the mean is, and on what the members do not agree.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.

        Returns
        -------
        uncertainty : object
            With the attributes of :meth:`ERTSClassifier.predict_uncertainty`, where the
            formulas stand too: `proba`, the mean; `total`, its entropy in nats;
            `aleatoric`, the mean entropy of the members; `epistemic`, the difference, 0
            where all members say the same.

        Raises
        ------
        ValueError
            If the records have another shape than those of `fit`, or bad values.
        """
        samples = self._samples(X)
        several_labels = isinstance(self._task, SeveralLabels)
        return Uncertainty.of(samples, several_labels=several_labels)

    def explain(
        self,
        X: Any,
        method: str = "gradcam",
        target: Any = None,
        *,
        contrast: Any = None,
        **params: Any,
    ) -> FloatArray:
        """Return the mean of the members' maps of one class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.
        method : str, default="gradcam"
            As in :meth:`ERTSClassifier.explain`.
        target : label or array-like of shape (n_samples,), optional
            The class to explain; by default that which is most probable on average.
        contrast : "rival", label or array-like of shape (n_samples,), optional
            What the class is set against; ``"rival"`` is the other class that is most
            probable on average, and the absence of the label if there are several.
        **params
            Further parameters of the members' `explain`.

        Returns
        -------
        maps : ndarray of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
            As the members return them.

        Raises
        ------
        ValueError
            As the members do.
        AttributeError
            If they do not explain.
        """
        check_is_fitted(self)
        is_rival = isinstance(contrast, str) and contrast == "rival"
        is_rival = is_rival and not isinstance(self._task, SeveralLabels)
        if target is None or is_rival:
            proba = self.predict_proba(X)
            if target is None:
                target = self.classes_[proba.argmax(axis=1)]
            if is_rival:
                contrast = self._rivals(proba, target)
        params["contrast"] = contrast
        maps = self._ask(lambda member: member.explain(X, method, target, **params))
        mean: FloatArray = sum(maps[1:], start=maps[0]) / len(maps)
        return mean

    @property
    def n_features_in_(self) -> int:
        """Number of values of a record."""
        return int(self._first("n_features_in_"))

    @property
    def feature_names_in_(self) -> Array:
        """Names of the columns that `fit` has seen."""
        names: Array = self._first("feature_names_in_")
        return names

    def _first(self, name: str) -> Any:
        """Return an attribute of the first member, since all have seen the same."""
        if not hasattr(self, "estimators_"):
            raise AttributeError(f"DeepEnsemble has no {name!r} before fit.")
        return getattr(self.estimators_[0], name)

    def _kept(self, base: Any, checkpoint: Any, resume: bool) -> list[dict[str, Any]]:
        """Return with what each member is fitted, so that its training is kept."""
        if checkpoint is None:
            keeper_of(None, resume)  # which refuses to resume from nowhere
            return [{}] * self.n_ensemble
        if not has_fit_parameter(base, "checkpoint"):
            wanted = "take a 'checkpoint' in its fit, to be kept"
            refuse(self, "estimator", wanted, repr(base))
        if not isinstance(self.random_state, Integral):
            wanted = "be a number with a 'checkpoint', by which members are known again"
            refuse(self, "random_state", wanted, repr(self.random_state))
        places = checkpoints_inside(checkpoint, self.n_ensemble, resume)
        return [{"checkpoint": place, "resume": resume} for place in places]

    def _base(self) -> Any:
        return ERTSClassifier() if self.estimator is None else self.estimator

    def _trainings(self) -> list[Any]:
        members: list[Any] = getattr(self, "estimators_", [])
        return members

    def _ask(self, question: Callable[[Any], Answer]) -> list[Answer]:
        """Return what all members answer; what is doubted is told once."""
        answers = []
        for i, member in enumerate(self.estimators_):
            with _told_already(i > 0):
                answers.append(question(member))
        return answers

    def _samples(self, X: Any) -> FloatArray:
        """Return what all members give each class, (members, n_samples, n_classes)."""
        check_is_fitted(self)
        answers = self._ask(lambda member: member.predict_proba(X))
        first = answers[0]
        shape = getattr(first, "shape", None)
        if shape is None or shape[1:] != self.classes_.shape:
            wanted = (
                "return probabilities of shape (n_samples, n_classes), n_classes = "
                f"{len(self.classes_)}, from 'predict_proba'"
            )
            got = type(first).__name__ if shape is None else f"shape {shape}"
            refuse(self, "estimator", wanted, got)
        return np.stack(answers)

    def _rivals(self, proba: FloatArray, target: Any) -> Array:
        """Return the most probable class of each record that is not its target."""
        targets = np.broadcast_to(np.asarray(target), len(proba))
        own = targets[:, None] == self.classes_
        rivals: Array = self.classes_[np.where(own, -np.inf, proba).argmax(axis=1)]
        return rivals

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimators_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        own = get_tags(self._base())
        tags.input_tags = copy.deepcopy(own.input_tags)
        tags.target_tags = copy.deepcopy(own.target_tags)
        tags.classifier_tags = copy.deepcopy(own.classifier_tags)
        return tags


def _seeded_clone(estimator: Any, rng: np.random.RandomState) -> Any:
    """Return a clone with seeds of its own, those of its parts among them."""
    member = clone(estimator)
    seeds = {
        name: rng.randint(2**31 - 1)
        for name in sorted(member.get_params(deep=True))
        if name == "random_state" or name.endswith("__random_state")
    }
    return member.set_params(**seeds)


def _fitted(member: Any, X: Any, y: Any, handed_on: dict[str, Any], told: bool) -> Any:
    """Return a trained member, in this process or another."""
    with _one_thread(), _told_already(told):
        return member.fit(X, y, **handed_on)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread, of which joblib gives a process more or fewer."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


@contextmanager
def _told_already(told: bool) -> Iterator[None]:
    """Keep quiet what the first member says of the same records."""
    with warnings.catch_warnings():
        if told:
            for category in (DoubtfulInputWarning, ExplanationWarning):
                warnings.simplefilter("ignore", category)
        yield
