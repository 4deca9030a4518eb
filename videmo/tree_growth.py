"""Trees of a model that answers itself: a round's batches as one, and answers grown beneath their questions."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from videmo.token_tree import IGNORE_INDEX, TreeBatch


def join(batches: Sequence[TreeBatch]) -> TreeBatch:
    """The rows of several batches as those of one, padded to one length; samples and videos one batch's after the
    other's.
    """
    length = max(batch.input_ids.shape[1] for batch in batches)
    columns = torch.arange(length, device=batches[0].input_ids.device)
    pads = {"input_ids": 0, "labels": IGNORE_INDEX, "position_ids": 0, "predecessor": -1, "sample": -1}

    def wide(values: Tensor, pad: int) -> Tensor:
        return torch.nn.functional.pad(values, (0, length - values.shape[-1]), value=pad)

    rows, samples, videos = (
        [0, *accumulate(sizes)]
        for sizes in zip(*((len(b.input_ids), b.num_samples, len(b.videos)) for b in batches), strict=True)
    )
    joined: dict[str, Any] = {
        name: torch.cat([wide(getattr(b, name), pad) for b in batches], dim=-2) for name, pad in pads.items()
    }
    joined["sample"] = torch.cat(
        [wide(torch.where(b.sample < 0, -1, b.sample + first), -1) for b, first in zip(batches, samples, strict=False)]
    )
    ends = [torch.where(columns < b.input_ids.shape[1], wide(b.subtree_end, 0), columns + 1) for b in batches]
    patches = [b.pixel_values_videos for b in batches if b.pixel_values_videos is not None]
    grids = [b.video_grid_thw for b in batches if b.video_grid_thw is not None]
    return TreeBatch(
        **joined,
        subtree_end=torch.cat(ends),
        leaf_row=torch.cat([b.leaf_row + first for b, first in zip(batches, rows, strict=False)]),
        leaf_column=torch.cat([b.leaf_column for b in batches]),
        pixel_values_videos=torch.cat(patches) if patches else None,
        video_grid_thw=torch.cat(grids) if grids else None,
        videos=tuple(video for b in batches for video in b.videos),
        video_features={
            first + number: feature
            for b, first in zip(batches, videos, strict=False)
            for number, feature in b.video_features.items()
        },
        promised=tuple(first + n for b, first in zip(batches, videos, strict=False) for n in b.promised),
        frames_found=sum(b.frames_found for b in batches),
        frames_decoded=sum(b.frames_decoded for b in batches),
        reads=sum((Counter(b.reads) for b in batches), Counter()),
        records=tuple(record for b in batches for record in b.records),
        faults=tuple(fault for b in batches for fault in b.faults),
        num_items_in_batch=sum(b.num_items_in_batch for b in batches),
    )


def with_features(batch: TreeBatch, features: Mapping[int, Tensor]) -> TreeBatch:
    """The same batch, with what the tower made of some of its videos, by their numbers, instead of their patches."""
    known = {**batch.video_features, **features}
    pending = [n for n in range(len(batch.videos)) if n not in batch.video_features and n not in batch.promised]
    sizes, values = [math.prod(batch.videos[n].grid_thw) for n in pending], batch.pixel_values_videos
    pieces = values.split(sizes) if pending and values is not None else ()
    patches = [piece for number, piece in zip(pending, pieces, strict=True) if number not in features]
    return replace(
        batch,
        pixel_values_videos=torch.cat(patches) if patches else None,
        video_features=known,
        promised=tuple(n for n in batch.promised if n not in known),
    )


def grow(batch: TreeBatch, answers: Sequence[Sequence[Tensor]]) -> TreeBatch:
    """The same trees with answers beneath their samples, each a leaf of its own: video -> question -> answers.

    Args:
        answers: The tokens of each sample's answers; all samples have equally many, G.

    Returns:
        Trees in which the answers' tokens are learned; answer ``g`` of sample ``k`` is sample ``k * G + g``.
    """
    if not answers:
        return batch
    device = batch.input_ids.device
    num_rows, length = batch.input_ids.shape
    sizes = torch.tensor([sum(map(len, group)) for group in answers], device=device)  # [K]
    # A column moves by what is put in before it, which is what stands beneath the leaves left of it.
    put_in = torch.zeros(num_rows, length + 2, dtype=torch.long, device=device)
    put_in.index_put_((batch.leaf_row, batch.leaf_column + 1), sizes, accumulate=True)
    before = put_in.cumsum(1)  # [B, length + 2]: by column, tokens of the leaves left of it
    columns = torch.arange(length, device=device)
    moved = columns + before[:, :length]  # [B, length]
    new_length = length + int(put_in.sum(1).max())

    rows = torch.arange(num_rows, device=device)[:, None]
    end = batch.subtree_end + before.gather(1, batch.subtree_end)
    first = batch.predecessor < 0
    known = batch.predecessor.clamp(min=0)
    grown = {
        "input_ids": (batch.input_ids, 0),
        "labels": (torch.full_like(batch.labels, IGNORE_INDEX), IGNORE_INDEX),
        "predecessor": (torch.where(first, -1, moved.gather(1, known)), -1),
        "subtree_end": (end, torch.arange(new_length, device=device) + 1),
        "sample": (torch.full_like(batch.sample, -1), -1),
    }
    new: dict[str, Any] = {
        name: (values.new_zeros(num_rows, new_length) + pad).index_put((rows, moved), values)
        for name, (values, pad) in grown.items()
    }
    positions = batch.position_ids.new_zeros(3, num_rows, new_length)
    positions[:, rows, moved] = batch.position_ids

    leaf_column = batch.leaf_column + before[batch.leaf_row, batch.leaf_column]  # [K]
    leaf_position = batch.position_ids[:, batch.leaf_row, batch.leaf_column].amax(0)  # [K]
    num_answers = len(answers[0])
    last = []
    for leaf, group in enumerate(answers):
        row, start = batch.leaf_row[leaf], leaf_column[leaf] + 1
        for number, tokens in enumerate(group):
            size, span = len(tokens), torch.arange(len(tokens), device=device) + start
            new["input_ids"][row, span] = new["labels"][row, span] = tokens.to(device)
            new["predecessor"][row, span] = torch.cat((leaf_column[leaf][None], span[:-1]))
            new["subtree_end"][row, span] = start + size
            new["sample"][row, span] = leaf * num_answers + number
            positions[:, row, span] = leaf_position[leaf] + 1 + torch.arange(size, device=device)
            start = start + size
            last.append(start - 1)
    ends = torch.stack(last)
    width = int(ends.max()) + 1  # rows that were long need not be those that grew most
    return replace(
        batch,
        **{name: values[:, :width] for name, values in new.items()},
        position_ids=positions[..., :width],
        leaf_row=batch.leaf_row.repeat_interleave(num_answers),
        leaf_column=ends,
        records=tuple(record for record in batch.records for _ in range(num_answers)),
        num_items_in_batch=int(sizes.sum()),
    )
