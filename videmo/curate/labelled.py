"""What a table says of each clip, all of its lines together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from videmo.curate.clips import Clips, NoClip
from videmo.curate.columns import Column, read_row
from videmo.curate.grouping import GROUPS, SPLIT
from videmo.curate.splits import SPLITS
from videmo.curate.table import Fault, Row, read_table
from videmo.errors import InputError
from videmo.tasks import Answer

_SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


@dataclass
class LabelledClip:
    """A clip and what is said of it.

    Attributes:
        said: Column -> the label, the labels or the words.
        about: identity, source_video and split, those that are given.
        lines: Column -> the line where it is said.
    """

    said: dict[str, Answer] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


def read_clips(
    rows: Sequence[Row], clips: Clips, columns: Mapping[str, Column], faults: list[Fault]
) -> tuple[dict[str, LabelledClip], int]:
    """Clips by their paths, and how many lines repeat what others say; what is wrong is added to the faults."""
    found: dict[str, LabelledClip] = {}
    repeated = 0
    for row in rows:
        said, about = read_row(row, columns, faults), _about(row, faults)
        try:
            path = clips.find(row.path)
        except NoClip as error:
            faults.append((row.line, str(error)))
            continue
        repeated += path in found and all(found[path].said.get(name) == answer for name, answer in said.items())
        clip = found.setdefault(path, LabelledClip())
        kinds: list[tuple[dict[str, Any], Mapping[str, Any]]] = [(clip.said, said), (clip.about, about)]
        for held, told in kinds:
            for name, value in told.items():
                if held.setdefault(name, value) != value:
                    before = f"{_shown(held[name])} in line {clip.lines[name]}"
                    reason = f"{name} of {path} is {_shown(value)}, but {before}; correct one, or leave its cell empty"
                    faults.append((row.line, reason))
                clip.lines.setdefault(name, row.line)
    return found, repeated


def read_about(file: Path, clips: Clips) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Of each clip identity, source_video and split, those that a table gives; and what of the table is not used.

    Raises:
        InputError: With what is wrong with the table.
    """
    table, found = read_table(file), {}
    faults = list(table.faults)
    read, _ = read_clips(table.rows, clips, {}, faults)
    if faults:
        line, reason = min(faults)
        more = f"; and {len(faults) - 1} faults more" if len(faults) > 1 else ""
        raise InputError(f"{file}:{line}: {reason}{more}; nothing was asked or written")
    found = {path: clip.about for path, clip in read.items()}
    unused = [name for name in table.columns if name not in (*GROUPS, SPLIT)]
    return found, [f"not used beside --models: {', '.join(unused)}"] if unused else []


def _about(row: Row, faults: list[Fault]) -> dict[str, str]:
    found = {}
    for name in (*GROUPS, SPLIT):
        cell = row.cells.get(name)
        if isinstance(cell, str):
            found[name] = cell
        elif cell:
            faults.append((row.line, f"{name} is one text, got {', '.join(cell)}"))
    if SPLIT in found:
        given = found.pop(SPLIT)
        if where := _SPLIT_NAMES.get(given.lower()):
            found[SPLIT] = where
        else:
            faults.append((row.line, f"{SPLIT} is {', '.join(SPLITS)} or empty, got {given!r}"))
    return found


def _shown(answer: Answer) -> str:
    return repr(answer) if isinstance(answer, str) else ", ".join(sorted(answer)) or "none"
