"""What asking would take: calls, tokens and money, before anything is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from videmo.judge.question import Verdict
from videmo.judge.request import Request
from videmo.judge.settings import JudgeSettings

_BYTES_A_TOKEN = 4  # of English in the tokenizers of today's models; other scripts take a little more
_AROUND = 4  # tokens with which a chat template surrounds a message


@dataclass(frozen=True)
class Estimate:
    """The counts of a run that has not begun.

    Attributes:
        questions: As they were given.
        distinct: Those that differ; the others get the same verdicts.
        cached: Distinct ones whose reply is on disk and can be read.
        missing: Distinct ones whose reply is on disk and cannot; they stay missing.
        calls: Requests if none has to be repeated.
        prompt_tokens: Estimated, at 4 bytes of text a token.
        max_completion_tokens: If every reply took all that its prompt allows; most take far less.
        max_cost: Of both, in the currency of the prices; None without prices.
    """

    questions: int
    distinct: int
    cached: int
    missing: int
    calls: int
    prompt_tokens: int
    max_completion_tokens: int
    max_cost: float | None

    @classmethod
    def of(
        cls,
        requests: Sequence[Request],
        distinct: Sequence[Request],
        known: Mapping[str, Verdict],
        settings: JudgeSettings,
    ) -> "Estimate":
        """What is left of the requests, as replies on disk are known by key."""
        asked = [request for request in distinct if request.key not in known]
        tokens = sum(map(request_tokens, asked))
        most = sum(request.max_tokens for request in asked)
        return cls(
            questions=len(requests),
            distinct=len(distinct),
            cached=sum(verdict.missing is None for verdict in known.values()),
            missing=sum(verdict.missing is not None for verdict in known.values()),
            calls=len(asked),
            prompt_tokens=tokens,
            max_completion_tokens=most,
            max_cost=settings.cost(tokens, most),
        )

    def __str__(self) -> str:
        """In words, for ``--dry-run``."""
        stays = f", {self.missing:,} unreadable before (retry_missing asks them again)" if self.missing else ""
        cost = "unknown: give price_in and price_out" if self.max_cost is None else f"at most {self.max_cost:,.2f}"
        return (
            f"{self.questions:,} questions, {self.distinct:,} of them distinct: {self.cached:,} cached{stays}, "
            f"{self.calls:,} calls; about {self.prompt_tokens:,} prompt tokens (4 bytes each) and at most "
            f"{self.max_completion_tokens:,} of replies; cost {cost}"
        )


def request_tokens(request: Request) -> int:
    """Roughly how many tokens a request is, with its pictures, without its model's tokenizer."""
    words = sum(_AROUND + ceil(len(message["content"].encode()) / _BYTES_A_TOKEN) for message in request.messages)
    return words + (request.pictures.tokens if request.pictures else 0)
