"""Tables as one HTML page with its style inside: it loads nothing, and what a model is called is text, never markup."""

from collections.abc import Sequence

from videmo.benchmark.layout import PaperTable, head_of
from videmo.pages import environment, style

FIRST_LINES = "<!doctype html>\n<!-- videmo tables -->"  # of house.html, by what tables.html calls itself
_RANKS = {0: "", 1: "best", 2: "second"}


def tables_page(tables: Sequence[PaperTable]) -> str:
    """The page; a section a table, in the order given."""
    template = environment("videmo.tables").get_template("tables.html")
    return template.render(
        style=style("videmo.tables", "tables.css"),
        tables=tables,
        problems=dict.fromkeys(warning for table in tables for warning in table.warnings),
        head_of=head_of,
        ranks=_RANKS,
    )
