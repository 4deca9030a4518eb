"""Two methods on the questions that both answered: differences with paired intervals, and the answers that flipped.

Both are resampled together, so what makes a question hard for both cancels: an interval is much narrower than those of
the two scores suggest. The difference is always the second method's score less the first's.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from videmo.benchmark.columns import all_columns
from videmo.benchmark.graded import Graded
from videmo.metrics import paired_bootstrap
from videmo.tasks import all_tasks

Pair = tuple[Graded, Graded]


@dataclass(frozen=True)
class Difference:
    """One column of two methods, over the questions for which both have a score.

    Attributes:
        column: A column of the paper, a name that is none, or `MEAN`.
        a: The first method's score, 0 to 100.
        b: The second's.
        low: Lower bound of the 95% interval of b - a.
        high: Upper bound.
        p_value: Two-sided, by the paired bootstrap; no lower than a sign test could go with so many changes.
        questions: How many both have a score for.
        better: Of these, how many the second scores higher.
        worse: And how many lower.
    """

    column: str
    a: float
    b: float
    low: float
    high: float
    p_value: float
    questions: int
    better: int
    worse: int

    @property
    def difference(self) -> float:
        return self.b - self.a

    @property
    def verdict(self) -> int:
        """1 where B is clearly better, -1 where it is clearly worse, else 0: by interval and p-value both."""
        if self.p_value >= 0.05:
            return 0
        return (self.low > 0) - (self.high < 0)


MEAN = "mean of columns"


@dataclass(frozen=True)
class Comparison:
    """Two methods side by side.

    Attributes:
        differences: By column, in the order of the paper's tables.
        mean: Of the paper's columns among them, unweighted; None if there is none.
        flips: (Column, first, second) where the score differs, the largest change first within a column.
        only_a: Questions that only the first answered, by result file.
        only_b: Questions that only the second answered.
        unlike: Result files whose references differ for the same questions: how many.
    """

    differences: list[Difference]
    mean: Difference | None
    flips: list[tuple[str, Graded, Graded]]
    only_a: Counter[str]
    only_b: Counter[str]
    unlike: Counter[str]


def compare_graded(a: Sequence[Graded], b: Sequence[Graded]) -> Comparison:
    """Compare two methods' graded answers; a question is the same if its file, videos and text are.

    A question that stands in a file several times is matched in the file's order.
    """
    from_a, from_b = _by_question(a), _by_question(b)
    pairs = [(one, from_b[key]) for key, one in from_a.items() if key in from_b]
    unlike = Counter(one.file for one, other in pairs if one.reference != other.reference)
    files = defaultdict(list)  # column -> of each file, the pairs that both have a score for
    order = {task.result_file: place for place, task in enumerate(all_tasks())}
    for file in sorted({one.file for one, _ in pairs}, key=order.__getitem__):
        own = [pair for pair in pairs if pair[0].file == file and pair[0].reference == pair[1].reference]
        for column in dict.fromkeys(name for one, _ in own for name in one.scores):
            if both := [pair for pair in own if column in pair[0].scores and column in pair[1].scores]:
                files[column].append(both)
    papers = {column.name for column in all_columns()}
    columns = [column for column in files if column in papers]
    return Comparison(
        differences=[_difference(column, {column: files[column]}) for column in files],
        mean=_difference(MEAN, {column: files[column] for column in columns}) if columns else None,
        flips=[flip for column in files for flip in _flips(column, files[column])],
        only_a=Counter(one.file for key, one in from_a.items() if key not in from_b),
        only_b=Counter(one.file for key, one in from_b.items() if key not in from_a),
        unlike=unlike,
    )


def _by_question(graded: Sequence[Graded]) -> dict[tuple, Graded]:
    seen: Counter[tuple] = Counter()
    found = {}
    for one in graded:
        key = (one.file, one.videos, " ".join(one.question.split()))
        found[(*key, seen[key])] = one
        seen[key] += 1
    return found


def _difference(name: str, columns: Mapping[str, Sequence[Sequence[Pair]]]) -> Difference:
    """Of one column, or of the mean of several: each the mean of its files."""
    a, b, weights = [], [], []
    for column, files in columns.items():
        for pairs in files:
            a.append(torch.tensor([one.scores[column] for one, _ in pairs], dtype=torch.float64))  # [N]
            b.append(torch.tensor([other.scores[column] for _, other in pairs], dtype=torch.float64))  # [N]
            weights.append(100 / len(columns) / len(files))
    found = paired_bootstrap(b, a, weights=weights)
    changes = torch.cat(b) - torch.cat(a)
    return Difference(
        column=name,
        a=sum(weight * scores.mean().item() for weight, scores in zip(weights, a, strict=True)),
        b=sum(weight * scores.mean().item() for weight, scores in zip(weights, b, strict=True)),
        low=found.low,
        high=found.high,
        p_value=max(found.p_value, min(1.0, 2.0 ** (1 - int((changes != 0).sum())))),
        questions=len(changes),
        better=int((changes > 0).sum()),
        worse=int((changes < 0).sum()),
    )


def _flips(column: str, files: Sequence[Sequence[Pair]]) -> list[tuple[str, Graded, Graded]]:
    changed = [
        (column, one, other) for pairs in files for one, other in pairs if one.scores[column] != other.scores[column]
    ]
    return sorted(changed, key=lambda flip: -abs(flip[2].scores[column] - flip[1].scores[column]))
