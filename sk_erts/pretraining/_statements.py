"""What the SCP statements of PTB-XL mean, and how they look on the paper."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_table", "scp_descriptions"]


def scp_descriptions() -> pd.DataFrame:
    """Return what each SCP statement of PTB-XL means, and how it looks on the paper.

    Returns
    -------
    descriptions : pandas.DataFrame of 75 rows
        The 71 statements of PTB-XL [1]_ and its superclasses, indexed by code; NORM is
        both. All columns hold str:

        kinds
            ``"diagnostic"``, ``"form"``, ``"rhythm"`` or ``"superclass"``, several of
            them divided by a space.
        superclass
            Code of the superclass of a diagnostic statement; empty for others.
        name
            The statement in plain English.
        synonyms
            Other names, divided by semicolons; may be empty.
        definition
            What it is, in one sentence.
        appearance
            What is seen, in one or two sentences; times in ms, voltages in mV.
        source
            Guideline, consensus or textbook that the two texts follow.

    See Also
    --------
    structured_reports : Build reports from these texts.

    Notes
    -----
    The texts are written for this package from common knowledge. They teach a network
    which words belong together and are no criteria to make a diagnosis by.

    References
    ----------
    .. [1] Wagner et al., "PTB-XL, a large publicly available electrocardiography
       dataset", Scientific Data 7:154 (2020), doi:10.1038/s41597-020-0495-6

    Examples
    --------
    >>> from sk_erts.pretraining import scp_descriptions
    >>> descriptions = scp_descriptions()
    >>> descriptions.loc["IRBBB", "name"]
    'incomplete right bundle branch block'
    >>> print(descriptions.loc["AFLT", "definition"])
    Atrial flutter is a fast, regular circling of the impulse in the atria.
    >>> kinds = descriptions["kinds"].str.split()
    >>> int(kinds.map(lambda kind: "rhythm" in kind).sum())
    12
    """
    return read_table("statements.csv").set_index("code")


def read_table(name: str) -> pd.DataFrame:
    """Read a table of this package, all cells as str.

    Parameters
    ----------
    name : str
        The file's name.

    Returns
    -------
    table : pandas.DataFrame
        Its rows; an empty cell is an empty string.
    """
    import pandas as pd

    with files("sk_erts.pretraining").joinpath(name).open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype=str, keep_default_na=False)
