"""A section of the page: a picture with its numbers, or the sentence that says why there is none."""

from collections.abc import Callable
from dataclasses import dataclass, field

from matplotlib.figure import Figure

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """Numbers beside a picture.

    Attributes:
        head: The columns' names.
        rows: As many cells each; numbers stand to the right, None is a dash.
        title: What it is of, where a section has several.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Section:
    """A picture with its numbers.

    Attributes:
        name: The PNG's stem, its key in stats.json, and where a link to it leads.
        title: Its heading.
        lead: What it shows, of how many, and what that means.
        alt: What is to be seen, in words.
        numbers: All that is drawn, as JSON has it.
        draw: From a width, in pixels of the page, to the picture.
        tables: Numbers that stand beside it.
    """

    name: str
    title: str
    lead: str
    alt: str
    numbers: dict
    draw: Callable[[int], Figure]
    tables: tuple[Table, ...] = field(default=())


@dataclass(frozen=True)
class LeftOut:
    """A section without a picture, and why."""

    name: str
    title: str
    why: str


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "record"), plural(1200, "record")
    ('1 record', '1,200 records')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def percent(part: float, whole: float) -> str:
    """A share that is 0% or 100% only where it is none or all of it.

    >>> percent(0, 10), percent(1, 100_000), percent(99_999, 100_000), percent(1, 3), percent(2, 2), percent(0, 0)
    ('0%', '<0.1%', '>99.9%', '33.3%', '100%', '–')
    """
    if not whole:
        return "–"
    if part in (0, whole):
        return "0%" if part == 0 else "100%"
    share = 100 * part / whole
    return "<0.1%" if share < 0.1 else ">99.9%" if share > 99.9 else f"{share:.1f}%"
