"""A sample on its way into a data set: a question about a clip, its answer, and what a committee said of it."""

from dataclasses import asdict, dataclass, field

from videmo.committee.asking import Vote
from videmo.tasks import Task


@dataclass(frozen=True)
class Origin:
    """Who gave an answer.

    Attributes:
        model: By its name at the server.
        prompt: The use, with its version and hash: ``attributes 1 4f0c...``.
    """

    model: str
    prompt: str


@dataclass
class Draft:
    """A sample that is not settled yet, or how it was.

    Attributes:
        task: What is asked.
        question: As the committee is shown it.
        answer: As it stands now; a label of the task, or words.
        origin: Who gave it.
        status: ``open``, ``kept``, ``dropped``, or ``missing`` where a model that was asked did not answer: that says
            nothing of the sample, and the next run asks again.
        reason: Why it is not kept; empty where it is.
        rounds: The votes of each round, by member.
        former: The answers that were rejected, one a round before the last.
        tokens: Its share of the tokens of all calls that it was in.
    """

    task: Task
    question: str
    answer: str
    origin: Origin
    status: str = "open"
    reason: str = ""
    rounds: list[dict[str, Vote]] = field(default_factory=list)
    former: list[str] = field(default_factory=list)
    tokens: float = 0.0

    def settle(self, status: str, reason: str = "") -> None:
        self.status, self.reason = status, reason

    @property
    def objections(self) -> list[str]:
        """What the members that rejected it said last; what several say alike stands there as often."""
        return [vote.wrong for vote in self.rounds[-1].values() if vote.right is False and vote.wrong]

    def provenance(self) -> dict:
        """Where it comes from, JSON-ready: who answered by which prompt, all votes, tokens."""
        rounds = [{name: vote._asdict() for name, vote in votes.items()} for votes in self.rounds]
        return {**asdict(self.origin), "votes": rounds, "former": self.former, "tokens": round(self.tokens)}
