"""A section of the page: a picture with its numbers, or the sentence that says why there is none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from matplotlib.figure import Figure

LONGEST = 40
"""Letters of a name in a picture."""
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
        of: What was counted and how much of it: what stands on the PNG beneath its title.
        alt: What is to be seen, in words.
        numbers: All that is drawn, as JSON has it.
        draw: From a width, in pixels of the page, to the picture.
        tables: Numbers that stand beside it.
    """

    name: str
    title: str
    lead: str
    of: str
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


def plural(count: int, noun: str, several: str | None = None) -> str:
    """A count with its noun, to which an s is added for several where no other form is given.

    >>> plural(1, "record"), plural(1200, "record"), plural(2, "is", "are")
    ('1 record', '1,200 records', '2 are')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {several or f'{noun}s'}"


def cut(text: str) -> str:
    """A text of at most 40 letters; of a longer one its beginning.

    >>> cut("surprise"), cut("x" * 5000) == "x" * 39 + "…"
    ('surprise', True)
    """
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def inside(path: str | Path, root: Path) -> str:
    """A path as a page names it, which others may read: from a folder on where it is in there, else its last part.

    >>> inside("/home/me/data/jsons/a.json", Path("/home/me/data")), inside("/models/run", Path("/home/me"))
    ('jsons/a.json', 'run')
    >>> inside("runs/sft", Path("/home/me")), inside("Qwen/Qwen2.5-VL-3B-Instruct", Path("/home/me"))
    ('runs/sft', 'Qwen/Qwen2.5-VL-3B-Instruct')
    """
    path = Path(path)
    if not path.is_absolute():
        return str(path)
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def short(value: float) -> str:
    """A number with at most one decimal.

    >>> short(13.5), short(14.0), short(1234.56)
    ('13.5', '14', '1,234.6')
    """
    return f"{value:,.1f}".removesuffix(".0")


def percent(part: float | Fraction, whole: float) -> str:
    """A share that is 0% or 100% only where it is none or all of it.

    >>> percent(0, 10), percent(1, 100_000), percent(99_999, 100_000), percent(1, 3), percent(2, 2), percent(0, 0)
    ('0%', '<0.1%', '>99.9%', '33.3%', '100%', '–')
    """
    if not whole:
        return "–"
    if part in (0, whole):
        return "0%" if part == 0 else "100%"
    share = float(100 * part / whole)
    return "<0.1%" if share < 0.1 else ">99.9%" if share > 99.9 else f"{share:.1f}%"
