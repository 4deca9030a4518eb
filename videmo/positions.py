"""Multimodal RoPE positions of one token segment, counted from the segment's own start.

Qwen2.5-VL gives a text token the same position on all three axes (temporal, height, width). The tokens of a video
share one origin: the temporal axis moves by ``tokens_per_second * second_per_grid`` a frame pair, truncated after the
multiplication; height and width are the row and column of the merged patch. The text after a video continues from
``max(rows, columns)``, as transformers >= 5.18 does. We compute them ourselves because a token tree needs positions
that continue from a parent, and because transformers before 5.18 truncated ``second_per_grid`` before multiplying.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


class VideoGrid(Protocol):
    """What positions need of a video: patches as (time, height, width), and seconds from one grid to the next."""

    grid_thw: tuple[int, int, int]
    second_per_grid: float


def segment_positions(
    input_ids: Tensor,
    videos: Sequence[VideoGrid],
    *,
    video_token_id: int,
    tokens_per_second: float,
    merge_size: int,
) -> tuple[Tensor, int]:
    """Positions of a segment's tokens and the position at which a child of the segment starts.

    Args:
        input_ids: Tokens of the segment, [n], with ``t * h * w / merge_size**2`` placeholders in a run for each video.
        videos: The videos of those runs, in order.
        video_token_id: The placeholder's id, ``<|video_pad|>``.
        tokens_per_second: ``vision_config.tokens_per_second`` of the checkpoint.
        merge_size: Patches merged along each side, ``vision_config.spatial_merge_size``.

    Returns:
        Positions relative to the segment's start, [3, n], and the next free position.

    Raises:
        ValueError: If the placeholders do not match the videos.
    """
    is_video = input_ids == video_token_id
    grids = [(v.grid_thw[0], v.grid_thw[1] // merge_size, v.grid_thw[2] // merge_size) for v in videos]
    expected = sum(t * h * w for t, h, w in grids)
    if int(is_video.sum()) != expected:
        raise ValueError(f"{int(is_video.sum())} video placeholders for videos of {expected} tokens")

    pieces, index, start = [], 0, 0
    video_starts = torch.nonzero(is_video).flatten().tolist()
    for video, (t, h, w) in zip(videos, grids, strict=True):
        begin = video_starts[0]
        video_starts = video_starts[t * h * w :]
        pieces.append(_text(begin - index, start))
        start += begin - index
        temporal = (torch.arange(t) * (tokens_per_second * video.second_per_grid)).long()
        axes = torch.meshgrid(temporal, torch.arange(h), torch.arange(w), indexing="ij")
        pieces.append(torch.stack(axes).reshape(3, -1) + start)
        start += max(h, w)
        index = begin + t * h * w
    pieces.append(_text(len(input_ids) - index, start))
    return torch.cat(pieces, dim=1), start + len(input_ids) - index


def _text(length: int, start: int) -> Tensor:
    return torch.arange(start, start + length).expand(3, -1)
