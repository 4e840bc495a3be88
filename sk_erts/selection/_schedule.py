"""When: warm-up, data dropout, focus filter, revision."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sk_erts.selection._data_dropout import KeepAll
from sk_erts.selection._policy import Policy

__all__ = ["Schedule"]


@dataclass(frozen=True)
class Schedule:
    """Say which policy rules in which epoch.

    The first `warmup_epochs` and the last `revision_epochs` see all data. Between
    them the data dropout rules, and from `focus_warmup_epochs` epochs later the
    focus filter on top of it.

    Parameters
    ----------
    max_epochs : int or None
        Length of the training; None if it has no end, and so no revision.
    warmup_epochs : int, default=5
        Epochs before any selection.
    focus_warmup_epochs : int, default=3
        Epochs of data dropout before the focus filter.
    revision_epochs : int, default=1
        Epochs after all selection.

    Examples
    --------
    >>> from sk_erts.selection import DBPD, FocusFilter, Schedule
    >>> schedule = Schedule(10, warmup_epochs=2, focus_warmup_epochs=3)
    >>> policy = FocusFilter(DBPD())
    >>> [type(schedule.policy(epoch, policy)).__name__ for epoch in (1, 2, 5, 9)]
    ['KeepAll', 'DBPD', 'FocusFilter', 'KeepAll']
    """

    max_epochs: int | None
    warmup_epochs: int = 5
    focus_warmup_epochs: int = 3
    revision_epochs: int = 1

    def policy(self, epoch: int, policy: Policy) -> Policy:
        """Return what of a policy rules in an epoch.

        Parameters
        ----------
        epoch : int
            Counted from 0.
        policy : Policy
            The whole of it.

        Returns
        -------
        policy : Policy
            `KeepAll`, the policy without its focus filter, or all of it.
        """
        if not self.in_selection(epoch):
            return KeepAll()
        if epoch < self.warmup_epochs + self.focus_warmup_epochs:
            return policy.without_focus()
        return policy

    def phase(self, epoch: int, policy: Policy) -> str:
        """Return what an epoch is called.

        Parameters
        ----------
        epoch : int
            Counted from 0.
        policy : Policy
            The whole of it.

        Returns
        -------
        phase : str
            ``"warm-up"``, ``"revision"``, ``"full data"``, or what the policy calls it.
        """
        if isinstance(policy, KeepAll):
            return policy.phase
        if epoch < self.warmup_epochs:
            return "warm-up"
        if not self.in_selection(epoch):
            return "revision"
        return self.policy(epoch, policy).phase

    def selection_epoch(self, epoch: int) -> int:
        """Return how many epochs of selection there are up to this one.

        Parameters
        ----------
        epoch : int
            Counted from 0.

        Returns
        -------
        number : int
            1 in the first epoch after the warm-up.
        """
        return epoch - self.warmup_epochs + 1

    def beginning_after(self, n_steps: int, steps_per_epoch: int) -> Schedule:
        """Return the schedule whose warm-up makes at least so many training steps.

        Parameters
        ----------
        n_steps : int
            How many.
        steps_per_epoch : int
            What an epoch on all records makes, at least 1.

        Returns
        -------
        schedule : Schedule
            With a warm-up of no fewer epochs.
        """
        needed = -(-n_steps // steps_per_epoch)
        return replace(self, warmup_epochs=max(self.warmup_epochs, needed))

    def ending_after(self, epoch: int, revision_epochs: int | None = None) -> Schedule:
        """Return the schedule whose selection ends, and whose revision follows.

        Parameters
        ----------
        epoch : int
            The last one of selection, counted from 0.
        revision_epochs : int, optional
            Epochs that follow, if they are not as many as planned.

        Returns
        -------
        schedule : Schedule
            The same up to that epoch.
        """
        n = self.revision_epochs if revision_epochs is None else revision_epochs
        return replace(self, max_epochs=epoch + 1 + n, revision_epochs=n)

    def in_selection(self, epoch: int) -> bool:
        """Return whether an epoch lies between warm-up and revision.

        Parameters
        ----------
        epoch : int
            Counted from 0.

        Returns
        -------
        in_selection : bool
            True if a policy decides in it.
        """
        return epoch >= self.warmup_epochs and not self._in_revision(epoch)

    def _in_revision(self, epoch: int) -> bool:
        return (
            self.max_epochs is not None
            and epoch >= self.max_epochs - self.revision_epochs
        )
