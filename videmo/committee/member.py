"""A vision model that looks at clips: the author of samples, or one that votes on them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from videmo.committee.asking import PROMPTS, USES, reply_schema
from videmo.committee.frames import ClipFrames
from videmo.committee.sample import Origin
from videmo.judge.client import Client
from videmo.judge.prompt import load_prompts
from videmo.judge.question import Verdict
from videmo.judge.request import Request
from videmo.judge.settings import JudgeSettings
from videmo.tasks import Task


@dataclass(frozen=True)
class VisionModel(JudgeSettings):
    """A vision model behind an OpenAI-compatible server. The key is read from the environment, and nowhere else."""

    WHO: ClassVar[str] = "model"
    prompts: str | None = None
    """Folder whose attributes.yaml, expressions.yaml, emotion.yaml, describe.yaml, rationale.yaml, vote.yaml or
    rewrite.yaml replace the shipped ones."""

    def option(self, name: str) -> str:
        """On the command line a setting of all models, in a YAML file one of each."""
        return {"base_url": "--base_url", "retry_missing": "--retry-missing"}.get(
            name, f"{name}, in `models:` of a file by --config"
        )


@dataclass(frozen=True)
class Ask:
    """One thing to ask about a clip: the prompt's texts, and how the reply is read."""

    frames: ClipFrames
    texts: Mapping[str, str]
    read: Callable


class Member:
    """Asks one model.

    Args:
        settings: Of the model.
        emotions: The task whose labels an emotion is one of.
        offline: Only read what is on disk, and send nothing.
        tell: Is called with each reply as it comes.

    Attributes:
        asked: How many requests it got, in this run or an earlier one.
        taken: Tokens that its replies took, prompts' and replies'.
        unread: Why replies that came could not be read -> how often; asked again only with ``retry_missing``.
        unanswered: Why none came -> how often; asked again by the next run.
        known: How many requests replies on disk answer, by use; counted offline alone.
    """

    def __init__(
        self,
        settings: VisionModel,
        emotions: Task,
        offline: bool = False,
        tell: Callable[[Verdict], None] | None = None,
    ) -> None:
        self.client = Client(settings, tell)
        self.prompts = load_prompts(settings.prompts, USES, PROMPTS)
        self.asked, self.taken = 0, (0, 0)
        self.unread: Counter[str] = Counter()
        self.unanswered: Counter[str] = Counter()
        self.known: Counter[str] = Counter()
        self._emotions, self._offline = emotions, offline

    @property
    def name(self) -> str:
        return self.client.settings.model

    def origin(self, use: str) -> Origin:
        prompt = self.prompts[use]
        return Origin(self.name, f"{use} {prompt.version} {prompt.hash}")

    def ask(self, use: str, asked: Sequence[Ask]) -> list[Verdict]:
        """What came of each, in their order; offline, what is not on disk is missing.

        Raises:
            InputError: If the model could answer nothing (`Client.ask`).
        """
        requests = self.requests(use, asked)
        if not self._offline:
            said = self.client.ask(requests, progress=False)
            self.asked += len(said)
            for verdict in said:
                self.taken = (self.taken[0] + verdict.prompt_tokens, self.taken[1] + verdict.completion_tokens)
                if verdict.missing is not None:
                    (self.unanswered if verdict.reply is None else self.unread)[verdict.missing] += 1
            return said
        found = self.client.known(requests)
        self.known[use] += sum(verdict is not None for verdict in found)
        return [verdict or Verdict(None, "not asked yet", None, False) for verdict in found]

    def requests(self, use: str, asked: Sequence[Ask]) -> list[Request]:
        """What is sent for each."""
        prompt, schema = self.prompts[use], reply_schema(use, self._emotions)
        return [self.client.request(prompt, one.texts, one.read, schema, one.frames) for one in asked]
