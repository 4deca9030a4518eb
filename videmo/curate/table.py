"""A table of labels as rows of cells, each with its line: CSV as spreadsheets write it, a JSON list, or JSON lines."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from videmo.data.entries import scan
from videmo.errors import InputError

PATH_COLUMNS = ("path", "video", "file")
"""What the column with the clip's path may be called."""
_CSV = (".csv", ".tsv", ".txt")
_JSON = (".json", ".jsonl")
_NOTHING = ("na", "n/a", "nan", "null", "?", "-")
_DELIMITERS = (",", ";", "\t")

Cell = str | Sequence[str]
Fault = tuple[int, str]


@dataclass(frozen=True)
class Row:
    """What a table says of one clip.

    Attributes:
        line: Where it begins, from 1.
        path: Of the clip, as it is written.
        cells: Column -> text, or a list of texts; those that are not empty.
    """

    line: int
    path: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Table:
    """A file of labels.

    Attributes:
        file: Its path.
        columns: All but the clip's path, in order, in lower case with _ for spaces and hyphens.
        rows: In the file's order.
        faults: What cannot be read: line, 0 where that is unknown, and reason.
    """

    file: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]


def read_table(file: Path) -> Table:
    """Read a table of labels.

    Raises:
        InputError: If it cannot be read at all: no such file, another format or encoding, no column of paths, no rows.
    """
    if file.is_dir():
        raise InputError(f"{file} is a folder; name the CSV or JSON file of labels in it")
    if not file.is_file():
        raise InputError(f"no file of labels {file}")
    suffix = file.suffix.lower()
    if suffix not in (*_CSV, *_JSON):
        raise InputError(
            f"{file} ends in {suffix or 'nothing'}; labels are CSV ({', '.join(_CSV)}) or JSON ({', '.join(_JSON)}): "
            "a spreadsheet program saves its tables as CSV"
        )
    faults: list[Fault] = []
    entries = list(_csv_entries(file, faults) if suffix in _CSV else _json_entries(file, faults))
    columns = tuple(dict.fromkeys(name for _, cells in entries for name in cells))
    key = next((name for name in PATH_COLUMNS if name in columns), None)
    if key is None:
        if faults:
            raise InputError(f"{file}:{faults[0][0]}: {faults[0][1]}")
        has = f"it has {', '.join(columns)}" if columns else "it has no rows"
        raise InputError(f"{file}: no column {' or '.join(PATH_COLUMNS)} with the clips' paths; {has}")
    rows = []
    for line, cells in entries:
        path = cells.get(key)
        full = {name: c for name, c in cells.items() if name != key and c is not None and not _is_nothing(c)}
        if isinstance(path, str) and path:
            rows.append(Row(line, path, full))
        elif full or path is not None:
            faults.append((line, f"no {key} of a clip"))
    if not rows and not faults:
        raise InputError(f"{file} has no rows under its header; write a line for each clip")
    return Table(file, tuple(name for name in columns if name != key), tuple(rows), tuple(faults))


def _is_nothing(cell: Cell | None) -> bool:
    """An empty cell, or what statistics programs write into one."""
    return cell is None or (isinstance(cell, str) and cell.lower() in _NOTHING)


def plain_name(header: str) -> str:
    """A column's name as it is known: ``Action Units`` is action_units."""
    return "_".join(header.replace("-", " ").lower().split())


def _csv_entries(file: Path, faults: list[Fault]) -> Iterator[tuple[int, dict[str, Cell | None]]]:
    """Line and cells of each row that is not blank; an empty cell is None."""
    text = _text(file)
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            faults.append((line, f"not valid CSV ({error}); a quote that opens a cell must close it"))
            return
        start, line = line, reader.line_num + 1
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = [plain_name(cell) for cell in cells]
            twice = [name for name, count in Counter(filter(None, header)).items() if count > 1]
            if twice:
                raise InputError(f"{file}:{start}: the column {twice[0]} stands there twice; rename or remove one")
            if not any(name in header for name in PATH_COLUMNS):
                raise InputError(
                    f"{file}:{start}: no column {' or '.join(PATH_COLUMNS)} with the clips' paths; the first line has "
                    f"{', '.join(name or '(nothing)' for name in header)}"
                )
            yield start, dict.fromkeys(filter(None, header))
            continue
        if any(cell.strip() for cell in cells[len(header) :]):
            many = f"{len(cells)} cells under {len(header)} columns"
            faults.append((start, f"{many}; put quotes around a cell that holds {delimiter!r}"))
            continue
        yield start, {name: cell.strip() or None for name, cell in zip(header, cells, strict=False) if name}


def _text(file: Path) -> str:
    data = file.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:1000]:
        raise InputError(f"{file} is not UTF-8 text but UTF-16 or no text; save it as CSV in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{file}:{line}: not UTF-8 text; save it as CSV in UTF-8") from None


def _delimiter(text: str) -> str:
    """What stands between the names of the first line that is not blank."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=first.count)


def _json_entries(file: Path, faults: list[Fault]) -> Iterator[tuple[int, dict[str, Cell | None]]]:
    for entry in scan(file):
        if entry.reason and not entry.line:
            raise InputError(f"{file} is no JSON list of objects, and has none on its lines; save it as one of these")
        if entry.reason:
            faults.append((entry.line, entry.reason))
        elif not isinstance(entry.fields, dict):
            faults.append((entry.line, f"expected an object of columns, found {type(entry.fields).__name__}"))
        else:
            try:
                yield entry.line, {plain_name(name): _cell(name, value) for name, value in entry.fields.items()}
            except InputError as error:
                faults.append((entry.line, str(error)))


def _cell(name: str, value: object) -> Cell | None:
    """Text of a value; an empty list says that there is nothing, and null or an empty text says nothing."""
    if isinstance(value, list):
        return [_text_of(name, each) for each in value]
    return None if value is None else _text_of(name, value).strip() or None


def _text_of(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str | int | float):
        raise InputError(f"{name} is text, a number or a list of these, found {value!r}")
    return str(int(value)) if isinstance(value, float) and float(value).is_integer() else str(value)
