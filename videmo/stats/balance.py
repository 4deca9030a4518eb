"""How the labels of closed tasks are balanced: what always giving the most frequent one would score."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import log

from videmo.data.records import Record
from videmo.stats.charts import Bar, Panel, bar_panels
from videmo.stats.classes import class_of, colour_of
from videmo.stats.section import LeftOut, Section, Table, percent, plural
from videmo.stats.words import top
from videmo.tasks import Task, task_labels

NAME, TITLE = "balance", "Balance of labels"
SHOWN = 7  # labels of a task that have a bar
NONE = "(none of them)"
ONE_LABEL = ("single_choice", "yes_no")
"""Kinds of tasks whose answer is one of a list of labels."""


@dataclass
class TaskLabels:
    """The labels of a task's answers.

    Attributes:
        held: Records of the task.
        read: Those that were read.
        unread: Those of them whose answer names no label that rules can find.
        several: Those whose answer names several labels.
        none: Those whose answer says that none is there.
        labels: Label -> answers that name it; those that the task lists and nobody names have 0.
    """

    held: int
    read: int = 0
    unread: int = 0
    several: int = 0
    none: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def known(self) -> int:
        """Answers that rules can read."""
        return self.read - self.unread

    @property
    def shares(self) -> list[tuple[str, int]]:
        """Labels, and that none is there where answers say so, with how many answers say each; the most first."""
        return top(Counter({**self.labels, NONE: self.none}) if self.none else self.labels)

    @property
    def majority(self) -> tuple[str, float] | None:
        """The most frequent label, and its share of the answers that could be read; None where none was."""
        ranked = top(self.labels, 1)
        return (ranked[0][0], ranked[0][1] / self.known) if self.known and ranked and ranked[0][1] else None

    def evenness(self, task: Task) -> float | None:
        """Entropy of the labels over its largest: 1 where all are as frequent, 0 where one has all, however many labels
        a task has. None where an answer may name several labels, or any word, or none could be read.
        """
        if task.kind not in ONE_LABEL or len(self.labels) < 2 or not self.known:
            return None
        shares = [count / self.known for count in self.labels.values() if count]
        return abs(sum(share * log(share) for share in shares)) / log(len(self.labels))


@dataclass
class Balance:
    """Counted labels of closed tasks, as they come."""

    tasks: dict[Task, TaskLabels] = field(default_factory=dict)

    def count(self, task: Task, records: Iterable[Record], held: int) -> None:
        """Add records of a task, of which there are so many; captions and text have no labels."""
        if task.kind == "caption":
            return
        own = self.tasks.setdefault(task, TaskLabels(held, labels=Counter(dict.fromkeys(task_labels(task), 0))))
        own.held = held
        for record in records:
            own.read += 1
            answer = task.parse(record.answer, record.question)
            if answer is None:
                own.unread += 1
                continue
            named = [answer] if isinstance(answer, str) else sorted(answer)
            own.several += len(named) > 1
            own.none += not named
            own.labels.update(named)

    def section(self, split: str) -> Section | LeftOut:
        """What they are."""
        if not self.tasks:
            return LeftOut(NAME, TITLE, f"No record of {split} is answered by a label.")
        read, held = sum(own.read for own in self.tasks.values()), sum(own.held for own in self.tasks.values())
        unread = sum(own.unread for own in self.tasks.values())
        looked = "all" if read == held else f"{read:,} of {held:,}, drawn at random within each task"
        left_out = f"{plural(unread, 'answer')} that rules cannot read left out. " if unread else ""
        panels = [_panel(task, own) for task, own in self.tasks.items()]
        most = self._least_balanced()
        return Section(
            name=NAME,
            title=TITLE,
            lead=f"{plural(read, 'answer')} of {plural(len(self.tasks), 'closed task')} ({looked}). "
            f"{left_out}A bar is the share of a task's answers that "
            "name a label, from 0 to 100%; answers of several labels name each. The share of the first is what always "
            f"giving that label would score where an answer has one.{most}",
            of=plural(read, "answer"),
            alt=f"Bars of the most frequent labels of each of {plural(len(self.tasks), 'task')}.{most}",
            numbers={
                task.name: {
                    "kind": task.kind,
                    "class": class_of(task),
                    "records": own.held,
                    "read": own.read,
                    "unread": own.unread,
                    "several": own.several,
                    "none": own.none,
                    "evenness": own.evenness(task),
                    "majority": dict(zip(("label", "share"), own.majority, strict=True)) if own.majority else None,
                    "labels": dict(top(own.labels)),
                }
                for task, own in self.tasks.items()
            },
            draw=lambda width: bar_panels(panels, width, columns=3, most=1),
            tables=(
                Table(
                    ("task", "most frequent", "share", "evenness", "never named"),
                    tuple(_row(task, own) for task, own in self.tasks.items()),
                ),
                Table(
                    ("task", "label", "answers", "share"),
                    tuple(
                        (task.name, label, count, percent(count, own.known))
                        for task, own in self.tasks.items()
                        for label, count in own.shares
                    ),
                    "All labels",
                ),
            ),
        )

    def _least_balanced(self) -> str:
        """A sentence on the task of one label whose labels are least even; of several, that with the most answers."""
        told = {task: even for task, own in self.tasks.items() if (even := own.evenness(task)) is not None}
        if not told:
            return ""
        worst = min(told, key=lambda task: (told[task], -self.tasks[task].known))
        own = self.tasks[worst]
        assert own.majority is not None
        label, share = own.majority
        named = f"{percent(share, 1)} of {plural(own.known, 'answer')} {label}, of {len(own.labels)} labels"
        return (
            f" The least balanced of the tasks of one label: {worst.name}, {named} (evenness {told[worst]:.2f}: the "
            "entropy of its labels, where 1 is all as frequent and 0 is one alone)."
        )


def _panel(task: Task, own: TaskLabels) -> Panel:
    known, named = own.known, [(label, count) for label, count in own.shares if count]
    shown = named[:SHOWN]
    if own.none and (NONE, own.none) not in shown:
        shown = [*named[: SHOWN - 1], (NONE, own.none)]
    bars = [Bar(label, count / known, percent(count, known), colour_of(class_of(task))) for label, count in shown]
    rest = len(named) - len(bars)
    more = f"n = {known:,}" + (f", {rest} more" if rest else "")
    return Panel(task.name, bars, more)


def _row(task: Task, own: TaskLabels) -> tuple:
    label, share = own.majority or (None, None)
    never = sum(count == 0 for count in own.labels.values())
    even = own.evenness(task)
    return (
        task.name,
        label,
        None if share is None else percent(share, 1),
        None if even is None else f"{even:.2f}",
        f"{never} of {len(own.labels)}",
    )
