"""How the labels of closed tasks are balanced: what always giving the most frequent one would score."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from videmo.data.records import Record
from videmo.metrics.task_labels import task_labels
from videmo.stats.charts import Bar, Panel, bar_panels
from videmo.stats.classes import class_of, colour_of
from videmo.stats.section import LeftOut, Section, Table, percent, plural
from videmo.stats.words import top
from videmo.tasks import Task

NAME, TITLE = "balance", "Balance of labels"
SHOWN = 7  # labels of a task that have a bar


@dataclass
class TaskLabels:
    """The labels of a task's answers.

    Attributes:
        held: Records of the task.
        read: Those that were read.
        unread: Those of them whose answer names no label that rules can find.
        several: Those whose answer names several labels, or none.
        labels: Label -> answers that name it; those that the task lists and nobody names have 0.
    """

    held: int
    read: int = 0
    unread: int = 0
    several: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def majority(self) -> tuple[str, float] | None:
        """The most frequent label, and its share of the answers that could be read; None where none was."""
        known = self.read - self.unread
        ranked = top(self.labels, 1)
        return (ranked[0][0], ranked[0][1] / known) if known and ranked and ranked[0][1] else None


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
            own.several += len(named) != 1
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
        told = {task: own.majority for task, own in self.tasks.items() if own.majority}
        worst = max(told, key=lambda task: told[task][1]) if told else None
        most = f" The least balanced: {worst.name}, {told[worst][1]:.1%} {told[worst][0]}." if worst else ""
        return Section(
            name=NAME,
            title=TITLE,
            lead=f"{plural(read, 'answer')} of {plural(len(self.tasks), 'closed task')} ({looked}). "
            f"{left_out}A bar is the share of a task's answers that "
            "name a label, from 0 to 100%; answers of several labels name each. The share of the first is what always "
            f"giving that label would score where an answer has one.{most}",
            alt=f"Bars of the most frequent labels of each of {plural(len(self.tasks), 'task')}.{most}",
            numbers={
                task.name: {
                    "kind": task.kind,
                    "class": class_of(task),
                    "records": own.held,
                    "read": own.read,
                    "unread": own.unread,
                    "several": own.several,
                    "majority": dict(zip(("label", "share"), own.majority, strict=True)) if own.majority else None,
                    "labels": dict(top(own.labels)),
                }
                for task, own in self.tasks.items()
            },
            draw=lambda width: bar_panels(panels, width, columns=3, most=1),
            tables=(
                Table(
                    ("task", "most frequent", "share", "never named"),
                    tuple(_row(task, own) for task, own in self.tasks.items()),
                ),
            ),
        )


def _panel(task: Task, own: TaskLabels) -> Panel:
    known = own.read - own.unread
    ranked = top(own.labels)
    bars = [
        Bar(label, count / known if known else 0, percent(count, known), colour_of(class_of(task)))
        for label, count in ranked[:SHOWN]
        if count
    ]
    rest = sum(count > 0 for _, count in ranked) - len(bars)
    more = f"n = {known:,}" + (f", {rest} more" if rest else "")
    return Panel(task.name, bars, more)


def _row(task: Task, own: TaskLabels) -> tuple:
    label, share = own.majority or (None, None)
    never = sum(count == 0 for count in own.labels.values())
    return task.name, label, None if share is None else f"{share:.1%}", f"{never} of {len(own.labels)}"
