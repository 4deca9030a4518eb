"""What we make of a clip and a question, by the code that training and tests run."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from videmo.data.chat import EncodedRecord, encode_record
from videmo.data.decode import read_frames
from videmo.data.records import VIDEO_PLACEHOLDER, Record, parse_record
from videmo.data.sampling import VideoSettings
from videmo.data.trees import Sample, build_trees
from videmo.data.video import Video, load_video, resize_frames
from videmo.models.backbone import Backbone
from videmo.models.generation import generate
from videmo.models.tree_attention import tree_mask
from videmo.pretrained import load_config, load_tokenizer
from videmo.token_tree import TokenLayout, TreeBatch, flatten


@dataclass(frozen=True)
class Clip:
    """A clip as the model gets it; its tokens are made when they are first asked for, by the row that compares them.

    Attributes:
        checkpoint: The model.
        question: About the clip.
        file: The video file.
        source: Its frames as decoded, uint8 [F, H, W, 3].
        frames: At their size, uint8 [F, 3, h, w].
        video: Its patches and grid.
    """

    checkpoint: str
    question: str
    file: Path
    source: Tensor
    frames: Tensor
    video: Video

    @cached_property
    def _encoded(self) -> EncodedRecord:
        return encode_record(_record(self.question, str(self.file)), self._tokenizer, with_answer=False)

    @cached_property
    def _tokenizer(self) -> PreTrainedTokenizerBase:
        return load_tokenizer(self.checkpoint)

    @cached_property
    def batch(self) -> TreeBatch:
        """The clip and the question, as one tree in one row."""
        layout = TokenLayout.from_config(load_config(self.checkpoint), self._tokenizer.pad_token_id)
        sample = Sample(self._encoded, (self.video,), (str(self.file),))
        return flatten(build_trees([sample], layout.video_token_id), layout)

    @property
    def num_after(self) -> int:
        """Tokens after the video."""
        return len(self._encoded.branch)

    @property
    def input_ids(self) -> Tensor:
        return self.batch.input_ids[0]  # [S]

    @property
    def position_ids(self) -> Tensor:
        return self.batch.position_ids[:, 0]  # [3, S]


def prepare(checkpoint: str, file: Path, question: str, settings: VideoSettings) -> Clip:
    """Read a clip.

    Raises:
        VideoError: If it cannot be read.
    """
    source = torch.from_numpy(read_frames(file, settings)[0])
    frames = resize_frames(source, settings)
    return Clip(checkpoint, question, file, source, frames, load_video(file, settings))


def _record(question: str, file: str) -> Record:
    turns = [("user", f"{VIDEO_PLACEHOLDER}{question}"), ("assistant", "-")]
    messages = [{"role": role, "content": content} for role, content in turns]
    return parse_record({"messages": messages, "videos": [file]}, "the question", 1)


@torch.inference_mode()
def logits(backbone: Backbone, clip: Clip) -> Tensor:
    """Of the tokens after the video, in float32.  # [num_after, vocabulary]"""
    batch = clip.batch.to(backbone.model.device)
    columns = torch.arange(batch.input_ids.shape[1] - clip.num_after, batch.input_ids.shape[1])
    at = (torch.zeros_like(columns).to(batch.input_ids.device), columns.to(batch.input_ids.device))
    found = backbone(batch.input_ids, batch.position_ids, tree_mask(batch.subtree_end), at, **batch.vision)
    return found.float().cpu()


def answer(backbone: Backbone, clip: Clip, length: int, eos_token_id: int) -> list[int]:
    """The greedy answer without its stop token."""
    batch = clip.batch.to(backbone.model.device)
    (found,) = generate(backbone, batch, max_new_tokens=length, eos_token_id=eos_token_id)
    return found.tokens.tolist()
