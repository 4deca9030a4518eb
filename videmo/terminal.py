"""What all commands print on: a console for results, and the column of a progress bar that says how fast it goes."""

import sys

from rich.console import Console
from rich.progress import ProgressColumn, Task
from rich.text import Text


def output() -> Console:
    """A console for results: as wide as the terminal, and 100 columns where the output is a file or a pipe."""
    return Console(width=None if sys.stdout.isatty() else 100, highlight=False, markup=False, emoji=False)


class RateColumn(ProgressColumn):
    """Steps a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed and task.speed >= 10 else f"{task.speed or 0:.1f}/s")
