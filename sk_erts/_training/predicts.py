"""What a trained classifier predicts."""

from __future__ import annotations

from typing import Any

from sk_erts._lib.typing import FloatArray
from sk_erts._network.network import Network
from sk_erts._records.records import Records
from sk_erts._training.inference import probabilities
from sk_erts._training.reads_records import ReadsRecords
from sk_erts._training.run import Trained

__all__ = ["Predicts"]


class Predicts(ReadsRecords):
    """Predict probabilities and classes; a mixin of `ERTSClassifier`."""

    _trained: Trained
    net_: Any

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
            In the order of `classes_`; for several labels, one probability each. On a
            processor those of a record are the same, bit for bit, in any company.

        Raises
        ------
        ValueError
            If the records have another shape than those of `fit`, or bad values.
        """
        return self._probabilities(self._check_new_records(X))

    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_leads, n_times) or (n_samples, n_times), \
                Dataset or collection
            Records, as in `fit`.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
            From the logits: finite where a probability is too small for a number.

        Raises
        ------
        ValueError
            If the records have another shape than those of `fit`, or bad values.
        """
        return self._probabilities(self._check_new_records(X), log=True)

    def predict(self, X: Any) -> FloatArray:
        """Return the most probable class, or all labels above one half.

        With ``calibration__sensitivity`` or ``calibration__specificity`` classes are
        predicted from their own threshold in `thresholds_` on.

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
        return self._trained.task.decode(proba, self._trained.calibrated.thresholds)

    def _probabilities(self, records: Records, *, log: bool = False) -> FloatArray:
        """Return what the network gives each class, or the logarithms."""
        trained = self._trained
        return probabilities(
            Network(self.net_.module_),
            records,
            trained.task,
            temperature=trained.calibrated.temperature,
            log=log,
        )
