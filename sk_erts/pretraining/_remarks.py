"""Sentences on what PTB-XL's table remarks beside the statements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["observed_remarks", "quality_remarks"]

_AXIS: Mapping[str, str] = {
    "MID": "Normal heart axis.",
    "LAD": "Left axis deviation.",
    "ALAD": "Marked left axis deviation.",
    "RAD": "Right axis deviation.",
    "ARAD": "Marked right axis deviation.",
    "AXL": "Borderline left axis deviation.",
    "AXR": "Vertical heart axis.",
    "SAG": "Sagittal heart axis.",
}
_STADIUM: Mapping[str, str] = {
    "Stadium I": "Infarct in stadium I, acute.",
    "Stadium I-II": "Infarct in stadium I to II, acute to subacute.",
    "Stadium II": "Infarct in stadium II, subacute.",
    "Stadium II-III": "Infarct in stadium II to III, subacute to old.",
    "Stadium III": "Infarct in stadium III, old.",
    "unknown": "Infarct of unknown age.",
}
_QUALITY: Mapping[str, str] = {
    "baseline_drift": "Baseline drift",
    "static_noise": "Static noise",
    "burst_noise": "Burst noise",
    "electrodes_problems": "Electrode problem",
}
_STRENGTH: Mapping[str, str] = {
    "leicht": "slight",
    "mittel": "moderate",
    "stark": "strong",
}
_EXTRA = re.compile(r"(\d*)\s*(S?V?ES)?\s*(\d*)", re.IGNORECASE)
_EXTRA_KINDS: Mapping[str, tuple[str, str]] = {
    "VES": ("ventricular premature complex", ""),
    "SVES": ("supraventricular premature complex", ""),
    "ES": ("premature complex", " of unknown origin"),
}
_LEAD_NAMES = ("I", "II", "III", "aVR", "aVL", "aVF", *(f"V{k}" for k in range(1, 7)))
_LEADS: Mapping[str, str] = {name.lower(): name for name in _LEAD_NAMES}
_LEAD = re.compile(r"\b(?:av[rlf]|i{1,3}|v[1-6])\b|-")
_CHEST_LEADS = re.compile(r"(v[1-6])((?:\s*[,-]\s*[1-6]\b)+)")


def observed_remarks(row: Mapping[str, Any]) -> list[str]:
    """Return sentences on axis, infarction stadium, extra beats and pacemaker.

    Parameters
    ----------
    row : mapping of str to object
        A row of ``ptbxl_database.csv``; columns may be absent or empty.

    Returns
    -------
    sentences : list of str
        One for each remark.

    Examples
    --------
    >>> observed_remarks({"heart_axis": "LAD", "extra_beats": "VES2,alles"})
    ['Left axis deviation.', 'Extra beats: 2 ventricular premature complexes.']
    """
    sentences = [_AXIS.get(_cell(row, "heart_axis"), "")]
    for column in ("infarction_stadium1", "infarction_stadium2"):
        sentences.append(_STADIUM.get(_cell(row, column), ""))
    sentences += _extra_beats(_cell(row, "extra_beats"))
    sentences.append(_pacemaker(_cell(row, "pacemaker").lower()))
    # Both stadiums may be the same.
    return list(dict.fromkeys(sentence for sentence in sentences if sentence))


def quality_remarks(row: Mapping[str, Any]) -> list[str]:
    """Return sentences on the quality of the signal.

    Parameters
    ----------
    row : mapping of str to object
        A row of ``ptbxl_database.csv``; columns may be absent or empty.

    Returns
    -------
    sentences : list of str
        One for each remark.

    Examples
    --------
    >>> quality_remarks({"static_noise": " , I-AVF,  ", "baseline_drift": "v5,6"})
    ['Baseline drift in V5, V6.', 'Static noise in I to aVF.']
    """
    sentences = []
    for column, what in _QUALITY.items():
        text = _cell(row, column).lower()
        if not re.search(r"\w", text):
            continue
        strength = next((_STRENGTH[word] for word in _STRENGTH if word in text), "")
        words = f"{strength} {what[0].lower()}{what[1:]}" if strength else what
        doubt = ", questionable" if "?" in text else ""
        leads = _leads(text)
        where = f" in {leads}" if leads else ""
        sentences.append(f"{words[0].upper()}{words[1:]}{where}{doubt}.")
    return sentences


def _cell(row: Mapping[str, Any], column: str) -> str:
    """Return the text of a cell; empty if it is missing."""
    value = row.get(column)
    return value.strip() if isinstance(value, str) else ""


def _extra_beats(text: str) -> list[str]:
    """Return a sentence for each kind of extra beats, such as ``VES,SVES2,alles``."""
    sentences = []
    for part in re.split(r"[,;]", text):
        match = _EXTRA.fullmatch(part.strip())
        if match is None or not match.group():
            continue
        name, origin = _EXTRA_KINDS[(match[2] or "ES").upper()]
        number = match[1] or match[3]
        plural = "" if number == "1" else "es"
        beats = f"{number} {name}{plural}{origin}".strip()
        sentences.append(f"Extra beats: {beats}.")
    if text and not sentences:
        sentences.append("Extra beats: premature complexes of unknown origin.")
    return sentences


def _pacemaker(text: str) -> str:
    """Return a sentence if a pacemaker is remarked."""
    if not text or text.startswith("nein"):
        return ""
    return "A pacemaker is possible." if "?" in text else "A pacemaker is present."


def _leads(text: str) -> str:
    """Return the leads that a remark names, such as ``V1 to V3, aVL``."""
    if "alle" in text:
        return "all leads"
    # "v5,6" is V5 and V6, "v1-6" is V1 to V6.
    text = _CHEST_LEADS.sub(
        lambda match: match[1] + re.sub(r"([1-6])", r"v\1", match[2]), text
    )
    names = ""
    for match in _LEAD.findall(text):
        if match == "-":
            names += " to " if names and not names.endswith(" to ") else ""
        else:
            divided = "" if not names or names.endswith(" to ") else ", "
            names += divided + _LEADS[match]
    return names.removesuffix(" to ")
