"""Generation on token trees: one prefill for a video and all its questions, then every answer grows at once.

Greedy, one answer a question; or sampled, several of each, which share all of their question's past.

The trees' keys and values are computed once and stay where they are. A step feeds one token for every unfinished
branch of a row; such a token sees its branch's ancestors and the tokens that its own branch has grown. Nothing is
copied per branch, so memory grows with the tokens, not with branches x prefix.

Where the model is sharded every step is a collective: a process whose answers have ended, or that had none to give,
feeds empty steps until the others' have.
"""

from typing import NamedTuple

import torch
from torch import Tensor

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


@torch.no_grad()  # not inference_mode: what a sharded model gathers in it could not be trained any more
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
    """Continue samples of a batch of prompts. Vision placeholders are never drawn.

    Args:
        backbone: The model, in ``eval()``: with activation checkpointing in train mode transformers drops the cache.
        batch: Trees whose leaves end with the generation prompt.
        max_new_tokens: Tokens an answer may have, the stop token included.
        eos_token_id: The stop token.
        sampling: How tokens are drawn, with torch's global generator; by default the most likely ones are taken.
        num_generations: Answers to each sample.
        samples: Numbers of the samples to continue, [K]; all by default.

    Returns:
        The generations of each sample, one sample after the other.
    """
    if backbone.training:
        raise ValueError("generate needs the backbone in eval()")
    device = batch.input_ids.device
    cache = backbone.new_cache()
    mask = tree_mask(batch.subtree_end)  # [B, S, S]
    chosen_leaves = slice(None) if samples is None else samples
    leaf_row, leaf_column = batch.leaf_row[chosen_leaves], batch.leaf_column[chosen_leaves]  # [K]
    logits = backbone(
        batch.input_ids,
        batch.position_ids,
        mask,
        (leaf_row, leaf_column),
        **batch.vision,
        cache=cache,
    )  # [K, vocabulary]
    leaf_row, leaf_column, logits = (  # every answer is a leaf from here on
        values.repeat_interleave(num_generations, 0) for values in (leaf_row, leaf_column, logits)
    )
    nothing = mask.new_zeros(1, mask.shape[-1])
    sees_prefix = torch.cat((mask[leaf_row, leaf_column], nothing))  # [K + 1, S], the last of slots without a leaf
    position = batch.position_ids[:, leaf_row, leaf_column].amax(0) + 1  # [K]
    num_rows, num_leaves = batch.input_ids.shape[0], len(leaf_row)
    owners = torch.empty(
        num_rows, 0, dtype=torch.long, device=device
    )  # [B, grown], the leaf that each grown column serves
    drawn = backbone.drawn(sampling.temperature if sampling else 1.0)
    together = is_sharded(backbone)

    active = torch.arange(num_leaves, device=device)
    tokens: list[list[int]] = [[] for _ in range(num_leaves)]
    logps: list[list[float]] = [[] for _ in range(num_leaves)]
    finished = [False] * num_leaves
    for step in range(max_new_tokens):
        allowed = drawn(logits)
        scores = (allowed if sampling else logits.float()).log_softmax(-1)
        chosen = sampling.draw(scores) if sampling else allowed.argmax(-1)  # [active]
        chosen_logps = scores.gather(1, chosen[:, None])[:, 0].tolist()
        for leaf, token, logp in zip(active.tolist(), chosen.tolist(), chosen_logps, strict=True):
            logps[leaf].append(logp)
            if token == eos_token_id:
                finished[leaf] = True
            else:
                tokens[leaf].append(token)
        going = chosen != eos_token_id
        active, chosen = active[going], chosen[going]
        unfinished = largest(len(active), device) if together else len(active)
        if unfinished == 0 or step == max_new_tokens - 1:
            break

        rows = leaf_row[active]  # [active]
        slots = _slot_in_row(rows)  # [active]
        width = int(slots.max()) + 1 if len(slots) else 1
        input_ids = torch.zeros(num_rows, width, dtype=torch.long, device=device).index_put((rows, slots), chosen)
        leaves = torch.full((num_rows, width), -1, device=device).index_put((rows, slots), active)
        positions = torch.zeros_like(input_ids).index_put((rows, slots), position[active] + step)
        owners = torch.cat((owners, leaves), dim=1)
        prefix = sees_prefix[leaves]  # [B, width, S]
        own = (
            owners[:, None, :] == leaves[:, :, None]
        )  # [B, width, grown]; empty slots see one another, which is harmless
        logits = backbone(
            input_ids, positions.expand(3, -1, -1), torch.cat((prefix, own), dim=-1), (rows, slots), cache=cache
        )
    return [
        Generation(torch.tensor(t, dtype=torch.long), torch.tensor(p), f)
        for t, p, f in zip(tokens, logps, finished, strict=True)
    ]


def _slot_in_row(rows: Tensor) -> Tensor:
    """For each entry how many earlier entries have the same row.

    >>> _slot_in_row(torch.tensor([0, 1, 0, 0]))
    tensor([0, 0, 1, 2])
    """
    same = rows[:, None] == rows[None, :]
    return same.tril(-1).sum(1)
