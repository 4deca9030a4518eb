"""The score of one answer, 0 to 1: accuracy, or F1 over a label set, in two variants.

*Native*: an empty set for an empty set is right. *Release*: F1 of empty against empty is 0, as the authors' evaluation
(scikit-learn's default) has it; only the published columns use it. Everything else is the same in both.
"""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Grade:
    """How one answer did.

    Attributes:
        native: Score in 0..1, or None where no rule can score the sample.
        release: The same as the authors' evaluation would have it.
        parsed: Whether the answer could be read at all; what cannot be read is wrong, and counted.
    """

    native: float | None
    release: float | None
    parsed: bool


def sample_f1(preds: Collection[str], target: Collection[str], empty_score: float = 1.0) -> float:
    """F1 of one sample's label set; `empty_score` where both sets are empty.

    Example:
        >>> sample_f1({"AU1", "AU4"}, {"AU4", "AU12"}), sample_f1(set(), set()), sample_f1(set(), set(), 0.0)
        (0.5, 1.0, 0.0)
    """
    preds, target = set(preds), set(target)
    if not preds and not target:
        return empty_score
    return 2 * len(preds & target) / (len(preds) + len(target))


def vocabulary_match(preds: Collection[str], target: Collection[str], groups: Collection[Collection[str]]) -> bool:
    """Whether every group of which the target has a word has the same word, and only that, in the answer.

    Example:
        >>> groups = [("short", "long"), ("black", "red")]
        >>> vocabulary_match({"long", "red"}, {"long"}, groups), vocabulary_match({"long", "short"}, {"long"}, groups)
        (True, False)
    """
    preds, target = set(preds), set(target)
    return all(preds & set(words) == target & set(words) for words in groups if target & set(words))
