"""The page: sections with their pictures and numbers, in one HTML file that loads nothing."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from videmo.pages import environment, printable_page, style
from videmo.stats.ink import drawing, png, svg
from videmo.stats.section import Cell, LeftOut, Section
from videmo.stats.sheet import NARROW, WIDE


class Pictures(NamedTuple):
    """A section's picture.

    Attributes:
        wide: SVG for a screen.
        narrow: SVG for a phone.
        png: A file, of the former.
    """

    wide: Markup
    narrow: Markup
    png: bytes


def render(
    title: str,
    facts: Sequence[tuple[str, str]],
    headlines: Sequence[tuple[str, str]],
    problems: Sequence[str],
    sections: Sequence[Section | LeftOut],
    pictures: Mapping[str, Pictures],
) -> str:
    """The page as text.

    Args:
        title: Its heading.
        facts: Name and value of what the pictures are of.
        headlines: Number and what it counts.
        problems: Sentences that a reader should know first.
        sections: In their order.
        pictures: Of those that have one, by name.
    """
    page = environment("videmo.stats")
    page.filters["cell"] = _cell
    page.tests["picture"] = lambda section: isinstance(section, Section)
    page.tests["figures"] = _is_number
    return printable_page(
        page.get_template("stats.html").render(
            title=title,
            facts=facts,
            headlines=headlines,
            problems=problems,
            sections=sections,
            pictures=pictures,
            style=style("videmo.stats", "stats.css"),
        )
    )


def draw(section: Section) -> Pictures:
    """A section's picture, in all its forms."""
    with drawing(f"{section.name}-wide"):
        wide = section.draw(WIDE)
        drawn = svg(wide), png(wide)
    with drawing(f"{section.name}-narrow"):
        return Pictures(drawn[0], svg(section.draw(NARROW)), drawn[1])


def _is_number(value: Cell) -> bool:
    """Whether a cell stands to the right: a number, or a text that begins with one.

    >>> [_is_number(value) for value in (3, None, "<0.1%", "2.0 s", "AU12", "")]
    [True, True, True, True, False, False]
    """
    return not isinstance(value, str) or value[:1].isdigit() or value.startswith(("<", ">", "–"))


def _cell(value: Cell) -> str:
    """
    >>> _cell(1200), _cell(0.5), _cell(None), _cell("x")
    ('1,200', '0.5', '–', 'x')
    """
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else value
