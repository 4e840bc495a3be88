"""The design is what docs/design.md says it is."""

import re
import sys
from pathlib import Path

import grimp
import numpy as np
import pytest

import sk_erts
from sk_erts import ERTSClassifier
from tests.conftest import bumps

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
MOST_ARROWS = 85
MOST_LOOSE_MODULES = 10
MOST_FUNCTIONS = 18


def room_of(module):
    """Return the package or loose module at the top that a module belongs to."""
    return module.split(".")[1] if "." in module else "__init__"


@pytest.fixture(scope="module")
def arrows():
    graph = grimp.build_graph("sk_erts")
    return {
        (room_of(module), room_of(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if room_of(module) != room_of(imported)
    }


def test_rooms_have_few_arrows_and_none_in_a_circle(arrows):
    assert len(arrows) <= MOST_ARROWS
    rooms = {room for arrow in arrows for room in arrow}
    while rooms:  # take away what imports from nobody that is left
        lowest = {r for r in rooms if not any((r, o) in arrows for o in rooms)}
        assert lowest, f"imports go in a circle through {sorted(rooms)}"
        rooms -= lowest


def test_each_room_stands_on_the_page(arrows):
    table = PAGE.split("## Rooms")[1].split("## One record")[0]
    rooms = {room for arrow in arrows for room in arrow} - {"__init__"}
    assert rooms == set(re.findall(r"`(\w+)`", table)) & rooms


def test_few_private_modules_are_loose():
    top = Path(sk_erts.__file__).parent
    loose = [path.stem for path in top.glob("_*.py") if path.stem != "__init__"]
    assert len(loose) <= MOST_LOOSE_MODULES


def functions_on_the_page():
    table = PAGE.split("## One record's way")[1].split("## Broken off")[0]
    return re.findall(r"^\| \d+ \| `([\w.]+)` \|", table, re.MULTILINE)


def test_the_way_of_a_record_is_the_one_on_the_page(small):
    """The functions are called, for the first time, in the order of the table."""
    expected = functions_on_the_page()
    assert 10 < len(expected) <= MOST_FUNCTIONS
    called = []

    def watch(frame, event, argument):
        if event != "call" or "sk_erts" not in frame.f_code.co_filename:
            return
        name = frame.f_code.co_qualname
        if name in expected and name not in called:
            called.append(name)

    X, y, _ = bumps(64)
    # Without a warm-up the first records are looked at before any is trained.
    clf = ERTSClassifier(**small | {"warmup_epochs": (0, 1), "max_epochs": 2})
    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        clf.fit(X, y)
    finally:
        sys.setprofile(before)
    assert called == expected
    assert np.isfinite(clf.effective_epochs_)
