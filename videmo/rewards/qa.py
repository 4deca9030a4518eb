"""``QAReward``: the benchmark's own score of an answer, by rule (paper, section 3.2: accuracy or F1)."""

from collections.abc import Sequence

from videmo.rewards.reward import Completion, Reward
from videmo.tasks import Task


class QAReward(Reward):
    """The task's native score, 0 to 1: what cannot be read is wrong, as in a test; for all tasks but captions."""

    name = "qa"

    def applies(self, task: Task) -> bool:
        return task.kind != "caption"

    def __call__(self, completions: Sequence[Completion]) -> list[float | None]:
        return [self._score(completion) for completion in completions]

    def _score(self, completion: Completion) -> float | None:
        task, record = completion.task, completion.record
        if task.kind == "caption":
            return self.missing(f"{task.name} has captions, which no rule scores; name other tasks in the term of 'qa'")
        score = task.score(completion.text, record.answer, record.question)
        return self.missing(f"{record.where}: no answer can be read from the reference") if score is None else score
