"""The score table: a row a column of the paper, by scenario, with blind, controls and every denominator beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from videmo.benchmark import BenchmarkResult
from videmo.benchmark.columns import all_columns, columns_by
from videmo.benchmark.table import FEW
from videmo.report.results import Method
from videmo.tasks import benchmark_tasks, own_tasks

SCENARIOS = ("attribute", "expression", "understanding", "your own tasks", "other columns", "no column of the paper")


@dataclass(frozen=True)
class ScoreRow:
    """One line of the table; scores are 0 to 100, None where unknown.

    Attributes:
        others: The same column of other methods and controls, by their names.
        missing: Columns that an AVG would need; it has no score then.
    """

    column: str
    score: float | None
    interval: list[float] | None = None
    blind: float | None = None
    others: dict[str, float | None] = field(default_factory=dict)
    asked: int | None = None
    unread: int | None = None
    note: str = ""
    is_average: bool = False
    missing: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """Where the whole interval lies: ``above`` or ``below`` blind, ``level`` across it; empty where unknown, and
        of so few answers that resampling them says little.
        """
        if self.interval is None or self.blind is None or (self.asked is not None and self.asked < FEW):
            return ""
        return "above" if self.interval[0] > self.blind else "below" if self.interval[1] < self.blind else "level"


@dataclass(frozen=True)
class ScoreTable:
    """All rows of the main method.

    Attributes:
        sections: Scenario -> rows; those of nothing asked are left out.
        others: Names of the methods and controls that have a number anywhere, in order.
    """

    sections: dict[str, list[ScoreRow]]
    others: list[str]

    @property
    def columns(self) -> list[ScoreRow]:
        """The rows of columns: the paper's, and what a user asks besides."""
        sections = [rows for name, rows in self.sections.items() if name != SCENARIOS[-1]]
        return [row for rows in sections for row in rows if not row.is_average and row.score is not None]

    @property
    def papers(self) -> list[ScoreRow]:
        """Of `columns` those of the paper, or of unknown origin."""
        own = {id(row) for row in self.sections.get(SCENARIOS[3], [])}
        return [row for row in self.columns if id(row) not in own]

    @property
    def footnotes(self) -> dict[str, str]:
        """Note -> its mark; many columns share one."""
        notes = dict.fromkeys(row.note for rows in self.sections.values() for row in rows if row.note)
        return {note: "*†‡§¶"[n] if n < 5 else f"[{n + 1}]" for n, note in enumerate(notes)}

    def lying(self, verdict: str) -> list[ScoreRow]:
        return [row for row in self.columns if row.verdict == verdict]

    def above_control(self, control: str) -> list[ScoreRow]:
        """The columns whose whole interval lies above the same model's score on other pixels."""
        beside = [(row, row.interval, row.others.get(control)) for row in self.columns]
        return [row for row, own, other in beside if own is not None and other is not None and own[0] > other]

    def mean(self, of: str) -> float | None:
        """The unweighted mean of the paper's columns' ``score`` or ``blind``; None unless all have one."""
        return _mean([getattr(row, of) for row in self.papers])


def score_table(methods: Sequence[Method]) -> ScoreTable | None:
    """The table of the first method, with the others beside it; None if it has no scores."""
    main = methods[0].result if methods else None
    if main is None:
        return None
    others = {m.name: m.result for m in methods[1:] if m.result is not None}
    known = {task.column: task.scenario for task in benchmark_tasks()}
    known |= {column.name: column.scenario for column in all_columns()}
    known |= {task.column: SCENARIOS[3] for task in own_tasks()}
    asked = dict.fromkeys([*known, *main.columns, *main.counts])
    sections: dict[str, list[ScoreRow]] = {name: [] for name in SCENARIOS}
    for column in asked:
        if column not in main.extra and (column in main.columns or column in main.counts):
            sections[known.get(column, "other columns")].append(_row(column, main, others))
    sections["no column of the paper"] = [_row(column, main, others) for column in main.extra]
    for name, columns in columns_by("average").items():
        rows = sections[known[columns[0]]]
        if averaged := [row for row in rows if row.column in columns]:
            rows.append(_average(name.replace("_", " "), columns, averaged))
    sections = {name: rows for name, rows in sections.items() if rows}
    all_rows = [row for rows in sections.values() for row in rows]
    names = dict.fromkeys(name for row in all_rows for name, value in row.others.items() if value is not None)
    order = list(dict.fromkeys([*others, *main.controls]))
    return ScoreTable(sections, sorted(names, key=order.index)) if all_rows else None


def _row(column: str, main: BenchmarkResult, others: dict[str, BenchmarkResult]) -> ScoreRow:
    beside = {name: columns.get(column) for name, columns in main.controls.items()}
    for name, other in others.items():
        value = other.figures(column)["score"]
        beside[name] = beside.get(name) if value is None else value
    counts = main.counts.get(column, {})
    notes = [main.notes.get(column, "")]
    if reasons := main.missing.get(column):
        listed = ", ".join(f"{reason} ({number})" for reason, number in reasons.items())
        notes.append(f"{sum(reasons.values())} of {counts.get('asked', '?')} have no score and are left out: {listed}")
    if column in main.extra and column not in main.notes:
        measure = "affective-tree F1" if column.endswith("_tree_f1") else "ROUGE-L" if "rouge" in column else "by rule"
        notes.append(f"{measure}, not a judge's score")
    return ScoreRow(
        column=column,
        **main.figures(column),
        others=beside,
        asked=counts.get("asked"),
        unread=counts.get("unparsed"),
        note="; ".join(filter(None, notes)),
    )


def _average(name: str, columns: Sequence[str], rows: Sequence[ScoreRow]) -> ScoreRow:
    """An AVG column of the paper over all its columns; without a score if one of them is not there."""
    missing = tuple(c for c in columns if c not in {row.column for row in rows if row.score is not None})
    if missing:
        return ScoreRow(f"AVG {name}", None, is_average=True, missing=missing)
    names = dict.fromkeys(n for row in rows for n in row.others)
    others = {name: _mean([row.others.get(name) for row in rows]) for name in names}
    blind = _mean([row.blind for row in rows])
    return ScoreRow(f"AVG {name}", _mean([row.score for row in rows]), blind=blind, others=others, is_average=True)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
