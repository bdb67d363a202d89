"""How the documentation site is built: `make docs` (Sphinx, MyST, furo; a broken reference fails)."""

project = "Evergrant"
project_copyright = "the Evergrant authors"
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Evergrant"
exclude_patterns = ["_build"]
nitpicky = True
