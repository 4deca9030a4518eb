"""A table as Markdown: bold for the best, underlined for the second, footnotes as a list."""

import re

from videmo.benchmark.layout import Cell, PaperTable, TableRow, head_of

FIRST_LINE = "<!-- videmo tables -->"
_RANKED = {0: "{}", 1: "**{}**", 2: "<ins>{}</ins>"}


def table_markdown(table: PaperTable) -> str:
    """The table as GitHub shows it; a group of rows begins with a line of its own."""
    heads = ["model", "size", *(_head(span, column) for span, columns in table.spans.items() for column in columns)]
    lines = [f"## {escape(table.title)}", "", *(f"> **{escape(warning)}**" for warning in table.warnings)]
    lines += [""] if table.warnings else []
    lines += [_line(heads), _line(["---", "---", *["---:"] * len(table.columns)])]
    for title, rows in table.row_groups.items():
        lines.append(_line([f"*{escape(title)}*", *[""] * (len(heads) - 1)]))
        for row in rows:
            cells = [_cell(table, row, column) for column in table.columns]
            lines.append(_line([escape(row.model) + _marks(table, row), escape(row.size), *cells]))
    notes = [f"{_raised(mark)} {escape(note)}" for note, mark in table.footnotes.items()]
    return "\n".join(
        [*lines, "", *(f"- {note}" for note in [*notes, *map(escape, (*table.remarks, table.ranking))]), ""]
    )


def escape(text: str) -> str:
    """Text that means nothing to Markdown, in one line.

    >>> escape("a|b_c <3B>")
    'a\\\\|b\\\\_c &lt;3B&gt;'
    """
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]|~#])", r"\\\1", plain)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _head(span: str, column: str) -> str:
    """A head that is clear without its span: ``AVG cues``, ``UAR DFEW``."""
    head = head_of(column)
    return f"{head} {span}" if head.isupper() else head


def _cell(table: PaperTable, row: TableRow, column: str) -> str:
    cell = row.cells[column]
    return _RANKED[table.rank(row, column)].format(table.number(cell)) + _marks(table, cell)


def _marks(table: PaperTable, of: TableRow | Cell) -> str:
    return _raised(marks) if (marks := table.marks(of)) else ""


def _raised(mark: str) -> str:
    return f"<sup>{escape(mark)}</sup>"
