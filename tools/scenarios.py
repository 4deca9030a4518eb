"""A test's scores by the paper's three scenarios (its tables 4 and 8 to 10), and paired differences between two tests.

Each scenario is the mean of its columns that rules score, and its understanding one figure about fine-grained captions,
which stands in the answers' scores beside the columns; the average is the mean of the three.
"""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import torch

from videmo.benchmark.graded import Graded
from videmo.benchmark.judging import judged_columns
from videmo.metrics import paired_bootstrap
from videmo.tasks.spec import SCENARIOS

FIGURES = (*SCENARIOS, "average")


def over_seeds(runs: Sequence[Sequence[Graded]]) -> list[Graded]:
    """Every question once, with the mean of its scores over runs."""
    return [
        replace(same[0], scores={name: fmean(one.scores[name] for one in same) for name in same[0].scores})
        for same in zip(*runs, strict=True)
    ]


def differences(a: Sequence[Graded], b: Sequence[Graded], caption: str) -> dict[str, dict[str, float]]:
    """By scenario, and their average: the first test's score, its difference from the second's, and the 95% interval.

    Args:
        a: The answers of a test.
        b: Another's, of the same questions.
        caption: The score of a fine-grained caption that is understanding.

    Returns:
        Points of 100: ``score``, ``difference``, ``low`` and ``high``.
    """
    found = {}
    every: tuple[list, list, list] = ([], [], [])
    for scenario in SCENARIOS:
        (mine, weights), (theirs, _) = (_by_file(answers, scenario, caption) for answers in (a, b))
        found[scenario] = _compared(mine, theirs, weights)
        shares = [weight / len(SCENARIOS) for weight in weights]
        for whole, part in zip(every, (mine, theirs, shares), strict=True):
            whole += part
    return {**found, "average": _compared(*every)}


def _by_file(answers: Sequence[Graded], scenario: str, caption: str) -> tuple[list[torch.Tensor], list[float]]:
    """The scores of each file of a scenario's columns, and what each counts in the mean of columns, in points."""
    found: dict[str, dict[str, list[float]]] = {}
    for one in answers:
        if one.task.scenario == scenario:
            for column in (caption,) if one.task.column == "caption" else judged_columns(one.task):
                if column in one.scores:
                    found.setdefault(column, {}).setdefault(one.file, []).append(one.scores[column])
    scores = [torch.tensor(s, dtype=torch.float64) for files in found.values() for s in files.values()]
    return scores, [100 / len(found) / len(files) for files in found.values() for _ in files]


def _compared(a: list[torch.Tensor], b: list[torch.Tensor], weights: list[float]) -> dict[str, float]:
    found = paired_bootstrap(a, b, weights=weights)
    score = sum(weight * scores.mean().item() for weight, scores in zip(weights, a, strict=True))
    values = {"score": score, "difference": found.difference, "low": found.low, "high": found.high}
    return {name: round(value, 2) for name, value in values.items()}


def cell(score: float, difference: float, interval: Sequence[float]) -> str:
    """A score, and in lines below it its difference and the interval of that, as a table has it."""
    return f"{score:.1f}<br>{difference:+.1f}<br>[{interval[0]:+.1f}, {interval[1]:+.1f}]"
