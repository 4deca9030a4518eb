"""The page: sections with their pictures and numbers, in one HTML file that loads nothing."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from videmo.pages import environment, printable_page, style
from videmo.stats.ink import drawing, lacking_letters, png, svg
from videmo.stats.section import Cell, LeftOut, Section
from videmo.stats.sheet import NARROW, WIDE


class Pictures(NamedTuple):
    """A section's picture.

    Attributes:
        wide: SVG for a screen.
        narrow: SVG for a phone.
        png: A file, of the former, with its title.
        lacking: Letters that are boxes in this file.
    """

    wide: Markup
    narrow: Markup
    png: bytes
    lacking: frozenset[str]


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
    page = environment("videmo.stats", cell=_cell, prose=_prose)
    page.tests["figures"] = _is_number
    return printable_page(
        page.get_template("stats.html").render(
            title=title,
            facts=facts,
            headlines=headlines,
            problems=[_prose(problem[:1].upper() + problem[1:]) for problem in problems],
            sections=sections,
            pictures=pictures,
            style=style("videmo.stats", "stats.css"),
        )
    )


def draw(section: Section) -> Pictures:
    """A section's picture, in all its forms."""
    with lacking_letters() as lacking:
        with drawing(f"{section.name}-wide"):
            figure = section.draw(WIDE)
            wide, file = svg(figure), png(figure, section.title, section.of)  # in this order: a page has its own title
        with drawing(f"{section.name}-narrow"):
            narrow = svg(section.draw(NARROW))
    return Pictures(wide, narrow, file, frozenset(lacking))


def _is_number(value: Cell) -> bool:
    """Whether a cell stands to the right: a number, or a text that begins with one.

    >>> [_is_number(value) for value in (3, None, "<0.1%", "2.0 s", "AU12", "")]
    [True, True, True, True, False, False]
    """
    return not isinstance(value, str) or value[:1].isdigit() or value.startswith(("<", ">", "–"))


def _prose(text: str) -> Markup:
    """Sentences, in which a command stands in backticks.

    >>> _prose("`videmo check` says <b>")
    Markup('<code>videmo check</code> says &lt;b&gt;')
    """
    return Markup(re.sub(r"`(videmo [a-z]+)`", r"<code>\1</code>", str(escape(text))))


def _cell(value: Cell) -> str:
    """A cell's text; names break after an underscore first.

    >>> _cell(1200), _cell(0.5), _cell(None), _cell("emotion_<b>")
    ('1,200', '0.5', '–', Markup('emotion_<wbr>&lt;b&gt;'))
    """
    if value is None:
        return "–"
    if isinstance(value, str):
        return escape(value).replace("_", Markup("_<wbr>"))
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
