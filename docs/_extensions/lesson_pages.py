"""Fold the answers on the pages of the lessons, and offer the executed notebooks."""

import re

# From the first line of an answer to where its cell ends: code, prints and figures.
ANSWER = re.compile(
    r"^\.\. code-block:: Python\n\s+# Answer\n.*?"
    r"(?=^\.\. GENERATED FROM|^\.\. _sphx_glr_download|^\.\. rst-class:: sphx-glr-t)",
    re.MULTILINE | re.DOTALL,
)
FOLDED = """.. raw:: html

    <details class="answer"><summary>Answer</summary>

{}

.. raw:: html

    </details>

"""
# sphinx-gallery writes a notebook of its own, without results and with open answers.
NOTEBOOK = re.compile(r"(:download:`.*: )(\w+\.ipynb) <\2>`")
EXECUTED = r"\1\2 <../../examples/notebooks/\2>`"


def edit(app, docname, source):
    """Change the page of a lesson before Sphinx reads it."""
    if docname.startswith("auto_examples/"):
        text = ANSWER.sub(lambda found: FOLDED.format(found[0]), source[0])
        source[0] = NOTEBOOK.sub(EXECUTED, text)


def setup(app):
    """Be an extension of Sphinx."""
    app.connect("source-read", edit)
    return {"parallel_read_safe": True}
