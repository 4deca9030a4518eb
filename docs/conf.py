"""The documentation as a site: `make docs` writes it to docs/_build/html, and fails at a link that leads nowhere."""

import re
from pathlib import Path

from pygments.lexers.special import TextLexer

import videmo

DOCS = Path(__file__).parent
COLOURS = (DOCS.parent / "videmo" / "pages" / "colours.css").read_text(encoding="utf-8")


def _furo(scheme: str) -> dict[str, str]:
    """Furo's variables in the house's colours of one scheme."""
    own = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", scheme))
    return {
        "color-brand-primary": own["accent"],
        "color-brand-content": own["accent"],
        "color-brand-visited": own["accent"],
        "color-background-primary": own["paper"],
        "color-background-secondary": own["wash"],
        "color-foreground-primary": own["ink"],
        "color-foreground-secondary": own["soft"],
        "color-background-border": own["rule"],
    }


light, _, dark = COLOURS.partition("@media")

project = "videmo"
author = "the videmo authors"
copyright = f"{author}; Apache-2.0"
release = videmo.__version__
html_title = f"videmo {release}"

extensions = ["myst_parser", "sphinx_design", "sphinx_copybutton"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
copybutton_exclude = ".linenos, .gp, .c1"  # comments beside commands are for reading

html_theme = "furo"
html_theme_options = {"light_css_variables": _furo(light), "dark_css_variables": _furo(dark)}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False


def setup(app) -> None:
    """Tables of labels are shown as they are: Pygments knows no CSV."""
    app.add_lexer("csv", TextLexer)
