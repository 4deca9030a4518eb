"""Greedy generation on token trees: one prefill for a video and all its questions, then every branch grows at once.

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
from videmo.models.tree_attention import tree_mask
from videmo.token_tree import TreeBatch


class Generation(NamedTuple):
    """One answer.

    Attributes:
        tokens: Generated ids without the stop token, [n].
        logps: Their log-probabilities under the model, the stop token's last if it was reached, [n] or [n + 1].
        finished: Whether it ended by itself and not by the limit.
    """

    tokens: Tensor
    logps: Tensor
    finished: bool


@torch.no_grad()  # not inference_mode: what a sharded model gathers in it could not be trained any more
def generate(backbone: Backbone, batch: TreeBatch, *, max_new_tokens: int, eos_token_id: int) -> list[Generation]:
    """Continue every sample of a batch of prompts by the most likely tokens.

    Vision placeholders are never drawn: the next forward would look for features to put there.

    Args:
        backbone: The model, in ``eval()``: with activation checkpointing in train mode transformers drops the cache.
        batch: Trees whose leaves end with the generation prompt.
        max_new_tokens: Tokens an answer may have, the stop token included.
        eos_token_id: The stop token.

    Returns:
        One generation a sample, in the order of the samples.
    """
    if backbone.training:
        raise ValueError("generate needs the backbone in eval()")
    device = batch.input_ids.device
    cache = backbone.new_cache()
    mask = tree_mask(batch.subtree_end)  # [B, S, S]
    leaf_row, leaf_column = batch.leaf_row, batch.leaf_column  # [K]
    logits = backbone(
        batch.input_ids,
        batch.position_ids,
        mask,
        (leaf_row, leaf_column),
        **batch.vision,
        cache=cache,
    )  # [K, vocabulary]
    nothing = mask.new_zeros(1, mask.shape[-1])
    sees_prefix = torch.cat((mask[leaf_row, leaf_column], nothing))  # [K + 1, S], the last of slots without a leaf
    position = batch.position_ids[:, leaf_row, leaf_column].amax(0) + 1  # [K]
    num_rows, num_leaves = batch.input_ids.shape[0], len(leaf_row)
    owners = torch.empty(
        num_rows, 0, dtype=torch.long, device=device
    )  # [B, grown], the leaf that each grown column serves
    banned = _vision_tokens(backbone, device)
    together = is_sharded(backbone)

    active = torch.arange(num_leaves, device=device)
    tokens: list[list[int]] = [[] for _ in range(num_leaves)]
    logps: list[list[float]] = [[] for _ in range(num_leaves)]
    finished = [False] * num_leaves
    for step in range(max_new_tokens):
        scores = logits.float().log_softmax(-1)
        chosen = logits.index_fill(1, banned, -torch.inf).argmax(-1)  # [active]
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


def _vision_tokens(backbone: Backbone, device) -> Tensor:
    config = backbone.config
    names = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    return torch.tensor([getattr(config, name) for name in names], device=device)


def _slot_in_row(rows: Tensor) -> Tensor:
    """For each entry how many earlier entries have the same row.

    >>> _slot_in_row(torch.tensor([0, 1, 0, 0]))
    tensor([0, 0, 1, 2])
    """
    same = rows[:, None] == rows[None, :]
    return same.tril(-1).sum(1)
