"""What all commands print on: a console for results, and how far long work is."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

T = TypeVar("T")
_NOTED = 60.0  # seconds between lines where the output is no terminal


def output() -> Console:
    """A console for results: as wide as the terminal, and 100 columns where the output is a file or a pipe."""
    return Console(width=None if sys.stdout.isatty() else 100, highlight=False, markup=False, emoji=False)


class RateColumn(ProgressColumn):
    """Steps a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed and task.speed >= 10 else f"{task.speed or 0:.1f}/s")


class Steps:
    """How far some work is, on the standard error while it is entered: a bar on a terminal, a line a minute in a log.

    Args:
        name: Of the work.
        total: Steps that it takes.
        note: What is said besides, until a step says it anew.
        speed: The column that says how fast it goes.
        shown: False shows nothing.

    Attributes:
        done: Steps so far.
    """

    def __init__(
        self, name: str, total: int, note: str = "", speed: ProgressColumn | None = None, shown: bool = True
    ) -> None:
        console = Console(stderr=True)
        self.name, self.total, self.done, self._note, self._noted = name, total, 0, note, time.monotonic()
        self._in_lines = shown and not console.is_terminal
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            speed or RateColumn(),
            TimeRemainingColumn(compact=True),
        )
        self._bar = Progress(*columns, console=console, transient=True, disable=not shown or not console.is_terminal)
        self._task = self._bar.add_task(name, total=total, note=note)

    def __enter__(self) -> "Steps":
        self._bar.start()
        return self

    def __exit__(self, *error) -> None:
        self._bar.stop()

    def step(self, count: int = 1, note: str | None = None) -> None:
        """So many more are done."""
        self.done, self._note = self.done + count, self._note if note is None else note
        self._bar.update(self._task, advance=count, note=self._note)
        if self._in_lines and time.monotonic() - self._noted > _NOTED:
            self._noted = time.monotonic()
            said = f", {self._note}" if self._note else ""
            print(f"{self.name}: {self.done:,} of {self.total:,}{said}", file=sys.stderr, flush=True)


def watch(name: str, total: int, steps: Iterable[T], shown: bool = True) -> Iterator[T]:
    """Pass steps on and show how many are done."""
    with Steps(name, total, shown=shown) as bar:
        for step in steps:
            yield step
            bar.step()
