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
        taken: Tokens that its replies took, those from the disk, too.
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
        self.taken = 0
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
            self.taken += sum(verdict.prompt_tokens + verdict.completion_tokens for verdict in said)
            return said
        found = self.client.known(requests)
        self.known[use] += sum(verdict is not None for verdict in found)
        return [verdict or Verdict(None, "not asked yet", None, False) for verdict in found]

    def requests(self, use: str, asked: Sequence[Ask]) -> list[Request]:
        """What is sent for each."""
        prompt, schema = self.prompts[use], reply_schema(use, self._emotions)
        return [self.client.request(prompt, one.texts, one.read, schema, one.frames) for one in asked]
