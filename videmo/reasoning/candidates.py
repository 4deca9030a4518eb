"""What a search draws and keeps: candidates, the steps that chose among them, and what came of a question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from videmo.affect import AffectiveTree, caption_tree
from videmo.data.records import VIDEO_PLACEHOLDER, Message, Record
from videmo.tasks import Task

RATIONALE = "rationale"
"""The level of a last step that asks why."""
NOTHING = "-"
"""An empty answer in a dialogue's text, whose tokens are not made of it."""
DOUBTFUL = 0.5
"""Confidence below which an answer is doubtful."""


@dataclass(frozen=True)
class Candidate:
    """One answer that was drawn to a step's question.

    Attributes:
        text: What the model said.
        parent: Which of the candidates kept at the step before it goes on from; 0 at the first.
        logp: Mean log-probability of its tokens.
        num_tokens: That were drawn, the stop token included.
        truncated: Whether it ended by the limit.
    """

    text: str
    parent: int
    logp: float
    num_tokens: int
    truncated: bool


@dataclass(frozen=True)
class Group:
    """The candidates of one question, as scorers see them.

    Attributes:
        record: The question; its answer is the reference, where there is one.
        task: How its answers are read.
        candidates: [n].
        dialogues: What was asked and chosen before, by the candidates' ``parent``.
        has_reference: Whether the record's answer is one.
    """

    record: Record
    task: Task
    candidates: Sequence[Candidate]
    dialogues: Sequence[Sequence[Message]] = ((),)
    has_reference: bool = False

    @property
    def is_caption(self) -> bool:
        return self.task.kind == "caption"

    @cached_property
    def trees(self) -> list[AffectiveTree]:
        """What is read from the candidates, where they are captions."""
        return [caption_tree(candidate.text) for candidate in self.candidates]


@dataclass(frozen=True)
class Step:
    """One question of a search, its candidates, and which of them were kept.

    Attributes:
        level: ``attribute``, ``expression``, ``emotion`` or ``rationale``.
        question: As it was asked.
        candidates: In the order drawn, those of one parent after the other.
        scores: What each is worth, of which the best were kept, [n].
        parts: Name of a scorer -> what it said, [n]; None where it said nothing.
        missing: Name of a scorer -> why it said nothing.
        kept: Numbers of the candidates that the next step goes on from, the best first.
        agreement: How far the candidates agree with the best, 0 to 1, whatever chose it: its share of votes, or of
            captions the mean F1 of the others' trees against its own. Of one alone, the mean probability of its tokens.
        seconds: From the start of the search to the last token.
    """

    level: str
    question: str
    candidates: Sequence[Candidate]
    scores: Sequence[float]
    parts: Mapping[str, Sequence[float | None]]
    missing: Mapping[str, str]
    kept: Sequence[int]
    agreement: float
    seconds: float

    @property
    def best(self) -> Candidate:
        return self.candidates[self.kept[0]]

    @property
    def undecided(self) -> bool:
        """Whether no scorer said anything of all candidates, so that likelihood chose."""
        return {*self.missing} >= {*self.parts}

    def by_text(self) -> list[list[int]]:
        """The candidates' numbers, those of one text together: the chosen one's first, then by score."""
        best, shown = self.kept[0], {}
        for number in sorted(
            range(len(self.candidates)), key=lambda n: (n != best, -self.scores[n], -self.candidates[n].logp)
        ):
            shown.setdefault(self.candidates[number].text, []).append(number)
        return [*shown.values()]

    def to_json(self) -> dict:
        """JSON-ready data."""
        return {
            "level": self.level,
            "question": self.question,
            "candidates": [
                {
                    "text": one.text,
                    "parent": one.parent,
                    "score": None if self.undecided else score,
                    "scores": {name: values[number] for name, values in self.parts.items()},
                    "logprob": one.logp,
                    "tokens": one.num_tokens,
                    "truncated": one.truncated,
                }
                for number, (one, score) in enumerate(zip(self.candidates, self.scores, strict=True))
            ],
            "kept": [*self.kept],
            "agreement": self.agreement,
            "seconds": self.seconds,
            **({"missing": dict(self.missing)} if self.missing else {}),
        }


@dataclass(frozen=True)
class Reasoning:
    """What a search made of a question.

    Attributes:
        record: The question, with its videos.
        steps: One or more, from the first level to the answer, and on to the rationale where that was asked.
        presence: How likely the model finds it that a person is in the video at all, 0 to 1; None where not asked.
    """

    record: Record
    steps: Sequence[Step]
    presence: float | None = None

    @cached_property
    def places(self) -> list[int]:
        """The number of the chosen candidate of each step, each the parent of the next."""
        found = [self.steps[-1].kept[0]]
        for step, after in zip(self.steps[-2::-1], self.steps[::-1], strict=False):
            found.append(step.kept[after.candidates[found[-1]].parent])
        return found[::-1]

    @property
    def path(self) -> list[Candidate]:
        """Those candidates."""
        return [step.candidates[place] for step, place in zip(self.steps, self.places, strict=True)]

    @property
    def _place(self) -> int:
        """Of the answer among the steps."""
        return -2 if self.steps[-1].level == RATIONALE else -1

    @property
    def answer(self) -> str:
        """To the question."""
        return self.path[self._place].text

    @property
    def logp(self) -> float:
        """Mean log-probability of the answer's tokens."""
        return self.path[self._place].logp

    @property
    def agreement(self) -> float:
        """How far the candidates agree with the answer (``Step.agreement``)."""
        return self.steps[self._place].agreement

    @property
    def confidence(self) -> float:
        """Their agreement, times how likely it is that a person is seen."""
        return self.agreement * (1.0 if self.presence is None else self.presence)

    @property
    def doubt(self) -> str | None:
        """What to say of an answer of low confidence; None where it is not low."""
        if self.confidence >= DOUBTFUL:
            return None
        alone = len(self.steps[self._place].candidates) == 1
        agreed = self.agreement >= DOUBTFUL
        presence = self.presence
        seen = None if presence is None else f"{presence:.0%} that there is one"
        if presence is not None and presence < DOUBTFUL:
            who = "The candidates agree, but the model" if agreed and not alone else "The model"
            return f"{who} doubts that a person is in this video ({seen}): this is a guess."
        if self.path[self._place].truncated:
            return "Take this with care: the answer was cut by its limit of tokens."
        if agreed:
            return f"Take this with care: neither agreement ({self.agreement:.2f}) nor a person ({seen}) is certain."
        return f"Take this with care: {'its tokens are unlikely' if alone else 'the candidates disagree'}."

    @property
    def rationale(self) -> str | None:
        """Why, where that was asked."""
        return self.path[-1].text if self.steps[-1].level == RATIONALE else None

    @cached_property
    def tree(self) -> AffectiveTree:
        """What was chosen at all steps, as one affective tree, whose edges are rationales."""
        return caption_tree(" ".join(_sentence(one.text) for one in self.path))

    @property
    def dialogue(self) -> list[Message]:
        """The turns that led to the answer, and to the rationale."""
        turns: list[Message] = []
        for step, one in zip(self.steps, self.path, strict=True):
            if not turns:
                videos = VIDEO_PLACEHOLDER * len(self.record.videos)
                itself = step.question == self.record.question
                turns += self.record.prompt if itself else [Message("user", videos + step.question)]
            else:
                turns.append(Message("user", step.question))
            turns.append(Message("assistant", one.text or NOTHING))
        return turns

    @property
    def drawn_tokens(self) -> int:
        """That were drawn for it, those of its levels included."""
        return sum(one.num_tokens for step in self.steps for one in step.candidates)

    def to_json(self) -> dict:
        """JSON-ready data."""
        return {
            "videos": [*self.record.videos],
            "question": self.record.question,
            "answer": self.answer,
            "rationale": self.rationale,
            "confidence": self.confidence,
            "agreement": self.agreement,
            "presence": self.presence,
            "doubt": self.doubt,
            "tree": self.tree.to_json(),
            "path": self.places,
            "steps": [step.to_json() for step in self.steps],
            "drawn_tokens": self.drawn_tokens,
            "seconds": self.steps[-1].seconds,
        }


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
