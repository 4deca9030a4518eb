"""A loader that looks one optimizer step ahead, so that the loss can be an exact mean over all its answer tokens.

Lightning averages micro-batch means, which weights a token by how few share its micro-batch. Here the learned tokens of
all micro-batches and ranks of a step are counted before the first backward, after bad samples have been left out, and
every micro-batch carries the sum as ``num_items_in_batch``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, Protocol

from torch.utils.data import DataLoader

from videmo.data.faults import Fault
from videmo.data.order import BatchOrder
from videmo.errors import InputError
from videmo.token_tree import TreeBatch


@dataclass(frozen=True)
class Failure:
    """A worker's error as a value, so that it reaches the user as one sentence and not inside a worker's trace."""

    error: InputError


class Ranks(Protocol):
    """What the loader needs of the other ranks."""

    def sum(self, counts: Sequence[int]) -> list[int]:
        """Each count's sum over all ranks."""

    def gather(self, faults: list[Fault]) -> list[Fault]:
        """The faults of all ranks."""


class OneRank:
    """A run of a single process."""

    def sum(self, counts: Sequence[int]) -> list[int]:
        return list(counts)

    def gather(self, faults: list[Fault]) -> list[Fault]:
        return faults


class EpochAfterEpoch:
    """An order's batches from its epoch on, without an end: workers begin the next epoch while one is trained on.

    An epoch without records ends it.
    """

    def __init__(self, order: BatchOrder) -> None:
        self.order = order

    def __len__(self) -> int:
        """Of the epoch in training."""
        return len(self.order)

    def __iter__(self) -> Iterator[list[int]]:
        start, self.order.start = self.order.start, 0
        for epoch in count(self.order.epoch):
            batch = None
            for batch in self.order.batches(epoch, start):
                yield batch
            if batch is None:
                return
            start = 0


class BatchLoader:
    """Batches of a ``DataLoader`` with their step's token count.

    Args:
        loader: Yields ``TreeBatch`` or ``Failure``; its batch sampler is a ``BatchOrder``, or one epoch after epoch.
        window: Micro-batches an optimizer step.
        ranks: The other processes of the run.
        report: Is told the samples that were left out, of all ranks.
        processed: How many batches of the epoch were trained on: where a checkpoint resumes. What was handed out says
            less, as an interrupt may come while the last one is computed.
    """

    def __init__(self, loader: DataLoader, window: int = 1, ranks: Ranks | None = None, report=None, processed=None):
        self.loader = loader
        self.window = window
        self.ranks = ranks or OneRank()
        self.report = report or (lambda faults: None)
        sampler = loader.batch_sampler
        self.endless = isinstance(sampler, EpochAfterEpoch)
        self.batch_sampler: BatchOrder = sampler.order if self.endless else sampler
        self._stream: Iterator[TreeBatch | Failure] | None = None
        self._stands_at: int | None = None  # the epoch that the stream comes to next
        self.processed = processed or (lambda: 0)

    @property
    def sampler(self):
        """Lightning sets the epoch through this name."""
        return self.batch_sampler

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[TreeBatch]:
        order = self.batch_sampler
        left = len(order) - order.start
        if not self.endless or order.start or self._stands_at != order.epoch:
            self._stream = iter(self.loader)
        self._stands_at, epoch = None, order.epoch
        batches = islice(self._stream, left)
        while step := list(islice(batches, self.window)):
            left -= len(step)
            if left == 0:  # said before the last batches are handed out: who has them all may never ask again
                self._stands_at = epoch + 1
            yield from self._counted(step)

    def _counted(self, step: list[TreeBatch | Failure]) -> list[TreeBatch]:
        """The micro-batches of a step, each with the learned tokens of all ranks'."""
        good = [batch for batch in step if not isinstance(batch, Failure)]
        faults = [fault for batch in good for fault in batch.faults]
        tokens = sum(batch.num_label_tokens for batch in good)
        num_items, num_faults, failures = self.ranks.sum([tokens, len(faults), len(step) - len(good)])
        if failures:
            own = [batch.error for batch in step if isinstance(batch, Failure)]
            raise own[0] if own else InputError("another process met a record that cannot be used, and says which")
        if num_faults:
            self.report(self.ranks.gather(faults))
        for batch in good:
            batch.num_items_in_batch = num_items
        return good

    def state_dict(self) -> dict[str, Any]:
        """Where the epoch stands, for Lightning's checkpoint."""
        return {"epoch": self.batch_sampler.epoch, "batches": self.processed()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a checkpoint says.

        Raises:
            InputError: If it was saved between the micro-batches of a step, whose gradients are lost.
        """
        if state["batches"] % self.window and state["batches"] < len(self):
            raise InputError(
                f"the checkpoint was saved inside an optimizer step, after micro-batch {state['batches']} of the epoch "
                f"with {self.window} a step; resume from one that callbacks.LastCheckpoint wrote"
            )
        self.batch_sampler.set_epoch(state["epoch"])
        self.batch_sampler.start = state["batches"] % max(1, len(self))
