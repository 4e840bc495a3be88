"""What a trained classifier can be asked: why, how reliable, and which are wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_consistent_length

from sk_erts._lib.typing import Array, FloatArray, IntArray
from sk_erts._network.network import Network
from sk_erts._records.divide import fingerprint
from sk_erts._records.records import Records, targets_of
from sk_erts._records.task import check_labels
from sk_erts._training.inference import Explained, maps_of_records
from sk_erts._training.judging import judge_new_records
from sk_erts._training.predicts import Predicts
from sk_erts._training.progress import shows_bars
from sk_erts.attribution._maps import towards
from sk_erts.attribution._registry import make_method
from sk_erts.selection import SelectionHistory
from sk_erts.selection._audit import (
    audit_table,
    quality_scores,
    where_contradicted,
)

__all__ = ["AsksWhy"]


class AsksWhy(Predicts):
    """Explain, score and audit records with what a training has left.

    A mixin of `ERTSClassifier`, which has the attributes and checks.
    """

    selection_: SelectionHistory
    cam_layer: str | None
    verbose: int

    def explain(
        self,
        X: Any,
        method: str = "gradcam",
        target: Any = None,
        *,
        contrast: Any = None,
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
        contrast : "rival", label or array-like of shape (n_samples,), optional
            What the class is set against, so that maps say where the record speaks for
            the one (above 0) and where for the other (below): ``"rival"`` is the most
            probable other class of each record, and the absence of the label if there
            are several. Of Grad-CAM behind a pooled linear head they sum, over the
            time steps of the feature maps, to the difference of the logits.
        signed : bool, default=False
            Keep evidence against the class, as negative values; with `contrast` it is
            always kept.
        resample : bool, default=True
            Interpolate maps over time to the samples of the records; else they have
            the time steps of the feature maps.
        **method_params
            Parameters of the method, such as ``n_steps=128``.

        Returns
        -------
        maps : ndarray of shape (n_samples, n_times) or (n_samples, n_leads, n_times)
            In float32; at least 0 unless `signed` or a `contrast`. What else is in `X`
            does not matter to a record's map. An object array of arrays if records
            differ in length.

        Raises
        ------
        ValueError
            If there is no such method or parameter, a target is no class, or records
            are not as in `fit`.

        Warns
        -----
        ExplanationWarning
            If the network has no feature maps over time, and Grad-CAM of its 2-D maps
            or of its hidden sequence is returned, or the gradient times the record.

        Examples
        --------
        Where does a record speak for its label, and where for what else it may be?

        >>> from sk_erts import ERTSClassifier
        >>> from sk_erts.datasets import make_ecg
        >>> X, y = make_ecg(40, n_leads=1, duration_s=2, random_state=0)
        >>> clf = ERTSClassifier(module__width=4, max_epochs=2, random_state=0)
        >>> maps = clf.fit(X, y).explain(X, target=y, contrast="rival")
        >>> maps.shape, bool(maps.min() < 0 < maps.max())
        ((40, 200), True)
        """
        records = self._check_new_records(X)
        against_something = contrast is not None
        if against_something and method == "gradcam":
            method_params = {"bias": True, **method_params}
        return maps_of_records(
            make_method(method, self.net_.module_, self.cam_layer, method_params),
            records,
            self._explained(target, contrast, len(records)),
            signed=signed or against_something,
            resample=resample,
            verbose=self.verbose > 0 and shows_bars(),
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
            check_labels(y)
            check_consistent_length(records, y)
            codes = self._trained.task.encode(y)
        return judge_new_records(
            self._trained.judge,
            self._trained.signals,
            Network(self.net_.module_, self.cam_layer),
            records,
            self._trained.task,
            codes,
        )

    def audit(
        self,
        X: Any,
        y: Any = None,
        *,
        signal_quality: Any = None,
        evidence: bool = False,
    ) -> Any:
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
        evidence : bool, default=False
            Whether to say where each record contradicts its label, by the Grad-CAM map
            of the label against its strongest rival. ``explain(X, target=y,
            contrast="rival")`` gives the maps, and ``ECGDisplay.from_estimator`` with
            the same words a picture.

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
            - support : with `evidence`, share of the record that speaks for the label,
              by the network as it is now
            - contradicted_at : with `evidence`, the time step that speaks most clearly
              against it; -1 where nothing does

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
        check_labels(y)
        check_consistent_length(records, y)
        task, history = self._trained.task, self.selection_
        codes = task.encode(y)
        quality = quality_scores(signal_quality, records)
        known = fingerprint(records, codes) == self._trained.fingerprint
        proba = self._probabilities(records)
        mean_proba = history.mean_proba if known else None
        found = self._evidence_against(records, codes) if evidence else {}
        return audit_table(task, codes, proba, mean_proba, quality, found)

    def _evidence_against(self, records: Records, codes: Array) -> dict[str, Array]:
        """Return how far each record supports its label, and where it does not."""
        task = self._trained.task

        def direction(logits: torch.Tensor, index: IntArray) -> torch.Tensor:
            own = torch.from_numpy(codes[index]).to(logits.device)
            return task.contrast(logits, own).to(logits)

        cam = {"bias": True}
        maps = maps_of_records(
            make_method("gradcam", self.net_.module_, self.cam_layer, cam),
            records,
            direction,
            signed=True,
            resample=True,
            verbose=False,
        )
        return where_contradicted(maps)

    def _explained(self, target: Any, contrast: Any, n_samples: int) -> Explained:
        """Return what of a batch's logits is explained."""
        task = self._trained.task
        codes = self._class_codes("target", target, n_samples)
        against_rival = isinstance(contrast, str) and contrast == "rival"
        other = None if against_rival else contrast
        others = self._class_codes("contrast", other, n_samples)

        def weights(codes: Array, like: torch.Tensor) -> torch.Tensor:
            return task.direction(torch.from_numpy(codes).to(like.device)).to(like)

        def direction(logits: torch.Tensor, index: IntArray) -> torch.Tensor:
            to = (
                towards(logits, None)
                if codes is None
                else weights(codes[index], logits)
            )
            if others is not None:
                return to - weights(others[index], logits)
            return task.off_rival(logits, to) if against_rival else to

        return direction

    def _class_codes(self, name: str, given: Any, n_samples: int) -> Array | None:
        """Return classes as encoded labels, None for the predicted ones."""
        if given is None:
            return None
        task = self._trained.task
        labels = np.asarray(given)
        if labels.ndim == 0:
            labels = np.broadcast_to(labels, n_samples)
        if labels.shape != (n_samples,):
            raise ValueError(
                f"The {name!r} of explain must be one class, or one for each of the "
                f"{n_samples} records. Got the shape {labels.shape} instead."
            )
        index = {label: task.index_of(label) for label in set(labels.tolist())}
        return task.codes_of_classes(np.array([index[own] for own in labels.tolist()]))
