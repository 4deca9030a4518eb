"""A picture laid out in pixels of the page, so that it is planned for a screen of 1200 or of 400 of them."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import takewhile
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from videmo.stats.ink import PIXELS
from videmo.stats.section import LONGEST, cut

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
        style: dict[str, Any] = {"va": "top", "ha": "left", **more}
        self.figure.text(left / self.width, 1 - top / self.height, text, **style)


@lru_cache(2**12)  # a picture is drawn for two widths, of the same words
def text_width(text: str, size: float = 11) -> float:
    """Pixels that a text takes."""
    return TextToPath().get_text_width_height_descent(text, FontProperties(size=size), False)[0] if text else 0.0


def fitted_apart(texts: Sequence[str], room: float, size: float = 11) -> list[str]:
    """Names cut to the pixels that there are; of those that would be alike then, what differs is kept.

    >>> fitted_apart(["surprise_in_the_wild_a", "surprise_in_the_wild_b", "fear"], 60)
    ['surpris…a', 'surpris…b', 'fear']
    """
    short = [fitted(cut(text), room, size) for text in texts]
    apart = []
    for text, own in zip(texts, short, strict=True):
        others = [other for other, name in zip(texts, short, strict=True) if name == own and other != text]
        if others:
            alike = [_alike(text, other) for other in others]
            ways = (
                f"{text[:length].rstrip()}…{cut(text[start:])}"
                for start in (min(alike), max(alike))
                for length in range(min(start, LONGEST), 0, -1)
            )
            cut_in_the_middle = next((way for way in ways if text_width(way, size) <= room), None)
            own = cut_in_the_middle or fitted(f"…{text[max(alike) :]}", room, size)
        apart.append(own)
    return apart


def _alike(one: str, other: str) -> int:
    """Letters with which two texts begin alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def fitted(text: str, room: float, size: float = 11) -> str:
    """A text cut with an ellipsis to the pixels that there are; empty where not three letters fit.

    >>> fitted("surprise", 200), fitted("surprise", 36), fitted("surprise", 5)
    ('surprise', 'surp…', '')
    """
    if text_width(text, size) <= room + 0.1:  # a room is often a text's own width, with a gap added and taken again
        return text
    for length in range(len(text) - 1, 2, -1):
        if text_width(cut := text[:length].rstrip() + "…", size) <= room:
            return cut
    return ""
