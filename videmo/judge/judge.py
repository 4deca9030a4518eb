"""The judge: a model that answers questions about answers, by prompts for each use (`videmo.judge.question`)."""

from collections.abc import Sequence
from functools import partial

from videmo.judge.client import Client
from videmo.judge.estimate import Estimate
from videmo.judge.prompt import load_prompts
from videmo.judge.question import Question, Verdict
from videmo.judge.replies import read_reply
from videmo.judge.request import Request
from videmo.judge.schemas import response_format
from videmo.judge.settings import JudgeSettings


class Judge:
    """Asks a model; ``ask`` is all that callers need (`SupportsAsk`).

    Args:
        settings: The model, its server, and how it is asked.

    Attributes:
        prompts: Use -> its prompt.

    Raises:
        InputError: If a setting could not work, or a prompt is none.
    """

    def __init__(self, settings: JudgeSettings) -> None:
        self._client = Client(settings)
        self.settings = settings
        self.prompts = load_prompts(settings.prompts)

    @property
    def identity(self) -> dict:
        """Who judges by which prompts, JSON-ready: a part of every result that the verdicts go into."""
        prompts = {use: {"version": prompt.version, "hash": prompt.hash} for use, prompt in self.prompts.items()}
        return {"model": self.settings.model, "temperature": self.settings.temperature, "prompts": prompts}

    def plan(self, questions: Sequence[Question]) -> Estimate:
        """What ``ask`` would send; nothing is sent."""
        return self._client.plan(self._requests(questions))

    def ask(self, questions: Sequence[Question]) -> list[Verdict]:
        """A verdict for each question, in their order (`Client.ask`)."""
        return self._client.ask(self._requests(questions))

    def ask_within(self, questions: Sequence[Question], seconds: float) -> list[Verdict]:
        """The same, where what has no verdict after so many seconds is missing (`Client.ask_within`)."""
        return self._client.ask_within(self._requests(questions), seconds)

    def _requests(self, questions: Sequence[Question]) -> list[Request]:
        made = {question: self._request(question) for question in dict.fromkeys(questions)}
        return [made[question] for question in questions]

    def _request(self, question: Question) -> Request:
        prompt = self.prompts[question.use]
        read = partial(read_reply, prompt=prompt, question=question)
        return self._client.request(prompt, question.fields, read, response_format(prompt, question))
