"""What Sphinx is told; the pages are put together by `docs.builder.tree` beforehand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import imagemill
from docs.builder.docstrings import tidied

project = "imagemill"
author = "the contributors of imagemill"
copyright = "the contributors of imagemill, Apache-2.0"
version = release = imagemill.__version__
language = "en"

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_parser"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
root_doc = "index"
exclude_patterns: list[str] = []
default_role = "code"
suppress_warnings: list[str] = []
nitpicky = False

# ------------------------------------------------------------------------------------------------- Markdown
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

# ------------------------------------------------------------------------------------------------ docstrings
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say types, with units and ranges
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = False
napoleon_numpy_docstring = True
napoleon_use_param = False  # types are prose: "sequence of Transform, or another Pipeline"
napoleon_use_rtype = False
napoleon_custom_sections = ["Targets", "Source", "Shape", "Layout"]

# ------------------------------------------------------------------------------------------------ appearance
html_theme = "furo"
html_title = "imagemill"
html_static_path = ["_static"]
html_extra_path = ["_extra"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None
html_theme_options: dict[str, Any] = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-brand-primary": "#0b5f6d", "color-brand-content": "#0b5f6d"},
    "dark_css_variables": {"color-brand-primary": "#6fc7d4", "color-brand-content": "#6fc7d4"},
}
pygments_style = "friendly"
pygments_dark_style = "monokai"


def setup(app: Any) -> dict[str, Any]:
    """Let docstrings be read as Sphinx needs them."""
    app.connect("autodoc-process-docstring", tidied, priority=400)  # before napoleon, whose priority is 500
    return {"parallel_read_safe": True, "parallel_write_safe": True}
