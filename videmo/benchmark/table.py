"""Results side by side in a terminal: blind, before, after and the controls, with the 95% interval of the main one."""

from collections.abc import Mapping

from rich import box
from rich.table import Table
from rich.text import Text

from videmo.benchmark.results import BenchmarkResult
from videmo.errors import InputError
from videmo.tasks import all_tasks

CONTROLS = ("blank", "shuffled", "frozen", "swapped")
"""Names of results of the same model shown other pixels (or none): never the main result."""

_BAR_WIDTH = 14
_MOST_WITH_BAR = 3  # results that leave room for the bar in 100 columns


def results_table(results: Mapping[str, BenchmarkResult]) -> Table:
    """A table of results, one row a column of the paper, for a terminal of 100 columns.

    The main result is the last that is no control: its interval, bar and counts are shown, in green where the
    interval's lower bound lies above blind, in red where its upper bound lies below.

    Args:
        results: Name -> result, from left to right: ``{"before": ..., "after": ..., "blank": ...}``.

    Raises:
        InputError: If there is no result that is not a control.
    """
    mains = [name for name in results if name not in CONTROLS]
    if not mains:
        raise InputError(f"expected a result besides the controls {', '.join(CONTROLS)}; got {list(results) or 'none'}")
    main = results[mains[-1]]
    table = Table(
        box=box.SIMPLE_HEAD,
        title=f"Emo-CFG benchmark: {mains[-1]}",
        title_style="bold",
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("column", no_wrap=True)
    table.add_column("blind", justify="right", style="yellow")
    for name in results:
        style = "dim" if name in CONTROLS else "bold" if name == mains[-1] else ""
        table.add_column(name, justify="right", style=style, header_style=style)
        if name == mains[-1]:
            table.add_column("95%", justify="center", no_wrap=True)
            if len(results) <= _MOST_WITH_BAR:
                table.add_column("0 ┃ blind  100", no_wrap=True)
    table.add_column("asked", justify="right")
    table.add_column("unread", justify="right")

    notes = {}
    rows = _ordered_rows(main)
    for position, (scenario, column) in enumerate(rows):
        if column in main.notes:
            notes[column] = "*†‡§"[len(notes) % 4]
        ends_scenario = position + 1 < len(rows) and rows[position + 1][0] != scenario
        table.add_row(*_cells(column, notes.get(column, ""), results, mains[-1]), end_section=ends_scenario)
    table.caption = _caption(main, notes)
    table.caption_justify = "left"
    return table


def _ordered_rows(main: BenchmarkResult) -> list[tuple[str, str]]:
    """(Scenario, column) of all that was asked; what is no column of the paper comes last."""
    known = {task.column: task.scenario for task in all_tasks() if task.column in main.counts}
    rows = [(scenario, column) for column, scenario in known.items() if column not in main.extra]
    return rows + [("extra", column) for column in main.extra]


def _cells(column: str, mark: str, results: Mapping[str, BenchmarkResult], main_name: str) -> list[Text | str]:
    main = results[main_name]
    score, interval, blind = _score(main, column), _interval(main, column), _blind(main, column)
    colour = ""
    if interval and blind is not None:
        colour = "green" if interval[0] > blind else "red" if interval[1] < blind else ""
    cells = [f"{column}{mark}", _number(blind)]
    for name, result in results.items():
        cells.append(Text(_number(_score(result, column)), style=colour if name == main_name else ""))
        if name == main_name:
            cells.append(Text(f"{interval[0]:.1f} to {interval[1]:.1f}" if interval else "-", style=colour))
            if len(results) <= _MOST_WITH_BAR:
                cells.append(_bar(score, blind, colour))
    counts = main.counts[column]
    unread = Text(str(counts["unparsed"]), style="red" if counts["unparsed"] else "dim")
    return [*cells, str(counts["asked"]), unread]


def _score(result: BenchmarkResult, column: str) -> float | None:
    return result.columns.get(column, result.extra.get(column, {}).get("score"))


def _interval(result: BenchmarkResult, column: str) -> list[float] | None:
    return result.intervals.get(column, result.extra.get(column, {}).get("interval"))


def _blind(result: BenchmarkResult, column: str) -> float | None:
    return result.blind.get(column, result.extra.get(column, {}).get("blind"))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _bar(score: float | None, blind: float | None, colour: str) -> Text:
    """0 to 100 as a bar, with a yellow tick where blind stands."""
    filled = 0 if score is None else round(score / 100 * _BAR_WIDTH)
    bar = Text("━" * filled, style=colour) + Text("─" * (_BAR_WIDTH - filled), style="bright_black")
    if blind is None:
        return bar
    tick = min(_BAR_WIDTH - 1, round(blind / 100 * _BAR_WIDTH))
    return bar[:tick] + Text("┃", style="yellow") + bar[tick + 1 :]


def _caption(main: BenchmarkResult, notes: Mapping[str, str]) -> Text:
    lines = [
        "Scores 0 to 100. blind: the best answer without looking, from the training answers. Green: the 95% interval "
        "lies above blind; red: below it. unread: answers that cannot be read, counted as wrong."
    ]
    lines += [f"{mark} {main.notes[column]}" for column, mark in notes.items()]
    unscorable = {column: c["unscorable"] for column, c in main.counts.items() if c["unscorable"]}
    if unscorable:
        listed = ", ".join(f"{number} of {column}" for column, number in unscorable.items())
        lines.append(f"Left out, no rule can score them: {listed}.")
    return Text("\n".join(lines), style="dim")
