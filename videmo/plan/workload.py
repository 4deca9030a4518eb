"""What a run computes on: tokens a sample and a batch, optimizer steps a stage.

Where the data folder is there, its index is read (and built, as ``videmo fit`` would), the epochs are laid out as in
training, and the batches are those that training will see, up to ``LOOKED_AT``. Else the settings must do: a video is
as long as they allow, and the paper's 5 questions share it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from types import SimpleNamespace
from typing import Any

import numpy as np

from videmo.data.chat import encode_record
from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.metadata import most_tokens
from videmo.data.order import accumulation_steps
from videmo.plan.memory import Batch
from videmo.plan.work import visible_pairs
from videmo.token_tree import pack

LOOKED_AT = 2000
"""Batches of a stage's first epoch."""
ENCODED = 200
"""Records that are tokenized to see which share of a text is learned."""
QUESTIONS_A_VIDEO, QUESTION_TOKENS, ANSWER_TOKENS, SYSTEM_TOKENS = 5, 60, 40, 20


@dataclass(frozen=True)
class StagePlan:
    """A stage of the run; its epochs and steps are None where nobody knows them yet."""

    name: str
    epochs: int | None
    steps: int | None


@dataclass(frozen=True)
class Workload:
    """What is computed.

    Attributes:
        source: Where this was seen.
        samples: Records a micro-batch, on average.
        tokens: Of a micro-batch without padding, on average.
        seen: Tokens that one of those sees, on average.
        mean: A micro-batch of average size.
        largest: That of most tokens.
        micro_batches: A rank and optimizer step.
        stages: Of the run, in order.
    """

    source: str
    samples: float
    tokens: float
    seen: float
    mean: Batch
    largest: Batch
    micro_batches: int
    stages: tuple[StagePlan, ...]


def from_settings(data: EmoCFGDataModule, world: int, accumulate: int) -> Workload:
    """What the settings say of a run whose data are elsewhere."""
    branches = min(data.max_branches, QUESTIONS_A_VIDEO)
    video = most_tokens(data.video)
    tree = video + SYSTEM_TOKENS + branches * (QUESTION_TOKENS + ANSWER_TOKENS)
    rows = max(1, data.batch_tokens // tree) if data.batch_tokens else -(-data.batch_size // branches)
    samples = rows * branches if data.batch_tokens else data.batch_size
    tokens = rows * (video + SYSTEM_TOKENS) + samples * (QUESTION_TOKENS + ANSWER_TOKENS)
    batch = _batch(data, rows, tree, samples * ANSWER_TOKENS, rows * video, rows)
    if data.global_batch_size and not data.batch_tokens:
        accumulate = accumulation_steps(data.global_batch_size, data.batch_size, world)
    elif data.global_batch_size:
        accumulate = -(-data.global_batch_size // (samples * world))
    for stage in data.stages or ():
        stage.check()
    stages = tuple(StagePlan(stage.name, stage.epochs, stage.steps) for stage in data.stages or ())
    source = (
        f"the settings ({data.root} is not here): {video:,} tokens a video, {branches} questions of "
        f"{QUESTION_TOKENS + ANSWER_TOKENS} tokens on it"
    )
    seen = visible_pairs(video + SYSTEM_TOKENS, branches * [QUESTION_TOKENS + ANSWER_TOKENS]) / tree
    return Workload(source, samples, tokens, seen, batch, batch, accumulate, stages)


def from_data(data: EmoCFGDataModule, world: int, accumulate: int) -> Workload:
    """What the index of the data folder says."""
    trainer: Any = SimpleNamespace(
        world_size=world,
        global_rank=0,
        is_global_zero=True,
        accumulate_grad_batches=accumulate,
        max_epochs=None,
        limit_val_batches=0,
        default_root_dir=data.root,
        strategy=SimpleNamespace(handles_gradient_accumulation=False),
        fit_loop=SimpleNamespace(),
        lightning_module=SimpleNamespace(rounds=None),
    )
    data.trainer = trainer
    data.setup("fit")
    records, order = data.records("train"), data.order
    learned = _learned_share(data)
    phases = data.curriculum.phases if data.curriculum else ()
    found, samples, tokens, pairs = [], [], [], []
    for epoch in [phase.first_epoch for phase in phases] or [0]:
        order.set_epoch(epoch)
        for numbers in islice(filter(None, order), LOOKED_AT):
            trees = list(_trees(data, order.lengths, numbers))
            sizes, branches, videos, lengths, visible = zip(*trees, strict=True)
            rows = len(pack(sizes))
            found.append(_batch(data, rows, max(sizes), int(sum(branches) * learned), sum(lengths), sum(videos)))
            samples.append(len(numbers))
            tokens.append(sum(sizes))
            pairs.append(sum(visible))
    mean = Batch(*(round(float(np.mean([getattr(b, name) for b in found]))) for name in Batch.__dataclass_fields__))
    stages = [StagePlan(phase.stage.name, phase.epochs, phase.steps) for phase in phases]
    source = f"the index of {data.root}: {len(records):,} training records, {len(found):,} batches laid out"
    return Workload(
        source,
        float(np.mean(samples)),
        float(np.mean(tokens)),
        float(sum(pairs) / sum(tokens)),
        mean,
        max(found, key=lambda batch: batch.tokens),
        min(trainer.accumulate_grad_batches, len(found)),  # all of an epoch, where that is less
        tuple(stages) or (StagePlan("all", 1, -(-len(records) // data.samples_a_step)),),
    )


def _batch(data: EmoCFGDataModule, rows: int, row: int, learned: int, video_tokens: int, videos: int) -> Batch:
    steps = data.video.max_frames // data.video.temporal_patch_size
    return Batch(rows, row, learned, video_tokens * data.video.merge_size**2, videos * steps)


def _trees(data: EmoCFGDataModule, lengths, numbers: Iterable[int]) -> Iterator[tuple[int, int, int, int, float]]:
    """Of each tree its tokens, those of its branches, its videos, their tokens, and the pairs that see each other."""
    records = data.records("train")
    index, text = records.index, records.index.text_tokens
    assert text is not None
    for _, own in groupby(numbers, key=lambda number: lengths.family[number]):
        siblings = list(own)
        for first in range(0, len(siblings), data.max_branches):
            part = siblings[first : first + data.max_branches]
            branches, root = lengths.branch[part].tolist(), int(lengths.root[part[0]])
            branch = sum(branches)
            place = int(records.numbers[part[0]])
            videos = len(index.videos_of(place))
            yield root + branch, branch, videos, root - int(text[place, 0]) + videos, visible_pairs(root, branches)


def _learned_share(data: EmoCFGDataModule) -> float:
    """The share of the branches' tokens that is learned, of records spread over the data."""
    records = data.records("train")
    places = np.unique(np.linspace(0, len(records) - 1, ENCODED).astype(int)).tolist()
    encoded = [encode_record(records[place], data.tokenizer) for place in places]
    return sum(sum(one.learned) for one in encoded) / max(1, sum(len(one.branch) for one in encoded))
