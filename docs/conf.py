"""Sphinx configuration."""

import sk_erts

project = "sk-erts"
author = "the sk-erts developers"
copyright = "2026, the sk-erts developers"
release = version = sk_erts.__version__
extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
]
myst_enable_extensions = ["dollarmath"]
autodoc_typehints = "none"  # types stand in the docstrings, with shapes
numpydoc_show_class_members = True
numpydoc_class_members_toctree = False
numpydoc_show_inherited_class_members = False
# The inherited `score` refers to a page of scikit-learn's own user guide.
suppress_warnings = ["ref.ref"]
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_title = "sk-erts"
html_show_sourcelink = False
