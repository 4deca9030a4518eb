"""Pictures in the house's colours: as SVG that follows a page's light and dark, and as PNG files.

They are drawn with Matplotlib's own canvas, without a display or a global state. In the SVG each of the house's
colours becomes its variable, and text stays text, in the page's font.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from io import BytesIO, StringIO

from markupsafe import Markup
from matplotlib import font_manager, rc_context
from matplotlib.figure import Figure

from videmo.pages import colours

PIXELS = 72  # an inch: a point is then a pixel of the page
PNG_DPI = 160
_FIRST = "DejaVu Sans"  # Matplotlib's own
_FALLBACK = re.compile(  # fonts of Chinese, Japanese and Korean, as systems name them
    r"CJK|Source Han|WenQuanYi|Droid Sans Fallback|AR PL|Noto Sans (SC|TC|HK|JP|KR)|Nanum|Baekmuk|UnDotum|IPA\w*Gothic|"
    r"Takao|VL Gothic|Hiragino|PingFang|Heiti|STHeiti|Songti|Apple SD Gothic|AppleGothic|Arial Unicode|YaHei|SimHei|"
    r"SimSun|JhengHei|Yu Gothic|Meiryo|MS Gothic|Malgun"
)
_MISSING = re.compile(r"Glyph (\d+) .*missing from")
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
    """Fonts that are here, the later ones for letters that the first lacks; those without serifs first."""
    found = filter(_FALLBACK.search, font_manager.get_font_names())
    return [_FIRST, *sorted(found, key=lambda name: ("Serif" in name, "Mono" in name, name))]


@contextmanager
def lacking_letters() -> Iterator[set[str]]:
    """The letters that no font here has, which are boxes in a picture drawn meanwhile; Matplotlib warns of each."""
    letters: set[str] = set()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield letters
    for warning in caught:
        if found := _MISSING.match(str(warning.message)):
            letters.add(chr(int(found[1])))
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


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


def png(figure: Figure, title: str, of: str) -> bytes:
    """A picture as a PNG file, on the house's paper, beneath its title and what it is of; these stay on it."""
    inch = figure.get_size_inches()[1]
    for text, height, size, name in ((title, 28, 15, "ink"), (of, 10, 11, "soft")):
        figure.text(0, 1 + height / PIXELS / inch, text, size=size, color=colour(name), va="bottom", ha="left")
    stream = BytesIO()
    look = {"facecolor": colour("paper"), "bbox_inches": "tight", "pad_inches": 0.25}
    figure.savefig(stream, format="png", dpi=PNG_DPI, metadata={"Software": None}, **look)
    return stream.getvalue()
