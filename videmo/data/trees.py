"""From encoded records and decoded videos to token trees: records on one video become branches of one tree."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from videmo.data.chat import EncodedRecord
from videmo.data.video import Video
from videmo.token_tree import IGNORE_INDEX, Segment, TokenTree


@dataclass(frozen=True)
class Sample:
    """A record ready for a tree.

    Attributes:
        encoded: Its tokens.
        videos: Its decoded videos, one for each placeholder.
        video_keys: What makes each video the same as another's: its path; the sampling settings are the loader's.
        learned: False for a sample that only keeps a rank in step and must not count.
    """

    encoded: EncodedRecord
    videos: tuple[Video, ...]
    video_keys: tuple[str, ...]
    learned: bool = True


def build_trees(samples: Sequence[Sample], video_token_id: int, max_branches: int = 1) -> list[TokenTree]:
    """Make trees of samples, sharing the root of those with the same videos and the same text before their end.

    Args:
        samples: Numbered by their order.
        video_token_id: The id of ``<|video_pad|>``.
        max_branches: Samples a tree may hold; 1 makes a plain sequence of every sample.
    """
    trees: list[TokenTree] = []
    open_trees: dict[tuple, tuple[TokenTree, int]] = {}  # key -> the tree that still has room, and its branches
    for number, sample in enumerate(samples):
        encoded = sample.encoded
        in_root = encoded.root.count(video_token_id)
        key = (encoded.root, sample.video_keys[:in_root])
        tree, branches = open_trees.get(key, (None, 0))
        if tree is None or branches >= max_branches or not encoded.root:
            tree, branches = TokenTree(), 0
            trees.append(tree)
            if encoded.root:
                ids = _expand(encoded.root, sample.videos[:in_root], video_token_id)
                tree.add(Segment(ids, torch.full_like(ids, IGNORE_INDEX), sample.videos[:in_root]))
        open_trees[key] = (tree, branches + 1)
        later = sample.videos[in_root:]
        ids = _expand(encoded.branch, later, video_token_id)
        learned = torch.tensor(encoded.learned) & sample.learned
        if later:  # a video of a later turn stands in text that is not learned
            learned = _expand_flags(learned, encoded.branch, later, video_token_id)
        labels = torch.where(learned, ids, IGNORE_INDEX)
        tree.add(Segment(ids, labels, later, number), parent=0 if encoded.root else None)
    return trees


def _expand(ids: Sequence[int], videos: Sequence[Video], video_token_id: int) -> Tensor:
    """Repeat each placeholder as often as its video has tokens."""
    tokens = torch.tensor(ids, dtype=torch.long)
    return torch.repeat_interleave(tokens, _repeats(ids, videos, video_token_id))


def _expand_flags(flags: Tensor, ids: Sequence[int], videos: Sequence[Video], video_token_id: int) -> Tensor:
    return torch.repeat_interleave(flags, _repeats(ids, videos, video_token_id))


def _repeats(ids: Sequence[int], videos: Sequence[Video], video_token_id: int) -> Tensor:
    sizes = iter([video.num_tokens for video in videos])
    return torch.tensor([next(sizes) if token == video_token_id else 1 for token in ids], dtype=torch.long)
