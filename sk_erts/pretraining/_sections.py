"""The four sections of a report, from the statements and remarks of a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sk_erts.pretraining._remarks import observed_remarks, quality_remarks
from sk_erts.pretraining._statements import scp_descriptions
from sk_erts.pretraining._texts import SECTIONS

__all__ = ["SECTIONS", "Statement", "build_sections", "read_statements"]

# How sure the annotators were, in percent.
_DOUBT = ((100, ""), (80, "probable "), (50, "possible "), (0, "questionable "))


@dataclass(frozen=True)
class Statement:
    """A row of the table of statements.

    Attributes
    ----------
    name, superclass, definition, appearance : str
        As in `scp_descriptions`.
    kinds : tuple of str
        What kinds of statement it is.
    all_names : tuple of str
        Its name and its synonyms.
    """

    name: str
    kinds: tuple[str, ...]
    superclass: str
    definition: str
    appearance: str
    all_names: tuple[str, ...]


def read_statements() -> dict[str, Statement]:
    """Return the table of statements.

    Returns
    -------
    statements : dict of str to Statement
        By code; NORM is statement and superclass in one.
    """
    return {
        code: Statement(
            row["name"],
            tuple(row["kinds"].split()),
            row["superclass"],
            row["definition"],
            row["appearance"],
            (row["name"], *filter(None, row["synonyms"].split(";"))),
        )
        for code, row in scp_descriptions().to_dict("index").items()
    }


def build_sections(
    chosen: Sequence[tuple[str, float]],
    superclasses: Mapping[str, float],
    table: Mapping[str, Statement],
    remarks: Mapping[str, Any],
) -> dict[str, str]:
    """Build the four sections of a record.

    Parameters
    ----------
    chosen : sequence of (str, float)
        Codes of its statements with likelihoods in percent, in the order of telling.
    superclasses : mapping of str to float
        Codes of its superclasses with the highest likelihood of their statements.
    table : mapping of str to Statement
        What is known of them.
    remarks : mapping of str to object
        Its row of ``ptbxl_database.csv``.

    Returns
    -------
    sections : dict of str to str
        A text for each of `SECTIONS`, which may be empty.
    """
    classes = sorted(superclasses, key=lambda code: -superclasses[code])
    by_kind: dict[str, list[str]] = {"diagnostic": [], "form": [], "rhythm": []}
    for code, _ in chosen:
        for kind in by_kind:
            if kind in table[code].kinds:
                by_kind[kind].append(code)
    told = list(dict.fromkeys(code for codes in by_kind.values() for code in codes))
    defined = list(dict.fromkeys([*told, *classes]))
    observed = []
    for title in ("rhythm", "form"):
        if by_kind[title]:
            seen = ", ".join(table[code].name for code in by_kind[title])
            observed.append(f"{title.capitalize()}: {seen}.")
    observed += observed_remarks(remarks) + quality_remarks(remarks)
    likelihood = dict(chosen)
    verdict = []
    if by_kind["diagnostic"]:
        told_of = "; ".join(
            _doubt(likelihood[code]) + table[code].name
            for code in by_kind["diagnostic"]
        )
        verdict.append(f"Conclusion: {told_of}.")
    # A normal ECG has been called so already.
    if names := [table[code].name for code in classes if code != "NORM"]:
        title = "Class" if len(names) == 1 else "Classes"
        verdict.append(f"{title}: {', '.join(names)}.")
    return {
        "definition": " ".join(table[code].definition for code in defined),
        "appearance": " ".join(table[code].appearance for code in told),
        "observations": " ".join(observed),
        "verdict": " ".join(verdict),
    }


def _doubt(likelihood: float) -> str:
    """Return the word for how sure the annotators were of a statement."""
    if likelihood == 0:
        return ""
    return next(word for least, word in _DOUBT if likelihood >= least)
