"""A loader that looks one optimizer step ahead, so that the loss can be an exact mean over all its answer tokens.

Lightning averages micro-batch means, which weights a token by how few share its micro-batch. Here the learned tokens of
all micro-batches and ranks of a step are counted before the first backward, after bad samples have been left out, and
every micro-batch carries the sum as ``num_items_in_batch``.

A model that draws its own answers is trained in rounds of them, `Rounds`: it is given the prompts of a whole round, to
answer them together, and then its parts one by one, maybe several times over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import Any

import torch
from lightning.pytorch.strategies import Strategy
from torch.utils.data import DataLoader

from videmo.data.faults import Fault
from videmo.data.order import BatchOrder
from videmo.data.trees import empty_tree
from videmo.errors import InputError
from videmo.token_tree import TokenLayout, TreeBatch, flatten
from videmo.tree_growth import join


@dataclass(frozen=True)
class Failure:
    """A worker's error as a value, so that it reaches the user as one sentence and not inside a worker's trace."""

    error: InputError


@dataclass(frozen=True)
class Rounds:
    """How a model trains on answers of its own.

    Attributes:
        steps: Optimizer steps whose prompts are answered together, by the weights before the first of them.
        iterations: How often a round's answers are trained on.
    """

    steps: int = 1
    iterations: int = 1


class Ranks:
    """The processes of a run.

    Args:
        strategy: Lightning's; None where there is a single one.
    """

    def __init__(self, strategy: Strategy | None = None) -> None:
        self._strategy = strategy

    def sum(self, counts: Sequence[int]) -> list[int]:
        """Each count's sum over all ranks."""
        if self._strategy is None:
            return list(counts)
        tensor = torch.tensor(counts, device=self._strategy.root_device)
        return self._strategy.reduce(tensor, reduce_op="sum").tolist()

    def gather(self, faults: list[Fault]) -> list[Fault]:
        """The faults of all ranks."""
        if self._strategy is None:
            return faults
        parts: list[list[Fault]] = [[] for _ in range(torch.distributed.get_world_size())]
        torch.distributed.all_gather_object(parts, faults)
        return [fault for part in parts for fault in part]


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
        rounds: Where the model draws its own answers. A round's first batch then joins all its micro-batches, which are
            its ``parts``; the others say their ``turn`` alone, and which part that is follows from it.
    """

    def __init__(
        self,
        loader: DataLoader,
        window: int = 1,
        ranks: Ranks | None = None,
        report=None,
        processed=None,
        rounds: Rounds | None = None,
    ):
        self.loader = loader
        self.window = window
        self.ranks = ranks or Ranks()
        self.report = report or (lambda faults: None)
        sampler: Any = loader.batch_sampler
        self.endless = isinstance(sampler, EpochAfterEpoch)
        self.batch_sampler: BatchOrder = sampler.order if self.endless else sampler
        self._stream: Iterator[TreeBatch | Failure] | None = None
        self._stands_at: int | None = None  # the epoch that the stream comes to next
        self.processed = processed or (lambda: 0)
        self.rounds = rounds

    @property
    def _iterator(self) -> Iterator[TreeBatch | Failure] | None:
        """By this name Lightning ends the workers of a loader that it is done with, and forgets them. Where nobody
        does, they live until the garbage collector comes, which waits five seconds for each of them.
        """
        return self._stream

    @_iterator.setter
    def _iterator(self, value: None) -> None:
        self._stream = self.loader._iterator = value

    @property
    def sampler(self):
        """Lightning sets the epoch through this name."""
        return self.batch_sampler

    def __len__(self) -> int:
        return len(self.loader) * (self.rounds.iterations if self.rounds else 1)

    def __iter__(self) -> Iterator[TreeBatch]:
        return self._batches() if self.rounds is None else self._turns(self.rounds)

    def _turns(self, rounds: Rounds) -> Iterator[TreeBatch]:
        """Round by round, each over and over."""
        layout = TokenLayout(video_token_id=-1, pad_token_id=0, tokens_per_second=1.0, merge_size=1)
        nothing = flatten([empty_tree(layout)], layout)
        batches = self._batches()
        while parts := tuple(islice(batches, self.window * rounds.steps)):
            yield replace(join(parts), parts=parts)
            for turn in range(1, len(parts) * rounds.iterations):
                yield replace(nothing, turn=turn)

    def _batches(self) -> Iterator[TreeBatch]:
        order = self.batch_sampler
        left = len(order) - order.start
        if self._stream is None or not self.endless or order.start or self._stands_at != order.epoch:
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
            InputError: If it was saved between the micro-batches of a step, whose gradients are lost, or inside a
                round, whose answers are.
        """
        a_round = self.window * (self.rounds.steps * self.rounds.iterations if self.rounds else 1)
        if state["batches"] % a_round and state["batches"] < len(self):
            what = "an optimizer step" if a_round == self.window else "a round of answers"
            raise InputError(
                f"the checkpoint was saved inside {what}, after micro-batch {state['batches']} of the epoch "
                f"with {a_round} each; resume from one that callbacks.LastCheckpoint wrote"
            )
        self.batch_sampler.set_epoch(state["epoch"])
        done = state["batches"] % max(1, len(self))
        self.batch_sampler.start = done // (self.rounds.iterations if self.rounds else 1)
