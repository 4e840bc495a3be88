"""The estimator: records and their reports in, an encoder out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral, Real
from textwrap import shorten
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import TransformerMixin
from sklearn.utils._param_validation import (
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from sk_erts._classifier import ERTSClassifier
from sk_erts._lib.checks import refuse
from sk_erts._lib.typing import Array, FloatArray
from sk_erts._network.network import Network
from sk_erts._records.divide import divide
from sk_erts._records.records import Records, as_records
from sk_erts._records.seen import Seen, doubts_of_training
from sk_erts._training.checkpoint import keeper_of, train_kept
from sk_erts._training.inference import maps_of_records, outputs_of_records
from sk_erts._training.plan import MOVED, Plan, make_plan
from sk_erts._training.progress import shows_bars
from sk_erts._training.published import PublishesTraining
from sk_erts._training.reads_records import ReadsRecords
from sk_erts._training.run import Trained
from sk_erts._training.skorch_params import SkorchEstimator, accepted_names
from sk_erts.attribution._registry import make_method
from sk_erts.models import Pretrained
from sk_erts.models._made_with import made_with
from sk_erts.pretraining._gaussians import DISTANCES, Gaussians, similarity
from sk_erts.pretraining._pair_loss import Weights
from sk_erts.pretraining._pair_run import PairPlan, PairRun
from sk_erts.pretraining._pairs import PairFit, Pairs
from sk_erts.pretraining._saved import SavesPairs
from sk_erts.pretraining._text_encoders import (
    OwnEncoder,
    OwnSize,
    TextEncoder,
    TransformersEncoder,
)
from sk_erts.pretraining._texts import check_prompts, check_texts, texts_of
from sk_erts.pretraining._word_pieces import WordPieces
from sk_erts.selection import Judge, Looks, Policy

__all__ = ["ECGTextPretrainer"]

NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
CONSTRAINTS: dict[str, list[Any]] = {
    "text": [str],
    "n_dims": [Interval(Integral, 2, None, closed="left")],
    "distance": [StrOptions(set(DISTANCES))],
    "views": [NOT_NEGATIVE],
    "masked_signal": [NOT_NEGATIVE],
    "masked_words": [NOT_NEGATIVE],
    "divergence": [NOT_NEGATIVE],
    "focus": [StrOptions({"fit"}), Judge, None],
}
OWN = "own"


class ECGTextPretrainer(
    SavesPairs, PublishesTraining, ReadsRecords, TransformerMixin, SkorchEstimator
):
    r"""Learn from records and the reports under them, without a label.

    Two encoders are trained so that each record finds its own report among others, and
    each report its record [1]_: `module` reads records, a small transformer reads
    reports, and both say not a point but a distribution, whose variance tells how sure
    they are. What comes out recognises classes that a sentence describes
    (`predict_proba_zero_shot`), and is where a classifier for few labels begins
    (`to_classifier`).

    As in :class:`~sk_erts.ERTSClassifier`, pairs that are learned are skipped, and of
    the hard ones those are put aside whose variances say that the report does not fit
    the record; `selection_` tells which, and why.

    Parameters
    ----------
    module : class, Module, callable or str, default="resnet1d"
        The network for records, as :class:`~sk_erts.ERTSClassifier` takes it; told as
        `n_classes` twice `n_dims`, for means and variances.
    text : str, default="own"
        What encodes reports. ``"own"`` is a small transformer over pieces of words,
        which are learned from the reports; it is trained with the network. Else the
        folder of a model of Hugging Face ``transformers`` with its tokenizer, which is
        left as it is: one layer behind it is trained. Needs the extra ``text``.
    n_dims : int, default=64
        Dimensions of the distributions.
    distance : {"expected_likelihood", "wasserstein", "cosine"}
        By what a record and a report are near: by default the logarithm of the expected
        likelihood of one under the other, the 2-Wasserstein distance, or the angle
        between the means, without variances.
    views : float, default=0.0
        Weight of the loss of a second view of each record, and report, from which parts
        were left out: the variances must explain how far the two views are apart.
        Without variances there is none.
    masked_signal : float, default=0.0
        Weight of guessing what was left out of records, as a share of its energy. Needs
        a network with ``features`` and ``head``.
    masked_words : float, default=0.0
        Weight of guessing the words that were left out of reports, in nats. With
        another `text` than ``"own"`` there is none.
    divergence : float, default=0.01
        Weight of the Kullback-Leibler divergence from a distribution that is spread
        over the sphere, which keeps variances from collapsing.
    data_dropout : {"dbpd", "smrd", "srd"}, Policy or None, default="dbpd"
        Which pairs are candidates, as in :class:`~sk_erts.ERTSClassifier`. None trains
        on all.
    confidence_threshold : float, default=0.7
        Probability with which a record finds its report among those of a batch from
        which on the pair is learned.
    easy_share : float, default=0.05
        Share of the learned pairs that is trained all the same.
    focus : "fit", Judge or None, default="fit"
        By what candidates are judged: ``"fit"`` is :class:`PairFit`. None puts no pair
        aside.
    focus_threshold : float or "auto", default=0.1
        Share of the candidates that is put aside, those that fit least.
    warmup_epochs : int or tuple of (int, int), default=4
        First epochs, on all pairs.
    revision_epochs : int, default=0
        Last epochs, on all pairs.
    looks : Looks, optional
        How often pairs are looked at; ``looks__*``.
    cam_layer : str, optional
        Submodule whose feature maps `explain` shows.
    max_epochs : int, default=30
        Passes over the pairs, selected or not.
    max_effective_epochs : float, optional
        Budget of gradients, in sizes of the training set.
    batch_size : int, default=64
        Pairs per training step, among which a record has to find its report.
    lr : float, default=1e-3
        Learning rate; the greatest one, if it follows a schedule.
    lr_schedule : {"constant", "cosine", "one-cycle"}, default="cosine"
        How it changes with the share of the gradients spent.
    optimizer : class, default=torch.optim.AdamW
        Any of torch's.
    augment : callable or list of callables, optional
        Changes records of training batches, see :mod:`sk_erts.augmentation`.
    callbacks : list of skorch callbacks, optional
        Called after the estimator's own.
    device : str, default="auto"
        Where to train; ``"auto"`` takes a GPU where there is one.
    random_state : int, RandomState instance or None, default=None
        Determines weights, order, selection and what is left out.
    verbose : int, default=1
        0 is silent, 1 a progress bar, 2 skorch's table.
    **skorch_params
        ``module__*``, ``optimizer__*``, ``iterator_train__*``, ``callbacks__*``.

    Attributes
    ----------
    n_leads_in_ : int
        Number of leads of a record.
    n_times_in_ : int or None
        Number of time steps of a record; None if they differed.
    n_features_in_ : int
        The product of the two, if there is one.
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` reads records, ``net_.criterion_.text``
        reports. No report is in it.
    history_ : skorch.History
        Per epoch: loss, candidates and kept (shares), EE and scoring passes.
    selection_ : SelectionHistory
        For each record and epoch: trained, rehearsed, easy, unreliable or not looked
        at, with the probability of its report (confidence) and its fit (focus).
    kept_counts_ : int ndarray of shape (n_epochs,)
        Pairs trained in each epoch.
    effective_epochs_, scoring_passes_ : float
        Pairs whose gradient was taken, and that were only looked at, divided by the
        size of the training set.
    fit_time_s_ : float
        Wall time of the training in seconds.

    See Also
    --------
    structured_reports : Reports built from the statements of PTB-XL.
    normalise_reports : Reports in one wording.
    sk_erts.ERTSClassifier : For labels.

    Notes
    -----
    A record is :math:`N(\mu, \mathrm{diag}(\sigma^2))` with :math:`|\mu| = 1`, and so
    is a report. Half of the loss of a pair is
    :math:`-\log p(\text{report} \mid \text{record})`, softmax over the reports of the
    batch of the similarity times a learned scale; half of it the other way round.
    Reports of the same words count as one. The ideas are those of [2]_ for X-rays, with
    the sentences of reports left out at random as in [3]_; what each is worth on PTB-XL
    stands in the page on pre-training, beside supervised training on few labels.

    References
    ----------
    .. [1] C. Liu et al., "Zero-shot ECG classification with multimodal learning and
       test-time clinical knowledge enhancement" (MERL), ICML 2024, arXiv:2403.06659.
    .. [2] "Distribution-based masked medical vision-language model using structured
       reports", 2025, arXiv:2507.21794.
    .. [3] Y. Zhang et al., "Contrastive learning of medical visual representations from
       paired images and text" (ConVIRT), MLHC 2022, arXiv:2010.00747.

    Examples
    --------
    >>> from sk_erts.datasets import make_ecg
    >>> from sk_erts.pretraining import ECGTextPretrainer
    >>> kinds = {"n_leads": 2, "duration_s": 3, "classes": ("NORM", "BBB")}
    >>> X, y = make_ecg(80, random_state=0, **kinds)
    >>> words = {"NORM": "Narrow QRS complexes.", "BBB": "Wide QRS complexes."}
    >>> reports = [f"Sinus rhythm. {words[label]}" for label in y]
    >>> pretrainer = ECGTextPretrainer(
    ...     module__width=8, max_epochs=10, batch_size=16, random_state=0
    ... )
    >>> pretrainer.fit(X, reports).transform(X).shape
    (80, 64)
    >>> bool((pretrainer.predict_zero_shot(X, words) == y).mean() > 0.9)
    True
    """

    NESTED: ClassVar[dict[str, Any]] = {"looks": Looks}
    MOVED = MOVED

    # What a plan asks of a classifier, and pairs have none of.
    selection: ClassVar[None] = None
    doubt: ClassVar[str] = "drop"
    criterion: ClassVar[None] = None
    class_weight: ClassVar[None] = None
    validation_fraction: ClassVar[None] = None
    early_stopping: ClassVar[bool] = False
    warm_start: ClassVar[bool] = False

    def __init__(
        self,
        module: Any = "resnet1d",
        *,
        text: str = OWN,
        n_dims: int = 64,
        distance: str = "expected_likelihood",
        views: float = 0.0,
        masked_signal: float = 0.0,
        masked_words: float = 0.0,
        divergence: float = 0.01,
        data_dropout: str | Policy | None = "dbpd",
        confidence_threshold: float = 0.7,
        easy_share: float = 0.05,
        focus: Any = "fit",
        focus_threshold: float | str = 0.1,
        warmup_epochs: int | tuple[int, int] = 4,
        revision_epochs: int = 0,
        looks: Looks | None = None,
        cam_layer: str | None = None,
        max_epochs: int = 30,
        max_effective_epochs: float | None = None,
        batch_size: int = 64,
        lr: float = 1e-3,
        lr_schedule: str = "cosine",
        optimizer: Any = torch.optim.AdamW,
        augment: Any = None,
        callbacks: Any = None,
        device: Any = "auto",
        random_state: Any = None,
        verbose: int = 1,
        **skorch_params: Any,
    ) -> None:
        self.module = module
        self.text = text
        self.n_dims = n_dims
        self.distance = distance
        self.views = views
        self.masked_signal = masked_signal
        self.masked_words = masked_words
        self.divergence = divergence
        self.data_dropout = data_dropout
        self.confidence_threshold = confidence_threshold
        self.easy_share = easy_share
        self.focus = focus
        self.focus_threshold = focus_threshold
        self.warmup_epochs = warmup_epochs
        self.revision_epochs = revision_epochs
        self.looks = looks
        self.cam_layer = cam_layer
        self.max_epochs = max_epochs
        self.max_effective_epochs = max_effective_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.optimizer = optimizer
        self.augment = augment
        self.callbacks = callbacks
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self._double_underscored = skorch_params

    def fit(
        self, X: Any, y: Any = None, *, checkpoint: Any = None, resume: bool = False
    ) -> ECGTextPretrainer:
        """Train both encoders on records and the reports under them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records in mV, as :meth:`sk_erts.ERTSClassifier.fit` takes them.
        y : sequence of str of length n_samples, or data frame
            The reports: one text for each record; or a frame with some of the columns
            ``"definition"``, ``"appearance"``, ``"observations"`` and ``"verdict"``,
            such as :func:`structured_reports` returns.
        checkpoint : str, path-like or Checkpoint, optional
            Folder in which the training is written down after each epoch; see
            :class:`~sk_erts.Checkpoint`.
        resume : bool, default=False
            Go on with the training in `checkpoint`, after the last epoch that is
            written there; from the start if there is none.

        Returns
        -------
        self : ECGTextPretrainer
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or an input is not what it must be, or the checkpoint is of
            another training; nothing is changed then. `NonFiniteLossError`, if the
            loss is no longer finite.
        ImportError
            If the package that encodes texts is not installed.
        """
        plan = self._plan()
        keeper = keeper_of(checkpoint, resume)
        plan = plan if keeper is None else keeper.planned(plan)
        checked = copy.copy(self)
        texts = texts_of(y, self)
        validate_data(checked, X, skip_check_array=True, ensure_2d=False)
        records = as_records(X, self)
        check_consistent_length(records, texts)
        overview = records.read_through()
        checked._seen = Seen.of(X, overview)
        self._tell(doubts_of_training(X, records, overview))
        distinct, codes = np.unique(np.array(texts, dtype=object), return_inverse=True)
        if len(distinct) < 2:
            raise ValueError(
                f"The reports of {type(self).__name__} must differ: records learn from "
                f"what tells one from another. Got {shorten(texts[0], 40)!r} for all "
                f"of n_samples={len(texts)}."
            )
        task = Pairs(distinct, self.n_dims)
        data = divide(records, codes.astype(np.int64), task, random_state=plan.seed)
        pieces = distinct.tolist()
        run = PairRun(plan, data, self._pair_plan(lambda: self._text_encoder(pieces)))
        train_kept(run, keeper, {**self.get_params(), "reports": distinct})
        return self._publish(run.leave(), records, checked)

    def transform(self, X: Any) -> FloatArray:
        """Return the means of the records' distributions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.

        Returns
        -------
        embeddings : float32 ndarray of shape (n_samples, n_dims)
            Of length 1. Those of a record are the same in any company.

        Raises
        ------
        ValueError
            If records are not as in `fit`.
        """
        mean: FloatArray = self._encoded(X).mean.numpy()
        return mean

    def embed_text(self, texts: Any) -> FloatArray:
        """Return the means of the distributions of texts.

        Parameters
        ----------
        texts : sequence of str of length n_texts
            Sentences or whole reports.

        Returns
        -------
        embeddings : float32 ndarray of shape (n_texts, n_dims)
            Of length 1.

        Raises
        ------
        ValueError
            If one is missing, empty or no text.
        """
        check_is_fitted(self)
        mean: FloatArray = self._encoded_texts(texts, "texts").mean.numpy()
        return mean

    def similarity(self, X: Any, texts: Any) -> FloatArray:
        """Return how near records are to texts, by the `distance` of the training.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.
        texts : sequence of str of length n_texts
            Sentences or whole reports.

        Returns
        -------
        similarity : float32 ndarray of shape (n_samples, n_texts)
            The greatest of a row is the report that it finds, the greatest of a column
            the record that the report finds.

        Raises
        ------
        ValueError
            If records are not as in `fit`, or a text is missing, empty or no text.
        """
        near = similarity(
            self._encoded(X), self._encoded_texts(texts, "texts"), self._distance
        )
        result: FloatArray = near.numpy()
        return result

    def predict_proba_zero_shot(self, X: Any, prompts: Any) -> FloatArray:
        """Return the probabilities of classes that sentences describe.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.
        prompts : dict of class to str or list of str, or list of str
            What stands for each class: one sentence, or several, whose similarities
            are averaged. Of a list each sentence is a class.

        Returns
        -------
        proba : float32 ndarray of shape (n_samples, n_classes)
            In the order of the prompts: softmax of the similarities times the scale
            that was learned. They say which sentence fits best among those given, and
            are not calibrated; where several may be true, rank records by
            `similarity`.

        Raises
        ------
        ValueError
            If records are not as in `fit`, or a text is missing, empty or no text.
        """
        check_is_fitted(self)
        sentences = check_prompts(prompts, self)
        flat = [text for own in sentences for text in own]
        near = similarity(
            self._encoded(X), self._encoded_texts(flat, "prompts"), self._distance
        )
        sizes = [len(own) for own in sentences]
        parts = torch.split(near, sizes, dim=1)
        of_classes = torch.stack([part.mean(dim=1) for part in parts], dim=1)
        scale = self.net_.criterion_.scale.detach().cpu()
        proba: FloatArray = (scale * of_classes).softmax(dim=1).numpy()
        return proba

    def predict_zero_shot(self, X: Any, prompts: Any) -> Array:
        """Return the class whose sentences fit each record best.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.
        prompts : dict of class to str or list of str, or list of str
            As in `predict_proba_zero_shot`.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Of the keys of `prompts`, or its sentences.

        Raises
        ------
        ValueError
            If records are not as in `fit`, or a text is missing, empty or no text.
        """
        best = self.predict_proba_zero_shot(X, prompts).argmax(axis=1)
        classes: Array = np.array(list(prompts))[best]
        return classes

    def uncertainty(self, X: Any) -> FloatArray:
        """Return how widely the distributions of records are spread.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.

        Returns
        -------
        uncertainty : float32 ndarray of shape (n_samples,)
            The sum of the variances: the expected squared distance from the mean, whose
            length is 1.

        Raises
        ------
        ValueError
            If records are not as in `fit`, or there are no variances.
        """
        check_is_fitted(self)
        if self._distance == "cosine":
            raise ValueError(
                "ECGTextPretrainer with distance='cosine' knows no variances, and so "
                "no uncertainty. Fit with another 'distance'."
            )
        spread: FloatArray = self._encoded(X).var.sum(dim=1).numpy()
        return spread

    def explain(
        self, X: Any, text: str, *, contrast: Any = None, resample: bool = True
    ) -> FloatArray:
        """Return Grad-CAM maps that show where records are near a sentence.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.
        text : str
            The sentence, such as ``"ST elevation in V2-V4."``.
        contrast : str or list of str, optional
            What the sentence is set against: maps say where the record is nearer to the
            one (above 0) and where to the others, on average (below).
        resample : bool, default=True
            Interpolate maps to the samples of the records.

        Returns
        -------
        maps : float32 ndarray of shape (n_samples, n_times)
            At least 0 without a `contrast`. An object array of arrays if records differ
            in length.

        Raises
        ------
        ValueError
            If records are not as in `fit`, or a text is missing, empty or no text.
        """
        records = self._check_new_records(X)
        if not isinstance(text, str):
            refuse(self, "text", "be one text", type(text).__name__)
        towards = self._encoded_texts([text], "text")
        away = None
        if contrast is not None:
            others = [contrast] if isinstance(contrast, str) else contrast
            away = self._encoded_texts(others, "contrast")

        def direction(logits: torch.Tensor, index: Any) -> torch.Tensor:
            # The look has no graph; how near it is to a text needs one.
            with torch.inference_mode(False), torch.enable_grad():
                outputs = logits.detach().float().cpu().clone().requires_grad_()
                own = Gaussians.of(outputs)
                near = similarity(own, towards, self._distance)[:, 0]
                if away is not None:
                    near = near - similarity(own, away, self._distance).mean(dim=1)
                (found,) = torch.autograd.grad(near.sum(), outputs)
            return found.to(logits)

        return maps_of_records(
            make_method("gradcam", self.net_.module_, self.cam_layer, {}),
            records,
            direction,
            signed=contrast is not None,
            resample=resample,
            verbose=self.verbose > 0 and shows_bars(),
        )

    def to_classifier(self, *, freeze: Any = None, **params: Any) -> ERTSClassifier:
        """Return a classifier whose network begins as the encoder of records ended.

        Its last layer begins anew. With a few dozen labels a linear model on
        `transform` has done better, in a pipeline of this estimator or on its own.

        Parameters
        ----------
        freeze : str or list of str, optional
            Parts that training leaves as they are: ``"features"`` trains the last layer
            alone.
        **params : object
            Of :class:`~sk_erts.ERTSClassifier`.

        Returns
        -------
        clf : ERTSClassifier
            Not fitted. Its `module` is a :class:`~sk_erts.models.Pretrained`: a search
            or cross-validation begins from the encoder each time.

        Raises
        ------
        ValueError
            If `params` name a `module`, or a part of one: the network is made.

        Examples
        --------
        >>> from sk_erts.datasets import make_ecg
        >>> from sk_erts.pretraining import ECGTextPretrainer
        >>> X, y = make_ecg(60, n_leads=1, duration_s=2, random_state=0)
        >>> pretrainer = ECGTextPretrainer(module__width=4, max_epochs=1)
        >>> clf = pretrainer.fit(X, y).to_classifier(max_epochs=1)
        >>> clf.fit(X[:20], y[:20]).predict(X).shape
        (60,)
        """
        check_is_fitted(self)
        own = [name for name in params if name.partition("__")[0] == "module"]
        if own:
            raise ValueError(
                f"to_classifier has the network of {type(self).__name__}, and takes no "
                f"{own[0]!r}. Give it before the pre-training."
            )
        network = self.net_.module_
        make = None if made_with(network) is not None else self._maker(network)
        module = Pretrained(copy.deepcopy(network).cpu(), freeze, make)
        return ERTSClassifier(module, **params)

    def _maker(self, network: torch.nn.Module) -> Any:
        """Return what makes a network of the user's own with another last layer."""
        if isinstance(self.module, torch.nn.Module):
            raise ValueError(
                "to_classifier must make the network again, with another last layer. "
                f"The 'module' of {type(self).__name__} is an instance of "
                f"{type(network).__name__}: give the class, and 'module__*'."
            )
        # Of what it was told, a classifier tells it leads and classes alone.
        wants = "n_times" in (accepted_names(self.module) or ())
        told = {"n_times": self.n_times_in_} if wants else {}
        return partial(self.module, **told | self.parts().of("module"))

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Return the names of the dimensions, as `set_output` wants them.

        Parameters
        ----------
        input_features : object
            Not used; scikit-learn passes it.

        Returns
        -------
        names : object ndarray of shape (n_dims,)
            ``"embedding0"`` and so on.
        """
        check_is_fitted(self)
        n_dims = self.net_.task.n_dims
        return np.array([f"embedding{i}" for i in range(n_dims)], dtype=object)

    @property
    def _distance(self) -> str:
        # That of the training, whatever `set_params` was told since.
        return self.net_.criterion_.distance

    def _plan(self) -> Plan:
        params = self.get_params(deep=False)
        validate_parameter_constraints(CONSTRAINTS, params, type(self).__name__)
        planned = copy.copy(self)
        if isinstance(self.focus, Judge) and self.focus.reads_maps:
            refuse(self, "focus", "be a Judge that reads no maps", repr(self.focus))
        if isinstance(self.focus, str):
            planned.focus = PairFit()
        return make_plan(planned)

    def _pair_plan(self, text: Callable[[], TextEncoder]) -> PairPlan:
        of_variances = 0.0 if self.distance == "cosine" else 1.0
        weights = Weights(
            views=self.views * of_variances,
            masked_signal=self.masked_signal,
            masked_words=self.masked_words if self.text == OWN else 0.0,
            divergence=self.divergence * of_variances,
        )
        return PairPlan(text, self.distance, weights)

    def _text_encoder(
        self, texts: Sequence[str] = (), told: str | None = None
    ) -> TextEncoder:
        """Make the encoder of reports, from these or from what was written down."""
        n_outputs = 2 * self.n_dims
        if self.text != OWN:
            return TransformersEncoder(self.text, n_outputs)
        if told is not None:
            return OwnEncoder(WordPieces.read(told), n_outputs)
        size = OwnSize()
        return OwnEncoder(WordPieces.learn(texts, size.n_pieces), n_outputs, size)

    def _encoded(self, X: Any) -> Gaussians:
        records = self._check_new_records(X)
        outputs = outputs_of_records(Network(self.net_.module_), records)
        return Gaussians.of(torch.from_numpy(outputs))

    def _encoded_texts(self, texts: Any, argument: str) -> Gaussians:
        found = check_texts(texts, self, argument)
        return Gaussians.of(self.net_.criterion_.text.outputs(found).cpu())

    def _publish(
        self, trained: Trained, records: Records, checked: ECGTextPretrainer
    ) -> ECGTextPretrainer:
        self._publish_training(trained, records, checked)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.target_tags.required = True
        return tags
