"""How a search goes: its levels, how many candidates, how they are drawn, and what chooses among them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from videmo.data.records import VIDEO_PLACEHOLDER, Record
from videmo.errors import InputError
from videmo.models.sampling import Sampling
from videmo.reasoning.dialogue import LEVEL, QUESTION, SEEN, asked, task_of
from videmo.reasoning.levels import level_of
from videmo.reasoning.scorers import ConsensusScorer, ScorerTerm, check_terms
from videmo.tasks import LEVEL_QUESTIONS, PRESENCE

Method = Literal["tree", "flat"]
MOST = 1024
"""Candidates that a step may have."""
TEMPERATURE = 0.7
"""That of self-consistency (Wang et al., 2023); the paper does not publish its own."""
EMOTION = "emotion"
"""The level whose answer has a rationale."""


@dataclass
class SearchSettings:
    """How a search goes (paper, section 3.3).

    Attributes:
        n: Candidates that each step draws from what it goes on from.
        method: ``tree`` asks the levels first, each of which sees what was chosen before; ``flat`` asks the question
            alone, best of n.
        beam: How many candidates of a level are gone on from, each by n.
        levels: What is asked before a question about an emotion, by the names of the levels, in order. Before a
            question about an expression come those that precede ``expression``, before one about an attribute none.
        scorers: What chooses, a weighted mean; by default ``consensus``.
        temperature: Of the draws; where not given 0.7, and with n = 1 the most likely tokens are taken. 0 always takes
            those.
        top_p: Draws from the likeliest tokens only that together have this probability.
        top_k: Draws from so many of the likeliest tokens only; 0 draws from all.
        seed: Of the draws. A candidate depends on it, its video, its question and what it goes on from, whatever else
            is in the batch.
    """

    n: int = 8
    method: Method = "tree"
    beam: int = 1
    levels: dict[str, str] = field(default_factory=LEVEL_QUESTIONS.copy)
    scorers: list[ScorerTerm] | None = None
    temperature: float | None = None
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 0

    def check(self) -> None:
        """
        Raises:
            InputError: If a value makes no sense.
        """
        if not 1 <= self.n <= MOST:
            raise InputError(f"n, the candidates of a step, is from 1 to {MOST}; got {self.n}")
        if not 1 <= self.beam <= self.n:
            raise InputError(f"beam, the candidates gone on from, is from 1 to n ({self.n}); got {self.beam}")
        if empty := [name for name, question in self.levels.items() if not question.strip()]:
            raise InputError(f"levels: the question of {empty[0]!r} is empty")
        if self.seed < 0:
            raise InputError(f"seed must be 0 or more, got {self.seed}")
        if self.temperature is not None and not self.temperature >= 0:
            raise InputError(f"temperature must be 0, for the likeliest tokens, or more; got {self.temperature}")
        if sampling := self.sampling:
            sampling.check()
        elif self.n > 1:
            raise InputError(f"the likeliest tokens give one candidate, not n = {self.n}; take n = 1, or a temperature")
        check_terms(self.terms)

    @property
    def terms(self) -> list[ScorerTerm]:
        """The scorers with their weights."""
        return [ScorerTerm(ConsensusScorer())] if self.scorers is None else self.scorers

    def level(self, record: Record) -> str:
        """Of a question: its task's; of one of no task that of the level that asks the same, else by its words."""
        if record.source != QUESTION:
            return task_of(record).level
        question = record.prompt[-1].content.replace(VIDEO_PLACEHOLDER, "")  # what was said before has its own level
        same = (name for name, asks in self.levels.items() if _plain(asks) == _plain(question))
        return next(same, None) or level_of(question)

    def depth(self, record: Record) -> int:
        """How many levels come before a question; none before one in mid-dialogue, or about several videos or none."""
        spoken = sum(turn.role == "assistant" for turn in record.messages)
        if self.method == "flat" or len(record.videos) != 1 or spoken > 1:
            return 0
        names, level = [*self.levels], self.level(record)
        return names.index(level) if level in names else len(names)

    def first_records(self, records: Sequence[Record]) -> list[Record]:
        """What a batch of questions needs besides: the first level's question of each video that has levels."""
        videos = dict.fromkeys(record.videos for record in records if self.depth(record))
        return [asked(next(iter(self.levels.values())), names, LEVEL) for names in videos]

    def with_presence(self, records: Sequence[Record]) -> list[Record]:
        """The same, and of each video whether a person is seen in it."""
        videos = dict.fromkeys(record.videos for record in records if len(record.videos) == 1)
        return [*self.first_records(records), *(asked(PRESENCE, names, SEEN) for names in videos)]

    def to_json(self) -> dict:
        """What a result says of its search."""
        sampling = self.sampling
        return {
            "n": self.n,
            "method": self.method,
            "beam": self.beam,
            "levels": self.levels if self.method == "tree" else {},
            "scorers": {term.scorer.name: term.weight for term in self.terms},
            "sampling": asdict(sampling) if sampling else "greedy",
            "seed": self.seed,
        }

    @property
    def sampling(self) -> Sampling | None:
        """How tokens are drawn; None takes the most likely ones."""
        temperature = self.temperature if self.temperature is not None else TEMPERATURE * (self.n > 1)
        return Sampling(temperature, self.top_p, self.top_k) if temperature else None


def _plain(question: str) -> str:
    """Without what is no letter at its ends, in small letters."""
    return question.lower().strip(" .?!\n")
