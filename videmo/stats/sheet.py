"""A picture laid out in pixels of the page, so that it is planned for a screen of 1200 or of 400 of them."""

from functools import cache, lru_cache

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from videmo.stats.ink import PIXELS

WIDE, NARROW = 640, 344
"""Widths of a picture on a screen and on a phone, in pixels."""


class Sheet:
    """An empty picture.

    Args:
        width: In pixels.
        height: Likewise.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / PIXELS, height / PIXELS))

    def axes(self, left: float, top: float, width: float, height: float, **more) -> Axes:
        """Axes at a place, in pixels from the left and from the top."""
        bottom = self.height - top - height
        box = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(box, **more)

    def write(self, left: float, top: float, text: str, **more) -> None:
        """Text whose upper left corner is at a place."""
        more = {"va": "top", "ha": "left", **more}
        self.figure.text(left / self.width, 1 - top / self.height, text, **more)


@lru_cache(2**12)  # a picture is drawn for two widths, of the same words
def text_width(text: str, size: float = 11) -> float:
    """Pixels that a text takes."""
    return TextToPath().get_text_width_height_descent(text, _font(size), False)[0] if text else 0.0


@cache
def _font(size: float) -> FontProperties:
    return FontProperties(size=size)


def fitted(text: str, room: float, size: float = 11) -> str:
    """A text cut with an ellipsis to the pixels that there are; empty where not three letters fit.

    >>> fitted("surprise", 200), fitted("surprise", 36), fitted("surprise", 5)
    ('surprise', 'surp…', '')
    """
    if text_width(text, size) <= room:
        return text
    for length in range(len(text) - 1, 2, -1):
        if text_width(cut := text[:length].rstrip() + "…", size) <= room:
            return cut
    return ""
