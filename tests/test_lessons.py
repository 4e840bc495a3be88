"""The lessons ask a question and answer it, as scripts and as notebooks."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import lesson_answers

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
LESSONS = sorted((EXAMPLES / "lessons").glob("*.py"))
of_each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


def load(path):
    """Return a script of the examples as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def make():
    """The script that makes notebooks of lessons."""
    pytest.importorskip("sphinx_gallery")
    return load(EXAMPLES / "notebooks" / "make.py")


def answer(lesson):
    """Return what holds the output of a lesson to account."""
    return getattr(lesson_answers, f"lesson_{lesson.name[:2]}")


def headings(cell):
    """Return the headings of a cell of text."""
    if cell["cell_type"] != "markdown":
        return []
    return re.findall(r"^#+ (.+)$", cell["source"], re.MULTILINE)


def bare(notebook):
    """Return a notebook as it is before it is executed."""
    cells = [
        cell | ({"outputs": [], "execution_count": None} if "outputs" in cell else {})
        for cell in notebook["cells"]
    ]
    return notebook | {"cells": cells}


def executed(lesson):
    """Return the notebook of a lesson, as it is kept."""
    path = EXAMPLES / "notebooks" / f"{lesson.stem}.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))


def test_lessons_are_numbered_without_a_gap():
    numbers = [lesson.name[:2] for lesson in LESSONS]
    assert numbers == [f"{k:02d}" for k in range(1, len(LESSONS) + 1)]
    notebooks = sorted((EXAMPLES / "notebooks").glob("*.ipynb"))
    assert [path.stem for path in notebooks] == [path.stem for path in LESSONS]
    held = {name for name in vars(lesson_answers) if name.startswith("lesson_")}
    assert held == {f"lesson_{number}" for number in numbers}


@of_each_lesson
def test_lesson_asks_answers_and_sets_exercises(make, lesson):
    cells = make.notebook_of(lesson)["cells"]
    told = [heading for cell in cells for heading in headings(cell)]
    assert told[0].endswith("?")
    assert "On recordings of patients" in told
    exercises = told[told.index("Answer") + 1 :]
    assert exercises == [f"Exercise {k + 1}" for k in range(len(exercises))]
    assert 2 <= len(exercises) <= 3

    # After the answer: its code; then text, an empty cell and a hidden one, by turns.
    tail = cells[[headings(cell)[:1] for cell in cells].index(["Answer"]) + 2 :]
    assert len(tail) == 3 * len(exercises)
    for text, empty, hidden in zip(tail[::3], tail[1::3], tail[2::3], strict=True):
        assert headings(text)[0].startswith("Exercise")
        assert empty["source"] == "# Your turn"
        assert hidden["source"].startswith("# Answer\n")
        assert hidden["metadata"]["jupyter"]["source_hidden"] is True
        assert "answer" in hidden["metadata"]["tags"]


@of_each_lesson
def test_lesson_runs_and_what_it_says_is_true(lesson, tmp_path):
    finished = subprocess.run(
        [
            *[sys.executable, "-W", "error"],
            *["-W", "ignore:FigureCanvasAgg is non-interactive:UserWarning"],
            str(lesson),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "agg"},
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    answer(lesson)(finished.stdout)
    assert list(tmp_path.iterdir()) == []


@of_each_lesson
def test_notebook_has_the_cells_of_its_script(make, lesson):
    # Their code is what ran above; so that it need not run once more.
    assert bare(executed(lesson)) == make.notebook_of(lesson)


@of_each_lesson
def test_notebook_shows_what_its_cells_print_and_draw(lesson):
    path = EXAMPLES / "notebooks" / f"{lesson.stem}.ipynb"
    text = path.read_text(encoding="utf-8")
    assert len(text) < 300_000
    for told_of_the_machine in ("/home/", "/tmp/", "/root/", " at 0x", str(ROOT)):
        assert told_of_the_machine not in text
    code = [cell for cell in executed(lesson)["cells"] if cell["cell_type"] == "code"]
    counts = [cell["execution_count"] for cell in code]
    assert counts == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} == {"stream", "display_data"}
    assert {output.get("name", "stdout") for output in outputs} == {"stdout"}
    assert any("image/png" in output.get("data", {}) for output in outputs)
    answer(lesson)("".join(output.get("text", "") for output in outputs))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the synthetic stand-ins of three data sets."""
    parent = tmp_path_factory.mktemp("data")
    writers = load(EXAMPLES / "_stand_in.py").WRITERS
    for name in ("ptbxl", "mitbih", "cinc2020"):
        (parent / name).mkdir()
        writers[name](parent / name)
    return parent


def shown_code(text):
    """Return the code blocks in a cell of text."""
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@of_each_lesson
def test_variant_on_recordings_reads_them(make, lesson, folder, tmp_path, monkeypatch):
    (text,) = [
        cell["source"]
        for cell in make.notebook_of(lesson)["cells"]
        if headings(cell) == ["On recordings of patients"]
    ]
    (code,) = shown_code(text)
    for path in folder.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    left = {}
    exec(code, left)
    assert len(left["X"].shape) == 3
    assert len(left["X"]) == len(left["y"]) > 50
