"""GRPO by transformers alone: every completion is a row of a batch with its own copy of the prompt and the video."""

import time
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import GenerationConfig, Qwen2_5_VLForConditionalGeneration

from videmo.data.sampling import VideoSettings
from videmo.data.video import load_video
from videmo.doctor.plain import Plain
from videmo.pixels import normalise

GROUP = 8  # completions of a prompt


class Step(NamedTuple):
    """An optimizer step.

    Attributes:
        seconds: By the clock.
        processor_seconds: Of this process's threads, which other processes of a shared machine do not lengthen.
        tokens: Of its completions, each with its prompt: the work as somebody sees it who shares nothing.
    """

    seconds: float
    processor_seconds: float
    tokens: int


class Stopwatch:
    """Times steps that follow one another."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def start(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def lap(self, tokens: int) -> None:
        now = time.perf_counter(), time.process_time()
        self.steps.append(Step(now[0] - self._began[0], now[1] - self._began[1], tokens))
        self._began = now


class PlainGRPO:
    """A policy and its reference, which trains on groups of completions of a given length.

    Args:
        checkpoint: The model's folder.
        settings: How frames are sampled and resized.
        length: Of completions; nothing ends one before.
        beta: Weight of the KL penalty.
        learning_rate: Of AdamW.
    """

    def __init__(
        self, checkpoint: Path, settings: VideoSettings, length: int, *, beta: float, learning_rate: float
    ) -> None:
        self.words = Plain(str(checkpoint))  # its tokenizer and chat template
        self.settings, self.length, self.beta = settings, length, beta
        self.policy, self.reference = (
            Qwen2_5_VLForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32) for _ in range(2)
        )
        self.reference.eval().requires_grad_(False)
        config = self.policy.config
        self.banned = [
            config.image_token_id,
            config.video_token_id,
            config.vision_start_token_id,
            config.vision_end_token_id,
        ]
        self.drawing = GenerationConfig(
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            max_new_tokens=length,
            pad_token_id=self.words.tokenizer.pad_token_id,
            suppress_tokens=self.banned,
        )
        self.policy.generation_config = self.drawing  # transformers fills what is unset, the stop token, from it
        self.optimizer = torch.optim.AdamW(self.policy.parameters(), lr=learning_rate, weight_decay=0.0)

    def inputs(self, path: Path, question: str) -> dict[str, Tensor]:
        """A prompt and its video, read once, for a whole group."""
        video = load_video(path, self.settings)
        tokens = self.words.tokens(question, video.num_tokens).expand(GROUP, -1)  # [G, S]
        return {
            "input_ids": tokens,
            "attention_mask": torch.ones_like(tokens),
            "mm_token_type_ids": 2 * (tokens == self.policy.config.video_token_id).int(),
            "pixel_values_videos": normalise(video.pixel_values).repeat(GROUP, 1),
            "video_grid_thw": torch.tensor([video.grid_thw] * GROUP),
            "second_per_grid_ts": torch.full((GROUP,), video.second_per_grid),
        }

    def logps(
        self, model: Qwen2_5_VLForConditionalGeneration, inputs: dict[str, Tensor], completions: Tensor
    ) -> Tensor:
        """Of the completions' tokens, [G, T]."""
        grown = {"input_ids": completions, "attention_mask": 1, "mm_token_type_ids": 0}
        wide = {
            name: torch.cat((inputs[name], torch.zeros_like(completions, dtype=inputs[name].dtype) + values), dim=1)
            for name, values in grown.items()
        }
        logits = model(**{**inputs, **wide}, logits_to_keep=completions.shape[1] + 1, use_cache=False).logits[:, :-1]
        logits[..., self.banned] = -torch.inf
        return logits.log_softmax(-1).gather(2, completions[..., None])[..., 0]

    def step(self, path: Path, question: str) -> int:
        """Draw a group, reward it and learn from it; return the tokens of the group with its prompts."""
        inputs = self.inputs(path, question)
        self.policy.eval()
        with torch.no_grad():
            drawn = self.policy.generate(**inputs, generation_config=self.drawing)
            completions = drawn[:, inputs["input_ids"].shape[1] :]  # [G, T]
            assert completions.shape == (GROUP, self.length)
            ref_logps = self.logps(self.reference, inputs, completions)
        self.words.tokenizer.batch_decode(completions)  # a reward reads text
        rewards = torch.arange(GROUP) % 2.0
        advantages = ((rewards - rewards.mean()) / (rewards.std() + 1e-4))[:, None]
        self.policy.train()
        logps = self.logps(self.policy, inputs, completions)
        ratio = (logps - logps.detach()).exp()  # it is the policy that drew them
        surrogate = torch.minimum(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages)
        kl = (ref_logps - logps).exp() - (ref_logps - logps) - 1
        (self.beta * kl - surrogate).mean(1).mean().backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return drawn.numel()
