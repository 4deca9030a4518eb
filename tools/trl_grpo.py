"""TRL's GRPOTrainer on a question about a picture, with completions of a given length.

It takes pictures and no videos, and a processor. transformers' own needs torchvision for videos alone, so this one has
none; pictures are cut by transformers' image processor for PIL.
"""

import torch
import trl
from datasets import Dataset
from PIL import Image
from plain_grpo import GROUP, Step, Stopwatch
from transformers import (
    AutoTokenizer,
    PrinterCallback,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    TrainerCallback,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from trl import GRPOConfig, GRPOTrainer

from videmo.data.sampling import VideoSettings
from videmo.data.video import read_frames
from videmo.pretrained import CHAT_TEMPLATE

VERSION = trl.__version__


class PictureProcessor(Qwen2_5_VLProcessor):
    """Qwen's, without videos."""

    def __init__(self, image_processor, tokenizer, chat_template=None) -> None:
        super().__init__(image_processor, tokenizer, None, chat_template)


def processor(checkpoint, settings: VideoSettings) -> PictureProcessor:
    tokenizer = AutoTokenizer.from_pretrained(checkpoint, padding_side="left")
    template = CHAT_TEMPLATE.replace("'video'", "'image'").replace("<|video_pad|>", "<|image_pad|>")
    pictures = Qwen2VLImageProcessorPil(min_pixels=settings.min_pixels, max_pixels=settings.max_pixels)
    return PictureProcessor(pictures, tokenizer, chat_template=template)


class Clock(TrainerCallback):
    """Times the steps of a run."""

    def __init__(self) -> None:
        self.watch, self._seen = Stopwatch(), 0

    def on_train_begin(self, *arguments, **more) -> None:
        self.watch.start()

    def on_step_end(self, args, state, control, **more) -> None:
        self.watch.lap(state.num_input_tokens_seen - self._seen)
        self._seen = state.num_input_tokens_seen


def trl_steps(task, length: int, *, beta: float, learning_rate: float) -> list[Step]:
    """A step on each clip of a task, of which the first frame is the picture."""
    lengths: set[int] = set()

    def alternate(completion_ids, **more) -> list[float]:
        lengths.update(map(len, completion_ids))
        return [float(number % 2) for number in range(len(completion_ids))]

    rows = [
        {
            "prompt": [{"role": "user", "content": question}],
            "image": Image.fromarray(read_frames(task.video(number), task.settings)[0][0]),
        }
        for number, question in enumerate(task.questions)
    ]
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(task.checkpoint, dtype=torch.float32)
    config, pieces = model.config, processor(task.checkpoint, task.settings)
    banned = [config.image_token_id, config.video_token_id, config.vision_start_token_id, config.vision_end_token_id]
    clock = Clock()
    options = GRPOConfig(
        str(task.root / "trl"),
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        per_device_train_batch_size=GROUP,
        gradient_accumulation_steps=1,
        num_generations=GROUP,
        max_completion_length=length,
        generation_kwargs={"suppress_tokens": [*banned, pieces.tokenizer.eos_token_id]},
        beta=beta,
        loss_type="grpo",
        use_bias_correction_kl=False,
        learning_rate=learning_rate,
        max_grad_norm=0.0,
        max_steps=len(rows),
        shuffle_dataset=False,
        logging_strategy="no",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = GRPOTrainer(
        model, alternate, options, Dataset.from_list(rows), processing_class=pieces, callbacks=[clock]
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    assert lengths == {length}, lengths
    return clock.watch.steps
