"""A table as text of a given width: spans that do not fit beside each other stand below each other.

Rich's tables have no heads over several columns, so the lines are laid out here; rich styles and prints them.
"""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from videmo.benchmark.layout import PaperTable, TableRow, head_of

TITLE = "videmo tables · "
"""How every table begins."""
_HYPHENATED = {  # so that a span of twelve columns fits in 100, and tables 1 and 2 in two parts each
    "accessory": "acces- sory",
    "conversation": "conver- sation",
    "feature": "fea- ture",
    "instruction": "instruc- tion",
}
_NAME_WIDTH = 17  # the longest of the paper's
_GAP, _SPAN_GAP = 1, 3
_STYLES = {0: "", 1: "bold", 2: "underline"}


def table_text(table: PaperTable, width: int = 100, styled: bool = False) -> Text:
    """Title, rows in parts that fit, footnotes and remarks, as lines of at most `width` columns.

    Args:
        table: What to lay out.
        width: Columns of the terminal.
        styled: Whether bold and underline will be seen, and are explained.
    """
    lines = [*_wrapped([TITLE + table.title], width, "bold"), *_wrapped(table.warnings, width, "bold yellow")]
    for part in _parts(table, width):
        lines += [Text(), *_part(table, part)]
    notes = [f"{mark} {note}" for note, mark in table.footnotes.items()]
    remarks = [*table.remarks, table.ranking] if styled else table.remarks
    lines += [Text(), *_wrapped([*notes, *remarks], width, "dim"), Text()]
    for line in lines:
        line.rstrip()
    return Text("\n").join(lines)


def _wrapped(sentences: Sequence[str], width: int, style: str) -> list[Text]:
    return [Text(line, style=style) for sentence in sentences for line in wrap(sentence, width)]


def _parts(table: PaperTable, width: int) -> Iterator[list[tuple[str, list[str]]]]:
    """Spans (title, columns) that fit beside each other; one that does not fit alone is cut."""
    part: list[tuple[str, list[str]]] = []
    left = width - _NAME_WIDTH
    for title, columns in table.spans.items():
        needed = [_column_width(table, column) + _GAP for column in columns]
        if part and sum(needed) + _SPAN_GAP - _GAP > left:
            yield part
            part, left = [], width - _NAME_WIDTH
        if part:
            left -= _SPAN_GAP - _GAP
        part.append((title, []))
        for column, taken in zip(columns, needed, strict=True):
            if part[-1][1] and taken > left:
                yield part
                part, left = [(title, [])], width - _NAME_WIDTH
            part[-1][1].append(column)
            left -= taken
    yield part


def _part(table: PaperTable, part: Sequence[tuple[str, Sequence[str]]]) -> list[Text]:
    widths = {column: _column_width(table, column) for _, columns in part for column in columns}
    spans = [(title, sum(widths[c] for c in columns) + _GAP * (len(columns) - 1)) for title, columns in part]
    lines = []
    if any(title for title, _ in part):
        lines.append(_line("", [[Text(_centred(title, span), style="dim")] for title, span in spans]))
    height = max(len(_head_lines(column)) for column in widths)
    for level in range(-height, 0):
        lines.append(_line("", [[_head(table, column, level, widths[column]) for column in cs] for _, cs in part]))
    rule = Text("─" * len(lines[-1]), "dim")
    for title, rows in table.row_groups.items():
        lines += [rule, Text(title, style="italic cyan")]
        for row in rows:
            cells = [[_cell(table, row, column, widths[column]) for column in columns] for _, columns in part]
            names = _name_lines(table, row)
            lines += [*map(Text, names[:-1]), _line(names[-1], cells)]
    return [*lines, rule]


def _line(name: str, spans: Sequence[Sequence[Text]]) -> Text:
    joined = [Text(" " * _GAP).join(cells) for cells in spans]
    return Text(set_cell_size(name, _NAME_WIDTH) + " " * _GAP) + Text(" " * _SPAN_GAP).join(joined)


def _name_lines(table: PaperTable, row: TableRow) -> list[str]:
    """The model's name with its size and marks, over as many lines as it takes."""
    name = (row.model if row.size == "-" else f"{row.model} {row.size}") + table.marks(row)
    width = _NAME_WIDTH if cell_len(name) == len(name) else _NAME_WIDTH // 2  # a Chinese letter takes two columns
    return wrap(name, width, subsequent_indent=" ")


def _head(table: PaperTable, column: str, level: int, width: int) -> Text:
    """A line of a head, counted from the bottom; above the numbers, not their marks, where it is short."""
    words = _head_lines(column)
    word = words[level] if -level <= len(words) else ""
    return Text(word.rjust(width - _mark_width(table, column)).ljust(width))


def _cell(table: PaperTable, row: TableRow, column: str, width: int) -> Text:
    cell = row.cells[column]
    number, marks = table.number(cell), table.marks(cell)
    room = _mark_width(table, column)
    text = Text(" " * (width - room - len(number))) + Text(number, style=_STYLES[table.rank(row, column)])
    return text + Text(marks.ljust(room))


def _column_width(table: PaperTable, column: str) -> int:
    numbers = max(len(table.number(row.cells[column])) for row in table.rows)
    return max(numbers + _mark_width(table, column), *map(len, _head_lines(column)))


def _mark_width(table: PaperTable, column: str) -> int:
    return max(len(table.marks(row.cells[column])) for row in table.rows)


def _head_lines(column: str) -> list[str]:
    return " ".join(_HYPHENATED.get(word, word) for word in head_of(column).split()).split()


def _centred(title: str, width: int) -> str:
    """``── title ──``, as wide as its columns.

    >>> _centred("cues", 12), _centred("emotion recognition", 12)
    ('─── cues ───', 'emotion rec…')
    """
    if not title:
        return " " * width
    short = title if len(title) <= width else f"{title[: width - 1]}…"
    return f" {short} ".center(width, "─") if len(short) + 2 <= width else short.center(width)
