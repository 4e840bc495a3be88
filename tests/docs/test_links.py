"""Each link of a page leads somewhere, as far as that can be told offline."""

import re
from urllib.parse import unquote

import pytest

from tests.docs.pages import PAGES, ROOT, WITH_README, name_of, read, without_blocks

# Made when the site is built.
MADE = {ROOT / "docs/auto_examples/index": "examples/lessons/GALLERY_HEADER.rst"}
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?\)")
_INCLUDED = re.compile(r"^```\{(?:literalinclude|figure|image)\} (\S+)", re.MULTILINE)


def slug(heading):
    """Return the anchor of a heading, as GitHub and MyST make it."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    kept = re.sub(r"[^\w\- ]", "", plain.strip().lower())
    return kept.replace(" ", "-")


def anchors(page):
    headings = re.findall(r"^#{1,4} (.+)$", without_code(page), re.MULTILINE)
    return {slug(heading) for heading in headings}


def without_code(page):
    """Return a page without fenced blocks; headings keep their inline code."""
    return re.sub(r"^```.*?^```", "", read(page), flags=re.MULTILINE | re.DOTALL)


def links(page):
    return [link for link in _LINK.findall(without_blocks(page)) if "://" not in link]


def broken(page, link):
    """Return why a link leads nowhere, or None."""
    path, _, anchor = unquote(link).partition("#")
    target = (page.parent / path).resolve() if path else page
    if target in MADE:
        return None if (ROOT / MADE[target]).exists() else f"nothing makes {link}"
    if not target.exists():
        return f"{link}: no such file"
    if not target.is_relative_to(ROOT):
        return f"{link} leads out of the repository"
    if anchor and anchor not in anchors(target):
        return f"{link}: no such heading"
    return None


@pytest.mark.parametrize("page", WITH_README, ids=name_of)
def test_links_lead_somewhere(page):
    assert [why for link in links(page) if (why := broken(page, link))] == []


@pytest.mark.parametrize("page", WITH_README, ids=name_of)
def test_what_is_included_is_there(page):
    for path in _INCLUDED.findall(read(page)):
        assert (page.parent / path).is_file(), path


def test_every_page_is_reached_from_the_start_page():
    start = read(ROOT / "docs/index.md")
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```", start, re.M | re.S)
    listed = [line for tree in trees for line in tree.splitlines() if line]
    listed = [line for line in listed if not line.startswith(":")]
    assert len(listed) == len(set(listed))
    assert {page.stem for page in PAGES} - {"index"} <= set(listed)
    pages = {page.stem for page in (ROOT / "docs").glob("*.[mr][ds]*")}
    made = {path.relative_to(ROOT / "docs").as_posix() for path in MADE}
    absent = set(listed) - pages - made
    assert absent == set()


def test_the_readme_is_two_screens_before_it_sends_on():
    before = read(ROOT / "README.md").partition("\n## Read on")[0]
    assert len(before.splitlines()) <= 110


# Pages tell users what holds and what to do; they keep no list of wishes.
_WISHES = re.compile(
    r"target (?:is|was|of 0)|(?:not|is) reached|was asked for|were asked|\bAsked for\b"
    r"|target is missed|\| (?:reached|missed)\b|\bwanted \|"
)


@pytest.mark.parametrize("page", WITH_README, ids=name_of)
def test_no_page_speaks_of_what_was_asked_for(page):
    assert _WISHES.findall(read(page)) == []


@pytest.mark.parametrize("name", ["reliability", "performance", "choosing", "install"])
def test_pages_for_busy_readers_are_short(name):
    assert len(read(ROOT / f"docs/{name}.md").splitlines()) <= 110
