"""From encoded records and decoded videos to token trees: records on one video become branches of one tree."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from videmo.data.chat import EncodedRecord
from videmo.data.video import Video
from videmo.token_tree import IGNORE_INDEX, Segment, TokenLayout, TokenTree


@dataclass(frozen=True)
class Sample:
    """A record ready for a tree.

    Attributes:
        encoded: Its tokens.
        videos: Its decoded videos, one for each placeholder.
        video_keys: What makes each video the same as another's: its path; the sampling settings are the loader's.
    """

    encoded: EncodedRecord
    videos: tuple[Video, ...]
    video_keys: tuple[str, ...]


def build_trees(
    samples: Sequence[Sample], video_token_id: int, max_branches: int = 1, max_tokens: int | None = None
) -> list[TokenTree]:
    """Make trees of samples, sharing the root of those with the same videos and the same text before their end.

    Args:
        samples: Numbered by their order.
        video_token_id: The id of ``<|video_pad|>``.
        max_branches: Samples a tree may hold; 1 makes a plain sequence of every sample.
        max_tokens: Tokens a tree may hold, but for a sample that is longer alone.
    """
    trees: list[TokenTree] = []
    open_trees: dict[tuple, tuple[TokenTree, int]] = {}  # key -> the tree that still has room, and its branches
    for number, sample in enumerate(samples):
        encoded = sample.encoded
        in_root = encoded.root.count(video_token_id)
        key = (encoded.root, sample.video_keys[:in_root])
        later = sample.videos[in_root:]
        repeats = _repeats(encoded.branch, later, video_token_id)
        ids = torch.tensor(encoded.branch).repeat_interleave(repeats)
        tree, branches = open_trees.get(key, (None, 0))
        full = tree and max_tokens and tree.num_tokens + len(ids) > max_tokens
        if tree is None or full or branches >= max_branches or not encoded.root:
            tree, branches = TokenTree(), 0
            trees.append(tree)
            if encoded.root:
                videos = sample.videos[:in_root]
                root = torch.tensor(encoded.root).repeat_interleave(_repeats(encoded.root, videos, video_token_id))
                tree.add(Segment(root, torch.full_like(root, IGNORE_INDEX), videos))
        open_trees[key] = (tree, branches + 1)
        learned = torch.tensor(encoded.learned).repeat_interleave(repeats)
        labels = torch.where(learned, ids, IGNORE_INDEX)
        tree.add(Segment(ids, labels, later, number), parent=0 if encoded.root else None)
    return trees


def empty_tree(layout: TokenLayout) -> TokenTree:
    """A tree of one token and no sample: what a rank without records computes, to keep in step with the others."""
    ids = torch.tensor([layout.pad_token_id])
    return TokenTree([Segment(ids, torch.full_like(ids, IGNORE_INDEX))], [None])


def _repeats(ids: Sequence[int], videos: Sequence[Video], video_token_id: int) -> Tensor:
    """How often each token stands in the tree: a placeholder as often as its video has tokens."""
    sizes = iter([video.num_tokens for video in videos])
    return torch.tensor([next(sizes) if token == video_token_id else 1 for token in ids], dtype=torch.long)
