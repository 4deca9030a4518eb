"""The paper's tables 1, 2 and 3 as it lays them out, and the scenario averages of its ablations, with rows of yours."""

from collections.abc import Mapping

from videmo.benchmark.columns import AVG, averages, columns_by, scenarios
from videmo.benchmark.layout import Cell, PaperTable, TableRow
from videmo.benchmark.own_rows import DOWNSTREAM, RECALLS, is_drawn, measured_on, own_row
from videmo.benchmark.paper import paper_rows
from videmo.benchmark.results import BenchmarkResult

TABLES = {
    "1": "Table 1: closed-set and open attributes",
    "2": "Table 2: expressions, and the understanding of emotions",
    "3": "Table 3: single-label emotions of DFEW and MAFW",
    "scenarios": "Scenario averages",
}
"""The tables that there are, and their titles."""
_SOURCE = "Zhang et al., VidEmo, NeurIPS 2025 (arXiv 2511.02712)"
_EMO_CFG = f"The paper's rows: as printed in {_SOURCE}, measured on Emo-CFG's test set."
_SOURCES = {
    "1": _EMO_CFG,
    "2": _EMO_CFG,
    "3": f"The paper's rows: as printed in {_SOURCE}. UAR: mean recall of the classes. WAR: accuracy.",
    "scenarios": f"The paper's rows: averaged here from what tables 1 and 2 print in {_SOURCE}; its ablations "
    "print up to 0.5 less. attribute: 18 columns, expression: 9, understanding: 6; average: of the three.",
}
_RANKING = "Bold is the best of a column, underlined the second."
_NOT_RANKED = " Scores on drawn worlds, and by rules where the paper's are a judge's, do not compete."


def paper_table(name: str, results: Mapping[str, BenchmarkResult] | None = None) -> PaperTable:
    """A table of the paper, with the results that have a number in it.

    Args:
        name: A key of `TABLES`.
        results: Name of a row of yours -> what was measured.
    """
    results = results or {}
    spans = _spans(name)
    columns = [column for names in spans.values() for column in names]
    own = [row for model, result in results.items() if (row := own_row(model, result, columns))]
    shown = {row.model for row in own}
    worlds = dict.fromkeys(measured_on(results[model]) for model in shown if is_drawn(results[model]))
    return PaperTable(
        name,
        TABLES[name],
        spans,
        (*_printed_rows(name, columns), *own),
        warnings=tuple(
            f"{world} is a drawn world, not Emo-CFG: its rows do not compare with the paper's." for world in worlds
        ),
        remarks=(
            _SOURCES[name],
            *(f"{model} has no number in this table and is left out." for model in results if model not in shown),
        ),
        ranking=_RANKING + (_NOT_RANKED if own else ""),
        decimals=2 if name == "3" else 1,
    )


def _spans(name: str) -> dict[str, tuple[str, ...]]:
    if name == "3":
        return {data: tuple(f"{data.lower()}_{recall}" for recall in RECALLS) for data in DOWNSTREAM}
    if name == "scenarios":
        return {"": (*columns_by("scenario"), "average")}
    of_table = columns_by("table")[name]
    return {
        average.replace("_", " "): (*names, average + AVG)
        for average, names in columns_by("average").items()
        if names[0] in of_table
    }


def _printed_rows(name: str, columns: list[str]) -> list[TableRow]:
    if name == "scenarios":
        both = zip(paper_rows("1"), paper_rows("2"), strict=True)
        scored = [(one, scenarios(one.scores | two.scores)) for one, two in both]
    else:
        scored = [(row, row.scores) for row in paper_rows(name)]
    rows = []
    for row, scores in scored:
        cells = {column: Cell(scores.get(column), _misprint(column, scores)) for column in columns}
        rows.append(TableRow(row.model, row.size, row.group or "the paper's", "", cells))
    return rows


def _misprint(column: str, scores: Mapping[str, float | None]) -> tuple[str, ...]:
    """A note where a printed AVG is further from its columns than the rounding of all of them allows."""
    mean = averages(scores)[column.removesuffix(AVG)] if column.endswith(AVG) else None
    printed = scores.get(column)
    if mean is None or printed is None or abs(mean - printed) <= 0.1:
        return ()
    return (f"as printed; its columns average {mean:.1f}",)
