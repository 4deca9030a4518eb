"""GRPO's completions in TensorBoard: the frames, the question, the reference, and a group from best to worst."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import lightning as L
import numpy as np
from PIL import Image

from callbacks.pictures import AMBER, BLACK, GREEN, GREY, RED, Sheet, shown_frames
from callbacks.writer import writer_of
from videmo.affect import caption_tree, draw_edit
from videmo.errors import InputError, printable
from videmo.rewards import Completion
from videmo.rewards.caption_trees import CaptionTreesReward
from videmo.token_tree import TreeBatch
from videmo.training import GRPOModule
from videmo.training.completions import Answered, Row

WIDTH = 1360
_HEADINGS = ("reward", "advantage", "rewards", "tokens", "", "", "completion")
_COLUMNS = (6, 70, 150, 270, 330, 370, 430)
_LONGEST = 700  # characters of a completion


class Scored(NamedTuple):
    """A completion with what it scored; its advantage is NaN where it is masked."""

    completion: Completion
    row: Row
    advantage: float

    @property
    def place(self) -> tuple:
        """From best to worst, masked ones last; equal texts stand side by side."""
        masked = self.row.reward != self.row.reward
        return masked, 0.0 if masked else -self.row.reward, self.row.text


Group = list[Scored]
"""The completions of one query, ranked."""


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
            first = group[0].completion
            trees = any(isinstance(term.reward, CaptionTreesReward) for term in module.mixture.terms_of(first.task))
            frames = shown_frames(first.record, module.data)
            picture = draw_group(group, frames, trees)
            writer.add_image(tag, np.asarray(picture), step, dataformats="HWC")

    def _choose(self, groups: Sequence[Group]) -> Iterator[tuple[str, Group]]:
        """Tags with groups: for each kind of task some, of the tasks that were shown least."""
        for kind in sorted({group[0].completion.task.kind for group in groups}):
            own = [group for group in groups if group[0].completion.task.kind == kind]
            for number in range(min(self.queries, len(own))):
                group = min(own, key=lambda group: self._shown[group[0].row.task])
                own.remove(group)
                self._shown[group[0].row.task] += 1
                yield f"completions/{kind}" + (f"/{number}" if self.queries > 1 else ""), group


def groups_of(answered: Answered, num_generations: int) -> Iterator[Group]:
    """The groups of a round on this rank."""
    assert answered.advantages is not None, "completions of a training have them"
    scored = [*map(Scored, answered.completions, answered.round.rows, answered.advantages.tolist())]
    for first in range(0, len(scored), num_generations):
        yield sorted(scored[first : first + num_generations], key=lambda one: one.place)


def draw_group(group: Group, frames: Sequence[np.ndarray], trees: bool = False) -> Image.Image:
    """One picture of a group.

    Args:
        group: It, ranked.
        frames: Of its videos, each [T, H, W, 3].
        trees: Whether to draw the edits that lead from the affective trees of the best and the worst completion to the
            reference's.
    """
    best, row, _ = group[0]
    record = best.record
    known = [one.row.reward for one in group if one.row.reward == one.row.reward]
    spread = f"reward {np.mean(known):.3f}, std {np.std(known, ddof=1):.3f}" if len(known) > 1 else "masked"
    sheet = Sheet(WIDTH)
    sheet.frames(frames)
    sheet.text(f"{row.task}, {len(group)} completions: {spread}", GREY)
    sheet.space()
    sheet.text(record.question.replace("<video>", "").strip())
    sheet.text(f"reference: {record.answer}", GREEN)
    sheet.line()
    sheet.row([(left, name, GREY) for left, name in zip(_COLUMNS, _HEADINGS, strict=True)])
    for _, same in groupby(group, key=lambda one: (one.row.text, one.row.reward)):
        _add_completions(sheet, *same)
    if trees and known:
        worst = group[len(known) - 1].completion
        sheet.line()
        sheet.pictures([_edits("best", best)] + ([_edits("worst", worst)] if worst.text != best.text else []))
    return sheet.draw()


def _add_completions(sheet: Sheet, one: Scored, *same: Scored) -> None:
    """What one completion got, and others that say the same, beside its text."""
    row, advantage = one.row, one.advantage
    colour = GREEN if advantage > 0 else RED if advantage < 0 else GREY
    masked = row.reward != row.reward
    said = [("masked", AMBER), ("", GREY)] if masked else [(f"{row.reward:.3f}", colour), (f"{advantage:+.2f}", colour)]
    said.append((", ".join(f"{name} {value:.2f}" for name, value in row.parts.items()), GREY))
    said.append((str(row.num_tokens), GREY))
    said.append((f"{1 + len(same)} x" if same else "", GREY))
    marks = [mark for mark, holds in (("cut", row.truncated), ("unread", row.unparsed)) if holds]
    said.append((", ".join(marks), AMBER))
    text = printable(row.text)
    said.append((f"{text[:_LONGEST]} ..." if len(text) > _LONGEST else text or "(nothing)", BLACK if text else GREY))
    sheet.line()
    sheet.row([(left, *cell) for left, cell in zip(_COLUMNS, said, strict=True)])


def _edits(name: str, completion: Completion) -> Image.Image:
    picture = draw_edit(caption_tree(completion.text), caption_tree(completion.record.answer))
    sheet = Sheet(max(picture.width, 480))
    sheet.text(f"from the {name} one's affective tree to the reference's, as rules read them", GREY)
    sheet.pictures([picture])
    return sheet.draw()
