"""Which notebooks come of the lessons?

Each script of ``examples/lessons`` becomes a notebook with the same cells, executed.
The answers of its exercises are hidden, and an empty cell stands before each.

    python examples/notebooks/make.py          # all of them
    python examples/notebooks/make.py 03 04    # some

It needs sphinx-gallery, nbclient and ipykernel; ``make notebooks`` sets them up.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from sphinx_gallery.gen_gallery import DEFAULT_GALLERY_CONF
from sphinx_gallery.notebook import jupyter_notebook
from sphinx_gallery.py_source_parser import split_code_and_text_blocks

HERE = Path(__file__).parent
LESSONS = HERE.parent / "lessons"
ANSWER = "# Answer"
HIDDEN = {
    "jupyter": {"outputs_hidden": True, "source_hidden": True},
    "tags": ["hide-input", "hide-output", "answer"],
}


def scripts(numbers=()):
    """Return the paths of the lessons, those with the given numbers or all."""
    found = sorted(LESSONS.glob("[0-9][0-9]_*.py"))
    missing = set(numbers) - {path.name[:2] for path in found}
    if missing:
        raise SystemExit(f"there is no lesson {', '.join(sorted(missing))}")
    return [path for path in found if not numbers or path.name[:2] in numbers]


def cell(kind, source, **metadata):
    """Return one cell; its identifier is given when its place is known."""
    made = {"cell_type": kind, "metadata": metadata, "source": source}
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def notebook_of(script):
    """Return the notebook of a lesson, not executed, as a dictionary."""
    _, blocks = split_code_and_text_blocks(script)
    made = jupyter_notebook(blocks, DEFAULT_GALLERY_CONF, HERE)
    cells = []
    for old in made["cells"]:
        source = "".join(old["source"]).strip()
        if source.startswith(ANSWER):
            cells.append(cell("code", "# Your turn"))
            cells.append(cell("code", source, **HIDDEN))
        else:
            cells.append(cell(old["cell_type"], source))
    origin = f"Made from `examples/lessons/{script.name}` by `make notebooks`."
    cells[0]["source"] += f"\n\n*{origin} Answers to the exercises are hidden cells.*"
    for k, each in enumerate(cells):
        each["id"] = f"cell-{k:02d}"
    python = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": made["metadata"]["kernelspec"],
            "language_info": python,
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def executed(notebook, folder):
    """Return the notebook with what its cells print and draw, run in `folder`."""
    import nbclient
    import nbformat

    (Path(folder) / "matplotlibrc").write_text("figure.dpi: 80\n", encoding="utf-8")
    os.environ |= {
        "OMP_NUM_THREADS": "1",  # one thread rounds in one order
        "MATPLOTLIBRC": str(folder),
        "PYTHONWARNINGS": "ignore:IProgress not found",  # of captum's progress bar
    }
    os.environ.pop("MPLBACKEND", None)
    client = nbclient.NotebookClient(
        nbformat.from_dict(notebook),
        kernel_name="python3",
        timeout=600,
        startup_timeout=300,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    done = client.execute()
    done["metadata"] = notebook["metadata"]
    for each in done["cells"]:
        for output in each.get("outputs", []):
            if output.get("name") == "stderr":
                raise SystemExit(f"{each['source']}\nsaid: {output['text']}")
    return done


def main(numbers):
    """Write the notebooks of the lessons."""
    for script in scripts(numbers):
        with tempfile.TemporaryDirectory() as folder:
            made = executed(notebook_of(script), folder)
        path = HERE / f"{script.stem}.ipynb"
        text = json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
