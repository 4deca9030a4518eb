"""Sample answers in TensorBoard: the frames that the model sees, the question, the truth, and what it says."""

import textwrap

import lightning as L
import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger
from PIL import Image, ImageDraw, ImageFont

from videmo.data.curriculum import curriculum_of
from videmo.data.decode import read_frames
from videmo.data.records import Record
from videmo.tasks import find_task

FRAME_HEIGHT = 120
LINE_WIDTH = 78  # characters


class SampleLogger(L.Callback):
    """Answers one validation record of every task and logs it as a picture: after each validation, or, in a curriculum,
    after the last one of each stage.

    Args:
        per_task: Records a task.
    """

    def __init__(self, per_task: int = 1) -> None:
        self.per_task = per_task

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        writer = next((lg.experiment for lg in trainer.loggers if isinstance(lg, TensorBoardLogger)), None)
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
            frames = [read_frames(data.video_root / v, data.video)[0] for v in answer.record.videos]
            picture = draw_sample(answer.record, answer.response, frames)
            tag = f"samples/{task}" + (f"/{number}" if self.per_task > 1 else "")
            writer.add_image(tag, np.asarray(picture), trainer.global_step, dataformats="HWC")


def draw_sample(record: Record, response: str, frames: list) -> Image.Image:
    """One picture: a row of frames a video, then question, truth and answer (green where they are the same text)."""
    rows = [[_frame(f) for f in np.asarray(video)] for video in frames]
    lines = [(line, "#444444") for line in record.question.splitlines()]
    lines += [(line, "#000000") for line in _wrap(f"truth:  {record.answer}")]
    colour = "#1a7f37" if response.strip() == record.answer.strip() else "#b42318"
    lines += [(line, colour) for line in _wrap(f"answer: {response or '(nothing)'}")]
    font = ImageFont.load_default(14)
    width = max([sum(f.width + 4 for f in row) for row in rows] + [LINE_WIDTH * 8])
    height = len(rows) * (FRAME_HEIGHT + 4) + len(lines) * 20 + 12
    picture = Image.new("RGB", (width, height), "white")
    top = 0
    for row in rows:
        left = 0
        for frame in row:
            picture.paste(frame, (left, top))
            left += frame.width + 4
        top += FRAME_HEIGHT + 4
    pen = ImageDraw.Draw(picture)
    for line, fill in lines:
        pen.text((6, top + 4), line, fill=fill, font=font)
        top += 20
    return picture


def _frame(pixels: np.ndarray) -> Image.Image:
    image = Image.fromarray(pixels)
    return image.resize((max(1, round(image.width * FRAME_HEIGHT / image.height)), FRAME_HEIGHT))


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, LINE_WIDTH) or [text]
