"""Sample answers in TensorBoard: the frames that the model sees, the question, the truth, and what it says."""

from collections.abc import Sequence

import lightning as L
import numpy as np
from PIL import Image

from callbacks.pictures import GREEN, GREY, RED, Sheet, shown_frames
from callbacks.writer import writer_of
from videmo.data.curriculum import curriculum_of
from videmo.data.records import Record
from videmo.tasks import find_task


class SampleLogger(L.Callback):
    """Answers one validation record of every task and logs it as a picture: after each validation, or, in a curriculum,
    after the last one of each stage.

    Args:
        per_task: Records a task.
    """

    def __init__(self, per_task: int = 1) -> None:
        self.per_task = per_task

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        writer = writer_of(trainer)
        if writer is None or trainer.sanity_checking:
            return
        data = trainer.datamodule
        if curriculum := curriculum_of(trainer):
            phase = curriculum.phase(trainer.current_epoch)
            if trainer.current_epoch < phase.first_epoch + phase.epochs - 1:
                return
        seen: dict[str, int] = {}
        chosen = []
        for number, record in enumerate(data.records("val")):
            task = find_task(record.source, record.file).name
            seen[task] = seen.get(task, 0) + 1
            if seen[task] <= self.per_task:
                chosen.append((task, number))
        if not chosen:
            return
        batch = data.prompts("val", [number for _, number in chosen]).to(pl_module.device)
        # Every rank answers, through the strategy's root: a sharded model computes with all of them or not at all.
        answers = trainer.strategy._forward_redirection(trainer.strategy.model, pl_module, "answer", batch)
        if not trainer.is_global_zero:
            return
        for (task, number), answer in zip(chosen, answers, strict=True):
            picture = draw_sample(answer.record, answer.response, shown_frames(answer.record, data))
            tag = f"samples/{task}" + (f"/{number}" if self.per_task > 1 else "")
            writer.add_image(tag, np.asarray(picture), trainer.global_step, dataformats="HWC")


def draw_sample(record: Record, response: str, frames: Sequence[np.ndarray]) -> Image.Image:
    """One picture: the frames, then question, truth and answer (green where they are the same text)."""
    sheet = Sheet()
    sheet.frames(frames)
    sheet.text(record.question, GREY)
    sheet.text(f"truth:  {record.answer}")
    colour = GREEN if response.strip() == record.answer.strip() else RED
    sheet.text(f"answer: {response or '(nothing)'}", colour)
    return sheet.draw()
