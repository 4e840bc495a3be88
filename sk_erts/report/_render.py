"""The page: what the template is given, and how it writes numbers."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any

from sk_erts._lib.optional import import_optional
from sk_erts.report._bootstrap import Measured
from sk_erts.report._origin import STATUSES
from sk_erts.report._subject import Subject

__all__ = ["render"]

HERE = Path(__file__).parent
DASH = "\N{EN DASH}"


def render(
    *, title: str, subject: Subject, measured: Measured, tables: Any, **parts: Any
) -> str:
    """Return the page.

    Parameters
    ----------
    title : str
        Its heading.
    subject : Subject
        What it is about.
    measured : Measured
        Figures of the classes and their mean.
    tables : dict of str to DataFrame
        What stands in it; None for a section that is not there.
    **parts : object
        What else the template names.

    Returns
    -------
    html : str
        All text that is not the template's own is escaped.

    Raises
    ------
    ImportError
        If jinja2 is not installed.
    """
    jinja2 = import_optional("jinja2", extra="report", purpose="A report")
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FileSystemLoader(HERE),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "interval": interval,
        "span": span,
        "path": svg_path,
    }
    text: str = environment.get_template("_page.html").render(
        title=title,
        subject=subject,
        measured=measured,
        tables=tables,
        statuses=[status.label for status in STATUSES],
        today=datetime.date.today().isoformat(),
        css=_source("_page.css"),
        script=_source("_page.js"),
        **parts,
    )
    return text


def number(value: Any, digits: int = 2) -> str:
    """Return a number as a reader wants it, a dash where there is none.

    Parameters
    ----------
    value : float or None
        The number.
    digits : int, default=2
        Behind the point.

    Returns
    -------
    said : str
        To two digits, what is nearly 1 is not said to be it.

    Examples
    --------
    >>> from sk_erts.report._render import number
    >>> number(0.987), number(0.997), number(12345, 0)
    ('0.99', '>0.99', '12,345')
    """
    if value is None or not math.isfinite(value):
        return DASH
    said = f"{value:,.{digits}f}"
    return ">0.99" if said == "1.00" and value < 1 else said


def percent(value: Any) -> str:
    """Return a share as a percentage."""
    return DASH if value is None or not math.isfinite(value) else f"{100 * value:.0f} %"


def interval(low: Any, high: Any, digits: int = 2) -> str:
    """Return an interval, empty where there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"{low:.{digits}f} to {high:.{digits}f}"


def span(seconds: float) -> str:
    """Return a time in the unit that suits it.

    Parameters
    ----------
    seconds : float
        At least 0.

    Returns
    -------
    said : str
        Such as "2 min 5 s".

    Examples
    --------
    >>> from sk_erts.report._render import span
    >>> span(3.21), span(125), span(7300)
    ('3.2 s', '2 min 5 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def svg_path(points: Any, side: float = 100) -> str:
    """Return points between 0 and 1 as a path that goes up where y rises."""
    pairs = [f"{side * x:.4g} {side * (1 - y):.4g}" for x, y in points]
    return "M" + "L".join(pairs)


def _source(name: str) -> Any:
    """Return a file of this package, which is no text of a user's."""
    markupsafe = import_optional("markupsafe", extra="report", purpose="A report")
    return markupsafe.Markup((HERE / name).read_text(encoding="utf-8"))
