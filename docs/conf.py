"""Sphinx configuration."""

import sys
from pathlib import Path

import sk_erts

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "sk-erts"
author = "the sk-erts developers"
copyright = "2026, the sk-erts developers"
release = version = sk_erts.__version__
extensions = [
    "lesson_pages",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
# `-D plot_gallery=0` shows the lessons without running them.
sphinx_gallery_conf = {
    "examples_dirs": "../examples/lessons",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/\d\d_",
    "within_subsection_order": "FileNameSortKey",
    "nested_sections": False,
    "abort_on_example_error": True,
    "capture_repr": (),
    "remove_config_comments": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 3600,  # pages are the same whenever they are made
    "write_computation_times": False,
}
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
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
html_static_path = ["_static"]
html_css_files = ["pages.css"]
templates_path = ["_templates"]
html_sidebars = {"**": ["sidebar-pages"]}
html_theme_options = {
    "navbar_center": ["navbar-groups"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_context = {
    "default_mode": "auto",
    "groups": [
        ("install", "Install"),
        ("choosing", "Choosing"),
        ("auto_examples/index", "Lessons"),
        ("api", "Reference"),
        ("results", "Results"),
    ],
}
