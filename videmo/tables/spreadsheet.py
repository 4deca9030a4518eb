"""A table as CSV, for machines: the header of the shipped tables, what each row was measured on, and its notes."""

import csv
from io import StringIO

from videmo.benchmark.layout import PaperTable, TableRow

HEAD = ("model", "size", "group", "data")
"""The columns before the scores; ``data`` is empty where a number is the paper's."""


def table_csv(table: PaperTable) -> str:
    """A line a row with two decimals at most, empty where there is no number."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*HEAD, *table.columns, "notes"])
    for row in table.rows:
        numbers = [row.cells[column].value for column in table.columns]
        rounded = ["" if number is None else round(number, 2) for number in numbers]
        writer.writerow([row.model, row.size, row.group, row.data, *rounded, _notes(row)])
    return stream.getvalue()


def _notes(row: TableRow) -> str:
    """What is to be known of a row, and of which columns."""
    columns: dict[str, list[str]] = {}
    for column, cell in row.cells.items():
        for note in cell.notes:
            columns.setdefault(note, []).append(column)
    return "; ".join([*row.notes, *(f"{' '.join(names)}: {note}" for note, names in columns.items())])
