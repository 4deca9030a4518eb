"""Emo-CFG's counts, which table 7 of the paper prints, beside those of a data folder."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from videmo.stats.charts import pairs
from videmo.stats.classes import colour_of
from videmo.stats.corpus import Corpus
from videmo.stats.section import Section, Table, plural


@dataclass(frozen=True)
class PublishedRow:
    """A row of table 7.

    Attributes:
        scenario: attribute, open attribute, expression or emotion.
        task: Its name there.
        source: Of its videos.
        samples: How many Emo-CFG has for training.
        tasks: Ours that are it.
    """

    scenario: str
    task: str
    source: str
    samples: int
    tasks: tuple[str, ...]

    @property
    def curriculum_class(self) -> str:
        return self.scenario.removeprefix("open ")


@cache
def published_rows() -> tuple[PublishedRow, ...]:
    """Table 7.

    Example:
        >>> sum(row.samples for row in published_rows())
        2156230
    """
    text = (files("videmo.stats.data") / "train_data.csv").read_text(encoding="utf-8")
    return tuple(
        PublishedRow(r["scenario"], r["task"], r["source"], int(r["samples"]), tuple(r["tasks"].split("+")))
        for r in csv.DictReader(text.splitlines())
    )


def published(corpus: Corpus) -> Section:
    """Both counts, row by row."""
    held = np.bincount(corpus.index.task, minlength=len(corpus.index.tasks))
    counts = {task.name: int(count) for task, count in zip(corpus.index.tasks, held, strict=True)}
    table = published_rows()
    ours = [sum(counts.get(task, 0) for task in row.tasks) for row in table]
    known = {task for row in table for task in row.tasks}
    others = {task: count for task, count in counts.items() if count and task not in known}
    theirs, mine, none = sum(row.samples for row in table), sum(ours), ours.count(0)
    besides = (
        f" Not among its tasks: {', '.join(f'{task} {count:,}' for task, count in others.items())}." if others else ""
    )
    return Section(
        name="published",
        title="Emo-CFG's counts beside yours",
        lead=f"The paper's table 7 counts {theirs:,} training samples; this {corpus.split} split has {mine:,} of the "
        f"same tasks, {_ratio(mine / theirs)} times as many"
        + (f"; none in {plural(none, 'row')} of the {len(table)}" if none else "")
        + f".{besides} The axis is logarithmic.",
        of=f"{plural(mine, 'record')} of {corpus.split}",
        alt=f"For each of the {len(table)} rows of the paper's table 7, Emo-CFG's count as a ring and this data's as a "
        f"point, on a logarithmic axis. {mine:,} here, {theirs:,} there.",
        numbers={
            "published": theirs,
            "yours": mine,
            "rows": [
                {
                    "scenario": row.scenario,
                    "task": row.task,
                    "source": row.source,
                    "tasks": list(row.tasks),
                    "published": row.samples,
                    "yours": count,
                    "ratio": count / row.samples,
                }
                for row, count in zip(table, ours, strict=True)
            ],
            "others": others,
        },
        draw=lambda width: pairs(
            [(row.task, row.samples, count) for row, count in zip(table, ours, strict=True)],
            ("Emo-CFG", corpus.split),
            width,
            says="training samples",
            coloured=[colour_of(row.curriculum_class) for row in table],
        ),
        tables=(
            Table(
                ("task", "Emo-CFG", "yours", "ratio"),
                tuple(
                    (row.task, row.samples, count, _ratio(count / row.samples))
                    for row, count in zip(table, ours, strict=True)
                ),
            ),
        ),
    )


def _ratio(value: float) -> str:
    """
    >>> _ratio(0.0), _ratio(0.00123), _ratio(1.5)
    ('0', '0.0012', '1.5')
    """
    return f"{value:.2g}" if value < 1 else f"{value:,.1f}"
