"""What a training came to, beside scikit-learn's diagram in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sk_erts._lib.typing import FloatArray, IntArray

__all__ = ["ShowsAtAGlance"]

MOST_BARS = 100
MOST_CLASSES = 8
MOST_LETTERS = 40
WIDTH, HEIGHT = 240, 56
# Text takes the colour of the notebook around it, in light and dark alike.
STYLE = """
.sk-erts-beside {display: flex; flex-wrap: wrap; gap: 1em; align-items: flex-start}
.sk-erts-beside > div {min-width: 0; max-width: 100%}
.sk-erts-glance {box-sizing: border-box; width: 24em; max-width: 100%;
  padding: .6em .8em; border: 1px solid #8884; border-radius: 4px;
  font: 13px/1.4 sans-serif; color: inherit; text-align: left}
.sk-erts-glance svg {display: block; width: 100%; height: auto; margin-bottom: .2em}
.sk-erts-glance rect {fill: #2d86c4}
.sk-erts-glance .all-data {fill-opacity: .45}
.sk-erts-glance .room {fill: currentColor; fill-opacity: .08}
.sk-erts-glance dl {display: grid; grid-template-columns: auto 1fr;
  gap: .1em .8em; margin: .6em 0 0}
.sk-erts-glance dt {font-weight: normal; opacity: .75}
.sk-erts-glance dd {margin: 0; font-weight: bold; overflow-wrap: anywhere}
.sk-erts-glance small {font-weight: normal; font-size: 12px; opacity: .75}
"""


class ShowsAtAGlance(BaseEstimator):
    """Show in a notebook what was kept and what it cost, once it is fitted; a mixin.

    scikit-learn's diagram stands beside it; whether either is shown is for
    scikit-learn's option ``display`` to say.

    Examples
    --------
    >>> from sk_erts import ERTSClassifier
    >>> from sk_erts.datasets import make_ecg
    >>> X, y = make_ecg(40, n_leads=1, duration_s=2, random_state=0)
    >>> clf = ERTSClassifier(module__width=4, max_epochs=2, random_state=0)
    >>> "effective epochs" in clf._repr_html_()
    False
    >>> "effective epochs" in clf.fit(X, y)._repr_html_()
    True
    """

    def _trainings(self) -> Sequence[Any]:
        """Return the classifiers whose trainings are shown."""
        return [self]

    def _repr_html_inner(self) -> str:
        diagram: str = super()._repr_html_inner()
        return self._beside(diagram)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] = self._beside(bundle["text/html"])
        return bundle

    def _beside(self, diagram: str) -> str:
        """Return the diagram with what there is to tell, if there is anything."""
        trainings = self._trainings()
        # A classifier of another kind tells nothing, nor one read from weights.
        if not trainings or not all(hasattr(own, "kept_counts_") for own in trainings):
            return diagram
        return (
            f'<style>{STYLE}</style><div class="sk-erts-beside">'
            f'<div class="sk-erts-glance">{_glance(trainings)}</div>'
            f"<div>{diagram}</div></div>"
        )


def _glance(trainings: Sequence[Any]) -> str:
    """Return figures of trainings, under a picture of what they kept."""
    rows = "".join(
        f"<dt>{name}</dt><dd>{value} <small>{escape(note)}</small></dd>"
        for name, value, note in _figures(trainings)
    )
    return f"{_picture(trainings)}<dl>{rows}</dl>"


def _figures(trainings: Sequence[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and note of each figure."""
    n_epochs = sum(len(own.kept_counts_) for own in trainings)
    effective = sum(own.effective_epochs_ for own in trainings)
    several = f"in {len(trainings)} trainings" if len(trainings) > 1 else ""
    n_trained = len(trainings[0]._trained.rows)
    kept = f"{effective / max(n_epochs, 1):.0%}".replace("%", " %")
    yield "kept", kept, f"of {n_trained} records"
    yield "effective epochs", f"{effective:.1f} of {n_epochs}", several
    passes = sum(own.scoring_passes_ for own in trainings)
    yield "scoring passes", f"{passes:.1f}", "looked at only"
    yield "time", _duration(sum(own.fit_time_s_ for own in trainings)), several
    yield _score(trainings)
    classes = trainings[0].classes_
    yield "classes", str(len(classes)), _listed(classes)


def _score(trainings: Sequence[Any]) -> tuple[str, str, str]:
    """Return macro-F1 in validation, of the last epoch and of the best one."""
    name = "macro-F1"
    stories = [
        [(row["valid_f1"], row["epoch"]) for row in own.history_ if "valid_f1" in row]
        for own in trainings
    ]
    if not all(stories):
        return name, "not measured", "validation_fraction sets records aside for it"
    last = float(np.mean([story[-1][0] for story in stories]))
    if len(trainings) > 1:
        return name, f"{last:.3f}", "validation, last epochs, mean"
    best, epoch = max(stories[0], key=lambda scored: scored[0])
    better = f"; best {best:.3f} in {epoch}" if best > last else ""
    return name, f"{last:.3f}", f"validation, last epoch{better}"


def _picture(trainings: Sequence[Any]) -> str:
    """Return bars as high as the share of the records that was trained, as SVG."""
    n_epochs = max(len(own.kept_counts_) for own in trainings)
    kept, n_records = np.zeros((2, n_epochs))
    for own in trainings:
        counts = own.kept_counts_
        kept[: len(counts)] += counts
        n_records[: len(counts)] += len(own._trained.rows)
    pieces = np.array_split(np.arange(n_epochs), max(1, min(n_epochs, MOST_BARS)))
    step = WIDTH / len(pieces)
    bars = "".join(
        _bar(own, kept[own], n_records[own], i * step, 0.85 * step)
        for i, own in enumerate(pieces)
        if len(own)
    )
    told = "; ".join(
        f"in epoch {i + 1} {kept[i]:.0f} of {n_records[i]:.0f}"
        for i in sorted({0, n_epochs - 1} & set(range(n_epochs)))
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Records trained: {told or "none"}">'
        f'<rect class="room" width="{WIDTH}" height="{HEIGHT}"/>{bars}</svg>'
        "<small>records trained, by epoch (pale: all of them)</small>"
    )


def _bar(
    epochs: IntArray, kept: FloatArray, n_records: FloatArray, x: float, width: float
) -> str:
    """Return the bar of an epoch, or of a few where there are many."""
    height = HEIGHT * float((kept / n_records).mean())
    look = "all-data" if (kept == n_records).all() else "selected"
    first, last = epochs[0] + 1, epochs[-1] + 1
    which = f"epoch {first}" if first == last else f"epochs {first} to {last}"
    return (
        f'<rect class="{look}" x="{x:.2f}" y="{HEIGHT - height:.2f}" '
        f'width="{width:.2f}" height="{height:.2f}">'
        f"<title>{which}: {kept.mean():.0f} records</title></rect>"
    )


def _listed(classes: Any) -> str:
    """Return the names of the classes, cut short where they are long or many."""
    names = [str(own) for own in classes[:MOST_CLASSES]]
    short = [n if len(n) <= MOST_LETTERS else f"{n[:MOST_LETTERS]}…" for n in names]
    more = len(classes) - len(names)
    return ", ".join(short) + (f" and {more} more" if more else "")


def _duration(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
