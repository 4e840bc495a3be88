"""Reports that are built from statements and remarks, in four sections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sk_erts._lib.checks import check_choice, check_number, refuse
from sk_erts.datasets._scp_labels import parse_statements
from sk_erts.pretraining._own_texts import own_texts
from sk_erts.pretraining._sections import (
    SECTIONS,
    Statement,
    build_sections,
    read_statements,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["structured_reports"]

_OWNER = "structured_reports"
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def structured_reports(
    database: pd.DataFrame,
    *,
    min_likelihood: float = 0,
    exclude: str | Iterable[str] = (),
    texts: pd.DataFrame | Callable[[pd.Series], Mapping[str, str]] | None = None,
) -> pd.DataFrame:
    """Build reports in four sections from PTB-XL's statements and remarks.

    Parameters
    ----------
    database : pandas.DataFrame of n_samples rows
        ``ptbxl_database.csv`` of PTB-XL [1]_, or ``metadata`` of `load_ptbxl`. The
        column ``scp_codes`` holds dictionaries of statements and likelihoods, or their
        text; remarks whose column is absent are left out.
    min_likelihood : float, default=0
        Statements whose known likelihood in percent is lower are left out, as in
        `load_ptbxl`. Likelihood 0 stands for unknown and is always kept.
    exclude : str or iterable of str, default=()
        Codes of statements that no text may name; of a superclass, with all its
        statements. For a test on statements that no training text has told of.
    texts : callable, pandas.DataFrame or None, default=None
        Texts of your own, which take the place of built ones: a function that is given
        a row of `database` and returns a dictionary of sections, or a table of some
        sections (columns) for some records (index as in `database`). What it leaves
        out, or has None or NaN for, is built.

    Returns
    -------
    reports : pandas.DataFrame of n_samples rows
        Indexed as `database`, with the columns ``definition`` (what the statements and
        their superclasses are), ``appearance`` (what is seen of them),
        ``observations`` (rhythm, form, axis, infarction stadium, extra beats,
        pacemaker, quality of the signal) and ``verdict`` (diagnostic statements, and
        their superclasses). A section of which nothing is known is an empty string.

    Raises
    ------
    ValueError
        If a parameter is not what it must be, or a cell of ``scp_codes`` is none.

    See Also
    --------
    scp_descriptions : The texts that reports are built from.
    normalise_reports : Write the reports of PTB-XL itself in one wording.

    Notes
    -----
    The sections are those of [2]_, which let a language model write them; here they are
    put together from a table. Sentences that name an excluded statement, by the name
    or a synonym of `scp_descriptions`, are left out of all sections, those of `texts`
    included: without "LVH", "voltage criteria for left ventricular hypertrophy" go too.
    A superclass is still named if one of its statements is excluded. The reports
    themselves, column ``report``, are not read, and may name anything.

    References
    ----------
    .. [1] Wagner et al., "PTB-XL, a large publicly available electrocardiography
       dataset", Scientific Data 7:154 (2020), doi:10.1038/s41597-020-0495-6
    .. [2] arXiv:2507.21794, distribution-based masked pre-training with structured
       reports

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_erts.pretraining import structured_reports
    >>> database = pd.DataFrame({
    ...     "scp_codes": [{"IMI": 80.0, "LAFB": 100.0, "SR": 0.0}, {"AFIB": 0.0}],
    ...     "heart_axis": ["LAD", None], "static_noise": [None, " , V1,  "]})
    >>> reports = structured_reports(database)
    >>> print(reports.loc[0, "verdict"])
    Conclusion: left anterior fascicular block; probable inferior myocardial infarction.
    Classes: conduction disturbance, myocardial infarction.
    >>> reports.loc[1, "observations"]
    'Rhythm: atrial fibrillation. Static noise in V1.'
    >>> reports.loc[1, "verdict"]
    ''

    A statement left out, and a text of one's own:

    >>> own = pd.DataFrame({"verdict": ["Fibrillation of the atria."]}, index=[1])
    >>> reports = structured_reports(database, exclude="IMI", texts=own)
    >>> reports["verdict"].str.split(". ", regex=False).str[0].tolist()
    ['Conclusion: left anterior fascicular block', 'Fibrillation of the atria.']
    """
    import pandas as pd

    least = check_number(_OWNER, "min_likelihood", min_likelihood, least=0, most=100)
    table = read_statements()
    statements = _check_database(database, table)
    forbidden = _forbidden(table, _check_exclude(exclude, table))
    given = own_texts(_OWNER, texts, database)
    kept = {
        code: statement
        for code, statement in table.items()
        if not (forbidden and forbidden.search(statement.name))
    }
    rows = []
    records = database.to_dict("records")
    for k, (codes, remarks) in enumerate(zip(statements, records, strict=True)):
        chosen = [
            (code, likelihood)
            for code, likelihood in codes.items()
            if code in kept and (likelihood == 0 or likelihood >= least)
        ]
        # Certain ones first, unknown ones last.
        chosen.sort(key=lambda entry: -entry[1])
        # One whose statements are excluded is still a superclass of the record.
        superclasses = {
            table[code].superclass: likelihood
            for code, likelihood in sorted(codes.items(), key=lambda entry: entry[1])
            if (likelihood == 0 or likelihood >= least)
            and table[code].superclass in kept
        }
        sections = build_sections(chosen, superclasses, kept, remarks) | given(k)
        rows.append([_without(forbidden, sections[name]) for name in SECTIONS])
    return pd.DataFrame(rows, index=database.index, columns=list(SECTIONS), dtype=str)


def _check_database(
    database: Any, table: Mapping[str, Statement]
) -> list[dict[str, float]]:
    """Return the statements of each record, or raise."""
    if not hasattr(database, "columns") or "scp_codes" not in database.columns:
        got = f"an object of type {type(database).__name__}"
        if hasattr(database, "columns"):
            got = f"the columns {', '.join(map(str, database.columns[:5]))}"
        refuse(
            _OWNER,
            "database",
            "be a table with the column 'scp_codes'",
            got,
            "Pass ptbxl_database.csv, read by pandas, or metadata of load_ptbxl.",
        )
    found = []
    wrong = []
    for name, cell in zip(database.index, database["scp_codes"], strict=True):
        try:
            codes = parse_statements(cell)
        except (ValueError, TypeError):
            wrong.append(f"{cell!r} in row {name}")
            continue
        unknown = [code for code in codes if code not in table]
        wrong += [f"the statement {code!r} in row {name}" for code in unknown]
        found.append(codes)
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        refuse(
            _OWNER,
            "database",
            "hold dictionaries of statements and likelihoods in 'scp_codes'",
            ", ".join(wrong[:5]) + more,
            "The statements are those of scp_descriptions(); mend or leave out others.",
        )
    return found


def _check_exclude(exclude: Any, table: Mapping[str, Statement]) -> set[str]:
    """Return the codes to leave out, those of an excluded superclass included."""
    if not isinstance(exclude, Iterable):
        wanted = "be a code or an iterable of codes of scp_descriptions()"
        refuse(_OWNER, "exclude", wanted, repr(exclude))
    given = (exclude,) if isinstance(exclude, str) else tuple(exclude)
    for code in given:
        check_choice(_OWNER, "exclude", code, tuple(table))
    return {
        code
        for code, statement in table.items()
        if code in given or statement.superclass in given
    }


def _forbidden(
    table: Mapping[str, Statement], exclude: set[str]
) -> re.Pattern[str] | None:
    """Return a pattern of all names of excluded statements."""
    if not exclude:
        return None
    names = [name for code in sorted(exclude) for name in table[code].all_names]
    either = "|".join(re.escape(name) for name in names)
    return re.compile(rf"\b(?:{either})(?:e?s)?\b", re.IGNORECASE)


def _without(forbidden: re.Pattern[str] | None, text: str) -> str:
    """Return a text without the sentences that name what is excluded."""
    if forbidden is None or not forbidden.search(text):
        return text
    sentences = _SENTENCE_END.split(text)
    return " ".join(part for part in sentences if not forbidden.search(part))
