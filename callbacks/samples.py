"""Sample answers in TensorBoard: the frames that the model sees, the question, the truth, and what it says."""

from collections.abc import Sequence
from typing import Any

import lightning as L
import numpy as np
from PIL import Image

from callbacks.pictures import GREEN, GREY, RED, Sheet, shown_frames
from callbacks.writer import writer_of
from videmo.data.datamodule import curriculum_of, data_of
from videmo.data.records import Record
from videmo.tasks import find_task


class SampleLogger(L.Callback):
    """Answers one validation record of every task and logs it as a picture: after each validation, or, in a curriculum,
    after the last one of each stage.
    """

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        writer = writer_of(trainer)
        if writer is None or trainer.sanity_checking:
            return
        data = data_of(trainer)
        if curriculum := curriculum_of(trainer):
            phase = curriculum.phase(trainer.current_epoch)
            if trainer.current_epoch < phase.first_epoch + phase.epochs - 1:
                return
        chosen: dict[str, int] = {}  # task -> its first record
        for number, record in enumerate(data.records("val")):
            chosen.setdefault(find_task(record.source, record.file).name, number)
        if not chosen:
            return
        batch = data.prompts("val", [*chosen.values()]).to(pl_module.device)
        # Every rank answers, through the strategy's root: a sharded model computes with all of them or not at all.
        root: Any = trainer.strategy.model
        answers: Any = trainer.strategy._forward_redirection(root, pl_module, "answer", batch)
        if not trainer.is_global_zero:
            return
        for task, answer in zip(chosen, answers, strict=True):
            picture = draw_sample(answer.record, answer.response, shown_frames(answer.record, data))
            writer.add_image(f"samples/{task}", np.asarray(picture), trainer.global_step, dataformats="HWC")


def draw_sample(record: Record, response: str, frames: Sequence[np.ndarray]) -> Image.Image:
    """One picture: the frames, then question, truth and answer (green where they are the same text)."""
    sheet = Sheet()
    sheet.frames(frames)
    sheet.text(record.question, GREY)
    sheet.text(f"truth:  {record.answer}")
    colour = GREEN if response.strip() == record.answer.strip() else RED
    sheet.text(f"answer: {response or '(nothing)'}", colour)
    return sheet.draw()
