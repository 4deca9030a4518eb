"""What a batch of trees makes a model compute, and what its samples would, each for itself.

The plain path is that of other trainers: every sample has its own copy of its video, which is encoded for it, a causal
mask, and logits of all its tokens. Of attention what is visible counts in either, and nothing is padded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from videmo.token_tree import TreeBatch


@dataclass(frozen=True)
class Work:
    """What a forward and backward computes on.

    Attributes:
        tokens: Of the language model.
        seen: Tokens that a token sees, on average.
        learned: Tokens whose logits are made.
        patches: Of the videos that are encoded.
        frames: Temporal steps of those videos, within which the tower's blocks see.
    """

    tokens: float
    seen: float
    learned: float
    patches: float
    frames: float


def visible_pairs(root: int, branches: Sequence[int]) -> float:
    """How many pairs of tokens a tree has of which one sees the other: itself, its past and its root.

    Args:
        root: Tokens that all branches share.
        branches: Tokens of each.

    >>> visible_pairs(1, [1, 1])
    5.0
    """
    return root * (root + 1) / 2 + sum(own * (root + (own + 1) / 2) for own in branches)


def tree_work(batch: TreeBatch) -> Work:
    """Of a batch as it is: tokens without padding, and pairs of tokens of which one sees the other."""
    columns = torch.arange(batch.input_ids.shape[1], device=batch.input_ids.device)
    alone = (batch.predecessor < 0) & (batch.subtree_end == columns + 1)  # padding, trees of one token
    seen_by = (batch.subtree_end - columns)[~alone]  # the queries of each key
    grids = [video.grid_thw for number, video in enumerate(batch.videos) if number not in batch.video_features]
    return Work(
        tokens=len(seen_by),
        seen=int(seen_by.sum()) / max(1, len(seen_by)),
        learned=batch.num_label_tokens,
        patches=sum(t * h * w for t, h, w in grids),
        frames=sum(t for t, _, _ in grids),
    )


def plain_work(batch: TreeBatch, video_token_id: int) -> Work:
    """Of the same samples, each by itself, with all videos encoded.

    Args:
        batch: Trees.
        video_token_id: Of the placeholders.
    """
    columns = torch.arange(batch.input_ids.shape[1], device=batch.input_ids.device)
    leaf = batch.leaf_column[:, None]
    sees = (columns <= leaf) & (leaf < batch.subtree_end[batch.leaf_row])  # [K, S], the sample's tokens
    lengths = sees.sum(1).double()
    grids, rows, columns = _places(batch, video_token_id)
    samples = (sees[:, columns] & (batch.leaf_row[:, None] == rows)).sum(0).tolist()  # of each video
    patches = sum(number * t * h * w for number, (t, h, w) in zip(samples, grids, strict=True))
    frames = sum(number * t for number, (t, _, _) in zip(samples, grids, strict=True))
    tokens, pairs = float(lengths.sum()), float((lengths * (lengths + 1)).sum()) / 2
    return Work(tokens, pairs / max(1.0, tokens), tokens, patches, frames)


def _places(batch: TreeBatch, video_token_id: int) -> tuple[list[tuple[int, int, int]], torch.Tensor, torch.Tensor]:
    """Each video's grid, and the row and column of its first placeholder, [V]."""
    grids = [video.grid_thw for video in batch.videos]
    sizes = [t * h * w // video.merge_size**2 for (t, h, w), video in zip(grids, batch.videos, strict=True)]
    first = torch.tensor([0, *sizes[:-1]][: len(sizes)], dtype=torch.long).cumsum(0).to(batch.input_ids.device)
    rows, columns = torch.nonzero(batch.input_ids == video_token_id, as_tuple=True)
    return grids, rows[first], columns[first]
