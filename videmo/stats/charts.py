"""The charts that the pictures are made of: bars, histograms, spreads and pairs, each planned for its width."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from videmo.stats.ink import colour
from videmo.stats.section import cut
from videmo.stats.sheet import NARROW, Sheet, fitted, fitted_apart, text_width

_ROW = 20  # pixels of a bar with its gap
_SMALL = 10.5
_AXIS = 42  # pixels for ticks and the name of an axis
_PAD = 6


@dataclass(frozen=True)
class Bar:
    """A bar.

    Attributes:
        label: What it is of.
        value: How long it is.
        note: What stands at its end.
        colour: As colours.css names it.
    """

    label: str
    value: float
    note: str
    colour: str = "accent"


@dataclass(frozen=True)
class Panel:
    """Bars under a title, with a line on them.

    Attributes:
        title: What they are of.
        bars: From the top.
        says: A line of its own under the title.
    """

    title: str
    bars: Sequence[Bar]
    says: str = ""


def bar_panels(panels: Sequence[Panel], width: int, columns: int = 1, most: float | None = None) -> Figure:
    """Panels of horizontal bars from zero, all on one scale, side by side where there is room.

    Args:
        panels: Row by row.
        width: In pixels.
        columns: Panels beside each other; one on a phone.
        most: The value of a full bar, to which a pale one then leads; by default that of the longest.
    """
    columns = 1 if width <= NARROW else columns
    bars = [bar for panel in panels for bar in panel.bars]
    full = most or max((bar.value for bar in bars), default=0) or 1
    gap, rows = 22, [panels[start : start + columns] for start in range(0, len(panels), columns)]
    room = (width - gap * (columns - 1)) / columns
    label = min(max((text_width(cut(bar.label)) for bar in bars), default=0) + _PAD, 0.5 * room)
    note = max((text_width(bar.note, _SMALL) for bar in bars), default=0) + _PAD
    heads = [max(21 * bool(p.title) + 16 * bool(p.says) for p in row) for row in rows]
    heights = [
        head + _ROW * max(len(p.bars) for p in row) + (14 if len(rows) > 1 else 2)
        for head, row in zip(heads, rows, strict=True)
    ]
    sheet, top = Sheet(width, sum(heights)), 0.0
    titles = iter(fitted_apart([panel.title for panel in panels], room, 12))
    for row, head, height in zip(rows, heads, heights, strict=True):
        for place, panel in enumerate(row):
            left = place * (room + gap)
            if title := next(titles):
                sheet.write(left, top + 2, title, size=12, weight="bold")
            if panel.says:
                sheet.write(left, top + 21, fitted(panel.says, room, _SMALL), size=_SMALL, color=colour("soft"))
            if panel.bars:
                axes = sheet.axes(left + label, top + head, room - label - note, _ROW * len(panel.bars))
                _bars(axes, panel.bars, full, label, most is not None)
        top += height
    return sheet.figure


def _bars(axes: Axes, bars: Sequence[Bar], most: float, label: float, whole: bool) -> None:
    places = range(len(bars))
    if whole:
        axes.barh(places, most, 0.62, color=colour("wash"))
    axes.barh(places, [bar.value for bar in bars], 0.62, color=[colour(bar.colour) for bar in bars])
    axes.set(xlim=(0, most), ylim=(len(bars) - 0.5, -0.5), xticks=[])
    axes.set_yticks(places, fitted_apart([bar.label for bar in bars], label - _PAD))
    axes.tick_params("y", length=0, pad=4)
    axes.spines["bottom"].set_visible(False)
    for place, bar in zip(places, bars, strict=True):
        at = {"xytext": (4, 0), "textcoords": "offset points", "va": "center", "annotation_clip": False}
        axes.annotate(bar.note, (bar.value, place), size=_SMALL, color=colour("soft"), **at)


def histogram(
    edges: Sequence[float] | np.ndarray,
    counts: Sequence[int],
    width: int,
    *,
    says: str,
    counted: str,
    marks: Sequence[tuple[float, str]] = (),
    apart: tuple[str, int] | None = None,
    ticks: Sequence[tuple[float, str]] | None = None,
) -> Figure:
    """A histogram from zero.

    Args:
        edges: Of the bins, one more than there are.
        counts: Of each bin.
        width: In pixels.
        says: What the horizontal axis is, with its unit.
        counted: What is counted.
        marks: Values to mark with a line, and what each is.
        apart: What is not on the axis, and how many that are: a bar of its own, to its left.
        ticks: Where the horizontal axis has numbers, and which.
    """
    height, head = (300, 24) if width > NARROW else (240, 24)
    sheet = Sheet(width, height)
    most = max([*counts, apart[1] if apart else 0, 1])
    left = text_width(f"{most:,}") + 28
    alone = max(text_width(apart[0], _SMALL), 44) + 4 * _PAD if apart else 0
    box = (head, height - head - _AXIS)
    axes = sheet.axes(left + alone, box[0], width - left - alone - 12, box[1])
    axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=colour("accent"), edgecolor=colour("paper"))
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.08 * most), xlabel=says)
    if ticks is not None:
        axes.set_xticks([place for place, _ in ticks], [text for _, text in ticks])
    first = axes
    if apart:
        first = sheet.axes(left, box[0], alone - 2 * _PAD, box[1])
        first.bar([0], [apart[1]], 0.6, color="none", edgecolor=colour("bad"), hatch="////")
        first.set(xlim=(-0.6, 0.6), ylim=(0, 1.08 * most))
        first.set_xticks([0], [apart[0]])
        first.annotate(f"{apart[1]:,}", (0, apart[1]), (0, 2), textcoords="offset points", ha="center", size=_SMALL)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        first.tick_params("x", length=0)
    first.set_ylabel(counted)
    first.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    first.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    for value, text in marks:
        axes.axvline(value, color=colour("ink"), linewidth=1.2, linestyle=(0, (4, 3)))
        right = value > (edges[0] + edges[-1]) / 2
        at = {"xytext": (-4 if right else 4, 4), "textcoords": "offset points", "ha": "right" if right else "left"}
        axes.annotate(text, (value, 1.08 * most), size=_SMALL, annotation_clip=False, **at)
    return sheet.figure


@dataclass(frozen=True)
class Spread:
    """How something is spread, as a line with a thicker part and a point; or an interval around an estimate.

    Attributes:
        label: What it is of.
        low: Where the line begins, and ``high``, where it ends.
        middle: The point.
        inner: Ends of the thicker part, if it has one.
        note: What stands at the right.
        colour: As colours.css names it.
    """

    label: str
    low: float
    high: float
    middle: float
    note: str
    inner: tuple[float, float] | None = None
    colour: str = "accent"


def spreads(groups: Sequence[Sequence[Spread]], width: int, *, says: str, log: bool = False) -> Figure:
    """Spreads one below the other on one axis.

    Args:
        groups: From the top, with a gap between them.
        width: In pixels.
        says: What the axis is, with its unit.
        log: Whether it is logarithmic.
    """
    rows, places = [], []
    for number, group in enumerate(groups):
        places += [len(rows) + place + 0.6 * number for place in range(len(group))]
        rows += group
    label = min(max(text_width(cut(r.label)) for r in rows) + _PAD, 0.44 * width)
    note = max(text_width(r.note, _SMALL) for r in rows) + 2 * _PAD
    height = 22 * (places[-1] + 1)
    sheet = Sheet(width, height + _AXIS + 8)
    axes = sheet.axes(label, 4, width - label - note, height)
    for place, r in zip(places, rows, strict=True):
        ink = colour(r.colour)
        axes.plot([r.low, r.high], [place, place], color=ink, linewidth=1.6, solid_capstyle="butt")
        if r.inner:
            axes.plot(r.inner, [place, place], color=ink, linewidth=7, alpha=0.45, solid_capstyle="butt")
        axes.plot([r.middle], [place], "o", color=ink, markersize=6, markeredgecolor=colour("paper"))
        at = {"xycoords": ("axes fraction", "data"), "xytext": (_PAD, 0), "textcoords": "offset points"}
        axes.annotate(r.note, (1, place), va="center", size=_SMALL, color=colour("soft"), **at)
    axes.set_ylim(places[-1] + 0.5, -0.5)
    if log:
        _log_axis(axes, min(r.low for r in rows) / 1.15, max(r.high for r in rows) * 1.15)
    else:
        axes.set_xlim(0, max(max(r.high for r in rows) * 1.04, 1))
        axes.xaxis.set_major_locator(MaxNLocator(5 if width > NARROW else 3))
    axes.set_xlabel(fitted(says, width - 8, 11), x=0, ha="left")
    axes.set_yticks(places, fitted_apart([r.label for r in rows], label - _PAD))
    axes.tick_params("y", length=0)
    axes.grid(True, axis="x")
    axes.spines["left"].set_visible(False)
    return sheet.figure


def pairs(
    rows: Sequence[tuple[str, int, int]], names: tuple[str, str], width: int, *, says: str, coloured: Sequence[str]
) -> Figure:
    """Two counts a row on one logarithmic axis: rings and points; none at all stands at its left end.

    Args:
        rows: What each is of, and both counts.
        names: What the rings and the points are.
        width: In pixels.
        says: What the axis is.
        coloured: The points' colours.
    """
    row, head = _ROW, 24
    label = min(max(text_width(cut(name)) for name, _, _ in rows) + _PAD, 0.44 * width)
    sheet = Sheet(width, head + row * len(rows) + _AXIS + 4)
    axes = sheet.axes(label, head, width - label - 24, row * len(rows))
    least = 0.55  # where none is drawn
    for place, ((_, theirs, ours), name) in enumerate(zip(rows, coloured, strict=True)):
        axes.plot([max(theirs, least), max(ours, least)], [place, place], color=colour("rule"), linewidth=3)
        axes.plot([max(theirs, least)], [place], "o", color="none", markeredgecolor=colour("soft"), markersize=9)
        axes.plot([max(ours, least)], [place], "o" if ours else "x", color=colour(name), markersize=6, clip_on=False)
    _log_axis(axes, least, 1.6 * max(max(theirs, ours) for _, theirs, ours in rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), fitted_apart([name for name, _, _ in rows], label - _PAD))
    axes.tick_params("y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(fitted(says, width - 8, 11), x=0, ha="left")
    key = [("o", names[0], "none", "soft"), ("o", names[1], colour("accent"), "accent"), ("x", "none", None, "accent")]
    left = label
    for marker, text, fill, edge in key:
        legend = sheet.axes(left, 3, 14, 14)
        legend.plot([0], [0], marker, color=fill or colour(edge), markeredgecolor=colour(edge), markersize=6)
        legend.axis("off")
        sheet.write(left + 18, 4, text, size=_SMALL, color=colour("soft"))
        left += 18 + text_width(text, _SMALL) + 18
    return sheet.figure


def _log_axis(axes: Axes, low: float, high: float) -> None:
    """A logarithmic axis with numbers at three places at least."""
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    ticks = log_ticks(low, high)
    axes.set_xticks(ticks, [f"{tick / 1000:g}k" if tick >= 1000 else f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(True, axis="x")


def log_ticks(low: float, high: float) -> list[float]:
    """Numbers for a logarithmic axis, three at least: at 1 of each decade, else at 1 and 3, at 1, 2 and 5, or between.

    >>> log_ticks(0.5, 200), log_ticks(15, 900), log_ticks(1.5, 12), log_ticks(17, 29)
    ([1.0, 10.0, 100.0], [30.0, 100.0, 300.0], [2.0, 5.0, 10.0], [18.0, 21.0, 24.0, 27.0])
    """
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5)):
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        if len(ticks := [tick for tick in ticks if low <= tick <= high]) >= 3:
            return ticks
    ticks = map(float, MaxNLocator(4, min_n_ticks=3).tick_values(low, high))
    return [tick for tick in ticks if low <= tick <= high]
