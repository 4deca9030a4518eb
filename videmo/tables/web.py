"""Tables as one HTML page with its style inside: it loads nothing, and what a model is called is text, never markup."""

from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from videmo.benchmark.layout import PaperTable, head_of

FIRST_LINES = "<!doctype html>\n<!-- videmo tables -->"
_RANKS = {0: "", 1: "best", 2: "second"}


def tables_page(tables: Sequence[PaperTable]) -> str:
    """The page; a section a table, in the order given."""
    environment = Environment(
        loader=PackageLoader("videmo.tables", "."),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    house = files("videmo.report")
    styles = (house / "colours.css", house / "house.css", files("videmo.tables") / "tables.css")
    return environment.get_template("tables.html").render(
        first_lines=Markup(FIRST_LINES),
        style=Markup("".join(style.read_text(encoding="utf-8") for style in styles)),
        tables=tables,
        warnings=dict.fromkeys(warning for table in tables for warning in table.warnings),
        head_of=head_of,
        ranks=_RANKS,
    )
