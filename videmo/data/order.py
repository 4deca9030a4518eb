"""Which samples make a batch: shuffled by seed and epoch, siblings in one tree, steps of a given size, ranks disjoint.

An epoch's records on the same videos are cut into trees, the trees are shuffled, and their row is cut into optimizer
steps of ``global_batch_size`` samples. Only there a family may be torn. Within a step whole trees are dealt out to the
micro-batches of all ranks so that each has about as many tokens. All of it follows from seed, epoch and known lengths,
so any number of workers sees the same batches, and a resumed run the ones that it has not seen. What a step holds does
not depend on how it is dealt out.

For evaluation nothing is shuffled and no family torn that a micro-batch can hold: trees are sorted by length, so that
little of a batch is padding, the longest first, so that what does not fit into memory shows at once.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from torch.utils.data import Sampler

from videmo.errors import InputError


def accumulation_steps(global_batch_size: int, batch_size: int, world_size: int) -> int:
    """Micro-batches a rank runs before an optimizer step, from the samples that one step shall see.

    >>> accumulation_steps(128, batch_size=8, world_size=4)
    4
    """
    together = batch_size * world_size
    if global_batch_size % together or global_batch_size <= 0:
        raise InputError(
            f"global_batch_size {global_batch_size} is not a multiple of batch_size {batch_size} x {world_size} "
            f"device(s) = {together}; choose a multiple, or a batch_size that divides it"
        )
    return global_batch_size // together


@dataclass(frozen=True)
class Lengths:
    """What records are to each other and how long they are.

    Attributes:
        family: Equal where records share their videos, [N].
        root: Tokens that siblings share, [N].
        branch: Tokens of their own, [N].
    """

    family: np.ndarray
    root: np.ndarray
    branch: np.ndarray


@dataclass(frozen=True)
class _Epoch:
    """The trees of an epoch in order, those torn by a step's end in two."""

    number: int
    records: np.ndarray  # [n], tree after tree
    start: np.ndarray  # [T + 1], where each tree starts
    tokens: np.ndarray  # [T]
    steps: np.ndarray  # [S + 1], each step's first tree


class BatchOrder(Sampler[list[int]]):
    """Batches of record numbers for one rank; siblings of a tree stand side by side.

    No record is dropped or repeated. Where a step has fewer trees than micro-batches (the last one may), the others
    are empty, which the dataset makes a batch that teaches nothing, so that every rank takes part in every collective.

    Args:
        lengths: Of all records.
        batch_size: Samples a micro-batch has on average; unused with ``batch_tokens``.
        window: Micro-batches a rank and step; with ``batch_tokens`` as many as ``plan_window`` finds.
        chosen: From an epoch's number to the numbers of its records; all of them by default.
        max_branches: Records of one video that may share a tree.
        max_tokens: Tokens a tree may have; a record that is longer alone has a tree of its own.
        batch_tokens: Tokens a micro-batch may have.
        global_batch_size: Samples a step with ``batch_tokens``; without, ``batch_size * window * world_size``.
        whole_steps: Every step has ``window`` micro-batches, the last one of an epoch, too, where they may be empty.
        shuffle: False is for evaluation: whole trees, the longest first, as many as ``batch_size`` samples hold.
        seed: Seed of the order, together with the epoch.

    Attributes:
        plan: From a batch's numbers to what is handed out for it, when it is handed out; the numbers by default.
    """

    plan: Callable[[list[int]], Any] | None = None

    def __init__(
        self,
        lengths: Lengths,
        batch_size: int,
        *,
        window: int = 1,
        chosen: Callable[[int], np.ndarray] | None = None,
        max_branches: int = 1,
        max_tokens: int | None = None,
        batch_tokens: int | None = None,
        global_batch_size: int | None = None,
        whole_steps: bool = False,
        shuffle: bool = True,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.window = window
        self.chosen = chosen or (lambda epoch: np.arange(len(lengths.family)))
        self.max_branches = max_branches
        self.max_tokens = min(max_tokens or 2**31, batch_tokens or 2**31)
        self.batch_tokens = batch_tokens
        of_tokens = global_batch_size if batch_tokens else None
        self.global_batch_size = of_tokens or batch_size * window * world_size
        self.whole_steps = whole_steps
        self.shuffle = shuffle
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.epoch = 0
        self.start = 0  # batches to pass over, once, when a run resumes inside an epoch
        self._laid_out: dict[int, _Epoch] = {}  # the epoch in training, and the next, of which workers are told early

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def plan_window(self, num_epochs: int) -> int:
        """The fewest micro-batches a rank and step that hold ``batch_tokens`` in every step of these epochs."""
        assert self.batch_tokens
        bins = 1
        for number in range(num_epochs):
            epoch = self._lay_out(number)
            for step in range(len(epoch.steps) - 1):
                tokens = epoch.tokens[epoch.steps[step] : epoch.steps[step + 1]]
                bins = max(bins, len(best_fit(tokens, self.batch_tokens)))
        return -(-bins // self.world_size)

    def __len__(self) -> int:
        epoch = self._epoch(self.epoch)
        full = len(epoch.steps) - 2
        return max(full, 0) * self.window + self._width(epoch, full) if full >= 0 else 0

    def __iter__(self) -> Iterator[list[int]]:
        # Not before the first batch is asked for: a loader with workers makes two iterators, and uses the second.
        start, self.start = self.start, 0
        yield from self.batches(self.epoch, start)

    def batches(self, number: int, start: int = 0) -> Iterator[list[int]]:
        """The batches of an epoch, but for the first `start`."""
        epoch = self._epoch(number)
        for step in range(start // self.window, len(epoch.steps) - 1):
            batches = self._deal(epoch, step)[start % self.window if step == start // self.window else 0 :]
            yield from map(self.plan, batches) if self.plan else batches

    def _epoch(self, number: int) -> _Epoch:
        if number not in self._laid_out:
            recent = [epoch for epoch in self._laid_out.items() if epoch[0] == number - 1]
            self._laid_out = {**dict(recent), number: self._lay_out(number)}
        return self._laid_out[number]

    def _lay_out(self, number: int) -> _Epoch:
        rng = np.random.default_rng((self.seed, number))
        chosen = np.asarray(self.chosen(number), dtype=np.int64)
        if self.shuffle:
            chosen = rng.permutation(chosen)
        family = self.lengths.family[chosen]
        if not self.shuffle:  # families in the order of their first records
            _, first, family = np.unique(family, return_index=True, return_inverse=True)
            family = first[family]
        by_family = np.argsort(family, kind="stable")
        records, family = chosen[by_family], family[by_family]
        start = self._cut(records, family)
        if self.shuffle:
            records, start = _permuted(records, start, rng.permutation(len(start) - 1))
            start = np.union1d(start, np.arange(0, len(records), self.global_batch_size))
        if not self.batch_tokens:  # a tree fits a micro-batch
            start = np.append(np.flatnonzero(_places(start) % self.batch_size == 0), len(records))
        if self.shuffle:
            boundaries = np.arange(0, len(records), self.global_batch_size)
        else:
            records, start = _permuted(records, start, np.argsort(-self._tokens(records, start), kind="stable"))
            boundaries = _filled(start, self.global_batch_size)
        tokens = self._tokens(records, start)
        steps = np.append(np.searchsorted(start, boundaries), len(start) - 1)
        return _Epoch(number, records, start, tokens, steps)

    def _cut(self, records: np.ndarray, family: np.ndarray) -> np.ndarray:
        """Where trees start in records sorted by family, and the end, [T + 1]."""
        number = len(records)
        families = np.append(np.flatnonzero(np.diff(family, prepend=-1)), number)
        start = np.append(np.flatnonzero(_places(families) % self.max_branches == 0), number)
        if self.max_tokens < 2**31:
            long = np.isin(family, family[start[:-1]][self._tokens(records, start) > self.max_tokens])
            if long.any():
                kept = start[:-1][~long[start[:-1]]]
                start = np.union1d(np.append(kept, number), self._cut_by_tokens(records, family, long))
        return start

    def _cut_by_tokens(self, records: np.ndarray, family: np.ndarray, long: np.ndarray) -> list[int]:
        """Where trees start in the families that hold too many tokens for one: a branch joins the last if it can."""
        start, tokens, branches, last = [], 0, 0, -1
        for place in np.flatnonzero(long).tolist():
            own = int(self.lengths.branch[records[place]])
            if family[place] != last or branches == self.max_branches or tokens + own > self.max_tokens:
                start.append(place)
                tokens, branches, last = int(self.lengths.root[records[place]]), 0, family[place]
            tokens, branches = tokens + own, branches + 1
        return start

    def _tokens(self, records: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Tokens of each tree, [T]."""
        if len(records) == 0:
            return np.zeros(0, dtype=np.int64)
        branches = np.add.reduceat(self.lengths.branch[records].astype(np.int64), start[:-1])
        return branches + self.lengths.root[records[start[:-1]]]

    def _width(self, epoch: _Epoch, step: int) -> int:
        """Micro-batches a rank has in a step: all but the last have ``window``."""
        if step < len(epoch.steps) - 2 or self.whole_steps:
            return self.window
        first, last = epoch.steps[step : step + 2]
        if self.batch_tokens:
            bins = len(best_fit(epoch.tokens[first:last], self.batch_tokens))
        else:
            bins = -(-int(epoch.start[last] - epoch.start[first]) // self.batch_size)
        return min(self.window, -(-bins // self.world_size))

    def _deal(self, epoch: _Epoch, step: int) -> list[list[int]]:
        """This rank's micro-batches of a step: in each, the ranks' have about as many tokens."""
        first, last = epoch.steps[step : step + 2]
        tokens = epoch.tokens[first:last]
        count = self._width(epoch, step) * self.world_size
        bins = least_loaded(tokens, count)
        if self.batch_tokens and max(tokens[trees].sum() for trees in bins if trees) > self.batch_tokens:
            fitted = best_fit(tokens, self.batch_tokens)
            if len(fitted) <= count:
                bins = fitted + [[]] * (count - len(fitted))
        bins.sort(key=lambda trees: -tokens[trees].sum())
        mine = bins[self.rank :: self.world_size]
        return [[n for tree in trees for n in self._members(epoch, first + tree)] for trees in mine]

    @staticmethod
    def _members(epoch: _Epoch, tree: int) -> list[int]:
        return epoch.records[epoch.start[tree] : epoch.start[tree + 1]].tolist()


def _places(start: np.ndarray) -> np.ndarray:
    """The place of each record within its part, from where parts start, and the end.

    >>> _places(np.array([0, 2, 5])).tolist()
    [0, 1, 0, 1, 2]
    """
    return np.arange(start[-1]) - np.repeat(start[:-1], np.diff(start))


def _filled(start: np.ndarray, capacity: int) -> list[int]:
    """Where steps start that hold whole trees, as many of the next as fit.

    >>> _filled(np.array([0, 5, 10, 15, 20]), 12)
    [0, 10]
    """
    steps = [0] if start[-1] else []
    for first, last in pairwise(start.tolist()):
        if last - steps[-1] > capacity:
            steps.append(first)
    return steps


def _permuted(records: np.ndarray, start: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Trees in another order: their records, and where each starts."""
    sizes = np.diff(start)[order]
    new = np.concatenate(([0], np.cumsum(sizes)))
    places = np.repeat(start[:-1][order] - new[:-1], sizes) + np.arange(len(records))
    return records[places], new


def least_loaded(weights: Sequence[int] | np.ndarray, count: int) -> list[list[int]]:
    """Deal items out to `count` bins: the heaviest first, each to the lightest bin; a bin keeps the items' order.

    >>> least_loaded([5, 4, 3, 2], 2)
    [[0, 3], [1, 2]]
    """
    loads = [(0, number) for number in range(count)]
    bins: list[list[int]] = [[] for _ in range(count)]
    for item in np.argsort(-np.asarray(weights), kind="stable").tolist():
        load, number = heapq.heappop(loads)
        bins[number].append(item)
        heapq.heappush(loads, (load + int(weights[item]), number))
    return [sorted(items) for items in bins]


def best_fit(weights: Sequence[int] | np.ndarray, capacity: int) -> list[list[int]]:
    """Put items into few bins: the heaviest first, each where it leaves least room. A heavier one has a bin of its own.

    >>> best_fit([3, 5, 2], capacity=5)
    [[1], [0, 2]]
    """
    room: list[tuple[int, int]] = []  # of each bin, ascending
    bins: list[list[int]] = []
    for item in np.argsort(-np.asarray(weights), kind="stable").tolist():
        weight = int(weights[item])
        place = bisect_left(room, (weight, -1))
        if place < len(room):
            free, number = room.pop(place)
        else:
            free, number = capacity, len(bins)
            bins.append([])
        bins[number].append(item)
        insort(room, (free - weight, number))
    return [sorted(items) for items in bins]
