"""What plain transformers makes of a clip and a question, with a model's own files: the reference of the comparison.

Nothing of ours computes here but the frames, which are handed over at their size. transformers' video processor needs
torchvision; its image processor for PIL cuts and normalises single pictures alike, and needs none.
"""

import importlib
import importlib.util
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import AutoTokenizer, GenerationConfig, Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from videmo.errors import in_words
from videmo.unloadable import REASONS

SPECIAL_IDS = {
    "image_token_id": "<|image_pad|>",
    "video_token_id": "<|video_pad|>",
    "vision_start_token_id": "<|vision_start|>",
    "vision_end_token_id": "<|vision_end|>",
}
PAD = SPECIAL_IDS["video_token_id"]
# Of its video processor, where no file says it and training's own are others; reading them there needs torchvision.
VIDEO_DEFAULTS = {"fps": None, "max_frames": 768, "min_pixels": 128 * 28 * 28, "max_pixels": 768 * 28 * 28}
# Without the constraint pip would replace torch.
INSTALL = (
    f"`pip install --constraint constraints.txt qwen-vl-utils torchvision`, a torchvision for torch {torch.__version__}"
)


class Plain:
    """A model by transformers alone, of which each part is loaded by the row that first needs it.

    Attributes:
        checkpoint: Its folder or hub id.
        model: In float32, once ``load`` has put it on a device.
        device: Which one.
    """

    model: Any  # what `generate` takes and returns is not what its annotations say

    def __init__(self, checkpoint: str) -> None:
        self.checkpoint = checkpoint

    @cached_property
    def tokenizer(self) -> Any:
        """With its chat template."""
        return AutoTokenizer.from_pretrained(self.checkpoint)

    def load(self, device: torch.device) -> list[str]:
        """Load the model, and say in words which weights and ``config.json`` do not belong together."""
        model, found = Qwen2_5_VLForConditionalGeneration.from_pretrained(  # pyrefly: ignore[not-iterable]  (a pair)
            self.checkpoint, dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True
        )
        self.model, self.device = model.to(device).eval(), device
        return [
            *(f"{name} is missing" for name in sorted(found["missing_keys"])),
            *(f"{name} is not in the model" for name in sorted(found["unexpected_keys"])),
            *(f"{name} is {list(a)}, the model's {list(b)}" for name, a, b in sorted(found["mismatched_keys"])),
        ]

    def tokens(self, question: str, num_video_tokens: int) -> Tensor:
        """Of a question about one video by the chat template, with as many placeholders as theirs puts.  # [S]"""
        turn = {"role": "user", "content": [{"type": "video", "video": "clip"}, {"type": "text", "text": question}]}
        text = self.tokenizer.apply_chat_template([turn], tokenize=False, add_generation_prompt=True)
        return self.tokenizer(text.replace(PAD, PAD * num_video_tokens), return_tensors="pt").input_ids[0]

    def positions(self, input_ids: Tensor, grid_thw: tuple[int, int, int], second_per_grid: float) -> Tensor:
        """[3, S]."""
        found, _ = self.model.model.get_rope_index(
            input_ids[None],
            mm_token_type_ids=self._types(input_ids[None]),
            video_grid_thw=torch.tensor([grid_thw]),
            second_per_grid_ts=torch.tensor([second_per_grid]),
        )
        return found[:, 0]

    @torch.inference_mode()
    def logits(self, input_ids: Tensor, patches: Tensor, grid_thw, position_ids: Tensor, count: int) -> Tensor:
        """Of the last tokens, at given positions.  # [count, vocabulary]"""
        return (
            self.model(
                **self._inputs(input_ids, patches, grid_thw),
                position_ids=position_ids[:, None].to(self.model.device),
                logits_to_keep=count,
                use_cache=False,
            )
            .logits[0]
            .float()
            .cpu()
        )

    @torch.inference_mode()
    def answer(self, input_ids: Tensor, patches: Tensor, grid_thw, second_per_grid: float, length: int) -> "Answer":
        """The greedy answer, at its own positions; vision placeholders are left out, as ours leave them."""
        greedy = GenerationConfig(
            do_sample=False,
            repetition_penalty=1.0,
            max_new_tokens=length,
            eos_token_id=self.tokenizer.eos_token_id,
            pad_token_id=self.tokenizer.pad_token_id,
            suppress_tokens=[getattr(self.model.config, name) for name in SPECIAL_IDS],
            output_scores=True,
            return_dict_in_generate=True,
        )
        self.model.generation_config = greedy  # transformers fills what is unset from the model's own, which may sample
        found = self.model.generate(
            **self._inputs(input_ids, patches, grid_thw),
            second_per_grid_ts=torch.tensor([second_per_grid], device=self.model.device),
            generation_config=greedy,
        )
        tokens = found.sequences[0, len(input_ids) :].tolist()
        scores = torch.cat(found.scores).float().cpu()  # [n, vocabulary]
        if self.tokenizer.eos_token_id in tokens:
            tokens = tokens[: tokens.index(self.tokenizer.eos_token_id)]
        return Answer(tokens, scores)

    def _inputs(self, input_ids: Tensor, patches: Tensor, grid_thw: tuple[int, int, int]) -> dict[str, Tensor]:
        inputs = {
            "input_ids": input_ids[None],
            "attention_mask": torch.ones_like(input_ids)[None],
            "mm_token_type_ids": self._types(input_ids[None]),
            "pixel_values_videos": patches,
            "video_grid_thw": torch.tensor([grid_thw]),
        }
        return {name: value.to(self.model.device) for name, value in inputs.items()}

    def _types(self, input_ids: Tensor) -> Tensor:
        return 2 * (input_ids == self.model.config.video_token_id).int()


@dataclass(frozen=True)
class Answer:
    """Tokens without the stop token, and the scores of every step that was computed, [n, vocabulary]."""

    tokens: list[int]
    scores: Tensor


def image_patches(frames: Tensor, config: dict[str, Any]) -> Tensor:
    """Patches of a clip whose frames have their size, by transformers' image processor, in pairs of frames.

    A picture fills both frames of its patches, so the patches of a pair are the first's first and the second's second.

    Args:
        frames: uint8, [F, 3, h, w].
        config: Of the model's folder, ``preprocessor_config.json``.

    Returns:
        Normalised patches, [P, 3 * 2 * patch * patch].
    """
    processor = Qwen2VLImageProcessorPil(**_stated(config))
    pictures = list(frames.numpy())
    pictures += pictures[-1:] * (-len(pictures) % processor.temporal_patch_size)
    found = processor(pictures, do_resize=False, input_data_format="channels_first", return_tensors="np")
    step, side = processor.temporal_patch_size, processor.patch_size
    cut = np.asarray(found["pixel_values"]).reshape(len(pictures), -1, 3, step, side * side)  # [F, h * w, 3, 2, p * p]
    pairs = cut.reshape(-1, step, *cut.shape[1:])  # [t, 2, h * w, 3, 2, p * p]
    whole = np.stack([pairs[:, n, :, :, n] for n in range(step)], axis=3)  # [t, h * w, 3, 2, p * p]
    return torch.from_numpy(whole.reshape(-1, 3 * step * side * side).copy())


def video_processor() -> tuple[type | None, str]:
    """transformers' class, or None and why it cannot be had."""
    if "torchvision" in REASONS:
        return None, f"torchvision does not load ({REASONS['torchvision']})"
    if importlib.util.find_spec("torchvision") is None:
        return None, "torchvision is not installed"
    try:
        module = importlib.import_module("transformers.models.qwen2_vl.video_processing_qwen2_vl")
    except Exception as error:  # of a torchvision for another torch
        return None, f"torchvision does not load ({in_words(error)})"
    return module.Qwen2VLVideoProcessor, ""


def video_patches(processor: type, frames: Tensor, config: dict[str, Any]) -> tuple[Tensor, tuple[int, int, int]]:
    """Patches and grid by transformers' video processor, of frames that have their size."""
    own = processor(cap_pixels_per_frame=True, **_stated(config))
    found = own([frames], do_resize=False, do_sample_frames=False, return_tensors="pt")
    return found["pixel_values_videos"], tuple(found["video_grid_thw"][0].tolist())


def _stated(config: dict[str, Any]) -> dict[str, Any]:
    known = ("image_mean", "image_std", "patch_size", "temporal_patch_size", "merge_size", "rescale_factor")
    return {name: config[name] for name in known if name in config}
