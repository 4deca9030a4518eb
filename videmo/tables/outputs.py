"""The four formats as text, and what they may be written over: another table, never a file of something else."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Literal

from rich.console import Console

from videmo.aside import write_atomically
from videmo.benchmark.layout import PaperTable
from videmo.errors import InputError
from videmo.tables import markdown, spreadsheet, terminal, web

Format = Literal["terminal", "markdown", "csv", "html"]
ENDINGS: dict[str, Format] = {".txt": "terminal", ".md": "markdown", ".csv": "csv", ".html": "html", ".htm": "html"}
_BEGINNINGS = (terminal.TITLE, markdown.FIRST_LINE, ",".join(spreadsheet.HEAD), web.FIRST_LINES)


def format_of(given: Format | None, out: Path | None) -> Format:
    """The format that was asked for, else what the file's ending says, else the terminal's.

    Raises:
        InputError: If the ending says nothing.
    """
    if given or out is None:
        return given or "terminal"
    if out.suffix.lower() not in ENDINGS:
        raise InputError(f"--out={out} does not end in {', '.join(ENDINGS)}; give --format too")
    return ENDINGS[out.suffix.lower()]


def as_text(tables: Sequence[PaperTable], as_format: Format) -> str:
    """The tables as the text of a file."""
    if as_format == "html":
        return web.tables_page(tables)
    if as_format == "markdown":
        return "\n".join([markdown.FIRST_LINE, "", *map(markdown.table_markdown, tables)])
    if as_format == "csv":
        if len(tables) != 1:
            raise InputError(f"a CSV file holds one table; give --table, one of {', '.join(t.name for t in tables)}")
        return spreadsheet.table_csv(tables[0])
    stream = StringIO()
    console = Console(file=stream, width=100, highlight=False, markup=False, emoji=False)
    for table in tables:
        console.print(terminal.table_text(table, console.width))
    return stream.getvalue()


def write_tables(text: str, out: Path) -> None:
    """Write a file, whole or not at all.

    Raises:
        InputError: If a folder is there, or a file that holds no table of ours.
    """
    if out.is_dir():
        raise InputError(f"--out={out} is a folder; name a file in it")
    if out.exists():
        with out.open("rb") as stream:
            head = stream.read(200)
        if head and not head.startswith(tuple(beginning.encode() for beginning in _BEGINNINGS)):
            raise InputError(f"--out={out} is refused: there is a file that holds no table of ours; name another file")
    write_atomically(out, text)
