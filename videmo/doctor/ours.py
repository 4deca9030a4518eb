"""What we make of a clip and a question, by the code that training and tests run."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from videmo.data.chat import encode_record
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
    """A clip as the model gets it.

    Attributes:
        file: The video file.
        source: Its frames as decoded, uint8 [F, H, W, 3].
        frames: At their size, uint8 [F, 3, h, w].
        video: Its patches and grid.
        batch: It and the question, as one tree in one row.
        num_after: Tokens after the video.
    """

    file: Path
    source: Tensor
    frames: Tensor
    video: Video
    batch: TreeBatch
    num_after: int

    @property
    def input_ids(self) -> Tensor:
        return self.batch.input_ids[0]  # [S]

    @property
    def position_ids(self) -> Tensor:
        return self.batch.position_ids[:, 0]  # [3, S]


def prepare(checkpoint: str, file: Path, question: str, settings: VideoSettings) -> Clip:
    """Read a clip, and lay it out with the question.

    Raises:
        VideoError: If it cannot be read.
        RecordError: If the question holds a special token.
    """
    tokenizer = load_tokenizer(checkpoint)
    layout = TokenLayout.from_config(load_config(checkpoint), tokenizer.pad_token_id)
    source = torch.from_numpy(read_frames(file, settings)[0])
    video = load_video(file, settings)
    encoded = encode_record(_record(question, str(file)), tokenizer, with_answer=False)
    trees = build_trees([Sample(encoded, (video,), (str(file),))], layout.video_token_id)
    batch = flatten(trees, layout)
    return Clip(file, source, resize_frames(source, settings), video, batch, len(encoded.branch))


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
