"""A table of models by columns without a look: spans, groups of rows, marks with footnotes, best and second.

Terminal, Markdown, CSV and HTML draw the same one.
"""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Cell:
    """One number.

    Attributes:
        value: 0 to 100; None where it is not known.
        notes: What a reader must know of it.
        competes: Whether it may be the best of its column.
    """

    value: float | None
    notes: tuple[str, ...] = ()
    competes: bool = True


@dataclass(frozen=True)
class TableRow:
    """One model.

    Attributes:
        model: Its name.
        size: Its parameters; ``-`` where nobody says.
        group: Title of the rows that it stands with.
        data: What it was measured on; empty where that is what the paper did.
        cells: Column -> number, for all columns of the table.
        notes: What a reader must know of the whole row.
    """

    model: str
    size: str
    group: str
    data: str
    cells: dict[str, Cell]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PaperTable:
    """What is drawn.

    Attributes:
        name: Which table it is: ``1``, ``2``, ``3`` or ``scenarios``.
        title: What stands above it.
        spans: Title -> the columns below it; an AVG column's name ends in ``_avg``.
        rows: In order, those of one group beside each other.
        warnings: What must be read before the numbers are.
        remarks: What is said below, of the whole table.
        ranking: What bold and underline mean, for those who draw them.
        decimals: Of every number.
    """

    name: str
    title: str
    spans: dict[str, tuple[str, ...]]
    rows: tuple[TableRow, ...]
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    ranking: str = ""
    decimals: int = 1

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for names in self.spans.values() for name in names)

    @property
    def row_groups(self) -> dict[str, list[TableRow]]:
        """Title -> rows."""
        groups: dict[str, list[TableRow]] = {}
        for row in self.rows:
            groups.setdefault(row.group, []).append(row)
        return groups

    @cached_property
    def footnotes(self) -> dict[str, str]:
        """Note -> its mark; rows and numbers share one."""
        notes = [note for row in self.rows for of in (row, *row.cells.values()) for note in of.notes]
        return {note: "*†‡§¶"[n] if n < 5 else f"[{n + 1}]" for n, note in enumerate(dict.fromkeys(notes))}

    def marks(self, of: TableRow | Cell) -> str:
        return "".join(self.footnotes[note] for note in of.notes)

    def number(self, cell: Cell) -> str:
        """As it is printed; ``-`` where there is none."""
        return "-" if cell.value is None else f"{cell.value:.{self.decimals}f}"

    def rank(self, row: TableRow, column: str) -> int:
        """1 for the best number of a column and 2 for the second, as printed; 0 for all others."""
        cell = row.cells[column]
        return self._leaders[column].get(self.number(cell), 0) if _competes(cell) else 0

    @cached_property
    def _leaders(self) -> dict[str, dict[str, int]]:
        leaders = {}
        for column in self.columns:
            numbers = {self.number(row.cells[column]) for row in self.rows if _competes(row.cells[column])}
            leaders[column] = {number: n + 1 for n, number in enumerate(sorted(numbers, key=float)[:-3:-1])}
        return leaders


def _competes(cell: Cell) -> bool:
    return cell.competes and cell.value is not None


def head_of(column: str) -> str:
    """What stands above a column, below the title of its span.

    >>> head_of("emotion_single"), head_of("cues_avg"), head_of("dfew_uar")
    ('emotion single', 'AVG', 'UAR')
    """
    last = column.rsplit("_", 1)[-1]
    return last.upper() if last in ("avg", "uar", "war") else column.replace("_", " ")
