"""What the columns of a table mean: which task each is of, and what its cells say.

A cell is a label as the task writes it, or another word for it (``happiness`` for Happy, ``very sad`` for Strong Sad),
and nothing that would have to be guessed: a typing error is a fault with its line, and no label.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import product

from videmo.curate.grouping import GROUPS, SPLIT
from videmo.curate.table import PATH_COLUMNS, Cell, Fault, Row, Table, plain_name
from videmo.data.records import special_tokens
from videmo.errors import InputError
from videmo.tasks import Answer, Task, benchmark_tasks, own_tasks
from videmo.tasks.action_units import spell_action_units
from videmo.tasks.mentions import normalise

RATIONALE = "rationale"
_TASKS = {  # column -> the tasks that it may be of, from the smallest set of labels
    "emotion": ("emotion_dfew", "emotion_mafw", "fine_mead"),
    "emotions": ("emotion_multi",),
    "sentiment": ("sentiment_mosei", "sentiment_chsims"),
    "action_units": ("action_unit",),
    "head_pose": ("head_pose",),
    "appearance": ("appearance_cls",),
    "actions": ("action_cls",),
    "micro_expression": ("micro_expression",),
    "relation": ("relation_perr",),
    "caption": ("caption",),
    "appearance_caption": ("appearance_cap",),
    "action_caption": ("action_cap",),
    "emotion_caption": ("emotion_cap",),
    RATIONALE: ("rationale",),
}
_BETWEEN = re.compile(r"[;|,]")
_SHOWN, _NAMED = 12, 7  # labels that a message lists


class NoLabel(InputError):
    """A cell that no label is; the message says which and what was perhaps meant."""


@dataclass(frozen=True)
class Column:
    """A column of labels.

    Attributes:
        name: Its own.
        task: What it is of.
    """

    name: str
    task: Task

    def read(self, cell: Cell) -> Answer | None:
        """What a cell says; None if it says nothing.

        Raises:
            NoLabel: If it is none of the task's labels.
        """
        return _READ[self.task.kind](self, cell)


def known_columns() -> dict[str, tuple[Task, ...]]:
    """Column -> the tasks that it may be of; a user's own tasks are columns by their names, and come before others.

    Raises:
        InputError: If one has the name of a column that is no label.
    """
    for task in own_tasks():
        if plain_name(task.name) in (*PATH_COLUMNS, *GROUPS, SPLIT):
            raise InputError(f"the task {task.name!r} has the name of a column that is no label; take another")
    tasks = {task.name: task for task in benchmark_tasks()}
    found = {column: tuple(tasks[name] for name in names) for column, names in _TASKS.items()}
    found |= {name.removeprefix("qa_"): (task,) for name, task in tasks.items() if name.startswith("qa_")}
    return found | {plain_name(task.name): (task,) for task in own_tasks()}


def label_columns(table: Table) -> dict[str, Column]:
    """The columns that hold labels, each with the smallest set that knows all of its cells, else the one that knows
    most of them.
    """
    found = {}
    known = known_columns()
    for name in table.columns:
        if name in known and name not in (*GROUPS, SPLIT):
            cells = {repr(row.cells[name]): row.cells[name] for row in table.rows if name in row.cells}
            found[name] = min(
                (Column(name, task) for task in known[name]), key=lambda column: _unknown(column, cells.values())
            )
    return found


def unused_columns(table: Table) -> list[str]:
    """The columns that mean nothing here, each with what was perhaps meant."""
    known = [*known_columns(), *GROUPS, SPLIT]
    unused = [name for name in table.columns if name not in known]
    near = {name: get_close_matches(name, known, n=1, cutoff=0.8) for name in unused}
    return [f"{name} (did you mean {near[name][0]}?)" if near[name] else name for name in unused]


def read_row(row: Row, columns: Mapping[str, Column], faults: list[Fault]) -> dict[str, Answer]:
    """Column -> what a row's cells say; what they cannot mean is added to the faults."""
    said = {}
    for name, column in columns.items():
        if name in row.cells:
            try:
                answer = column.read(row.cells[name])
            except NoLabel as error:
                faults.append((row.line, str(error)))
                continue
            if answer is not None:
                said[name] = answer
    return said


def _unknown(column: Column, cells: Iterable[Cell]) -> int:
    count = 0
    for cell in cells:
        try:
            column.read(cell)
        except NoLabel:
            count += 1
    return count


@lru_cache(maxsize=64)
def spellings(task: Task) -> dict[str, str]:
    """Every way to write a label -> the label: itself, other words for it, and for the words that it is made of.

    Example:
        >>> from videmo.tasks import find_task
        >>> spellings(find_task("MEAD_Fine-grained-Emotion-Recognition"))["slightly fearful"]
        'Weak Fear'
    """
    found: dict[str, str] = {}
    words = {normalise(label): others for label, others in task.aliases.items()}
    for label in task.labels:
        for other in (label, *task.aliases.get(label, ())):
            found.setdefault(normalise(other), label)
    for label in task.labels:
        parts = normalise(label).split()
        if len(parts) > 1:
            for made in product(*((part, *map(normalise, words.get(part, ()))) for part in parts)):
                found.setdefault(" ".join(made), label)
    return {spelling: label for spelling, label in found.items() if ".." not in spelling}


def _label(column: Column, text: str) -> str:
    known = spellings(column.task)
    spelled = spell_action_units(text) if any(label.startswith("AU") for label in column.task.labels) else text
    if (label := known.get(normalise(spelled))) is not None:
        return label
    raise NoLabel(f"{column.name} {text!r} is no label of {column.task.name}; {_hint(column.task, normalise(text))}")


@lru_cache(maxsize=2**12)  # a table says the same wrong thing many times
def _hint(task: Task, spelling: str) -> str:
    """What was perhaps meant, else what there is."""
    known = spellings(task)
    near = dict.fromkeys(known[hit] for hit in get_close_matches(spelling, known, n=4, cutoff=0.6))
    more = f" and {len(task.labels) - _SHOWN} more" if len(task.labels) > _SHOWN else ""
    listed = ", ".join(task.labels[:_SHOWN]) + more
    return f"did you mean {' or '.join([*near][:3])}?" if near else f"the labels are {listed}"


def _one(column: Column, cell: Cell) -> str | None:
    texts = [cell] if isinstance(cell, str) else [text for text in cell if text.strip()]
    parts = [text.strip() for text in _BETWEEN.split(texts[0])] if len(texts) == 1 else texts
    if len(parts) > 1 and (parts is texts or all(normalise(part) in spellings(column.task) for part in parts)):
        several = "; several emotions go into a column emotions" if column.name == "emotion" else ""
        raise NoLabel(f"{column.name} is one label, got {', '.join(parts)}{several}")
    return _label(column, texts[0]) if texts else None


def _several(column: Column, cell: Cell) -> frozenset[str] | None:
    texts = [text.strip() for text in (_BETWEEN.split(cell) if isinstance(cell, str) else cell) if text.strip()]
    if [text.lower() for text in texts] == ["none"] or not (texts or isinstance(cell, str)):
        return frozenset()
    return frozenset(_label(column, text) for text in texts) or None


def _yes_no(column: Column, cell: Cell) -> str | None:
    text = _text(column, cell)
    known = {**dict.fromkeys(("yes", "y", "true", "1"), "Yes"), **dict.fromkeys(("no", "n", "false", "0"), "No")}
    if text is not None and text.lower() not in known:
        raise NoLabel(f"{column.name} is yes or no, got {text!r}")
    return known[text.lower()] if text else None


def _text(column: Column, cell: Cell) -> str | None:
    text = " ".join((cell if isinstance(cell, str) else ", ".join(cell)).split())
    if found := special_tokens(text):
        raise NoLabel(f"{column.name} {text!r} holds {found[0]}, which is no text in the data's format; leave it out")
    if text and column.task.parse(text) is None and column.task.kind == "caption":
        raise NoLabel(f"{column.name} {text!r} says nothing")
    return text or None


_READ: dict[str, Callable[[Column, Cell], Answer | None]] = {
    "single_choice": _one,
    "multi_label": _several,
    "yes_no": _yes_no,
    "choice_open": _text,
    "caption": _text,
}


def described(columns: Sequence[Column]) -> list[str]:
    """What the columns were taken for, in words."""
    lines = []
    for column in columns:
        if labels := column.task.labels:
            more = " ..." if len(labels) > _NAMED else ""
            named = f"{', '.join(labels[:_NAMED])}{more}"
            lines.append(f"{column.name}: the {len(labels)} labels of {column.task.name} ({named})")
    if words := [column.name for column in columns if not column.task.labels]:
        lines.append(f"in words: {', '.join(words)}")
    return lines
