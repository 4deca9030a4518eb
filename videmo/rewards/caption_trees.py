"""The affective trees of completions and references, by rules or by a judge, and what a reward makes of two."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence

from videmo.affect import AffectiveTree, caption_tree
from videmo.judge import Judge, JudgeSettings, Question
from videmo.rewards.reward import MAX_WAIT, Completion, Reward
from videmo.tasks import Task


class CaptionTreesReward(Reward):
    """Compares the trees of completion and reference; for the fine-grained captions.

    A reference from which no node is read gives none: to say nothing would be the best answer to it.

    Args:
        judge: Who reads the trees; rules by default.
        max_wait: Seconds after which what a judge has not said of a batch is missing, and training goes on.
    """

    def __init__(self, judge: JudgeSettings | None = None, max_wait: float = MAX_WAIT) -> None:
        self._judge = Judge(judge) if judge else None
        self._max_wait = max_wait

    @abstractmethod
    def compare(self, preds: Sequence[AffectiveTree], targets: Sequence[AffectiveTree]) -> list[float]:
        """The reward of each tree."""

    def applies(self, task: Task) -> bool:
        return task.column == "caption"

    def __call__(self, completions: Sequence[Completion]) -> list[float | None]:
        trees, failed = self._read(text for c in completions for text in (c.record.answer, c.text))
        rewards: list[float | None] = [None] * len(completions)
        compared = []
        for number, completion in enumerate(completions):
            reference = completion.record.answer
            if why := failed.get(reference) or failed.get(completion.text):
                self.missing(why)
            elif not trees[reference].children:
                self.missing(f"{completion.record.where}: no node of a tree is read from the reference")
            else:
                compared.append(number)
        preds = [trees[completions[number].text] for number in compared]
        targets = [trees[completions[number].record.answer] for number in compared]
        for number, reward in zip(compared, self.compare(preds, targets), strict=True):
            rewards[number] = reward
        return rewards

    def _read(self, texts: Iterable[str]) -> tuple[dict[str, AffectiveTree], dict[str, str]]:
        """The trees of captions, and why there is none of the others."""
        if self._judge is None:
            return {text: caption_tree(text) for text in dict.fromkeys(texts)}, {}
        texts = [*dict.fromkeys(texts)]
        asked = [text for text in texts if text.strip()]
        verdicts = self._judge.ask_within([Question("tree", {"caption": text}) for text in asked], self._max_wait)
        said = dict(zip(asked, verdicts, strict=True))
        trees = {text: AffectiveTree("video") for text in texts if text not in said}
        trees |= {text: verdict.value for text, verdict in said.items() if verdict.missing is None}
        return trees, {text: verdict.missing for text, verdict in said.items() if verdict.missing is not None}
