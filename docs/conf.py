"""Settings of Sphinx for `make docs`: the pages of this folder, and a reference made of the docstrings."""

from __future__ import annotations

from importlib import metadata

project = "tune-jobs"
author = "The tune-jobs contributors"
version = release = metadata.version("tune-jobs")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = f"{project} {release}"
html_copy_source = False

# A link to a heading of another page names GitHub's anchor, so that the pages read well without Sphinx, too.
myst_heading_anchors = 4

# Docstrings mark code with two backticks. A single backtick must not break the build, where a warning is an error.
default_role = "literal"
nitpicky = False

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autosummary_generate = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
