"""How far a model is with its questions: a bar on a terminal, a line a minute in a log file."""

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from videmo.terminal import RateColumn

_NOTED = 60.0  # seconds between lines where the output is no terminal


class AskProgress:
    """Shown on the standard error while it is entered.

    Args:
        who: Is asked.
        total: Requests to come.
        cached: Replies that were on disk.
        shown: False shows nothing.
    """

    def __init__(self, who: str, total: int, cached: int, shown: bool) -> None:
        self.who, self.total, self.cached, self.done, self.failed = who, total, cached, 0, 0
        console = Console(stderr=True)
        self._in_lines = shown and not console.is_terminal
        self._noted = time.monotonic()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}"),
            RateColumn(),
            TimeRemainingColumn(compact=True),
        )
        hidden = not shown or not console.is_terminal or not total
        self._bar = Progress(*columns, console=console, transient=True, disable=hidden)
        self._task = self._bar.add_task(who, total=total, counts=self._counts())

    def __enter__(self) -> "AskProgress":
        self._bar.start()
        return self

    def __exit__(self, *error) -> None:
        self._bar.stop()

    def step(self, failed: bool) -> None:
        """Count a question that was dealt with."""
        self.done += 1
        self.failed += failed
        self._bar.update(self._task, advance=1, counts=self._counts())
        if self._in_lines and time.monotonic() - self._noted > _NOTED:
            self._noted = time.monotonic()
            print(f"{self.who}: {self.done:,} of {self.total:,}, {self._counts()}", file=sys.stderr, flush=True)

    def _counts(self) -> str:
        return f"{self.failed:,} failed, {self.cached:,} cached"
