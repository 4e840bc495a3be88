"""What a fit has seen, and what of new records does not go with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sk_erts._lib.checks import is_number
from sk_erts._lib.lead_names import standard_spelling
from sk_erts._lib.orientation import doubt_of_orientation
from sk_erts._lib.typing import IntArray
from sk_erts._records.overview import FEWEST_STEPS, Overview, flattened_order
from sk_erts._records.records import Records

__all__ = ["Seen", "doubts_of_training"]

# Standard deviations in mV between which electrocardiograms lie, scaled or not: in
# microvolts or steps of a converter they have more, in volts less.
LARGEST_MV, SMALLEST_MV = 20.0, 0.002
# What no patient, device or preprocessing that is the same changes an amplitude by.
MOST_TIMES = 100.0
N_FLATTENED_LOOKED_AT = 16
N_ROWS_NAMED = 5


@dataclass(frozen=True)
class Seen:
    """Figures of the records of a fit; no record among them.

    Attributes
    ----------
    amplitude, largest : float
        Median standard deviation over time and largest value, in the unit of `X`; NaN
        if nothing can be said.
    fs : float or None
        Sampling frequency in Hz, if `X` told it.
    lead_names : tuple of str or None
        Leads, likewise.
    """

    amplitude: float
    largest: float
    fs: float | None
    lead_names: tuple[str, ...] | None

    @classmethod
    def of(cls, X: Any, overview: Overview) -> Seen:
        """Return what is to be kept of records.

        Parameters
        ----------
        X : array-like or collection
            As the user gave it; a `RecordArray` tells frequency and leads.
        overview : Overview
            Of its records.
        """
        fs: Any = getattr(X, "fs", None)
        names: Any = getattr(X, "lead_names", None)
        return cls(
            overview.amplitude,
            overview.largest,
            float(fs) if is_number(fs) else None,
            standard_spelling(names) if isinstance(names, tuple | list) else None,
        )

    def doubts(self, new: Seen, overview: Overview) -> Iterator[str]:
        """Say what of new records does not go with these.

        Parameters
        ----------
        new : Seen
            What is seen of them.
        overview : Overview
            Of them.

        Yields
        ------
        doubt : str
            Sentences that follow the name of the estimator, with what to do.
        """
        # Squares of what is next to nothing are nothing. NaN compares as False.
        can_compare = self.amplitude > 0 and new.amplitude > 0
        times = new.amplitude / self.amplitude if can_compare else np.nan
        if times > MOST_TIMES or times < 1 / MOST_TIMES:
            remedy = (
                f"Give them in the unit of fit, mV: {_to_unit(times)}"
                if 300 <= max(times, 1 / times) <= 3000
                else "Give them in the unit of fit, mV, and with its preprocessing."
            )
            yield (
                f"X has a typical amplitude (standard deviation) of {new.amplitude:.3g}"
                f", at most {new.largest:.3g}; the records of fit had "
                f"{self.amplitude:.3g}, at most {self.largest:.3g}. {remedy}"
            )
        if self.fs and new.fs and self.fs != new.fs:
            yield (
                f"X is sampled at {new.fs:g} Hz; the records of fit were at "
                f"{self.fs:g} Hz. Use sk_erts.preprocessing.Resample."
            )
        if self.lead_names and new.lead_names and self.lead_names != new.lead_names:
            yield (
                f"X has the leads {', '.join(new.lead_names)}; the records of fit had "
                f"{', '.join(self.lead_names)}. Use sk_erts.preprocessing.SelectLeads."
            )
        if len(overview.flat):
            yield (
                f"{_flat(overview.flat)} What is predicted of them means nothing: look "
                "for a lost electrode, or leave them out."
            )


def doubts_of_training(X: Any, records: Records, overview: Overview) -> Iterator[str]:
    """Say what of training records is hardly meant.

    Parameters
    ----------
    X : array-like or collection
        As the user gave it.
    records : Records
        The same.
    overview : Overview
        Of them.

    Yields
    ------
    doubt : str
        Sentences that follow the name of the estimator, with what to do.
    """
    turned = "X.transpose(0, 2, 1)"
    if not hasattr(X, "transpose"):
        turned = f"records x.T; of an array, {turned}"
    doubt = doubt_of_orientation(records.n_leads, records.n_times, turned=turned)
    if doubt is not None:
        yield doubt
        return
    if len(overview.flat):
        yield (
            f"{_flat(overview.flat)} A label cannot be learned from them: leave them "
            "out, as the loaders do with on_error='skip'."
        )
    if overview.amplitude > LARGEST_MV or overview.amplitude < SMALLEST_MV:
        unit, factor = (
            ("microvolts or steps of a converter", "X / 1000 if it is in microvolts")
            if overview.amplitude > LARGEST_MV
            else ("volts", "X * 1000 if it is in volts")
        )
        yield (
            "X should be in mV, or standardised. It has a typical amplitude (standard "
            f"deviation) of {overview.amplitude:.3g}, as in {unit}. Pass {factor}, "
            "here and to predict."
        )
    order = _order_in_one_lead(records)
    if order is not None:
        reshaped = (
            "X.reshape(len(X), 12, -1)"
            if order == "leads first"
            else "X.reshape(len(X), -1, 12).transpose(0, 2, 1)"
        )
        yield (
            f"X holds records of one lead and {records.n_times} time steps, in which "
            f"twelve leads stand in a row. Pass {reshaped}."
        )


def _to_unit(times: float) -> str:
    """Say how records become a thousand times smaller or larger."""
    return (
        "X / 1000 if X is in microvolts."
        if times > 1
        else (
            "X * 1000 if X is in volts; if fit was given microvolts, fit again in mV."
        )
    )


def _flat(rows: IntArray) -> str:
    """Name flat records."""
    named = ", ".join(str(row) for row in rows[:N_ROWS_NAMED])
    more = ", ..." if len(rows) > N_ROWS_NAMED else ""
    if len(rows) == 1:
        return f"record {named} of X is flat: each lead keeps one value."
    return (
        f"{len(rows)} records of X are flat ({named}{more}): each lead keeps one value."
    )


def _order_in_one_lead(records: Records) -> str | None:
    if records.n_leads != 1 or records.lengths is not None:
        return None
    if records.n_times < 12 * FEWEST_STEPS or records.n_times % 12:
        return None
    n = min(N_FLATTENED_LOOKED_AT, len(records))
    rows = np.linspace(0, len(records) - 1, n).astype(np.int64)
    return flattened_order(records.take(rows)[:, 0])
