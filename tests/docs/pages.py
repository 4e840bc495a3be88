"""What the pages hold: blocks of code, headings, links."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
WITH_README = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES]

_FENCE = re.compile(r"^(`{3,})(\S*)[^\n]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line that it begins on."""

    language: str
    text: str
    line: int


def name_of(page):
    """Return a page's path as people write it."""
    return page.relative_to(ROOT).as_posix()


@cache
def read(page):
    return page.read_text(encoding="utf-8")


def blocks(page, language):
    """Return the blocks of one language, in their order."""
    text = read(page)
    return [
        Block(found[2], found[3], text.count("\n", 0, found.start(3)) + 1)
        for found in _FENCE.finditer(text)
        if found[2] == language
    ]


def without_blocks(page):
    """Return a page's prose, without code of any kind."""
    return re.sub(r"`[^`\n]*`", "``", _FENCE.sub("", read(page)))
