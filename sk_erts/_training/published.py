"""What a training leaves on the estimator that was fitted."""

from __future__ import annotations

from typing import Any

from sk_erts._lib.typing import Array
from sk_erts._records.records import Records
from sk_erts._records.seen import Seen
from sk_erts._training.run import Trained

__all__ = ["PublishesTraining"]


class PublishesTraining:
    """Set the fitted attributes that every training leaves; a mixin."""

    _trained: Trained
    _seen: Seen

    def _publish_training(
        self, trained: Trained, records: Records, checked: Any
    ) -> None:
        """Set them all at once: a fit that fails changes nothing."""
        if hasattr(checked, "feature_names_in_"):
            self.feature_names_in_: Array = checked.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self._trained = trained
        self._seen = checked._seen
        self.n_leads_in_: int = records.n_leads
        self.n_times_in_: int | None = records.n_times
        self.n_features_in_: int = records.n_leads * records.n_times
        if records.lengths is not None:
            self.n_times_in_ = None
            del self.n_features_in_
        self.net_: Any = trained.net
        self.history_ = trained.net.history
        self.selection_ = trained.history
        self.kept_counts_ = trained.n_trained
        self.effective_epochs_ = trained.effective_epochs
        self.scoring_passes_ = trained.scoring_passes
        self.fit_time_s_ = trained.time_s

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "net_")
