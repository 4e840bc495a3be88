"""Reports of several languages in the words of one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from sk_erts.pretraining._statements import read_table
from sk_erts.pretraining._texts import check_texts

__all__ = ["Piece", "normalise_reports", "pieces_of"]

# Behind "Edit:" stand statements of a second look, and voltages.
_BOILERPLATE = (
    re.compile(r"\bedit:.*$", re.DOTALL),
    re.compile(r"\b\d\.\d\d?\s+(?:un?|unb\w*(?:\s+b\w*)?)?\s*$"),
    re.compile(r"\btrace only requested\.?"),
)
# Left by code pages: moves of a terminal's cursor, and letters read as others.
_DAMAGE = (
    (re.compile(r"ó[¬½¿©]"), ""),
    (re.compile(r"(?<=[a-zäöüå])á(?=[a-zäöüå])"), "ß"),
    (re.compile(r"#(?=[a-z])"), "ü"),
    (re.compile(r"(?<=\()\s+"), ""),
)
_TOKEN = re.compile(r"\w+|[^\w\s]")
_FOLD = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_LIST_GAP = 3  # spaces; machines divide the items of a list so


@dataclass(frozen=True)
class Piece:
    """A word or sign of a report, or several that the table knows together.

    Attributes
    ----------
    text : str
        In English if the table knows it, as it was if not.
    words : tuple of str
        What stood in the report.
    role : str
        ``"finding"`` or ``"before"`` if a sentence begins with it, ``"part"`` or
        ``"joins"`` if not; what follows ``"before"`` and ``"joins"`` belongs to them.
        Empty if the table does not know it.
    gap : int
        Spaces in front of it.
    """

    text: str
    words: tuple[str, ...]
    role: str
    gap: int


def normalise_reports(reports: Iterable[str]) -> list[str]:
    """Write PTB-XL's reports in one language and wording.

    Parameters
    ----------
    reports : iterable of n_samples str
        Reports in German, English or Swedish [1]_, such as the column ``report`` of the
        metadata of `load_ptbxl`.

    Returns
    -------
    normalised : list of n_samples str
        In lower case, with one space between words and a full stop at the end. A report
        of boilerplate alone becomes an empty string.

    Raises
    ------
    ValueError
        If a report is missing, empty or no string.

    See Also
    --------
    structured_reports : Build reports from statements and remarks.

    Notes
    -----
    Boilerplate is taken away first: the version of a program with "unbestätigter
    Bericht", all behind "Edit:", and "trace only requested". Then damaged letters are
    mended, and German and Swedish phrases, the longest first, are said in the words of
    ``phrases.csv``, a table in this package; a few English ones too, so that "LVH" and
    "left ventricular hypertrophy" are one. In it, "ä", "ö", "ü" and "ß" are the same as
    "ae", "oe", "ue" and "ss". What the table does not know stays.

    Of the words of PTB-XL's reports that are German or Swedish, it knows 99 %.
    Counted were all words of two letters or more, in 3,112 reports of folds 1 to 9 and
    without boilerplate, that occur in no English report. The table was made with
    the same reports at hand, so expect less of others: with those of its phrases that
    folds 1 to 8 have, it knows 93 % of such words in fold 9.

    References
    ----------
    .. [1] Wagner et al., "PTB-XL, a large publicly available electrocardiography
       dataset", Scientific Data 7:154 (2020), doi:10.1038/s41597-020-0495-6

    Examples
    --------
    >>> from sk_erts.pretraining import normalise_reports
    >>> normalise_reports([
    ...     "sinusrhythmus linkstyp sonst normales ekg 4.46      unbestÄtigter bericht",
    ...     "sinusrytm  vÄnster el-axel    eljest normalt ekg",
    ...     "sinus rhythm. left axis deviation. otherwise normal ecg."])[0]
    'sinus rhythm. left axis deviation. otherwise normal ecg.'
    >>> normalise_reports(["sinus rhythm.", None])
    Traceback (most recent call last):
    ...
    ValueError: The 'reports' of normalise_reports must be texts. Got NoneType in ...
    """
    texts = check_texts(reports, "normalise_reports", "reports")
    return [_sentences(pieces_of(text)) for text in texts]


def pieces_of(report: str) -> list[Piece]:
    """Divide a report into what the table knows and what it does not.

    Parameters
    ----------
    report : str
        As it stands in PTB-XL.

    Returns
    -------
    pieces : list of Piece
        In turn, without boilerplate.

    Examples
    --------
    >>> [piece.text for piece in pieces_of("st-senkung in v5-6")]
    ['st segments are depressed in', 'v5', '-', '6']
    """
    text = report.lower()
    for pattern in _BOILERPLATE:
        text = pattern.sub("", text)
    for pattern, right in _DAMAGE:
        text = pattern.sub(right, text)
    found = list(_TOKEN.finditer(text))
    words = [match.group() for match in found]
    folded = [word.translate(_FOLD) for word in words]
    phrases = _phrases()
    pieces = []
    k = end = 0
    while k < len(words):
        n, english, role = 1, words[k], ""
        for wanted, its_english, its_role in phrases.get(folded[k], ()):
            if folded[k : k + len(wanted)] == wanted:
                n, english, role = len(wanted), its_english, its_role
                break
        gap = found[k].start() - end
        pieces.append(Piece(english, tuple(words[k : k + n]), role, gap))
        end = found[k + n - 1].end()
        k += n
    return pieces


@cache
def _phrases() -> dict[str, list[tuple[list[str], str, str]]]:
    """Return phrases with English and role by first word, the longest first."""
    by_first: dict[str, list[tuple[list[str], str, str]]] = {}
    table = read_table("phrases.csv")
    columns = (table["phrase"], table["english"], table["role"])
    for phrase, english, role in zip(*columns, strict=True):
        words = _TOKEN.findall(phrase.translate(_FOLD))
        by_first.setdefault(words[0], []).append((words, english, role))
    for phrases in by_first.values():
        phrases.sort(key=lambda entry: -len(entry[0]))
    return by_first


def _sentences(pieces: Sequence[Piece]) -> str:
    """Put pieces together, and end sentences where a finding begins."""
    text = ""
    is_known = belongs = False
    for piece in pieces:
        if not text:
            text = piece.text
        elif (
            piece.role in ("finding", "before")
            and not belongs
            and text[-1] not in "(/-"
        ):
            text = f"{_ended(text)} {piece.text}"
        else:
            # A list of places, each on its own line.
            if piece.role == "part" and piece.gap >= _LIST_GAP and is_known:
                text += "" if belongs else ","
            is_word = piece.text[0].isalnum()
            # A phrase may have taken a full stop, or an end in brackets, with it.
            apart = is_word and (text[-1].isalnum() or is_known)
            apart |= piece.gap > 0 and piece.text[0] not in ",.;:)"
            text += " " * apart + piece.text
        is_known, belongs = bool(piece.role), piece.role in ("before", "joins")
    return _ended(text)


def _ended(text: str) -> str:
    """Return a text with a full stop, unless there is none or it has an end."""
    text = text.rstrip(" ,;:-")
    return text + "." if text and text[-1] not in ".!?" else text
