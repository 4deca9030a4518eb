"""Pictures in the house's colours: as SVG that follows a page's light and dark, and as PNG files.

They are drawn with Matplotlib's own canvas, without a display or a global state. In the SVG each of the house's
colours becomes its variable, and text stays text, in the page's font.
"""

import re
from contextlib import AbstractContextManager
from functools import cache
from io import BytesIO, StringIO

from markupsafe import Markup
from matplotlib import font_manager, rc_context
from matplotlib.figure import Figure

from videmo.pages import colours

PIXELS = 72  # an inch: a point is then a pixel of the page
PNG_DPI = 160
_FAMILIES = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "Droid Sans Fallback")
_HEX = re.compile(r"#[0-9a-f]{6}\b")
_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def colour(name: str) -> str:
    """A colour of the house, as `colours` names it."""
    return colours()[name]


def drawing(name: str) -> AbstractContextManager:
    """In this context Matplotlib draws in our style, each picture with names of its own for what it refers to."""
    grey, ink = colour("soft"), colour("ink")
    return rc_context(
        {
            "axes.axisbelow": True,
            "axes.edgecolor": colour("faint"),
            "axes.facecolor": "none",
            "axes.grid": False,
            "axes.labelcolor": grey,
            "axes.labelsize": 11,
            "axes.linewidth": 0.8,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlecolor": ink,
            "axes.titlelocation": "left",
            "axes.titlesize": 12,
            "figure.dpi": PIXELS,
            "figure.facecolor": "none",
            "font.family": _families(),
            "font.size": 11,
            "grid.color": colour("rule"),
            "grid.linewidth": 0.8,
            "hatch.linewidth": 0.8,
            "legend.frameon": False,
            "legend.labelcolor": grey,
            "savefig.facecolor": "none",
            "svg.fonttype": "none",
            "svg.hashsalt": name,
            "text.color": ink,
            "text.parse_math": False,  # a dollar in a label is a dollar
            "xtick.color": colour("faint"),
            "xtick.labelcolor": grey,
            "xtick.labelsize": 10.5,
            "ytick.color": colour("faint"),
            "ytick.labelcolor": ink,
            "ytick.labelsize": 11,
        }
    )


@cache
def _families() -> list[str]:
    """Fonts that are here, the later ones for letters that the first lacks."""
    there = set(font_manager.get_font_names())
    return [name for name in _FAMILIES if name in there]


def svg(figure: Figure) -> Markup:
    """A picture as SVG for a page of the house."""
    stream = StringIO()
    figure.savefig(stream, format="svg", metadata=_METADATA)
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    named = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
    text = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in named else "", text)
    by_value = {value: name for name, value in reversed(colours().items())}
    text = _HEX.sub(lambda found: f"var(--{by_value[found[0]]})" if found[0] in by_value else found[0], text)
    return Markup(text)


def png(figure: Figure) -> bytes:
    """A picture as a PNG file, on the house's paper."""
    stream = BytesIO()
    look = {"facecolor": colour("paper"), "bbox_inches": "tight", "pad_inches": 0.25}
    figure.savefig(stream, format="png", dpi=PNG_DPI, metadata={"Software": None}, **look)
    return stream.getvalue()
