"""How records are brought to what the network takes: leads, rate, filters, length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sk_erts._cli._data import Data
from sk_erts._cli._errors import DataFault, Fault, ModelFault
from sk_erts._cli._values import value_of
from sk_erts._lib.names import nearest
from sk_erts._records.ragged import stack_if_equal

__all__ = ["Recipe"]

FILTERS = ("BandPass", "Notch", "RemoveBaseline")


@dataclass(frozen=True)
class Recipe:
    """What is done to all records before the network sees them.

    Attributes
    ----------
    lead_names : tuple of str or None
        Leads, in their order; None if nobody tells their names.
    fs : float or None
        Sampling frequency in Hz that records are brought to; None if it is unknown.
    filters : tuple of str
        Filters, such as ``"BandPass(low=0.5, high=40)"``, in their order.
    n_times : int or None
        Time steps that records are cut, or filled with zeros, to; None if lengths may
        differ.
    """

    lead_names: tuple[str, ...] | None = None
    fs: float | None = None
    filters: tuple[str, ...] = ()
    n_times: int | None = None

    @classmethod
    def for_training(
        cls,
        data: Data,
        fs: float | None = None,
        duration_s: float | None = None,
        filters: Sequence[str] = (),
    ) -> tuple[Recipe, Any]:
        """Return the recipe for a training, and its records.

        Parameters
        ----------
        data : Data
            The records as they were read.
        fs : float, optional
            Sampling frequency in Hz to bring them to; by default their own.
        duration_s : float, optional
            Length in seconds to bring them to; by default their own.
        filters : sequence of str
            Filters to run over them.

        Returns
        -------
        recipe : Recipe
            Brings other records to the same.
        X : ndarray
            The records, as they are trained.

        Raises
        ------
        Fault
            If something of it cannot be done.
        """
        if fs is None:
            fs = _one_rate(data.fs)
        n_times = None
        if duration_s is not None:
            if fs is None:
                raise Fault(
                    "--duration needs the sampling frequency, which these records do "
                    "not tell. Give it with --read fs=..."
                )
            n_times = max(1, round(duration_s * fs))
        recipe = cls(data.lead_names, fs, tuple(filters), n_times)
        X = recipe.apply(data)
        if X.dtype != object:
            recipe = cls(data.lead_names, fs, tuple(filters), int(X.shape[-1]))
        return recipe, X

    def apply(self, data: Data) -> Any:
        """Return records as the network takes them.

        Parameters
        ----------
        data : Data
            The records as they were read.

        Returns
        -------
        X : ndarray of shape (n_samples, n_leads, n_times), or of objects
            In float32.

        Raises
        ------
        Fault
            If leads are absent, or a sampling frequency is needed and not known.
        """
        from sk_erts.preprocessing import FixLength

        X = self._with_rate(self._with_leads(data), data.fs)
        for each in self.filters:
            X = _filter(each, self.fs).fit_transform(X)
        if self.n_times is not None and _lengths(X) != {self.n_times}:
            X = FixLength(fs=1.0, duration_s=self.n_times).fit_transform(X)
        return X

    def n_changed_in_length(self, data: Data) -> tuple[int, int]:
        """Return how many records are filled with zeros, and how many are cut."""
        if self.n_times is None:
            return 0, 0
        rates = np.broadcast_to(1.0 if data.fs is None else data.fs, len(data))
        lengths = np.array([x.shape[-1] for x in data.X])
        wanted = lengths * (1.0 if self.fs is None else self.fs / rates)
        return int((np.ceil(wanted) < self.n_times).sum()), int(
            (np.floor(wanted) > self.n_times).sum()
        )

    def _with_leads(self, data: Data) -> Any:
        from sk_erts.preprocessing import SelectLeads

        if self.lead_names is None or self.lead_names == data.lead_names:
            return data.X
        if data.lead_names is None:
            n_leads = data.X[0].shape[0]
            if n_leads != len(self.lead_names):
                raise ModelFault(
                    f"The network takes the leads {', '.join(self.lead_names)}, and "
                    f"these records have {n_leads} without names. Name them with "
                    "--read lead_names=..., if the file is npz."
                )
            return data.X
        try:
            return SelectLeads(self.lead_names, data.lead_names).fit_transform(data.X)
        except ValueError as error:
            raise ModelFault(
                f"The network takes the leads {', '.join(self.lead_names)}, and these "
                f"records have {', '.join(data.lead_names)}."
            ) from error

    def _with_rate(self, X: Any, fs: Any) -> Any:
        from sk_erts.preprocessing import Resample

        if self.fs is None:
            return X
        if fs is None:
            raise DataFault(
                f"These records do not tell their sampling frequency, and are wanted "
                f"at {self.fs:g} Hz. Give it with --read fs=..., if the file is npz."
            )
        if not isinstance(fs, np.ndarray):
            is_same = float(fs) == self.fs
            return X if is_same else Resample(float(fs), self.fs).fit_transform(X)
        done: list[Any] = [None] * len(X)
        for rate in np.unique(fs):
            rows = np.flatnonzero(fs == rate)
            change = Resample(float(rate), self.fs)
            for row in rows:
                done[row] = change.fit_transform(X[row][np.newaxis])[0]
        return stack_if_equal(done)


def _lengths(X: Any) -> set[int]:
    """Return all lengths of records in time steps."""
    if X.dtype != object:
        return {int(X.shape[-1])}
    return {int(x.shape[-1]) for x in X}


def _one_rate(fs: Any) -> float | None:
    """Return the sampling frequency of all records, or raise if they differ."""
    if not isinstance(fs, np.ndarray):
        return None if fs is None else float(fs)
    rates = np.unique(fs)
    if len(rates) > 1:
        said = ", ".join(f"{rate:g}" for rate in rates)
        raise Fault(
            f"The records have the sampling frequencies {said} Hz. Choose one for all "
            "with --fs."
        )
    return float(rates[0])


def _filter(text: str, fs: float | None) -> Any:
    """Return a filter by its name, with or without its parameters."""
    name, _, inside = text.strip().partition("(")
    if name not in FILTERS:
        raise Fault(f"There is no filter {name!r}. {nearest(name, FILTERS)}")
    if fs is None:
        raise DataFault(
            f"The filter {name} needs the sampling frequency, which these records do "
            "not tell. Give it with --read fs=..."
        )
    # As if the rate were written there too.
    told = f"{name}(fs={fs!r}, {inside or ')'}"
    made = value_of(told, ["sk_erts.preprocessing"])
    if not hasattr(made, "fit_transform"):
        raise Fault(f"A filter must be like BandPass(low=0.5, high=40). Got {text!r}.")
    return made
