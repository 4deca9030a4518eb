"""GRPO's completions in TensorBoard: the frames, the question, the reference, and a group from best to worst."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import lightning as L
import numpy as np
from PIL import Image

from callbacks.pictures import AMBER, BLACK, GREEN, GREY, RED, Sheet, shown_frames
from callbacks.writer import writer_of
from videmo.affect import caption_tree, draw_edit
from videmo.errors import InputError, printable
from videmo.rewards import Completion
from videmo.rewards.caption_trees import CaptionTreesReward
from videmo.tasks import Task
from videmo.token_tree import TreeBatch
from videmo.training import GRPOModule
from videmo.training.completions import Answered

WIDTH = 1360
_HEADINGS = ("reward", "advantage", "rewards", "tokens", "", "", "completion")
_COLUMNS = (6, 70, 150, 270, 330, 370, 430)
_LONGEST = 700  # characters of a completion


@dataclass(frozen=True)
class Group:
    """The completions of one query; rewards and advantages in their order, NaN where masked."""

    completions: Sequence[Completion]
    rewards: Sequence[float]
    parts: Sequence[dict[str, float]]
    advantages: Sequence[float]
    unparsed: Sequence[bool]

    @property
    def task(self) -> Task:
        return self.completions[0].task

    @property
    def ranked(self) -> list[int]:
        """Places from best to worst, masked ones last; equal texts stand side by side."""
        return sorted(range(len(self.rewards)), key=self._place)

    def _place(self, number: int) -> tuple:
        reward = self.rewards[number]
        return reward != reward, -reward if reward == reward else 0.0, self.completions[number].text


def drawing(callback: L.Callback, pl_module: L.LightningModule) -> GRPOModule:
    """The module of a run that draws completions.

    Raises:
        InputError: If it draws none for a callback to be about.
    """
    if not isinstance(pl_module, GRPOModule):
        name = type(callback).__name__
        raise InputError(f"callbacks.{name} is about the completions of GRPO, and this run draws none; leave it out")
    return pl_module


class CompletionLogger(L.Callback):
    """Logs pictures of groups of completions, of one query for each kind of task, and of its tasks in turn.

    Args:
        every_n_steps: Optimizer steps from one time to the next; the first step's are logged, too.
        queries: Queries of each kind at a time.
    """

    def __init__(self, every_n_steps: int = 50, queries: int = 1) -> None:
        if every_n_steps < 1 or queries < 1:
            raise InputError(f"every_n_steps and queries must be at least 1, got {every_n_steps} and {queries}")
        self.every_n_steps, self.queries = every_n_steps, queries
        self._shown: Counter[str] = Counter()
        self._started = False

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        drawing(self, pl_module)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs, batch: TreeBatch, batch_idx: int
    ) -> None:
        module, step = drawing(self, pl_module), trainer.global_step
        if trainer.fit_loop._should_accumulate() or (self._started and step % self.every_n_steps):
            return
        self._started = True
        writer = writer_of(trainer)
        if writer is None or not trainer.is_global_zero:
            return
        for tag, group in self._choose(list(groups_of(module.answered, module.hparams.num_generations))):
            terms = module.mixture.terms_of(group.task)
            trees = any(isinstance(term.reward, CaptionTreesReward) for term in terms)
            frames = shown_frames(group.completions[0].record, module.data)
            picture = draw_group(group, frames, trees)
            writer.add_image(tag, np.asarray(picture), step, dataformats="HWC")

    def _choose(self, groups: Sequence[Group]) -> Iterator[tuple[str, Group]]:
        """Tags with groups: for each kind of task some, of the tasks that were shown least."""
        kinds = sorted({group.task.kind for group in groups})
        for kind in kinds:
            own = [group for group in groups if group.task.kind == kind]
            for number in range(min(self.queries, len(own))):
                group = min(own, key=lambda group: self._shown[group.task.name])
                own.remove(group)
                self._shown[group.task.name] += 1
                yield f"completions/{kind}" + (f"/{number}" if self.queries > 1 else ""), group


def groups_of(answered: Answered, num_generations: int) -> Iterator[Group]:
    """The groups of a round on this rank."""
    rewards, advantages = answered.rewards, answered.advantages
    assert advantages is not None, "completions of a training have them"
    parts = [
        {name: float(values[number]) for name, values in rewards.parts.items() if not values[number].isnan()}
        for number in range(len(answered.completions))
    ]
    for first in range(0, len(answered.completions), num_generations):
        own = slice(first, first + num_generations)
        yield Group(
            answered.completions[own],
            rewards.totals[own].tolist(),
            parts[own],
            advantages[own].tolist(),
            rewards.unparsed[own].tolist(),
        )


def draw_group(group: Group, frames: Sequence[np.ndarray], trees: bool = False) -> Image.Image:
    """One picture of a group.

    Args:
        group: It.
        frames: Of its videos, each [T, H, W, 3].
        trees: Whether to draw the edits that lead from the affective trees of the best and the worst completion to the
            reference's.
    """
    record = group.completions[0].record
    known = [reward for reward in group.rewards if reward == reward]
    spread = f"reward {np.mean(known):.3f}, std {np.std(known, ddof=1):.3f}" if len(known) > 1 else "masked"
    sheet = Sheet(WIDTH)
    sheet.frames(frames)
    sheet.text(f"{group.task.name}, {len(group.rewards)} completions: {spread}", GREY)
    sheet.space()
    sheet.text(record.question.replace("<video>", "").strip())
    sheet.text(f"reference: {record.answer}", GREEN)
    sheet.line()
    sheet.row([(left, name, GREY) for left, name in zip(_COLUMNS, _HEADINGS, strict=True)])
    for _, same in groupby(group.ranked, key=lambda n: (group.completions[n].text, group.rewards[n])):
        _add_completions(sheet, group, list(same))
    if trees and known:
        best, worst = (group.completions[number] for number in (group.ranked[0], group.ranked[len(known) - 1]))
        sheet.line()
        sheet.pictures([_edits("best", best)] + ([_edits("worst", worst)] if worst.text != best.text else []))
    return sheet.draw()


def _add_completions(sheet: Sheet, group: Group, same: Sequence[int]) -> None:
    """What one completion got, or several that say the same, beside its text."""
    number = same[0]
    completion, reward, advantage = group.completions[number], group.rewards[number], group.advantages[number]
    colour = GREEN if advantage > 0 else RED if advantage < 0 else GREY
    parts = group.parts[number]
    masked = reward != reward
    said = [("masked", AMBER), ("", GREY)] if masked else [(f"{reward:.3f}", colour), (f"{advantage:+.2f}", colour)]
    said.append((", ".join(f"{name} {value:.2f}" for name, value in parts.items()), GREY))
    said.append((str(completion.num_tokens), GREY))
    said.append((f"{len(same)} x" if len(same) > 1 else "", GREY))
    marks = [mark for mark, holds in (("cut", completion.truncated), ("unread", group.unparsed[number])) if holds]
    said.append((", ".join(marks), AMBER))
    text = printable(completion.text)
    said.append((f"{text[:_LONGEST]} ..." if len(text) > _LONGEST else text or "(nothing)", BLACK if text else GREY))
    sheet.line()
    sheet.row([(left, *cell) for left, cell in zip(_COLUMNS, said, strict=True)])


def _edits(name: str, completion: Completion) -> Image.Image:
    picture = draw_edit(caption_tree(completion.text), caption_tree(completion.record.answer))
    sheet = Sheet(max(picture.width, 480))
    sheet.text(f"from the {name} one's affective tree to the reference's, as rules read them", GREY)
    sheet.pictures([picture])
    return sheet.draw()
