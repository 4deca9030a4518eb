"""What candidates are worth: how far they agree, how likely they are, what a judge says, or the reference itself.

A scorer of your own is one subclass in a file on the path, named in YAML or on the command line by its class_path::

    class ShortScorer(Scorer):
        name = "short"

        def __call__(self, groups):
            return [[1 / (1 + len(one.text)) for one in group.candidates] for group in groups]
"""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from videmo.affect import caption_tree, edit_distances, tree_rewards
from videmo.data.records import VIDEO_PLACEHOLDER, Message
from videmo.errors import InputError, check_positive, in_words
from videmo.judge import Judge, JudgeSettings, Question
from videmo.reasoning.candidates import Candidate, Group
from videmo.rewards.reward import Measure

EDIT_LAMBDA = 0.1
"""How fast agreement of trees falls with each edit between them, as in the reward."""


class Scorer(Measure):
    """Says how good candidates are.

    Attributes:
        name: In results; the class's own where it has none.
    """

    def __init_subclass__(cls, **more) -> None:
        super().__init_subclass__(**more)
        if not hasattr(cls, "name"):
            cls.name = cls.__name__

    @abstractmethod
    def __call__(self, groups: Sequence[Group]) -> list[list[float | None]]:
        """For each group a number for each of its candidates, better ones higher, 0 to 1 as a rule so that weights mean
        something; None where there can be none (`missing`), never 0 for it."""


class ConsensusScorer(Scorer):
    """How far the other candidates agree.

    Captions by their affective trees: ``exp(-0.1 * d)``, d being the mean edit distance to the others, so that the
    smallest wins; one from which nothing is read gets 0. Other answers by vote: the share of votes for it, where votes
    for what is right in part count in part (the task's own score).

    Args:
        weighted: Whether a vote counts by how likely its answer is, the mean probability of its tokens.
    """

    name = "consensus"

    def __init__(self, weighted: bool = True) -> None:
        self._weighted = weighted

    def __call__(self, groups: Sequence[Group]) -> list[list[float | None]]:
        return [self._agreement(group) if group.is_caption else self._votes(group) for group in groups]

    def _agreement(self, group: Group) -> list[float | None]:
        trees = group.trees
        others = [(a, b) for a in range(len(trees)) for b in range(len(trees)) if a != b]
        distances = iter(edit_distances([trees[a] for a, _ in others], [trees[b] for _, b in others]))
        means = [sum(next(distances) for _ in trees[1:]) / max(1, len(trees) - 1) for _ in trees]
        return [
            math.exp(-EDIT_LAMBDA * mean) if tree.children else 0.0 for tree, mean in zip(trees, means, strict=True)
        ]

    def _votes(self, group: Group) -> list[float | None]:
        weights = [math.exp(one.logp) if self._weighted else 1.0 for one in group.candidates]
        return [self._votes_for(one, group, weights) for one in group.candidates]

    def _votes_for(self, one: Candidate, group: Group, weights: Sequence[float]) -> float:
        question = group.record.question
        if group.task.parse(one.text, question) is None:
            return 0.0
        agree = [group.task.score(one.text, other.text, question) or 0.0 for other in group.candidates]
        return sum(w * a for w, a in zip(weights, agree, strict=True)) / sum(weights)


class LikelihoodScorer(Scorer):
    """The mean probability of a candidate's tokens: the exponential of their mean log-probability."""

    name = "likelihood"

    def __call__(self, groups: Sequence[Group]) -> list[list[float | None]]:
        return [[math.exp(one.logp) for one in group.candidates] for group in groups]


class JudgeScorer(Scorer):
    """What a language model makes of a candidate, given what was chosen before it; it does not see the video.

    Args:
        judge: The model, its server, and how it is asked.
        max_wait: Seconds after which what a judge has not said of a batch is missing.
    """

    name = "judge"

    def __init__(self, judge: JudgeSettings, max_wait: float = 120.0) -> None:
        check_positive("max_wait", max_wait)
        self._judge, self._max_wait = Judge(judge), max_wait

    def __call__(self, groups: Sequence[Group]) -> list[list[float | None]]:
        asked = [
            Question(
                "candidate",
                {
                    "dialogue": _said(group.dialogues[one.parent]),
                    "question": group.record.question,
                    "response": one.text,
                },
            )
            for group in groups
            for one in group.candidates
        ]
        verdicts = iter(self._judge.ask_within(asked, self._max_wait))
        return [[self._score(next(verdicts)) for _ in group.candidates] for group in groups]

    def _score(self, verdict) -> float | None:
        return self.missing(verdict.missing) if verdict.value is None else verdict.value / 100


class OracleScorer(Scorer):
    """The reference's own word, for analysis: how much better a perfect scorer would choose. No result of a model.

    Levels that have no reference have no score of it.
    """

    name = "oracle"

    def __call__(self, groups: Sequence[Group]) -> list[list[float | None]]:
        return [self._scores(group) for group in groups]

    def _scores(self, group: Group) -> list[float | None]:
        if not group.has_reference:
            return [self.missing("there is no reference") for _ in group.candidates]
        if group.is_caption:
            target = caption_tree(group.record.answer)
            return [*tree_rewards(group.trees, [target] * len(group.trees), edit_lambda=EDIT_LAMBDA)]
        question = group.record.question
        return [group.task.score(one.text, group.record.answer, question) for one in group.candidates]


def in_full(term: "ScorerTerm") -> str:
    """A term in words, with what its scorer was given, for results."""
    given = {name.lstrip("_"): value for name, value in sorted(vars(term.scorer).items())}
    plain = [f"{name} {value}" for name, value in given.items() if isinstance(value, bool | int | float | str)]
    judge = [f"judge {value.settings.model}" for value in given.values() if isinstance(value, Judge)]
    return ", ".join([f"{type(term.scorer).__name__} x {term.weight:g}", *judge, *plain])


@dataclass
class ScorerTerm:
    """A scorer with its weight.

    Attributes:
        scorer: What says how good candidates are.
        weight: Among the scorers.
    """

    scorer: Scorer
    weight: float = 1.0


class Scored(NamedTuple):
    """What a group's candidates are worth.

    Attributes:
        totals: Weighted means, [n].
        parts: Name of a scorer -> what it said, [n]; None where it said nothing.
        missing: Name of a scorer -> why it said nothing of one or more, the commonest reason.
        best_first: The candidates' numbers; those of equal worth by likelihood, then as drawn.
    """

    totals: list[float]
    parts: dict[str, list[float | None]]
    missing: dict[str, str]
    best_first: list[int]


def check_terms(terms: Sequence[ScorerTerm]) -> None:
    """
    Raises:
        InputError: If there is none, a weight is not above 0, or two have one name.
    """
    if not terms:
        raise InputError("a search needs a scorer; leave `scorers` out for consensus")
    names = [term.scorer.name for term in terms]
    for term in terms:
        check_positive(f"the weight of the scorer {term.scorer.name}", term.weight)
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"two scorers are called {twice[0]!r}; give one of the classes another `name`")


def score_groups(terms: Sequence[ScorerTerm], groups: Sequence[Group]) -> list[Scored]:
    """What candidates are worth: the weighted mean of what scorers say.

    A scorer that says nothing of a candidate is left out for its whole group, as the others' scores could not be
    compared with its own. Where none is left, all are worth 0, and likelihood chooses.
    """
    said: list[dict[str, list[float | None]]] = [{} for _ in groups]
    missing: list[dict[str, str]] = [{} for _ in groups]
    for term in terms:
        name = term.scorer.name
        term.scorer.reasons.clear()
        try:
            values = term.scorer(groups)
        except InputError:
            raise
        except Exception as error:  # a scorer of a user's own
            raise InputError(f"the scorer {name!r} failed ({in_words(error)})") from error
        _check_values(name, values, groups)
        why = next((reason for reason, _ in term.scorer.reasons.most_common(1)), "it gave no reason")
        for number, own in enumerate(values):
            said[number][name] = own
            if None in own:
                missing[number][name] = why
    scored = []
    for group, parts, reasons in zip(groups, said, missing, strict=True):
        used = [term for term in terms if term.scorer.name not in reasons]
        weight = sum(term.weight for term in used)
        known = {name: [value for value in own if value is not None] for name, own in parts.items()}
        totals = [
            sum(term.weight * known[term.scorer.name][number] for term in used) / weight if used else 0.0
            for number in range(len(group.candidates))
        ]
        order = sorted(range(len(totals)), key=lambda n, t=totals, c=group.candidates: (-t[n], -c[n].logp, n))
        scored.append(Scored(totals, parts, reasons, order))
    return scored


def _check_values(name: str, values: Any, groups: Sequence[Group]) -> None:
    """
    Raises:
        InputError: If it is not a finite number or None for each candidate.
    """
    sizes = [len(group.candidates) for group in groups]
    if not _are_lists(values) or [len(own) for own in values] != sizes:
        raise InputError(f"the scorer {name!r} must return, for each group, a number or None for each candidate")
    odd = [value for own in values for value in own if value is not None and not _is_finite(value)]
    if odd:
        raise InputError(f"the scorer {name!r} returned {odd[0]!r}; a score is a finite number, or None where missing")


def _are_lists(values: object) -> bool:
    return isinstance(values, list | tuple) and all(isinstance(own, list | tuple) for own in values)


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _said(dialogue: Sequence[Message]) -> str:
    """What was asked and chosen before the question."""
    return "\n".join(f"{turn.role}: {turn.content.replace(VIDEO_PLACEHOLDER, '').strip()}" for turn in dialogue)
