"""``CaptionReward``: a language model's score of a short caption (paper, section 3.2: the generative reward model)."""

from collections.abc import Sequence

from videmo.judge import Judge, JudgeSettings, Question, Verdict
from videmo.rewards.reward import MAX_WAIT, Completion, Reward
from videmo.tasks import Task

COLUMNS = ("appearance_cap", "action_cap", "emotion_caption")
"""The columns of the benchmark that hold short captions."""


class CaptionReward(Reward):
    """What a judge makes of a caption beside its reference, 0 to 1, as in a test; for the short captions.

    Training goes on whatever the judge does: what has no verdict is missing, with the judge's own reason. A single
    question may take the judge's ``timeout`` and is asked again up to ``max_retries`` times; all of a batch together
    wait no longer than ``max_wait``. An empty caption is 0 and is not asked about.

    Args:
        judge: The model, its server, and how it is asked.
        max_wait: Seconds after which what a judge has not said of a batch is missing, and training goes on.
    """

    name = "caption"

    def __init__(self, judge: JudgeSettings, max_wait: float = MAX_WAIT) -> None:
        self._judge = Judge(judge)
        self._max_wait = max_wait

    def applies(self, task: Task) -> bool:
        return task.column in COLUMNS

    def __call__(self, completions: Sequence[Completion]) -> list[float | None]:
        said = [completion for completion in completions if completion.text.strip()]
        verdicts = iter(self._judge.ask_within([_question(completion) for completion in said], self._max_wait))
        return [self._score(next(verdicts)) if c.text.strip() else 0.0 for c in completions]

    def _score(self, verdict: Verdict) -> float | None:
        return self.missing(verdict.missing or "") if verdict.value is None else verdict.value / 100


def _question(completion: Completion) -> Question:
    record = completion.record
    texts = {"question": record.question, "reference": record.answer, "response": completion.text}
    return Question("caption", texts)
