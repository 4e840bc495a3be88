"""The estimator: the only place where all parts meet."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from sk_erts._lib.typing import Array, FloatArray
from sk_erts._records.divide import FitData, divide, fingerprint
from sk_erts._records.ragged import by_length
from sk_erts._records.records import Records, as_records, targets_of
from sk_erts._records.task import SeveralLabels, Task, make_task
from sk_erts._training.inference import maps_of_records, probabilities
from sk_erts._training.parameters import check_parameters, make_policy
from sk_erts._training.progress import shows_bars
from sk_erts._training.skorch_params import SkorchEstimator
from sk_erts._training.train import Trained, train
from sk_erts.attribution._registry import make_method
from sk_erts.selection import (
    Ledger,
    Policy,
    Reliability,
    Schedule,
    signal_suspicion,
)
from sk_erts.selection._audit import audit_table, quality_scores
from sk_erts.selection._focus_measures import get_focus_measure
from sk_erts.selection._reliability import as_reliability
from sk_erts.selection._signal_scores import score_signals

__all__ = ["ERTSClassifier"]


class ERTSClassifier(ClassifierMixin, SkorchEstimator):
    r"""Classify electrocardiograms with a network trained on fewer records.

    ERTS [1]_ skips the records that are already learned (Progressive Data Dropout,
    [2]_), and of the hard ones trains only those that can be relied on; the rest are
    taken for noise. All of it happens inside `fit`: after `warmup_epochs` epochs on
    all data the *candidates* are the records that the data dropout leaves, from
    `focus_warmup_epochs` epochs later the least reliable of them are put aside, and
    the last `revision_epochs` epochs see all data again.

    What makes a record reliable is `focus`. In the paper it is a Grad-CAM map for the
    true class that shows focused evidence (``"top_mass"``). The default,
    ``"reliability"``, asks whether the network has believed in the label over all
    epochs: on real recordings with wrong labels that trains better networks, and
    maps do not; see Notes.

    Parameters
    ----------
    module : class, Module, callable or str, default="resnet1d"
        The network: a class that returns logits (n_samples, n_classes) for records
        (n_samples, n_leads, n_times), an instance (which is copied), or the name of
        a registered network. It is told `n_leads`, `n_times` and `n_classes` if it
        takes them. With ``features(x)`` and ``head(z)`` it gets the fast Grad-CAM.
    data_dropout : {"dbpd", "smrd", "srd"} or None, default="dbpd"
        Which records are candidates: those below `confidence_threshold`, as many at
        random, a random share ``decay ** epoch``, or all.
    confidence_threshold : float, default=0.7
        Probability :math:`\tau` of the true class from which on a record is easy; 0.3
        in the papers.
    decay : float, default=0.98
        Share kept from one epoch of selection to the next by ``"srd"``.
    easy_share : float, default=0.05
        Share of the easy records that ``"dbpd"`` trains all the same, so that the
        network does not forget them; the papers train none.
    easy_weight : float, default=5
        What each of these weighs in the loss; ``1 / easy_share`` lets them stand for
        all easy records, at the price of noisier steps.
    focus : str, callable, Reliability or None, default="reliability"
        By what candidates are judged: ``"reliability"``, the label by what all looks
        at the record said, and with a :class:`~sk_erts.selection.Reliability` object
        the signal too; or a measure of the Grad-CAM map, a key of
        :data:`sk_erts.attribution.FOCUS_MEASURES` or a function from signed maps
        (n, times) to scores (n,). None is data dropout alone; together with
        ``data_dropout=None`` it is training on full data.
    focus_threshold : float or "auto", default=0.5
        Share of the candidates put aside as unreliable. ``"auto"`` takes
        those in the lower of two groups of focus scores, if there are two; of
        reliability those below 1/3. Never more than half of the candidates. Rare
        classes, of which the network is unsure, lose more than others.
    class_rescue : bool, default=True
        Let a class that would lose all its candidates keep its best one.
    warmup_epochs : int, default=4
        First epochs, on all data. By their end the network should have learned
        something: with a few hundred records, which make few steps, take more.
    focus_warmup_epochs : int, default=0
        Epochs of data dropout before the focus filter sets in.
    revision_epochs : int, default=0
        Last epochs, on all data, as in the papers. They bring wrong labels back. A
        training that is not longer than warm-up and revision is one on full data.
    renewal_interval : int, "batch" or "epoch", default=512
        Records between two renewals of the selection. Batches are filled across
        intervals. ``"batch"`` is the authors' scheme, in which what is kept of one
        batch is trained by itself.
    reuse_scores : bool, default=True
        Judge a record that was trained in the epoch before by the scores of that
        step, instead of by another forward pass. Behind another head than a pooled
        linear one a step tells the confidence only, and the focus needs the pass.
    revisit_gaps : sequence of int, default=(2, 4, 8)
        A record that is looked at and not trained is looked at again after 2 epochs,
        then after 4, and then every 8. The gaps of all shrink when a probe finds easy
        records forgotten. ``(1,)`` is a look in every epoch, as in the papers.
    probe_records : int, default=128
        Records, drawn at random, that are looked at after each epoch of selection.
        They tell whether skipped records are forgotten, and the statistics of
        batch-normalisation layers are estimated anew from them; 0 leaves those of the
        selected records, with which the network misjudges all others.
    scoring_precision : {"auto", "float32", "bfloat16"}, default="auto"
        What records are looked at with. ``"auto"`` is bfloat16 where the processor is
        faster in it and the first confidences differ by no more than 0.05. Training
        and prediction are always in float32.
    stop_when_learned : bool, default=False
        Go on to the revision, and end with it, once no more than one record in a
        hundred is a candidate: there is nothing left to learn from.
    selection : Policy, optional
        A policy of your own instead of `data_dropout`, `confidence_threshold`,
        `decay`, `easy_share`, `easy_weight`, `focus`, `focus_threshold` and
        `class_rescue`.
    cam_layer : str, optional
        Dotted name of the submodule whose feature maps are explained. By default
        ``features``, else the last one whose output has a time axis.
    max_epochs : int, default=30
        Passes over the training set, selected or not.
    batch_size : int, default=64
        Records per training step.
    lr : float, default=1e-3
        Learning rate.
    optimizer : class, default=torch.optim.AdamW
        Any of torch's.
    class_weight : {"balanced", "effective"}, dict or None, default=None
        Weight of the classes in the loss; ``"effective"`` weighs by the effective
        number of records with :math:`\beta = 0.9999`, as the paper does.
    augment : callable or list of callables, optional
        Changes training batches: ``augment(X, rng)`` gets records (n, n_leads, n_times)
        and a NumPy generator, and returns changed ones; see
        :mod:`sk_erts.augmentation`. Records are judged as they are: with this, what
        a training step tells of changed records is not used, so that each look is
        another forward pass.
    validation_fraction : float, splitter or list of pairs, default=0.1
        What is set aside to judge the epochs. A share is set aside only if
        `early_stopping` or `restore_best` needs it; a splitter, such as
        ``PredefinedSplit``, or a list of the pairs of indices it gives, always (the
        first pair counts).
    early_stopping : bool, default=False
        Stop after `n_iter_no_change` epochs without a better macro-F1 in validation.
    n_iter_no_change : int, default=10
        Patience of `early_stopping`.
    restore_best : bool, default=False
        End with the network of the epoch with the best macro-F1 in validation.
    callbacks : list of skorch callbacks, optional
        Called after the estimator's own; they are copied.
    device : str, default="auto"
        Where to train; ``"auto"`` takes a GPU where there is one.
    random_state : int, RandomState instance or None, default=None
        Determines weights, order, selection and split. Global generators are left
        alone, but that None draws a seed from NumPy's, as everywhere in scikit-learn.
    warm_start : bool, default=False
        Let `fit` go on from the network of the last `fit`; the schedule starts anew.
    verbose : int, default=1
        0 is silent, 1 a progress bar in terminals and notebooks, 2 skorch's table.
    **skorch_params
        Parameters of the parts: ``module__*``, ``optimizer__*``, ``criterion__*``,
        ``iterator_train__*``, ``iterator_valid__*``, ``callbacks__*``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; for an indicator matrix its column numbers, or its column names
        if it is a data frame.
    n_leads_in_ : int
        Number of leads of a record.
    n_times_in_ : int or None
        Number of time steps of a record; None if they differed.
    n_features_in_ : int
        The product of the two, if there is one.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if `X` was a data frame.
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the network.
    history_ : skorch.History
        Per epoch: losses, candidates and kept (shares), EE and scoring passes so far in
        this call, and macro-F1 in validation. With `warm_start` and `partial_fit` the
        rows of earlier calls come first; everything else is of the last call alone.
    selection_ : SelectionHistory
        For each record of `X` and each epoch: trained, rehearsed (easy, and trained
        all the same), easy, unreliable, dropped or not looked at, with its confidence
        and focus. An epoch cut short by Ctrl-C is
        the last one here and in `kept_counts_`, but not in `history_`.
    kept_counts_ : int ndarray of shape (n_epochs,)
        Records trained in each epoch.
    effective_epochs_ : float
        Records whose gradient was taken, divided by the size of the training set.
    scoring_passes_ : float
        Records that were only looked at, divided likewise.
    fit_time_s_ : float
        Wall time of the training in seconds.

    See Also
    --------
    sk_erts.selection.FocusFilter : The reliability filter by itself.
    sk_erts.attribution.gradcam : Maps of any network.

    Notes
    -----
    Candidates of DBPD are :math:`\{x : p_t(x) < \tau\}`, with :math:`p_t` the
    probability of the true class; for several labels per record the geometric mean
    of the probabilities of the true states. The Grad-CAM map is
    :math:`A_t = \max(0, \sum_k w_k a_{kt})`,
    :math:`w_k = \frac1T \sum_t \partial y_c / \partial a_{kt}`, and the focus of
    the paper the share of its mass in its top tenth. The reliability of a label is
    :math:`(1 + m) / 2` with the margin :math:`m` of its mean probability over all
    looks at the record; see :class:`~sk_erts.selection.Reliability`.

    The paper's filter and thresholds are ``focus="top_mass", focus_threshold=0.2,
    confidence_threshold=0.3, warmup_epochs=5, focus_warmup_epochs=3,
    revision_epochs=1``. The page on reliability has the trainings by which the default
    was chosen, the page on the method what else differs from the papers.

    References
    ----------
    .. [1] Dangeti, Gu, Weng, Gowda, arXiv:2606.12252, 2026.
    .. [2] "Progressive Data Dropout", NeurIPS 2025, arXiv:2505.22342.

    Examples
    --------
    >>> from sk_erts import ERTSClassifier
    >>> from sk_erts.datasets import make_ecg
    >>> from sk_erts.models import ResNet1d
    >>> X, y = make_ecg(
    ...     60, n_leads=2, duration_s=3, classes=("NORM", "BBB"), random_state=0
    ... )
    >>> clf = ERTSClassifier(
    ...     module=ResNet1d, module__width=8, max_epochs=10, lr=0.01, random_state=0
    ... )
    >>> clf.fit(X, y).predict(X[:2]).shape
    (2,)
    >>> clf.explain(X[:2]).shape
    (2, 300)
    >>> clf.effective_epochs_ < 10
    True
    """

    def __init__(
        self,
        module: Any = "resnet1d",
        *,
        data_dropout: str | None = "dbpd",
        confidence_threshold: float = 0.7,
        decay: float = 0.98,
        easy_share: float = 0.05,
        easy_weight: float = 5.0,
        focus: Any = "reliability",
        focus_threshold: float | str = 0.5,
        class_rescue: bool = True,
        warmup_epochs: int = 4,
        focus_warmup_epochs: int = 0,
        revision_epochs: int = 0,
        renewal_interval: int | str = 512,
        reuse_scores: bool = True,
        revisit_gaps: Sequence[int] = (2, 4, 8),
        probe_records: int = 128,
        scoring_precision: str = "auto",
        stop_when_learned: bool = False,
        selection: Policy | None = None,
        cam_layer: str | None = None,
        max_epochs: int = 30,
        batch_size: int = 64,
        lr: float = 1e-3,
        optimizer: Any = torch.optim.AdamW,
        class_weight: Any = None,
        augment: Any = None,
        validation_fraction: Any = 0.1,
        early_stopping: bool = False,
        n_iter_no_change: int = 10,
        restore_best: bool = False,
        callbacks: Any = None,
        device: Any = "auto",
        random_state: Any = None,
        warm_start: bool = False,
        verbose: int = 1,
        **skorch_params: Any,
    ) -> None:
        self.module = module
        self.data_dropout = data_dropout
        self.confidence_threshold = confidence_threshold
        self.decay = decay
        self.easy_share = easy_share
        self.easy_weight = easy_weight
        self.focus = focus
        self.focus_threshold = focus_threshold
        self.class_rescue = class_rescue
        self.warmup_epochs = warmup_epochs
        self.focus_warmup_epochs = focus_warmup_epochs
        self.revision_epochs = revision_epochs
        self.renewal_interval = renewal_interval
        self.reuse_scores = reuse_scores
        self.revisit_gaps = revisit_gaps
        self.probe_records = probe_records
        self.scoring_precision = scoring_precision
        self.stop_when_learned = stop_when_learned
        self.selection = selection
        self.cam_layer = cam_layer
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.optimizer = optimizer
        self.class_weight = class_weight
        self.augment = augment
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.restore_best = restore_best
        self.callbacks = callbacks
        self.device = device
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self._skorch_params = skorch_params

    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, groups: Any = None
    ) -> ERTSClassifier:
        """Train the network on the records it can learn from.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records in mV, read as float32; two dimensions are one lead. Memory maps,
            torch data sets and lazy collections are read batch by batch. The arrays
            (n_leads, n_times) of a list, or of an object array, may differ in length
            if the network takes `lengths`, as `ResNet1d` does.
        y : array-like of shape (n_samples,) or (n_samples, n_labels), optional
            Class labels of any kind, or an indicator matrix for several labels per
            record. A data set of pairs brings its own.
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each record in the loss; one of weight 0 is left out.
        groups : array-like of shape (n_samples,), optional
            Groups, say patients, that the validation split must not divide.

        Returns
        -------
        self : ERTSClassifier
            The fitted estimator. After Ctrl-C it holds the best network so far.

        Raises
        ------
        ValueError
            If a parameter or an input is not what it must be; nothing is changed
            then. `NonFiniteLossError`, if the loss is no longer finite.
        """
        check_parameters(self)
        checked = copy.copy(self)
        records, y = self._check_records(X, y, checked)
        task = make_task(y)
        previous = self.net_ if self.warm_start and hasattr(self, "net_") else None
        if previous is not None:
            self._check_shape(records)
            self._check_classes(task)
        seed = self._draw_seed(0 if previous is None else len(previous.history))
        validation = self._validation()
        data = self._divide(records, y, task, seed, sample_weight, groups, validation)
        schedule = Schedule(
            self.max_epochs,
            warmup_epochs=self.warmup_epochs,
            focus_warmup_epochs=self.focus_warmup_epochs,
            revision_epochs=self.revision_epochs,
        )
        trained = train(
            self,
            data,
            make_policy(self),
            schedule,
            epochs=self.max_epochs,
            seed=seed,
            previous=previous,
        )
        self._publish(data, trained, checked)
        return self

    def partial_fit(
        self, X: Any, y: Any = None, classes: Any = None, sample_weight: Any = None
    ) -> ERTSClassifier:
        """Train for one more epoch, on the records given.

        The schedule counts the epochs of all calls; there is no revision.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_labels), optional
            Labels, as in `fit`.
        classes : array-like of shape (n_classes,), optional
            All classes there will be; needed in the first call if `y` lacks some.
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each record in the loss.

        Returns
        -------
        self : ERTSClassifier
            The fitted estimator; what it tells of the selection is of this call. The
            probabilities by which reliability is judged are carried on while the
            records stay the same; records that are new are not judged by it.

        Raises
        ------
        ValueError
            As in `fit`, and if records or labels differ from those of earlier calls.
        """
        check_parameters(self)
        checked = copy.copy(self)
        records, y = self._check_records(X, y, checked)
        previous = getattr(self, "net_", None)
        if previous is None:
            task = make_task(y)
            task = task if classes is None else task.with_classes(classes)
        else:
            task = self._task
            self._check_shape(records)
        n_before = 0 if previous is None else len(previous.history)
        seed = self._draw_seed(n_before)
        data = self._divide(records, y, task, seed, sample_weight)
        policy, story = make_policy(self), self._story_of(data)
        if story is None and as_reliability(policy.measure) is not None:
            policy = policy.without_focus()  # of records that are new nothing is known
        trained = train(
            self,
            data,
            policy,
            Schedule(None, self.warmup_epochs, self.focus_warmup_epochs),
            epochs=1,
            seed=seed,
            previous=previous,
            first_epoch=n_before,
            story=story,
        )
        self._publish(data, trained, checked)
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the probabilities of the classes.

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
        records = self._check_new_records(X)
        return probabilities(self.net_.module_, records, self._task)

    def predict(self, X: Any) -> FloatArray:
        """Return the most probable class, or all labels above one half.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels of the kind that `fit` was given.

        Raises
        ------
        ValueError
            If the records have another shape than those of `fit`, or bad values.
        """
        proba = self.predict_proba(X)
        return self._task.decode(proba)

    def explain(
        self,
        X: Any,
        method: str = "gradcam",
        target: Any = None,
        *,
        signed: bool = False,
        resample: bool = True,
        **method_params: Any,
    ) -> FloatArray:
        """Return maps that show where the evidence for a class is.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.
        method : str, default="gradcam"
            A key of :data:`sk_erts.attribution.METHODS`, which says what the maps are
            over: time alone, or leads and time. The function of the same name in
            :mod:`sk_erts.attribution` tells of its formula, unit and source.
        target : label or array-like of shape (n_samples,), optional
            The class to explain, one for all records or one for each; by default the
            most probable one of each record.
        signed : bool, default=False
            Keep evidence against the class, as negative values.
        resample : bool, default=True
            Interpolate maps over time to the samples of the records; else they have
            the time steps of the feature maps.
        **method_params
            Parameters of the method, such as ``n_steps=128``.

        Returns
        -------
        maps : ndarray of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
            In float32; at least 0 unless `signed`. What else is in `X` does not matter
            to a record's map. An object array of arrays if records differ in length.

        Raises
        ------
        ValueError
            If there is no such method or parameter, a target is no class, or records
            are not as in `fit`.
        """
        records = self._check_new_records(X)
        targets = self._target_indices(target, len(records))
        return self._maps(
            records, targets, method, method_params, signed=signed, resample=resample
        )

    def focus_score(self, X: Any, y: Any = None) -> FloatArray:
        """Return the score by which candidates were judged, of any records.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_labels), optional
            True labels, which or whose maps are scored; by default the most probable
            class.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            By the measure that `fit` used, ``"top_mass"`` if it used none: how focused
            the evidence of each record is, or its reliability by the probabilities of
            the network as it is now.

        Raises
        ------
        ValueError
            If labels are none of the classes, or records are not as in `fit`.
        """
        records = self._check_new_records(X)
        codes = None
        if y is not None:
            check_consistent_length(records, y)
            codes = self._task.encode(y)
        if isinstance(self._focus_measure, Reliability):
            return self._reliability_of(records, codes, self._focus_measure)
        maps = self._maps(records, codes, "gradcam", {}, signed=True, resample=False)
        if records.lengths is None:
            return self._focus_measure(maps)
        return by_length(self._focus_measure, maps, np.array(list(map(len, maps))))

    def audit(self, X: Any, y: Any = None, *, signal_quality: Any = None) -> Any:
        """Rank records by how likely their label is wrong or their signal bad.

        A list to look through, not one of records to delete: what is rare or hard
        is suspicious too.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`. If they and `y` are those that the last `fit` was
            given, in that order, the probabilities of all looks at them tell of the
            labels; else, and for records that were set aside, the network as it is
            now does.
        y : array-like of shape (n_samples,) or (n_samples, n_labels), optional
            The labels to doubt. A data set of pairs brings its own.
        signal_quality : array-like of shape (n_samples,) or estimator, optional
            Quality of the signals, higher is better, on any scale; or an estimator
            with ``fit(X)`` and ``score_samples(X)`` that measures it. By default
            signals are not judged.

        Returns
        -------
        table : pandas.DataFrame
            A row per record, the most suspicious first:

            - record : row of `X`
            - label, predicted : the class given, and the network's; of several labels
              the most doubtful one, such as "MI" or "not MI"
            - confidence : probability of the label; the mean over all looks, or the
              network's
            - suspicion : between 0 and 1; the greater one of that of the label, which
              is above one half if another class is more probable, and that of the
              signal
            - reason : "signal" if that of the signal is greater, else "ambiguous" if
              the network finds a second class at least half as probable as the first,
              else "label"
            - source : "training" or "network", where the confidence is from

        Raises
        ------
        ValueError
            If `y` holds none of the classes, there is not one score for each record,
            or records are not as in `fit`.

        See Also
        --------
        sk_erts.selection.label_suspicion : The measure, with its sources.
        sk_erts.selection.signal_suspicion : How scores become suspicion.

        Notes
        -----
        A network that has learned its records by heart believes in wrong labels too.
        For records without a story its probabilities tell of wrong labels only where
        it has not seen the record.

        Examples
        --------
        >>> from sk_erts import ERTSClassifier
        >>> from sk_erts.datasets import make_ecg
        >>> X, y = make_ecg(
        ...     60, n_leads=2, duration_s=3, classes=("NORM", "BBB"), random_state=0
        ... )
        >>> y[7] = "BBB" if y[7] == "NORM" else "NORM"
        >>> clf = ERTSClassifier(
        ...     module__width=8, max_epochs=10, lr=0.01, random_state=0
        ... )
        >>> int(clf.fit(X, y).audit(X, y).loc[0, "record"])
        7
        """
        records = self._check_new_records(X)
        y = targets_of(X) if y is None else y
        if y is None:
            raise ValueError(
                "audit must have the labels 'y' that it is to doubt. Got None instead."
            )
        check_consistent_length(records, y)
        codes = self._task.encode(y)
        quality = quality_scores(signal_quality, records)
        known = fingerprint(records, codes) == self._fingerprint
        return audit_table(
            self.classes_,
            codes,
            probabilities(self.net_.module_, records, self._task),
            self.selection_.mean_proba if known else None,
            quality,
        )

    def _maps(
        self,
        records: Records,
        codes: Array | None,
        method: str,
        params: dict[str, Any],
        *,
        signed: bool,
        resample: bool,
    ) -> FloatArray:
        """Return maps of encoded labels, or of the most probable classes."""
        return maps_of_records(
            make_method(method, self.net_.module_, self.cam_layer, params),
            records,
            self._task,
            codes,
            signed=signed,
            resample=resample,
            verbose=self.verbose > 0 and shows_bars(),
        )

    def _reliability_of(
        self, records: Records, codes: Array | None, reliability: Reliability
    ) -> FloatArray:
        """Return what the measure of the training says of encoded labels."""
        proba = probabilities(self.net_.module_, records, self._task)
        if codes is None:
            codes = self._task.encode(self._task.decode(proba))
        suspicion = None
        if self._signal_scores is not None:
            found = score_signals(
                self._signal_scores.estimator,
                records,
                np.arange(len(records)),
                "The 'signal_quality' of Reliability",
                fitted=True,
            )
            suspicion = signal_suspicion(found.scores, self._signal_scores.scores)
        return reliability.score(codes, proba, suspicion)

    def _target_indices(self, target: Any, n_samples: int) -> Array | None:
        """Return targets as encoded labels, None for the predicted classes."""
        if target is None:
            return None
        labels = np.asarray(target)
        if labels.ndim == 0:
            labels = np.broadcast_to(labels, n_samples)
        if labels.shape != (n_samples,):
            raise ValueError(
                "The 'target' of explain must be one class, or one for each of the "
                f"{n_samples} records. Got the shape {labels.shape} instead."
            )
        index = {label: self._task.index_of(label) for label in set(labels.tolist())}
        codes = np.array([index[label] for label in labels.tolist()], dtype=np.int64)
        if isinstance(self._task, SeveralLabels):
            return np.eye(self._task.n_classes, dtype=np.float32)[codes]
        return codes

    def _publish(
        self, data: FitData, trained: Trained, checked: ERTSClassifier
    ) -> None:
        """Set the fitted attributes, all at once: a fit that fails changes nothing."""
        records, selection = data.train.records, trained.selection
        if hasattr(checked, "feature_names_in_"):
            self.feature_names_in_: Array = checked.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self._task = data.task
        self._fingerprint = data.fingerprint
        measure = selection.policy.measure or "top_mass"
        self._focus_measure = as_reliability(measure) or get_focus_measure(measure)
        self._signal_scores = selection.judge.signals if selection.judge else None
        self._trained_rows = data.train.rows
        self._ledger = selection.ledger.without_story()
        self.classes_ = data.task.classes
        self.n_leads_in_ = records.n_leads
        self.n_times_in_: int | None = records.n_times
        self.n_features_in_: int = records.n_leads * records.n_times
        if records.lengths is not None:
            self.n_times_in_ = None
            del self.n_features_in_
        self.net_ = trained.net
        self.history_ = trained.net.history
        self.selection_ = selection.ledger.history(data.train.rows, data.n_samples)
        self.kept_counts_ = np.array(selection.n_trained)
        self.effective_epochs_ = selection.effective_epochs
        self.scoring_passes_ = selection.scoring_passes
        self.fit_time_s_ = trained.time_s

    def _story_of(self, data: FitData) -> Ledger | None:
        """Return what the last training knew, if it was on the same records."""
        same = data.fingerprint == getattr(self, "_fingerprint", None)
        if same and np.array_equal(data.train.rows, self._trained_rows):
            return self._ledger
        return None

    def _divide(
        self,
        records: Records,
        y: Any,
        task: Task,
        seed: int,
        sample_weight: Any,
        groups: Any = None,
        validation: Any = None,
    ) -> FitData:
        return divide(
            records,
            task.encode(y),
            task,
            sample_weight=sample_weight,
            class_weight=self.class_weight,
            groups=groups,
            validation=validation,
            random_state=seed,
        )

    def _validation(self) -> Any:
        """Return how to set records aside, None if nothing asks for it."""
        if not isinstance(self.validation_fraction, Real):
            return self.validation_fraction
        wanted = self.early_stopping or self.restore_best
        return float(self.validation_fraction) if wanted else None

    def _draw_seed(self, n_epochs_before: int) -> int:
        """Return a seed; another one where a training goes on, for another order."""
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        return int(seed) + n_epochs_before

    def _check_records(
        self, X: Any, y: Any, checked: ERTSClassifier
    ) -> tuple[Records, Any]:
        """Return checked records, and labels of the same number."""
        y = targets_of(X) if y is None else y
        validate_data(checked, X, y, skip_check_array=True, ensure_2d=False)
        records = as_records(X, self)
        check_consistent_length(records, y)
        records.read_through()
        return records, y

    def _check_new_records(self, X: Any) -> Records:
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True, ensure_2d=False)
        records = as_records(X, self)
        self._check_shape(records)
        return records

    def _check_shape(self, records: Records) -> None:
        """Compare records with those of the first fit."""
        name = type(self).__name__
        if self.n_times_in_ is None:  # fitted on records of any length
            if records.n_leads != self.n_leads_in_:
                raise ValueError(
                    f"X of {name} must hold records of {self.n_leads_in_} leads, as in "
                    f"fit. Got {records.n_leads} leads instead."
                )
            return
        if records.lengths is not None:
            raise ValueError(
                f"{name} was fitted on records of one length, {self.n_times_in_} time "
                f"steps, and X holds records of {records.lengths.min()} to "
                f"{records.n_times}. Use sk_erts.preprocessing.FixLength, here as "
                "before fit."
            )
        got = (records.n_leads, records.n_times)
        expected = (self.n_leads_in_, self.n_times_in_)
        if got != expected:
            raise ValueError(
                f"X has {np.prod(got)} features, but {name} is expecting "
                f"{np.prod(expected)} features as input: {name} was fitted on records "
                f"of shape (n_leads, n_times) = {expected}, and X holds {got}."
            )

    def _check_classes(self, task: Task) -> None:
        """Compare classes with those of the first fit."""
        same = type(task) is type(self._task)
        if not (same and np.array_equal(task.classes, self.classes_)):
            raise ValueError(
                "With warm_start=True, y must hold the classes of the first fit, "
                f"{self.classes_.tolist()!r}. Got {task.classes.tolist()!r} instead."
            )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "net_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags
