"""Why the chosen candidate of a step won, in one sentence, and the candidates as a page lists them: each text once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from videmo.reasoning import ConsensusScorer, LikelihoodScorer, Step
from videmo.reasoning.dialogue import asked, task_of
from videmo.reasoning.scorers import EDIT_LAMBDA

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@dataclass(frozen=True)
class Wording:
    """What one or more candidates of a step said.

    Attributes:
        text: Of each of them.
        times: How many said it.
        score: What it is worth.
        parts: Name of a scorer -> what it said; None where it said nothing.
        likelihood: Mean probability of its tokens.
        chosen: Whether the next step goes on from it.
        truncated: Whether it ended by the limit.
    """

    text: str
    times: int
    score: float
    parts: Mapping[str, float | None]
    likelihood: float
    chosen: bool
    truncated: bool


def wordings(step: Step) -> list[Wording]:
    """The candidates of a step, each text once: the chosen one first, then by score."""
    return [
        Wording(
            step.candidates[own[0]].text,
            len(own),
            step.scores[own[0]],
            {name: values[own[0]] for name, values in step.parts.items()},
            math.exp(step.candidates[own[0]].logp),
            own[0] == step.kept[0],
            step.candidates[own[0]].truncated,
        )
        for own in step.by_text()
    ]


def why_chosen(step: Step) -> str:
    """Why the best candidate of a step won."""
    if len(step.candidates) == 1:
        return "The only candidate that was drawn."
    used = [name for name in step.parts if name not in step.missing]
    if not used:
        return "No scorer said anything of all candidates: the likeliest was taken."
    if used == [ConsensusScorer.name]:
        reason = _agreement(step)
    elif used == [LikelihoodScorer.name]:
        reason = f"The likeliest: its tokens have a mean probability of {step.scores[step.kept[0]]:.2f}"
    elif len(used) == 1:
        reason = f"The highest score of {used[0]}: {step.scores[step.kept[0]]:.2f}"
    else:
        reason = f"The highest weighted mean of {' and '.join(used)}: {step.scores[step.kept[0]]:.2f}"
    tied = sum(math.isclose(one.score, step.scores[step.kept[0]], abs_tol=1e-9) for one in wordings(step))
    if tied > 1:
        reason += f"; the {'likelier' if tied == 2 else 'likeliest'} of {_in_words(tied)} that tie"
    return f"{reason}."


def _agreement(step: Step) -> str:
    """What consensus saw in the best candidate."""
    best, count, question = step.best, len(step.candidates), step.question
    task = task_of(asked(question, ()))
    if task.kind == "caption":
        score = step.scores[step.kept[0]]
        if score <= 0:
            return "Nothing that a tree could be made of was read from any candidate"
        distance = max(0.0, -math.log(score) / EDIT_LAMBDA)
        if distance < 1e-6:
            return f"All {count} candidates give the same tree"
        return f"The smallest mean tree edit distance to the others: {distance:.1f}"
    if task.parse(best.text, question) is None:
        return "No candidate names one of the options"
    agree = [[task.score(one.text, other.text, question) == 1 for other in step.candidates] for one in step.candidates]
    own, votes, scores = step.kept[0], [sum(of_one) for of_one in agree], step.scores
    if votes[own] == count:
        return f"All {count} candidates agree"
    outweighed = [
        votes[n]
        for n in range(count)
        if votes[n] >= votes[own] and not agree[own][n] and scores[n] < scores[own] - 1e-9
    ]
    reason = f"{votes[own]} of {count} candidates agree"
    if outweighed:
        reason += f", and outweigh {max(outweighed)} that agree on another: a vote counts by how likely its words are"
    return reason


def what_scores_mean(step: Step) -> str:
    """A legend to the scores of a step's candidates."""
    used = [name for name in step.parts if name not in step.missing]
    if used == [ConsensusScorer.name]:
        if task_of(asked(step.question, ())).kind == "caption":
            return "how close it is to the other candidates, 1 is the same"
        return "its share of the candidates' votes, each by how likely its words are"
    if used == [LikelihoodScorer.name]:
        return "its likelihood"
    return f"what {' and '.join(used)} say of it" if used else "none, as no scorer said anything"


def _in_words(count: int) -> str:
    """
    >>> _in_words(2), _in_words(40)
    ('two', '40')
    """
    return _COUNTS[count] if count < len(_COUNTS) else str(count)
