"""The 33 columns of the paper's tables 1 and 2, and the averages over them.

The headers of the shipped tables are the layout: columns, then the AVG over those since the last. A column has the
scenario of its tasks; the six scores of a fine-grained caption, which are a judge's and no task's, that of their AVG.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import fmean

from videmo.tasks import benchmark_tasks

AVG = "_avg"
"""How the name of an AVG column ends."""
_WHO = ("model", "size", "group")


@dataclass(frozen=True)
class Column:
    """One column of scores.

    Attributes:
        name: As tasks.yaml and benchmark.json write it.
        table: ``1`` or ``2``.
        average: The AVG that it goes into: closed, open, emotion_recognition, sentiment, cues, complex, understanding.
        scenario: attribute, expression or understanding.
    """

    name: str
    table: str
    average: str
    scenario: str


@cache
def read_table(table: str) -> tuple[dict[str, str], ...]:
    """The rows of a shipped table (``1``, ``2`` or ``3``) as text, as the paper prints them."""
    text = (files("videmo.benchmark.data") / f"table{table}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def all_columns() -> tuple[Column, ...]:
    """The 33 columns in the paper's order.

    >>> len(all_columns()), all_columns()[0]
    (33, Column(name='appearance_cls', table='1', average='closed', scenario='attribute'))
    """
    scenario_of = {task.column: task.scenario for task in benchmark_tasks()}
    found, since = [], []
    for table in ("1", "2"):
        for name in read_table(table)[0]:
            if name.endswith(AVG):
                average = name.removesuffix(AVG)
                found += [Column(one, table, average, scenario_of.get(one, average)) for one in since]
                since = []
            elif name not in _WHO:
                since.append(name)
    return tuple(found)


def columns_by(key: str) -> dict[str, tuple[str, ...]]:
    """Names of columns by their ``table``, ``average`` or ``scenario``, in the paper's order.

    >>> columns_by("average")["cues"]
    ('micro_expression', 'action_unit')
    """
    groups: dict[str, tuple[str, ...]] = {}
    for column in all_columns():
        group = getattr(column, key)
        groups[group] = (*groups.get(group, ()), column.name)
    return groups


def missing_columns(columns: Mapping[str, float]) -> dict[str, tuple[str, ...]]:
    """What every AVG and scenario lacks; one that lacks nothing is left out.

    >>> missing_columns(dict.fromkeys(["sentiment_single", "micro_expression", "action_unit"], 50.0))["sentiment"]
    ('sentiment_fine',)
    """
    groups = columns_by("average") | columns_by("scenario")
    lacking = {group: tuple(name for name in names if name not in columns) for group, names in groups.items()}
    return {group: names for group, names in lacking.items() if names}


def averages(columns: Mapping[str, float | None]) -> dict[str, float | None]:
    """The seven AVG of the paper's tables: unweighted means, None where a column is missing (`missing_columns`).

    >>> averages({"micro_expression": 20.4, "action_unit": 34.1, "eye": 88.2})["cues"]
    27.25
    """
    return _means(columns, columns_by("average"))


def scenarios(columns: Mapping[str, float | None]) -> dict[str, float | None]:
    """The three scenarios of the paper's ablations, unweighted means over their columns, and ``average`` over these.

    The attribute scenario has 18 columns, expression 9, understanding 6; None where one is missing.

    >>> scenarios(dict.fromkeys(columns_by("scenario")["expression"], 40.0))
    {'attribute': None, 'expression': 40.0, 'understanding': None, 'average': None}
    """
    found = _means(columns, columns_by("scenario"))
    return found | _means(found, {"average": tuple(found)})


def _means(values: Mapping[str, float | None], groups: Mapping[str, tuple[str, ...]]) -> dict[str, float | None]:
    known = {name: value for name, value in values.items() if value is not None}
    return {
        group: fmean(known[name] for name in names) if known.keys() >= {*names} else None
        for group, names in groups.items()
    }
