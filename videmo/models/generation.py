"""Generation on token trees: one prefill for a video and all its questions, then every answer grows at once.

Greedy, one answer a question; or sampled, several of each, which share all of their question's past; or turn after
turn, where a later turn grows from the one that was chosen.

The trees' keys and values are computed once and stay where they are. A step feeds one token for every unfinished
leaf of a row; such a token sees its leaf's ancestors and the tokens that its own leaf has grown. Nothing is copied per
leaf, so memory grows with the tokens, not with leaves x prefix.

Where the model is sharded every step is a collective: a process whose answers have ended, or that had none to give,
feeds empty steps until the others' have.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedTokenizerBase

from videmo.models.backbone import Backbone
from videmo.models.encoding import is_sharded, largest
from videmo.models.sampling import Sampling
from videmo.models.tree_attention import tree_mask
from videmo.token_tree import TreeBatch


class Generation(NamedTuple):
    """One answer.

    Attributes:
        tokens: Generated ids without the stop token, [n].
        logps: Their log-probabilities under the model, or under what they were drawn from (``Backbone.drawn``), the
            stop token's last if it was reached, [n] or [n + 1].
        finished: Whether it ended by itself and not by the limit.
    """

    tokens: Tensor
    logps: Tensor
    finished: bool


class TreeDecoder:
    """Trees whose leaves go on: by what is drawn (``draw``), by what is given (``feed``), by several (``branch``).

    Args:
        backbone: The model, in ``eval()``: with activation checkpointing in train mode transformers drops the cache.
        batch: Trees whose leaves end with the generation prompt.
        samples: Numbers of the samples to continue, [K]; all by default. They are the leaves at first.

    Attributes:
        logits: Of the token that follows each leaf, [K, vocabulary]; before anything is drawn.
    """

    @torch.no_grad()  # not inference_mode: what a sharded model gathers in it could not be trained any more
    def __init__(self, backbone: Backbone, batch: TreeBatch, samples: Tensor | None = None) -> None:
        if backbone.training:
            raise ValueError("a decoder needs the backbone in eval()")
        self._backbone, self._cache = backbone, DynamicCache(config=backbone.config.get_text_config())
        self._num_rows = batch.input_ids.shape[0]
        mask = tree_mask(batch.subtree_end)  # [B, S, S]
        chosen = slice(None) if samples is None else samples
        self._row, column = batch.leaf_row[chosen], batch.leaf_column[chosen]  # [K]
        self.logits = backbone(
            batch.input_ids, batch.position_ids, mask, (self._row, column), **batch.vision, cache=self._cache
        )  # [K, vocabulary]
        self._sees = mask[self._row, column]  # [K, columns], of the columns that were there when the leaves began
        self._position = batch.position_ids[:, self._row, column].amax(0) + 1  # [K], of the next token
        self._owner = self._no_columns()  # [B, grown], the leaf that each column grown since then serves
        self._pending: list[list[int]] = [[] for _ in self._row]  # drawn, and not in the cache yet

    def __len__(self) -> int:
        return len(self._row)

    @property
    def device(self) -> torch.device:
        return self._row.device

    def branch(self, parents: Tensor) -> None:
        """Go on from some leaves, from one by one or several: leaf ``k`` is from now on a child of ``parents[k]``.

        What none of the new leaves sees is forgotten.

        Args:
            parents: [K].
        """
        own = self._owner[self._row[parents]] == parents[:, None]  # [K, grown]
        self._sees = torch.cat((self._sees[parents], own), dim=1)
        self._row, self._position, self.logits = self._row[parents], self._position[parents], self.logits[parents]
        self._pending = [[*self._pending[parent]] for parent in parents.tolist()]
        self._owner = self._no_columns()
        self._forget()

    @torch.no_grad()
    def feed(self, segments: Sequence[Tensor]) -> None:
        """Continue each leaf by given tokens, such as the next question.

        Args:
            segments: One a leaf, of at least one token.
        """
        device = self.device
        texts = [
            torch.cat((torch.tensor(pending, dtype=torch.long), segment.cpu()))
            for pending, segment in zip(self._pending, segments, strict=True)
        ]
        sizes = torch.tensor([len(text) for text in texts], dtype=torch.long)
        leaf = torch.arange(len(self)).repeat_interleave(sizes).to(device)  # [N]
        offset = torch.cat([torch.arange(len(text)) for text in texts]).to(device) if texts else leaf  # [N]
        self.logits = self._forward(leaf, offset, torch.cat(texts).to(device) if texts else leaf, sizes.cumsum(0) - 1)
        self._position = self._position + sizes.to(device)
        self._pending = [[] for _ in texts]

    @torch.no_grad()
    def draw(
        self,
        *,
        max_new_tokens: int,
        eos_token_id: int,
        sampling: Sampling | None = None,
        draws: Tensor | None = None,
    ) -> list[Generation]:
        """Let every leaf grow until its stop token. Vision placeholders are never drawn.

        Args:
            max_new_tokens: Tokens an answer may have, the stop token included.
            eos_token_id: The stop token.
            sampling: How tokens are drawn; by default the most likely ones are taken.
            draws: What decides each draw, from 0 to below 1, [K, max_new_tokens]; torch's global generator by default.

        Returns:
            An answer a leaf.
        """
        assert not any(self._pending), "what was drawn ends a turn: feed the next before more is drawn"
        device = self.device
        drawn = self._backbone.drawn(sampling.temperature if sampling else 1.0)
        together = is_sharded(self._backbone)
        active, logits = torch.arange(len(self), device=device), self.logits
        nothing = torch.zeros_like(active)
        tokens: list[list[int]] = [[] for _ in self._row]
        logps: list[list[float]] = [[] for _ in self._row]
        for step in range(max_new_tokens):
            allowed = drawn(logits)
            scores = (allowed if sampling else logits.float()).log_softmax(-1)
            by = None if draws is None else draws[active, step]
            chosen = sampling.draw(scores, by) if sampling else allowed.argmax(-1)  # [active]
            chosen_logps = scores.gather(1, chosen[:, None])[:, 0].tolist()
            for leaf, token, logp in zip(active.tolist(), chosen.tolist(), chosen_logps, strict=True):
                logps[leaf].append(logp)
                tokens[leaf].append(token)
            going = chosen != eos_token_id
            active, chosen = active[going], chosen[going]
            unfinished = largest(len(active), device) if together else len(active)
            if unfinished == 0 or step == max_new_tokens - 1:
                break
            logits = self._forward(active, nothing[active], chosen)
            self._position = self._position.index_add(0, active, torch.ones_like(active))
        self._pending = [own[-1:] for own in tokens]
        finished = [own[-1:] == [eos_token_id] for own in tokens]
        return [
            Generation(torch.tensor(own[:-1] if ended else own, dtype=torch.long), torch.tensor(p), ended)
            for own, p, ended in zip(tokens, logps, finished, strict=True)
        ]

    def _forward(self, leaf: Tensor, offset: Tensor, tokens: Tensor, last: Tensor | None = None) -> Tensor:
        """Compute tokens of leaves, those of one in their order, and what follows some of them.

        Args:
            leaf: The leaf of each token, [N].
            offset: How many tokens of the same leaf come before it, [N].
            tokens: [N].
            last: The tokens to follow, [M]; all by default.

        Returns:
            Logits, [M, vocabulary].
        """
        rows = self._row[leaf]  # [N]
        slots = _slot_in_row(rows)  # [N]
        width = int(slots.max()) + 1 if len(slots) else 1
        ids = torch.zeros(self._num_rows, width, dtype=torch.long, device=rows.device)
        leaves = (ids - 1).index_put((rows, slots), leaf)  # [B, width]
        positions = ids.index_put((rows, slots), self._position[leaf] + offset)
        before = self._owner.shape[1]
        self._owner = torch.cat((self._owner, leaves), dim=1)
        columns = torch.arange(self._owner.shape[1], device=rows.device)
        nothing = self._sees.new_zeros(1, self._sees.shape[1])
        prefix = torch.cat((self._sees, nothing))[leaves]  # [B, width, columns], the last of slots without a leaf
        # [B, width, grown]; empty slots see one another, which is harmless
        own = (self._owner[:, None, :] == leaves[:, :, None]) & (columns <= columns[before:, None])
        fed = slice(None) if last is None else last
        return self._backbone(
            ids.index_put((rows, slots), tokens),
            positions.expand(3, -1, -1),
            torch.cat((prefix, own), dim=-1),
            (rows[fed], slots[fed]),
            cache=self._cache,
        )

    def _no_columns(self) -> Tensor:
        return torch.empty(self._num_rows, 0, dtype=torch.long, device=self._row.device)

    def _forget(self) -> None:
        """Leave out of the cache what no leaf sees."""
        seen = torch.zeros(self._num_rows, self._sees.shape[1], dtype=torch.long, device=self._row.device)
        seen.index_add_(0, self._row, self._sees.long())
        width = int((seen > 0).sum(1).max())
        if width == self._sees.shape[1] or not len(self):
            return
        kept = (seen > 0).int().argsort(dim=1, descending=True, stable=True)[:, :width]  # [B, width]
        layers: Sequence[Any] = self._cache.layers  # each with its keys and values
        for layer in layers:
            places = kept[:, None, :, None].expand(-1, layer.keys.shape[1], -1, layer.keys.shape[3])
            layer.keys, layer.values = layer.keys.gather(2, places), layer.values.gather(2, places)
        self._sees = self._sees.gather(1, kept[self._row])


def generate(
    backbone: Backbone,
    batch: TreeBatch,
    *,
    max_new_tokens: int,
    eos_token_id: int,
    sampling: Sampling | None = None,
    num_generations: int = 1,
    samples: Tensor | None = None,
) -> list[Generation]:
    """Continue samples of a batch of prompts by one turn, as ``TreeDecoder`` does.

    Args:
        backbone: The model, in ``eval()``.
        batch: Trees whose leaves end with the generation prompt.
        max_new_tokens: Tokens an answer may have, the stop token included.
        eos_token_id: The stop token.
        sampling: How tokens are drawn, with torch's global generator; by default the most likely ones are taken.
        num_generations: Answers to each sample.
        samples: Numbers of the samples to continue, [K]; all by default.

    Returns:
        The generations of each sample, one sample after the other.
    """
    decoder = TreeDecoder(backbone, batch, samples)
    decoder.branch(torch.arange(len(decoder), device=batch.input_ids.device).repeat_interleave(num_generations))
    return decoder.draw(max_new_tokens=max_new_tokens, eos_token_id=eos_token_id, sampling=sampling)


def text_of(tokenizer: PreTrainedTokenizerBase, tokens: list[int] | Tensor) -> str:
    """What generated ids say, without special tokens and the space around."""
    return str(tokenizer.decode(tokens, skip_special_tokens=True)).strip()


def _slot_in_row(rows: Tensor) -> Tensor:
    """For each entry how many earlier entries have the same row.

    >>> _slot_in_row(torch.tensor([0, 1, 0, 0]))
    tensor([0, 0, 1, 2])
    """
    same = rows[:, None] == rows[None, :]
    return same.tril(-1).sum(1)
