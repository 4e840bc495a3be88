"""From the SCP statements of PTB-XL to the labels of a task."""

import ast
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

# The column of scp_statements.csv that names a statement's label; None: its own code.
TASK_COLUMNS: Mapping[str, str | None] = {
    "superclass": "diagnostic_class",
    "subclass": "diagnostic_subclass",
    "statement": None,
}


def parse_statements(text: object) -> dict[str, float]:
    """Read one cell of the ``scp_codes`` column.

    Parameters
    ----------
    text : object
        A Python literal such as ``"{'NORM': 100.0, 'SR': 0.0}"``.

    Returns
    -------
    statements : dict of str to float
        Likelihood in percent of each statement; 0 stands for unknown.

    Raises
    ------
    ValueError
        If the cell is something else.

    Examples
    --------
    >>> parse_statements("{'NORM': 100.0, 'SR': 0.0}")
    {'NORM': 100.0, 'SR': 0.0}
    """
    try:
        value = ast.literal_eval(text) if isinstance(text, str) else text
    except SyntaxError as error:
        raise ValueError("not a Python literal") from error
    if not isinstance(value, dict):
        raise ValueError("not a dictionary")
    return {str(code): float(likelihood) for code, likelihood in value.items()}


def label_likelihoods(
    statements: Sequence[Mapping[str, float]],
    label_of: Mapping[str, str],
    target_names: Sequence[str],
    min_likelihood: float,
) -> NDArray[np.float64]:
    """Tabulate how likely each label is in each record.

    Parameters
    ----------
    statements : sequence of n_samples mappings of str to float
        Likelihood in percent of each record's statements; 0 stands for unknown.
    label_of : mapping of str to str
        Label of each statement; one that is absent has no label in this task.
    target_names : sequence of n_labels str
        All labels.
    min_likelihood : float
        Statements whose known likelihood is lower do not count.

    Returns
    -------
    likelihoods : ndarray of shape (n_samples, n_labels), dtype float64
        The highest likelihood, in percent, of a label's statements; 0 where only
        unknown ones speak for the label, -1 where none does.

    Examples
    --------
    >>> label_likelihoods([{"IMI": 35.0, "SR": 0.0}], {"IMI": "MI"}, ["MI", "CD"], 0)
    array([[35., -1.]])
    """
    column = {name: k for k, name in enumerate(target_names)}
    table = np.full((len(statements), len(target_names)), -1.0)
    for row, record in zip(table, statements, strict=True):
        for code, likelihood in record.items():
            if code in label_of and (likelihood == 0 or likelihood >= min_likelihood):
                k = column[label_of[code]]
                row[k] = max(row[k], likelihood)
    return table


def choose_single(
    likelihoods: NDArray[np.float64], how: str
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Choose the records that get a single label, and the label.

    Parameters
    ----------
    likelihoods : ndarray of shape (n_samples, n_labels), dtype float64
        Likelihoods in percent; 0 unknown, -1 absent.
    how : {"unique", "likeliest"}
        Whether a record must have one label only, or one that is likelier than all
        its others, unknown likelihoods counting as the lowest.

    Returns
    -------
    kept : ndarray of shape (n_samples,), dtype bool
        Records that have such a label.
    label : ndarray of shape (n_samples,), dtype int64
        Its column; meaningless where not kept.

    Examples
    --------
    >>> import numpy as np
    >>> likelihoods = np.array([[100.0, -1.0], [50.0, 80.0], [50.0, 50.0]])
    >>> choose_single(likelihoods, "unique")[0].tolist()
    [True, False, False]
    >>> choose_single(likelihoods, "likeliest")[0].tolist()
    [True, True, False]
    """
    highest = likelihoods.max(axis=1, keepdims=True)
    rivals = likelihoods >= 0 if how == "unique" else likelihoods == highest
    kept = (rivals.sum(axis=1) == 1) & (highest[:, 0] >= 0)
    return kept, likelihoods.argmax(axis=1)
