"""An icicle: columns of boxes from the left to the right, each as high as what it stands for is large."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from videmo.stats.ink import colour
from videmo.stats.sheet import NARROW, Sheet, fitted, fitted_apart, text_width

_LINE = 13  # pixels that a label needs
_FADING = (0.55, 0.34, 0.2)  # opacity by column


@dataclass(frozen=True)
class Box:
    """A box with those that it is made of.

    Attributes:
        label: What it is.
        size: How large.
        colour: As colours.css names it.
        parts: Beside it, with sizes that add up to its own.
    """

    label: str
    size: int
    colour: str
    parts: Sequence["Box"] = ()


def icicle(boxes: Sequence[Box], heads: Sequence[str], width: int) -> Figure:
    """Boxes of a whole, largest first; those that are too flat for their label have none.

    Args:
        boxes: Of the first column.
        heads: The columns' names.
        width: In pixels.
    """
    leaves = sum(len(part.parts) for box in boxes for part in box.parts)
    height, head = min(max(320, 16 * leaves), 760), 22
    sheet = Sheet(width, height + head)
    axes = sheet.axes(0, head, width, height)
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    edges = [0, 0.24 * width, 0.62 * width, width] if width > NARROW else [0, 0.27 * width, 0.66 * width, width]
    for left, name in zip(edges, heads, strict=False):
        sheet.write(left + 2, 4, name, size=10.5, color=colour("soft"))
    _draw(axes, boxes, edges, 0, 0.0, height / max(1, sum(box.size for box in boxes)))
    return sheet.figure


def _draw(axes: Axes, boxes: Sequence[Box], edges: Sequence[float], column: int, top: float, scale: float) -> None:
    left, right = edges[column], edges[column + 1]
    boxes = sorted(boxes, key=lambda box: -box.size)
    for box, name in zip(boxes, fitted_apart([box.label for box in boxes], right - left - 12), strict=True):
        high = box.size * scale
        look = {"facecolor": colour(box.colour), "alpha": _FADING[column]}
        axes.add_patch(Rectangle((left, top), right - left, high, linewidth=0, **look))
        axes.add_patch(
            Rectangle(
                (left, top), right - left, high, fill=False, edgecolor=colour("paper"), linewidth=min(1, high / 4)
            )
        )
        if high >= _LINE:
            _label(axes, name, box.size, left, right, top, high)
        if box.parts:
            _draw(axes, box.parts, edges, column + 1, top, scale)
        top += high


def _label(axes: Axes, name: str, size: int, left: float, right: float, top: float, high: float) -> None:
    room, count = right - left - 12, f"{size:,}"
    at = {"va": "center", "ha": "left"}
    if high >= 2.4 * _LINE:
        axes.text(left + 6, top + high / 2 - 7, name, size=11, **at)
        axes.text(left + 6, top + high / 2 + 7, fitted(count, room, 10), size=10, color=colour("soft"), **at)
        return
    axes.text(left + 6, top + high / 2, name, size=10.5, **at)
    if text_width(name) + text_width(count, 10) + 10 <= room:
        axes.text(right - 6, top + high / 2, count, size=10, color=colour("soft"), va="center", ha="right")
