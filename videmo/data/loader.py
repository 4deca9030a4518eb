"""A loader that looks one optimizer step ahead, so that the loss can be an exact mean over all its answer tokens.

Lightning averages micro-batch means, which weights a token by how few share its micro-batch. Here the learned tokens of
all micro-batches and ranks of a step are counted before the first backward, and every micro-batch carries the sum as
``num_items_in_batch``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from torch.utils.data import DataLoader

from videmo.errors import InputError
from videmo.token_tree import TreeBatch


@dataclass(frozen=True)
class Failure:
    """A worker's error as a value, so that it reaches the user as one sentence and not inside a worker's trace."""

    error: InputError


class BatchLoader:
    """Batches of a ``DataLoader`` with their step's token count.

    Args:
        loader: Yields ``TreeBatch`` or ``Failure``; its batch sampler is a ``BatchOrder``.
        window: Micro-batches an optimizer step.
        sum_over_ranks: Adds a number over all ranks.
        processed: How many batches of the epoch were trained on: where a checkpoint resumes. What was handed out says
            less, as an interrupt may come while the last one is computed.
    """

    def __init__(
        self,
        loader: DataLoader,
        window: int = 1,
        sum_over_ranks: Callable[[int], int] = int,
        processed: Callable[[], int] | None = None,
    ) -> None:
        self.loader = loader
        self.window = window
        self.sum_over_ranks = sum_over_ranks
        self.batch_sampler = loader.batch_sampler
        self.processed = processed or (lambda: 0)

    @property
    def sampler(self):
        """Lightning sets the epoch through this name."""
        return self.batch_sampler

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[TreeBatch]:
        batches = iter(self.loader)
        while step := [_checked(batch) for batch in islice(batches, self.window)]:
            num_items = self.sum_over_ranks(sum(batch.num_label_tokens for batch in step))
            for batch in step:
                batch.num_items_in_batch = num_items
                yield batch

    def state_dict(self) -> dict[str, Any]:
        """Where the epoch stands, for Lightning's checkpoint."""
        return {"epoch": self.batch_sampler.epoch, "batches": self.processed()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.batch_sampler.set_epoch(state["epoch"])
        self.batch_sampler.start = state["batches"] % max(1, len(self))


def _checked(batch: TreeBatch | Failure) -> TreeBatch:
    if isinstance(batch, Failure):
        raise batch.error
    return batch
