"""How a comparison reads in a terminal of 100 columns."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from videmo.benchmark.compare import Comparison, Difference
from videmo.errors import printable

_LONGEST = 160  # letters of an answer
_HALF = 8  # characters of a bar to either side of 0


def differences_table(found: Comparison, folders: Sequence[Path]) -> Table:
    """A row a column: both scores, the difference with its interval, and how many answers changed."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, title_justify="left")
    table.title = Text(f"A  {folders[0]}\nB  {folders[1]}")
    table.add_column("column", no_wrap=True)
    for name in ("A", "B", "B - A", "95%", "p"):
        table.add_column(name, justify="right", no_wrap=True, style="bold" if name == "B - A" else "")
    table.add_column("worse ┃ better", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("flips", justify="right", no_wrap=True)
    rows = [*found.differences, *([found.mean] if found.mean else [])]
    reach = max(10.0, *(abs(bound) for row in rows for bound in (row.low, row.high)))
    for row in rows:
        is_last = found.mean is not None and row is found.differences[-1]
        table.add_row(*_cells(row, reach), end_section=is_last)
    verdicts = [row.verdict for row in found.differences]
    table.caption = Text(
        "Scores 0 to 100 on the questions that both have a score for. The interval is that of the difference, both "
        "methods resampled together; green and red where it leaves out 0 and p is below 0.05. flips: "
        "answers that B has better and worse. "
        f"B is clearly better in {verdicts.count(1)} and worse in {verdicts.count(-1)} of {len(verdicts)} rows; "
        "of two methods that are alike, one row in 20 would be coloured by chance.",
        style="dim",
    )
    table.caption_justify = "left"
    return table


def _cells(row: Difference, reach: float) -> list[Text | str]:
    colour = {1: "green", -1: "red", 0: ""}[row.verdict]
    return [
        row.column,
        f"{row.a:.1f}",
        f"{row.b:.1f}",
        Text(f"{row.difference:+.1f}", style=colour),
        Text(f"{row.low:+.1f} {row.high:+.1f}", style=colour),
        "<.001" if row.p_value < 0.001 else f"{row.p_value:.3f}",
        _bar(row, reach, colour),
        str(row.questions),
        f"+{row.better} -{row.worse}",
    ]


def _bar(row: Difference, reach: float, colour: str) -> Text:
    """The interval as a bar around 0, the difference as a dot in it."""
    low, middle, high = (_HALF + round(value / reach * _HALF) for value in (row.low, row.difference, row.high))
    marks = [" "] * (2 * _HALF + 1)
    marks[low : high + 1] = "━" * (high + 1 - low)
    marks[_HALF] = "┃"
    marks[middle] = "●"
    return Text("".join(marks), style=colour)


def remarks(found: Comparison, judges: Sequence[dict]) -> Iterator[str]:
    """What keeps the two from being compared wholly, a sentence each."""
    if judges[0] != judges[1]:
        who = [judge.get("model", "rules") for judge in judges]
        named = f"{who[0]} and {who[1]}" if who[0] != who[1] else f"{who[0]} with other prompts or another temperature"
        yield f"Not judged alike, so differences may be the judges': {named}. Score both by the same judge."
    for name, only in (("A", found.only_a), ("B", found.only_b)):
        if only:
            yield f"Left out, answered by {name} only: {_listed(only)}."
    if found.unlike:
        yield f"Left out, as their references differ: {_listed(found.unlike)}. Are these two editions of the data?"


def _listed(counts) -> str:
    most = counts.most_common(4)
    more = f", and {len(counts) - 4} more files" if len(counts) > 4 else ""
    return ", ".join(f"{number} of {file}" for file, number in most) + more


def flips_table(found: Comparison, number: int) -> Table:
    """Some answers of every column that changed their score, the largest changes first."""
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title="Answers that flipped", title_justify="left", show_lines=True
    )
    table.add_column("column", ratio=2)
    table.add_column("question and reference", ratio=5)
    table.add_column("A", ratio=4)
    table.add_column("B", ratio=4)
    for column, flips in groupby(found.flips, key=lambda flip: flip[0]):
        for _, one, other in list(flips)[:number]:
            asked = Text(_short(one.question)).append(f"\n{_short(one.reference)}", style="bold")
            asked.append(f"\n{', '.join(one.videos)}", style="dim")
            is_better = other.scores[column] > one.scores[column]
            said = [
                Text(_short(graded.response) or "(nothing)").append(
                    f"\n{100 * graded.scores[column]:.0f}", style="green" if good else "red"
                )
                for graded, good in ((one, not is_better), (other, is_better))
            ]
            table.add_row(column, asked, *said)
    return table


def _short(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
