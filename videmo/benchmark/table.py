"""A result in a terminal: blind, score with its 95% interval, and the controls, a row a column of the paper."""

from collections.abc import Mapping

from rich import box
from rich.table import Table
from rich.text import Text

from videmo.benchmark.columns import all_columns, scenarios
from videmo.benchmark.results import BenchmarkResult
from videmo.errors import printable

FEW = 10
"""Answers under which a column gets no verdict."""
_BAR_WIDTH = 14
_MOST_WITH_BAR = 1  # controls that leave room for the bar in 100 columns


def results_table(result: BenchmarkResult) -> Table:
    """A table for a terminal of 100 columns.

    A score is green where its interval's lower bound lies above blind, red where its upper bound lies below.
    """
    data = f" on {result.data['name']} ({result.data['content']})" if result.data else ""
    table = Table(
        box=box.SIMPLE_HEAD,
        title=f"Emo-CFG benchmark: {result.method}{data}",
        title_style="bold",
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("column", no_wrap=True)
    table.add_column("blind", justify="right", style="yellow")
    table.add_column("score", justify="right", style="bold", header_style="bold")
    table.add_column("95%", justify="center", no_wrap=True)
    with_bar = len(result.controls) <= _MOST_WITH_BAR
    if with_bar:
        table.add_column("0 ┃ blind  100", no_wrap=True)
    for name in result.controls:
        table.add_column(name, justify="right", style="dim", header_style="dim")
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("unread", justify="right")

    marks: dict[str, str] = {}  # note -> mark
    rows = _ordered_rows(result)
    for position, (scenario, column) in enumerate(rows):
        note = result.notes.get(column)
        if note:
            marks.setdefault(note, "*†‡§"[len(marks) % 4])
        ends_scenario = position + 1 < len(rows) and rows[position + 1][0] != scenario
        mark = marks[note] if note else ""
        table.add_row(*_cells(column, mark, result, with_bar), end_section=ends_scenario)
    table.caption = _caption(result, marks)
    table.caption_justify = "left"
    return table


def columns_above_blind(result: BenchmarkResult) -> tuple[list[str], list[str]]:
    """The columns (also those in ``extra``) whose whole interval lies above blind, and all that have a blind; but for
    those of so `FEW` answers that resampling them says little.
    """
    rows = [column for _, column in _ordered_rows(result) if result.counts[column]["judged"] >= FEW]
    known = {column: of for column in rows if (of := result.figures(column))["blind"] is not None}
    return [column for column, of in known.items() if of["interval"] and of["interval"][0] > of["blind"]], [*known]


def _ordered_rows(result: BenchmarkResult) -> list[tuple[str, str]]:
    """(Scenario, column) of all that was asked: the paper's columns, a user's own, and what is none."""
    rows = [(column.scenario, column.name) for column in all_columns() if column.name in result.counts]
    papers = {column.name for column in all_columns()}
    own = [column for column in result.columns if column not in papers]
    return rows + [("own", column) for column in own] + [("extra", column) for column in result.extra]


def _cells(column: str, mark: str, result: BenchmarkResult, with_bar: bool) -> list[Text | str]:
    score, interval, blind = result.figures(column).values()
    colour, few = "", result.counts[column]["judged"] < FEW
    if interval and blind is not None and not few:
        colour = "green" if interval[0] > blind else "red" if interval[1] < blind else ""
    cells = [f"{column}{mark}", _number(blind), Text(_number(score), style=colour)]
    cells.append(Text(f"{interval[0]:.1f}-{interval[1]:.1f}" if interval else "-", style=colour))
    if with_bar:
        cells.append(_bar(score, blind, colour))
    cells += [_number(scores.get(column)) for scores in result.controls.values()]
    counts = result.counts[column]
    unread = Text(str(counts["unparsed"]), style="red" if counts["unparsed"] else "dim")
    denominators = [str(counts[name]) for name in ("asked", "answered", "judged")]
    return [*cells, denominators[0] if len({*denominators}) == 1 else "/".join(denominators), unread]


def _search(of: Mapping) -> str:
    chosen = " + ".join(of.get("scorers", {}))
    oracle = " The oracle reads the references: this is an analysis, no result." if "oracle" in chosen else ""
    return (
        f"Answers found by {of.get('method')} search, n = {of['n']}, chosen by {chosen}: "
        f"{of['drawn_tokens_per_question']:.0f} tokens and {of['seconds_per_question']:.2f} s a question.{oracle}"
    )


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


def _caption(result: BenchmarkResult, marks: Mapping[str, str]) -> Text:
    lines = [
        "Scores 0 to 100. blind: the best answer without looking, from the training answers. Green: the 95% interval "
        f"lies above blind; red: below it; neither under {FEW} answers. n: questions asked, or asked/answered/judged "
        "where these differ. unread: answers that cannot be read, empty ones too, counted as wrong."
    ]
    if result.judge:
        lines.append(f"Judge: {result.judge.get('model', '?')}; benchmark.json names its prompts.")
    if "n" in result.generation:
        lines.append(_search(result.generation))
    above, known = columns_above_blind(result)
    if known:
        papers = {column.name for column in all_columns()}
        ruled = [column for column in known if column in papers]
        good = [column for column in above if column in papers]
        lines.append(
            f"Above blind: {len(good)} of {len(ruled)} columns of the paper, and "
            f"{len(above) - len(good)} of {len(known) - len(ruled)} other scores."
        )
    if means := [f"{name} {mean:.1f}" for name, mean in scenarios(result.columns).items() if mean is not None]:
        lines.append(f"Scenarios, the means of all their columns: {', '.join(means)}.")
    lines += [f"{mark} {note}" for note, mark in marks.items()]
    by_reason: dict[str, list[str]] = {}
    for column, reasons in result.missing.items():
        for reason, number in reasons.items():
            by_reason.setdefault(reason, []).append(f"{number} of {column}")
    lines += [
        f"No score, and left out: {', '.join(columns)}: {printable(reason)}." for reason, columns in by_reason.items()
    ]
    return Text("\n".join(lines), style="dim")
