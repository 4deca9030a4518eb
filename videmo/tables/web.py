"""Tables as one HTML page with its style inside: it loads nothing, and what a model is called is text, never markup."""

from collections.abc import Sequence

from markupsafe import Markup

from videmo.benchmark.layout import PaperTable, head_of
from videmo.pages import environment, style

FIRST_LINES = "<!doctype html>\n<!-- videmo tables -->"
_RANKS = {0: "", 1: "best", 2: "second"}


def tables_page(tables: Sequence[PaperTable]) -> str:
    """The page; a section a table, in the order given."""
    return (
        environment("videmo.tables")
        .get_template("tables.html")
        .render(
            first_lines=Markup(FIRST_LINES),
            style=style("videmo.tables", "tables.css"),
            tables=tables,
            warnings=dict.fromkeys(warning for table in tables for warning in table.warnings),
            head_of=head_of,
            ranks=_RANKS,
        )
    )
