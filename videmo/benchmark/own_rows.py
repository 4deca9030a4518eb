"""Your result as a row beside the paper's, which must never pass for one of them.

A row has a note that says which questions it answered; a score by rules where the paper's is a judge's has that of
benchmark.json; an AVG that lacks columns is a dash with a note that names them.
"""

from collections.abc import Sequence

from videmo.benchmark.columns import AVG, all_columns, averages, columns_by, missing_columns, scenarios
from videmo.benchmark.layout import Cell, TableRow
from videmo.benchmark.results import BenchmarkResult
from videmo.synth import PRESETS

YOURS = "yours"
"""Title of your rows."""
DOWNSTREAM = {
    "DFEW": "DFEW_Single-Label-Emotion-Recognition",
    "MAFW": "MAFW_Single-Label-Emotion-Recognition",
}
"""The data sets of table 3, and the result files that have their ``uar`` and ``war``."""
RECALLS = ("uar", "war")


def own_row(model: str, result: BenchmarkResult, columns: Sequence[str]) -> TableRow | None:
    """The row of a result in a table of such columns; None where it has no number for any.

    Args:
        model: What the row is called.
        result: What was measured.
        columns: Of benchmark.json, and what is computed from them: ``closed_avg``, ``expression``, ``average``,
            ``dfew_uar``.
    """
    scores = _scores(result)
    if all(scores.get(column) is None for column in columns):
        return None
    cells = {column: _cell(column, scores.get(column), result) for column in columns}
    notes = tuple(filter(None, (_data_note(result), _judge_note(result))))
    return TableRow(model, "-", YOURS, measured_on(result) or "unknown", cells, notes)


PAPERS_JUDGE = "GPT-4o"


def is_drawn(result: BenchmarkResult) -> bool:
    """Whether a result says itself that it was measured on a drawn world."""
    return "drawn" in result.data or result.data.get("name") in PRESETS


def measured_on(result: BenchmarkResult) -> str:
    """The name of the data and the hash of its questions; empty where the result does not say."""
    name, content = result.data.get("name"), result.data.get("content")
    return f"{name} ({content})" if name and content else name or content or ""


def _data_note(result: BenchmarkResult) -> str:
    if is_drawn(result):
        return f"measured on {measured_on(result)}, a drawn world: not comparable with the paper's rows"
    if data := measured_on(result):
        return f"measured on {data}, which nothing here has checked to be the paper's test set"
    return "its benchmark.json does not say which data it was measured on"


def _judge_note(result: BenchmarkResult) -> str:
    if not result.judge:
        return ""
    versions = sorted({str(prompt.get("version", "?")) for prompt in result.judge.get("prompts", {}).values()})
    who = f"judged by {result.judge.get('model', '?')}, prompts {', '.join(versions)}"
    return f"{who}; the paper's judge is {PAPERS_JUDGE}"


def _scores(result: BenchmarkResult) -> dict[str, float | None]:
    means = {average + AVG: value for average, value in averages(result.columns).items()}
    recalls = {
        f"{data.lower()}_{recall}": result.files.get(file, {}).get(recall)
        for data, file in DOWNSTREAM.items()
        for recall in RECALLS
    }
    return {**result.columns, **means, **scenarios(result.columns), **recalls}


def _cell(column: str, value: float | None, result: BenchmarkResult) -> Cell:
    group = column.removesuffix(AVG)
    averaged = {**columns_by("average"), **columns_by("scenario"), "average": [c.name for c in all_columns()]}
    parts = averaged.get(group, (column,))
    if value is None:
        lacking = missing_columns(result.columns).get(group, ())
        return Cell(None, (f"lacks {', '.join(lacking)}",) if 0 < len(lacking) < len(parts) else ())
    notes = dict.fromkeys(result.notes[part] for part in parts if result.notes.get(part))
    notes |= {_missing_note(part, result): None for part in parts if result.missing.get(part)}
    other_judge = bool(result.judge) and not str(result.judge.get("model")).lower().startswith(PAPERS_JUDGE.lower())
    return Cell(value, tuple(notes), competes=not notes and not is_drawn(result) and not other_judge)


def _missing_note(column: str, result: BenchmarkResult) -> str:
    asked = result.counts.get(column, {}).get("asked", "?")
    return f"{column}: {sum(result.missing[column].values())} of {asked} questions have no score"
