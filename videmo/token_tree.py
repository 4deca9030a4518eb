"""The token tree: samples that share a video share its tokens, and one batch format serves all of them.

A node is a segment of tokens with a parent: video -> question -> answer. A tree is laid out depth first as one stretch
of tokens. Then a node's descendants are one contiguous range, and the whole ancestor attention is one integer a token:
token ``q`` sees token ``k`` exactly if ``k <= q < subtree_end[k]``. Positions continue from the parent's end, and the
logits of a node's first token come from its parent's last one (``predecessor``). A plain sample is a tree with one
branch, several trees may lie in one row, and padding is a tree of one token, so there is one code path. Without
dropout, loss and gradients equal those of the separate samples.

Shapes: B rows, S tokens a row, P patches, V videos, K leaves.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from videmo.positions import segment_positions

IGNORE_INDEX = -100


@dataclass(frozen=True)
class Segment:
    """A run of tokens that is seen as a whole by its descendants.

    Attributes:
        input_ids: [n].
        labels: [n], the token itself where it is learned, ``IGNORE_INDEX`` elsewhere.
        videos: The videos of its placeholders in order, as ``videmo.data.video.Video``: a grid with either patches, or
            the tower's features, or neither, where they are promised.
        sample: Which sample of the batch it ends, or None for a segment that others share.
    """

    input_ids: Tensor
    labels: Tensor
    videos: tuple[Any, ...] = ()
    sample: int | None = None


@dataclass(frozen=True)
class TokenLayout:
    """The facts of a checkpoint that flattening needs; read them from its config with ``from_config``."""

    video_token_id: int
    pad_token_id: int
    tokens_per_second: float
    merge_size: int

    @classmethod
    def from_config(cls, config, pad_token_id: int) -> "TokenLayout":
        """From a ``Qwen2_5_VLConfig`` and the tokenizer's padding token."""
        vision = config.vision_config
        return cls(config.video_token_id, pad_token_id, vision.tokens_per_second, vision.spatial_merge_size)


@dataclass
class TokenTree:
    """Segments with parents; roots have none, so one object may also hold a forest.

    >>> tree = TokenTree()
    >>> root = tree.add(Segment(torch.tensor([1, 2]), torch.tensor([-100, -100])))
    >>> _ = tree.add(Segment(torch.tensor([3]), torch.tensor([3]), sample=0), parent=root)
    >>> tree.num_tokens
    3
    """

    segments: list[Segment] = field(default_factory=list)
    parents: list[int | None] = field(default_factory=list)

    def add(self, segment: Segment, parent: int | None = None) -> int:
        """Append a segment under a parent that is already there, and return its number."""
        if parent is not None and not 0 <= parent < len(self.segments):
            raise ValueError(f"parent {parent} is not in a tree of {len(self.segments)} segments")
        if len(segment.input_ids) == 0:
            raise ValueError("a segment needs at least one token")
        if parent is None and segment.labels[0] != IGNORE_INDEX:
            raise ValueError("the first token of a root cannot be learned: nothing precedes it")
        self.segments.append(segment)
        self.parents.append(parent)
        return len(self.segments) - 1

    @property
    def num_tokens(self) -> int:
        return sum(len(s.input_ids) for s in self.segments)

    def depth_first(self) -> list[int]:
        """Segment numbers with every node before its descendants and those before its next sibling."""
        children: list[list[int]] = [[] for _ in self.segments]
        roots = []
        for node, parent in enumerate(self.parents):
            (roots if parent is None else children[parent]).append(node)
        order, stack = [], roots[::-1]
        while stack:
            node = stack.pop()
            order.append(node)
            stack.extend(reversed(children[node]))
        return order


class VideoShape(NamedTuple):
    """What a batch says of each of its videos, and all that a tree needs of one whose features are known.

    Attributes:
        path: The file as its records name it.
        key: What its features are kept under; empty where they are not kept.
        grid_thw: Patches in time, height and width.
        second_per_grid: Seconds from one temporal patch to the next.
        merge_size: Patches along each side of a token.
    """

    path: str
    key: str
    grid_thw: tuple[int, int, int]
    second_per_grid: float
    merge_size: int


@dataclass
class TreeBatch:
    """Packed trees as tensors, ready for the model.

    Attributes:
        input_ids: [B, S].
        labels: [B, S], ``IGNORE_INDEX`` where nothing is learned.
        position_ids: [3, B, S].
        predecessor: [B, S], the column whose hidden state predicts this token; -1 for a first token.
        subtree_end: [B, S], the column after the last descendant of the token's segment.
        sample: [B, S], the sample that a labelled token belongs to, -1 elsewhere.
        leaf_row, leaf_column: [K], where each sample's last token lies, by sample number.
        pixel_values_videos: [P, channels * temporal_patch * patch * patch], uint8 as a rule, of the videos to encode,
            one after the other; None if there are none.
        video_grid_thw: [V, 3], of all videos by row and column; None in a batch of text.
        videos: The same V videos' paths, keys and shapes.
        video_features: By the video's number, what a frozen tower made of it before: [tokens, hidden].
        promised: Numbers of the videos that have neither patches nor features here; ``VisionCache.fill`` adds them.
        frames_found, frames_decoded: Videos whose patches a worker had, and that it decoded for this batch.
        reads: By decoder, how many videos a worker read with it for this batch; ``hung`` and ``crashed`` ones, too.
        records: The samples' records, K of them.
        faults: What was left out of the batch, and why.
        num_items_in_batch: Learned tokens of the whole optimizer step, over micro-batches and ranks; the loss divides
            by it. A loader that knows more than this batch replaces it.
        parts: Where the model draws its own answers, the micro-batches of a round of them, which this one joins.
        turn: Which of its parts is trained on.
    """

    input_ids: Tensor
    labels: Tensor
    position_ids: Tensor
    predecessor: Tensor
    subtree_end: Tensor
    sample: Tensor
    leaf_row: Tensor
    leaf_column: Tensor
    pixel_values_videos: Tensor | None
    video_grid_thw: Tensor | None
    videos: tuple[VideoShape, ...] = ()
    video_features: dict[int, Tensor] = field(default_factory=dict)
    promised: tuple[int, ...] = ()
    frames_found: int = 0
    frames_decoded: int = 0
    reads: Mapping[str, int] = field(default_factory=dict)
    records: tuple[Any, ...] = ()
    faults: tuple[Any, ...] = ()
    num_items_in_batch: int = 0
    parts: tuple["TreeBatch", ...] = ()
    turn: int = 0

    @property
    def num_samples(self) -> int:
        return len(self.leaf_row)

    @property
    def num_label_tokens(self) -> int:
        return int((self.labels != IGNORE_INDEX).sum())

    @property
    def vision(self) -> dict[str, Any]:
        """The videos, as the backbone's ``forward`` takes them."""
        return {
            "pixel_values_videos": self.pixel_values_videos,
            "video_grid_thw": self.video_grid_thw,
            "video_features": self.video_features,
            "video_keys": tuple(video.key for video in self.videos),
        }

    def in_one_row(self, length: int | None = None) -> "TreeBatch":
        """The rows one after the other in a single one, padded to a length; the same trees, which see what they saw.

        Args:
            length: Tokens of the row; B * S where not given.
        """
        rows, width = self.input_ids.shape
        length = length or rows * width
        start = torch.arange(rows, device=self.input_ids.device) * width  # [B]
        padding = torch.arange(rows * width, length, device=self.input_ids.device)[None]  # columns, [1, added]

        def row(values: Tensor, pad: Tensor | int) -> Tensor:
            return torch.cat((values.reshape(1, -1), torch.zeros_like(padding) + pad), dim=1)

        first = self.predecessor < 0
        positions = self.position_ids.reshape(3, 1, -1)
        return replace(
            self,
            input_ids=row(self.input_ids, 0),
            labels=row(self.labels, IGNORE_INDEX),
            position_ids=torch.cat((positions, positions.new_zeros(3, 1, padding.shape[1])), dim=2),
            predecessor=row(torch.where(first, -1, self.predecessor + start[:, None]), -1),
            subtree_end=row(self.subtree_end + start[:, None], padding + 1),
            sample=row(self.sample, -1),
            leaf_row=torch.zeros_like(self.leaf_row),
            leaf_column=self.leaf_column + start[self.leaf_row],
        )

    def _map(self, function) -> "TreeBatch":
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        changed = {name: function(value) for name, value in values.items() if isinstance(value, Tensor)}
        features = {number: function(value) for number, value in self.video_features.items()}
        parts = tuple(part._map(function) for part in self.parts)
        return replace(self, **changed, video_features=features, parts=parts)

    def to(self, device, non_blocking: bool = False) -> "TreeBatch":
        return self._map(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> "TreeBatch":
        return self._map(Tensor.pin_memory)


def pack(lengths: Sequence[int], capacity: int | None = None) -> list[list[int]]:
    """Put trees into rows, first fit, longest first; the members of a row keep their order.

    Args:
        lengths: Tokens of each tree.
        capacity: Tokens a row may hold; the longest tree's where not given. A longer tree gets a row of its own.

    >>> pack([3, 5, 2], capacity=5)
    [[1], [0, 2]]
    """
    capacity = max(capacity or 0, max(lengths, default=0))
    rows: list[list[int]] = []
    free: list[int] = []
    for tree in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        row = next((r for r, space in enumerate(free) if space >= lengths[tree]), None)
        if row is None:
            row = len(rows)
            rows.append([])
            free.append(capacity)
        rows[row].append(tree)
        free[row] -= lengths[tree]
    return [sorted(row) for row in rows]


def flatten(trees: Sequence[TokenTree], layout: TokenLayout, records: Sequence[Any] = (), capacity=None) -> TreeBatch:
    """Lay trees out in rows of equal length.

    The samples' numbers (``Segment.sample``) must run from 0 to K - 1 over all trees, one segment each.
    """
    rows = [_flat_row([trees[i] for i in row], layout) for row in pack([t.num_tokens for t in trees], capacity)]
    length = max(len(row["input_ids"]) for row in rows)
    ends = sorted((sample, r, column) for r, row in enumerate(rows) for sample, column in row["leaves"])
    if [sample for sample, _, _ in ends] != list(range(len(ends))):
        raise ValueError("sample numbers must run from 0 and end in one segment each")

    columns = torch.arange(length)
    padding = {
        "input_ids": torch.full((length,), layout.pad_token_id),
        "labels": torch.full((length,), IGNORE_INDEX),
        "predecessor": torch.full((length,), -1),
        "subtree_end": columns + 1,  # a padding token sees itself alone, so no softmax is empty
        "sample": torch.full((length,), -1),
    }
    stacked: dict[str, Any] = {
        name: torch.stack([torch.cat((row[name], pad[len(row[name]) :])) for row in rows])  # [B, S]
        for name, pad in padding.items()
    }
    positions = torch.zeros(3, len(rows), length, dtype=torch.long)
    for r, row in enumerate(rows):
        positions[:, r, : row["positions"].shape[1]] = row["positions"]
    videos = [video for row in rows for video in row["videos"]]
    patches = [video.pixel_values for video in videos if video.pixel_values is not None]
    features = {number: video.features for number, video in enumerate(videos) if video.features is not None}
    batch = TreeBatch(
        **stacked,
        position_ids=positions,
        leaf_row=torch.tensor([r for _, r, _ in ends], dtype=torch.long),
        leaf_column=torch.tensor([column for _, _, column in ends], dtype=torch.long),
        pixel_values_videos=_joined(patches) if patches else None,
        video_grid_thw=torch.tensor([v.grid_thw for v in videos]) if videos else None,
        videos=tuple(VideoShape(v.path, v.key, v.grid_thw, v.second_per_grid, v.merge_size) for v in videos),
        video_features=features,
        promised=tuple(n for n, v in enumerate(videos) if v.pixel_values is None and n not in features),
        records=tuple(records),
    )
    batch.num_items_in_batch = batch.num_label_tokens
    return batch


def _joined(patches: list[Tensor]) -> Tensor:
    """The patches one after the other; in a loader's worker straight in memory that the trainer sees, not copied there
    again."""
    if get_worker_info() is None:
        return torch.cat(patches)
    shape = (sum(map(len, patches)), *patches[0].shape[1:])
    shared = patches[0].untyped_storage()._new_shared(math.prod(shape) * patches[0].element_size())
    memory = patches[0].new_empty(0).set_(shared, 0, shape)  # pyrefly: ignore[no-matching-overload]  (no stride)
    return torch.cat(patches, out=memory)


def _flat_row(trees: Sequence[TokenTree], layout: TokenLayout) -> dict[str, Any]:
    names = ("input_ids", "labels", "positions", "predecessor", "subtree_end", "sample")
    parts: dict[str, list[Tensor]] = {name: [] for name in names}
    leaves, videos, column = [], [], 0
    for tree in trees:
        start_of: dict[int, int] = {}  # segment -> its first column
        end_position: dict[int, int] = {}  # segment -> where its children's positions start
        order = tree.depth_first()
        descendants = _subtree_tokens(tree, order)
        for node in order:
            segment, parent = tree.segments[node], tree.parents[node]
            relative, extent = segment_positions(
                segment.input_ids,
                segment.videos,
                video_token_id=layout.video_token_id,
                tokens_per_second=layout.tokens_per_second,
                merge_size=layout.merge_size,
            )
            origin = 0 if parent is None else end_position[parent]
            start_of[node], end_position[node] = column, origin + extent
            size = len(segment.input_ids)
            predecessor = torch.arange(column - 1, column + size - 1)
            predecessor[0] = -1 if parent is None else start_of[parent] + len(tree.segments[parent].input_ids) - 1
            parts["input_ids"].append(segment.input_ids)
            parts["labels"].append(segment.labels)
            parts["positions"].append(relative + origin)
            parts["predecessor"].append(predecessor)
            parts["subtree_end"].append(torch.full((size,), column + descendants[node]))
            owner = torch.full((size,), -1 if segment.sample is None else segment.sample)
            parts["sample"].append(torch.where(segment.labels == IGNORE_INDEX, -1, owner))
            videos.extend(segment.videos)
            column += size
            if segment.sample is not None:
                leaves.append((segment.sample, column - 1))
    row = {name: torch.cat(tensors, dim=-1) for name, tensors in parts.items()}
    return {**row, "leaves": leaves, "videos": videos}


def _subtree_tokens(tree: TokenTree, order: Sequence[int]) -> list[int]:
    """Tokens of each segment together with its descendants."""
    total = [len(s.input_ids) for s in tree.segments]
    for node in reversed(order):
        parent = tree.parents[node]
        if parent is not None:
            total[parent] += total[node]
    return total
