"""The house's pages: one HTML file each, with its style inside, that loads nothing and escapes what it is told."""

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

OURS = "videmo.pages"
HOUSE = ("colours.css", "house.css")
_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_COLOUR = re.compile(r"--([a-z0-9-]+): (#[0-9a-f]{6});")


def environment(package: str, **filters: Callable[..., Any]) -> Environment:
    """Jinja over the templates of a package, which may extend house.html: every text is escaped, and a name that is not
    given is an error.
    """
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader(OURS, ".")]),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(filters)
    return made


def style(package: str, *own: str) -> Markup:
    """The house's style, and style sheets of a package after it."""
    sheets = [*((OURS, name) for name in HOUSE), *((package, name) for name in own)]
    return Markup("".join((files(home) / name).read_text(encoding="utf-8") for home, name in sheets))


def printable_page(text: str) -> str:
    """A page without the characters that HTML may not hold, whatever a record or a model said."""
    return _CONTROL_CHARACTERS.sub("�", text)


@cache
def colours() -> dict[str, str]:
    """Name -> colour of the light scheme, for pictures; colours.css has them for pages.

    Example:
        >>> colours()["accent"]
        '#2f5d8c'
    """
    light, _, _ = (files(OURS) / "colours.css").read_text(encoding="utf-8").partition("@media")
    return dict(_COLOUR.findall(light))
