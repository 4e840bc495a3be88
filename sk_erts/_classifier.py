"""The estimator: the only place where all parts meet."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import ClassifierMixin

from sk_erts._records.divide import divide
from sk_erts._records.records import Records
from sk_erts._records.task import make_task
from sk_erts._training.asks_why import AsksWhy
from sk_erts._training.at_a_glance import ShowsAtAGlance
from sk_erts._training.calibration import Calibration
from sk_erts._training.checkpoint import keeper_of, train_kept
from sk_erts._training.how_sure import TellsHowSure
from sk_erts._training.plan import MOVED, make_plan
from sk_erts._training.precision import StepOptions
from sk_erts._training.processes import Processes
from sk_erts._training.published import PublishesTraining
from sk_erts._training.run import Run, Trained
from sk_erts._training.saved import Saves
from sk_erts._training.skorch_params import SkorchEstimator
from sk_erts.selection import Looks, Policy

__all__ = ["ERTSClassifier"]


class ERTSClassifier(
    AsksWhy,
    TellsHowSure,
    Saves,
    PublishesTraining,
    ShowsAtAGlance,
    ClassifierMixin,
    SkorchEstimator,
):
    r"""Classify electrocardiograms with a network trained on fewer records.

    ERTS [1]_ skips the records that are already learned (Progressive Data Dropout,
    [2]_), and asks which of the hard ones can be relied on. All of it happens in `fit`:
    after `warmup_epochs` epochs on all data, the *candidates* are what the data dropout
    leaves, the least reliable of them are doubted, and the last `revision_epochs`
    epochs see all data again.

    What makes a record reliable is `focus`: in the paper, that its Grad-CAM map is
    concentrated (``"top_mass"``); by default, that it speaks for the label rather than
    for the strongest rival (``"support"``). The paper puts doubted records aside; by
    default their labels are softened, by as much as the evidence contradicts them.

    Parameters
    ----------
    module : class, Module, callable or str, default="resnet1d"
        The network: a class that returns logits (n_samples, n_classes) for records
        (n_samples, n_leads, n_times), an instance (which is copied), or the name of
        a registered network. It is told `n_leads`, `n_times` and `n_classes` if it
        takes them. With ``features(x)`` and ``head(z)`` it gets the fast Grad-CAM.
    data_dropout : {"dbpd", "smrd", "srd"}, Policy or None, default="dbpd"
        Which records are candidates: those below `confidence_threshold`, as many at
        random, a random share that shrinks from epoch to epoch, or all; or what a
        policy trains, such as ``SRD(decay=0.9)``.
    confidence_threshold : float, default=0.7
        Probability :math:`\tau` of the true class from which on a record is easy; 0.3
        in the papers.
    easy_share : float, default=0.05
        Share of the easy records that ``"dbpd"`` trains all the same, so that the
        network does not forget them; the papers train none. Each weighs for five;
        :class:`~sk_erts.selection.Rehearsal` has that weight as a parameter.
    focus : str, callable, Judge or None, default="auto"
        By what candidates are judged, a key of :data:`sk_erts.selection.JUDGES`:
        ``"support"``, the Grad-CAM maps of the label against its strongest rival, of
        all looks at the record; ``"reliability"``, the probabilities of all looks; a
        measure of the map of the label, such as the paper's ``"top_mass"``; a function
        from signed maps (n, times) to scores (n,); or a judge of your own.
        ``"auto"`` is ``"support"`` where the network's head gives maps for nothing
        (average pooling, then a linear layer), else ``"reliability"``. None is data
        dropout alone; with ``data_dropout=None`` it is training on full data.
    focus_threshold : float or "auto", default=0.5
        Share of the candidates of each class that is doubted. ``"auto"`` takes those in
        the lower of two groups of scores, if there are two; of ``"support"`` and
        ``"reliability"`` those below 1/3. Never more than half of the candidates.
    doubt : {"auto", "drop", "soften"}, default="auto"
        What becomes of them: put aside, or trained with a label that is softened
        towards what all looks at the record said, by as much as it is doubted.
        ``"auto"`` softens by ``"support"``, ``"balance"`` and ``"reliability"``, and
        puts aside by all other judges.
    warmup_epochs : int or tuple of (int, int), default=4
        First epochs, on all data; more of them where records are few, until
        ``looks__first_step`` training steps have been made. Of a pair, the second
        number is how many epochs of data dropout alone come before the focus filter
        sets in; none by default.
    revision_epochs : int, default=0
        Last epochs, on all data, as in the papers. They bring wrong labels back.
    selection : Policy, optional
        A policy of your own instead of `data_dropout`, `confidence_threshold`,
        `easy_share`, `focus` and `focus_threshold`.
    looks : Looks, optional
        How often and how closely records are looked at; what it has for parameters
        can be given as ``looks__*``. By default a :class:`~sk_erts.selection.Looks`.
    cam_layer : str, optional
        Dotted name of the submodule whose feature maps are explained. By default
        ``features``, else the last one whose output has a time axis; `explain` says
        if these are no maps of shape (n, channels, times).
    max_epochs : int, default=30
        Passes over the training set, selected or not.
    max_effective_epochs : float, optional
        Budget: the training ends when so many gradients have been taken, in sizes of
        the training set. Learning rate, revision and warm-up, of which no more than
        half of it, fit into it.
    batch_size : int, default=64
        Records per training step.
    lr : float, default=1e-3
        Learning rate; the greatest one, if it follows a schedule.
    lr_schedule : {"constant", "cosine", "one-cycle"}, default="cosine"
        How it changes with the share of the gradients spent, not with the epochs, of
        which a selection makes some short: falling to zero along a cosine, once
        ``looks__first_step`` steps have been made, or rising first. A skorch
        ``LRScheduler`` among `callbacks` takes its place; `partial_fit` has none.
    optimizer : class, default=torch.optim.AdamW
        Any of torch's.
    criterion : class, Module or callable, optional
        The loss: one value per record (or per record and label), from logits and
        encoded labels; a class with `reduction` is made with ``"none"``. By default
        cross-entropy, for several labels binary cross-entropy with logits.
    class_weight : {"balanced", "effective"}, dict or None, default=None
        Weight of the classes in the loss; ``"effective"`` weighs by the effective
        number of records with :math:`\beta = 0.9999`, as the paper does.
    augment : callable or list of callables, optional
        Changes training batches: ``augment(X, rng)`` gets records (n, n_leads, n_times)
        and a NumPy generator, and returns changed ones, which may be shorter; see
        :mod:`sk_erts.augmentation`. Records are judged as they are: with this, what
        a training step tells of changed records is not used, so that each look is
        another forward pass.
    validation_fraction : float, splitter, list of pairs or tuple, optional
        What is set aside to judge the epochs: a share; what a splitter, such as
        ``PredefinedSplit``, or a list of the pairs of indices it gives, sets aside (the
        first pair counts); or records and labels from elsewhere, ``(X, y)``. By default
        a tenth, if `early_stopping`, a calibration or a callback that watches a score
        in validation needs it; else nothing.
    early_stopping : bool, int, "best" or "learned", default=False
        Stop after so many epochs without a better macro-F1 in validation, 10 if True,
        and end with the network of the best epoch. ``"best"`` ends with it too, but
        trains all epochs. ``"learned"`` needs no validation, and keeps the last
        network: it stops after the revision that follows once no more than one record
        in a hundred is a candidate.
    callbacks : list of skorch callbacks, optional
        Called after the estimator's own; copied, but for what they hold.
    device : str, default="auto"
        Where to train; ``"auto"`` takes a GPU where there is one.
    random_state : int, RandomState instance or None, default=None
        Determines weights, order, selection and split. Of global generators only
        NumPy's is touched, and only by None.
    warm_start : bool, default=False
        Let `fit` go on from the network of the last `fit`; the schedule starts anew.
    verbose : int, default=1
        0 is silent, 1 a progress bar in terminals and notebooks, 2 skorch's table.
    **skorch_params
        Parameters of the parts: ``module__*``, ``optimizer__*``, ``criterion__*``,
        ``iterator_train__*``, ``iterator_valid__*``, ``callbacks__*``;
        ``steps__precision``, "float32" by default, with "bfloat16" training steps are
        computed in half the bits, with "auto" where the processor has instructions for
        it (weights, losses and predictions stay in float32); and what is
        measured on the validation part once the network is trained, nothing by
        default: ``calibration__temperature=True`` divides all logits by the number
        that calibrates the probabilities best; ``calibration__sensitivity`` and
        ``calibration__specificity``, a share, or a dictionary of shares by class, let
        a class be predicted from the probability on that finds, or spares, so many.

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
    temperature_ : float
        By which logits are divided; 1 without ``calibration__temperature``.
    thresholds_ : ndarray of shape (n_classes,) or None
        Probability from which on each class is predicted, NaN for one of which neither
        sensitivity nor specificity was asked for; None if that is so of all.
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the network.
    history_ : skorch.History
        Per epoch: losses, candidates and kept (shares), EE and scoring passes so far in
        this call, and macro-F1 in validation. With `warm_start` and `partial_fit` the
        rows of earlier calls come first; everything else is of the last call alone.
    selection_ : SelectionHistory
        For each record of `X` and each epoch: trained, rehearsed (easy, and trained
        all the same), softened, easy, unreliable, dropped or not looked at, with its
        confidence and focus. An epoch cut short by Ctrl-C is the last one here and in
        `kept_counts_`, but not in `history_`.
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
    of the probabilities of the true states. Of their maps against the rival
    (:class:`~sk_erts.selection.Evidence`) it counts at how many time steps the label is
    ahead; of the paper's, :math:`A_t = \max(0, \sum_k w_k a_{kt})` with
    :math:`w_k = \frac1T \sum_t \partial y_c / \partial a_{kt}`, the share of the mass
    in the top tenth. The paper's filter and thresholds are ``focus="top_mass",
    focus_threshold=0.2, confidence_threshold=0.3, warmup_epochs=(5, 3),
    revision_epochs=1``; for what else differs see the page on the method.

    References
    ----------
    .. [1] Dangeti, Gu, Weng, Gowda, arXiv:2606.12252, 2026.
    .. [2] "Progressive Data Dropout", NeurIPS 2025, arXiv:2505.22342.

    Examples
    --------
    >>> from sk_erts import ERTSClassifier
    >>> from sk_erts.datasets import make_ecg
    >>> from sk_erts.models import ResNet1d
    >>> kinds = {"n_leads": 2, "duration_s": 3, "classes": ("NORM", "BBB")}
    >>> X, y = make_ecg(60, random_state=0, **kinds)
    >>> clf = ERTSClassifier(ResNet1d, module__width=8, max_epochs=16, batch_size=8)
    >>> clf.fit(X, y).predict(X[:2]).shape
    (2,)
    >>> clf.explain(X[:2]).shape
    (2, 300)
    >>> clf.effective_epochs_ < 16
    True
    """

    NESTED: ClassVar[dict[str, Any]] = {
        "looks": Looks,
        "steps": StepOptions,
        "calibration": Calibration,
    }
    MOVED = MOVED

    def __init__(
        self,
        module: Any = "resnet1d",
        *,
        data_dropout: str | Policy | None = "dbpd",
        confidence_threshold: float = 0.7,
        easy_share: float = 0.05,
        focus: Any = "auto",
        focus_threshold: float | str = 0.5,
        doubt: str = "auto",
        warmup_epochs: int | tuple[int, int] = 4,
        revision_epochs: int = 0,
        selection: Policy | None = None,
        looks: Looks | None = None,
        cam_layer: str | None = None,
        max_epochs: int = 30,
        max_effective_epochs: float | None = None,
        batch_size: int = 64,
        lr: float = 1e-3,
        lr_schedule: str = "cosine",
        optimizer: Any = torch.optim.AdamW,
        criterion: Any = None,
        class_weight: Any = None,
        augment: Any = None,
        validation_fraction: Any = None,
        early_stopping: bool | int | str = False,
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
        self.easy_share = easy_share
        self.focus = focus
        self.focus_threshold = focus_threshold
        self.doubt = doubt
        self.warmup_epochs = warmup_epochs
        self.revision_epochs = revision_epochs
        self.selection = selection
        self.looks = looks
        self.cam_layer = cam_layer
        self.max_epochs = max_epochs
        self.max_effective_epochs = max_effective_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.optimizer = optimizer
        self.criterion = criterion
        self.class_weight = class_weight
        self.augment = augment
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.callbacks = callbacks
        self.device = device
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self._double_underscored = skorch_params

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        groups: Any = None,
        *,
        checkpoint: Any = None,
        resume: bool = False,
        process_group: Any = None,
    ) -> ERTSClassifier:
        """Train the network on the records it can learn from.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records in mV, read as float32; two dimensions are one lead. Memory maps,
            torch data sets and lazy collections are read batch by batch. The arrays
            (n_leads, n_times) of a list, or of an object array, may differ in length
            if the network takes `lengths`, as `ResNet1d` does. Records that seem to
            be (n_times, n_leads), flat, or not in mV are told of by a
            `DoubtfulInputWarning`. Several leads in one row of two dimensions are seen
            only if they are the twelve standard ones in their order.
        y : array-like of shape (n_samples,) or (n_samples, n_labels), optional
            Class labels of any kind, two or more of them, or an indicator matrix for
            several labels per record. A data set of pairs brings its own.
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each record in the loss; one of weight 0 is left out.
        groups : array-like of shape (n_samples,), optional
            Groups, say patients, that the validation split must not divide.
        checkpoint : str, path-like or Checkpoint, optional
            Folder in which the training is written down after each epoch; see
            :class:`~sk_erts.Checkpoint`. It belongs to one training, and so is no
            parameter that clones would share.
        resume : bool, default=False
            Go on with the training in `checkpoint`, after the last epoch that is
            written there; from the start if there is none.
        process_group : torch.distributed.ProcessGroup, optional
            Several processes train one network, each on its share of every batch, and
            end with the same classifier: all call `fit` with the same arguments.

        Returns
        -------
        self : ERTSClassifier
            The fitted estimator. After Ctrl-C it holds, with a
            `FitInterruptedWarning`, the network of the best epoch if there is a
            validation part, else the network as it was then.

        Raises
        ------
        ValueError
            If a parameter or an input is not what it must be, or the checkpoint is of
            another training; nothing is changed then. `NonFiniteLossError`, if the
            loss is no longer finite.
        ProcessLostError
            If another process of `process_group` ends, or does not answer.
        KeyboardInterrupt
            If Ctrl-C comes before the first epoch is over, or inside what compares or
            joins fits: anything of scikit-learn but a pipeline, joblib, Dask, Optuna
            or Ray. It ends with the fit.
        """
        # What is no truth value is refused by the plan.
        goes_on = isinstance(self.warm_start, bool | np.bool_) and self.warm_start
        before = getattr(self, "_trained", None) if goes_on else None
        processes = Processes(process_group)
        plan = make_plan(self, n_epochs_before=before.n_epochs if before else 0)
        keeper = processes.of_first(lambda: keeper_of(checkpoint, resume))
        plan = plan if keeper is None else keeper.planned(plan)
        plan = plan.of_process(processes)
        checked = copy.copy(self)
        records, y = self._check_records(X, y, checked, before)
        task = make_task(y)
        if before is not None:
            before.task.check_same(task)
        data = divide(
            records,
            self._encode(task, y),
            task,
            sample_weight=sample_weight,
            class_weight=plan.class_weight,
            groups=groups,
            validation=self._check_validation(plan.validation, records, task),
            random_state=plan.seed,
        )
        run = Run(plan, data, processes)
        run.go_on_from(before, in_schedule=False)
        train_kept(run, keeper, self.get_params())
        return self._publish(run.leave(), records, checked)

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
        before = getattr(self, "_trained", None)
        n_before = before.n_epochs if before else 0
        plan = make_plan(self, n_epochs_before=n_before, one_epoch=True)
        checked = copy.copy(self)
        records, y = self._check_records(X, y, checked, before)
        if before is not None:
            task = before.task
        else:
            task = make_task(y)
            task = task if classes is None else task.with_classes(classes)
        data = divide(
            records,
            task.encode(y) if before else self._encode(task, y),
            task,
            sample_weight=sample_weight,
            class_weight=plan.class_weight,
        )
        run = Run(plan, data)
        run.go_on_from(before, in_schedule=True)
        run.train()
        return self._publish(run.leave(), records, checked)

    def _publish(
        self, trained: Trained, records: Records, checked: ERTSClassifier
    ) -> ERTSClassifier:
        """Set the fitted attributes, all at once: a fit that fails changes nothing."""
        self._publish_training(trained, records, checked)
        self.classes_ = trained.task.classes
        self.temperature_ = trained.calibrated.temperature
        self.thresholds_ = trained.calibrated.thresholds
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags
