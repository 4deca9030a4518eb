"""Which samples make a batch: shuffled by seed and epoch, records on one video side by side, ranks disjoint."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import numpy as np
from torch.utils.data import Sampler

from videmo.errors import InputError


def accumulation_steps(global_batch_size: int | None, batch_size: int, world_size: int) -> int:
    """Micro-batches a rank runs before an optimizer step, from the samples that one step shall see.

    >>> accumulation_steps(128, batch_size=8, world_size=4)
    4
    """
    if global_batch_size is None:
        return 1
    together = batch_size * world_size
    if global_batch_size % together or global_batch_size <= 0:
        raise InputError(
            f"global_batch_size {global_batch_size} is not a multiple of batch_size {batch_size} x {world_size} "
            f"device(s) = {together}; choose a multiple, or a batch_size that divides it"
        )
    return global_batch_size // together


class BatchOrder(Sampler[list[int]]):
    """Batches of record numbers for one rank.

    An epoch's records with the same key (the same videos) are cut into groups of at most ``max_branches``, the groups
    are shuffled, and their concatenation is cut every ``batch_size * world_size`` records. No record is dropped or
    repeated; in the last, smaller batch a rank left without a record gets another rank's as its complement
    (``~number``), which the dataset makes a sample that teaches nothing, so that every rank takes part in every
    collective.

    Args:
        keys: For each record what its siblings share.
        batch_size: Records a batch and rank.
        chosen: From an epoch's number to the numbers of its records; all of them by default.
        max_branches: Records of one video that may stand together.
        shuffle: False keeps the records' order, siblings gathered, for evaluation.
        seed: Seed of the order, together with the epoch.
        plan: From a batch's numbers to what is handed out for it, when it is handed out; the numbers by default.
    """

    def __init__(
        self,
        keys: Sequence[Hashable],
        batch_size: int,
        *,
        chosen: Callable[[int], Sequence[int]] | None = None,
        max_branches: int = 1,
        shuffle: bool = True,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        plan: Callable[[list[int]], Any] | None = None,
    ) -> None:
        self.plan = plan or (lambda numbers: numbers)
        self.keys = keys
        self.chosen = chosen or (lambda epoch: range(len(keys)))
        self.batch_size = batch_size
        self.max_branches = max_branches
        self.shuffle = shuffle
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.epoch = 0
        self.start = 0  # batches to pass over, once, when a run resumes inside an epoch

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.chosen(self.epoch)) // (self.batch_size * self.world_size))

    def __iter__(self) -> Iterator[list[int]]:
        records = self._ordered()
        step = self.batch_size * self.world_size
        start, self.start = self.start, 0
        for first in range(start * step, len(records), step):
            together = records[first : first + step]
            share = np.array_split(together, self.world_size)[self.rank].tolist()
            yield self.plan(share or [~together[0]])

    def _ordered(self) -> list[int]:
        rng = np.random.default_rng((self.seed, self.epoch))
        families: dict[Hashable, list[int]] = {}
        for number in self.chosen(self.epoch):
            families.setdefault(self.keys[number], []).append(int(number))
        groups = []
        for siblings in families.values():
            if self.shuffle:
                siblings = rng.permutation(siblings).tolist()
            groups += [siblings[i : i + self.max_branches] for i in range(0, len(siblings), self.max_branches)]
        places = rng.permutation(len(groups)) if self.shuffle else range(len(groups))
        return [record for place in places for record in groups[place]]
