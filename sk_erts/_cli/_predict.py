"""The command ``sk-erts predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from sk_erts._cli._console import Out
from sk_erts._cli._folder import Saved
from sk_erts._cli._options import (
    Debug,
    Folds,
    Json,
    Labels,
    Leads,
    Model,
    OnError,
    Read,
    Records,
    reading_of,
)

__all__ = ["labels_of", "predict"]

FEW = 20
MOST_COLUMNS = 8


def predict(
    run: Model,
    data: Records,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="CSV file to write all rows to."
        ),
    ] = None,
    labels: Labels = None,
    folds: Folds = None,
    leads: Leads = None,
    on_error: OnError = None,
    read: Read = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Predict classes and their probabilities for records.

    Records are brought to the leads, rate, filters and length of the training.
    """
    out = Out(json)
    with out.telling_warnings():
        saved = Saved.load(run)
        found = saved.read(data, reading_of(labels, folds, leads, on_error, read), out)
        proba = saved.clf.predict_proba(found.X)
        predicted = labels_of(saved.clf.predict(found.X), saved.clf.classes_)
    classes = [str(label) for label in saved.clf.classes_]
    if output is not None:
        import pandas as pd

        table = pd.DataFrame(proba, columns=classes)
        table.insert(0, "record", found.names)
        table.insert(1, "predicted", predicted)
        output.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(output, index=False)
    rows = zip(found.names.tolist(), predicted, proba.tolist(), strict=True)
    out.give(
        {
            "output": None if output is None else str(output),
            "predictions": [
                {
                    "record": name,
                    "predicted": label,
                    "probabilities": dict(zip(classes, row, strict=True)),
                }
                for name, label, row in rows
            ],
        }
    )
    headings, figures = classes, proba
    if len(classes) > MOST_COLUMNS:
        headings, figures = ["greatest probability"], proba.max(axis=1, keepdims=True)
    out.table(
        ["record", "predicted", *headings],
        (
            [found.names[i], predicted[i], *figures[i].tolist()]
            for i in range(min(FEW, len(proba)))
        ),
    )
    if output is not None:
        out.say(f"All {len(proba):,} rows: {output}")
    elif len(proba) > FEW:
        out.say(f"{len(proba) - FEW:,} more rows; --output FILE.csv writes all.")


def labels_of(predicted: Any, classes: Any) -> list[str]:
    """Return predictions as texts; several of a record are joined.

    Parameters
    ----------
    predicted : ndarray of shape (n_samples,) or (n_samples, n_labels)
        As ``clf.predict`` returns them.
    classes : ndarray of shape (n_classes,)
        Names of the columns.

    Returns
    -------
    texts : list of str
        One for each record.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_erts._cli._predict import labels_of
    >>> labels_of(np.array([[1, 1], [0, 0]]), np.array(["MI", "HYP"]))
    ['MI;HYP', '']
    """
    if predicted.ndim == 1:
        return [str(label) for label in predicted]
    names = np.asarray(classes).astype(str)
    return [";".join(names[row.astype(bool)]) for row in predicted]
