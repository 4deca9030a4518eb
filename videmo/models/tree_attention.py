"""Attention over token trees: a token sees its ancestors and its own segment's past, and nothing else."""

import torch
from torch import Tensor


def tree_mask(subtree_end: Tensor) -> Tensor:
    """Which key each query may see.

    Args:
        subtree_end: [B, S], the column after each token's last descendant (``TreeBatch.subtree_end``).

    Returns:
        Boolean, [B, S queries, S keys].

    >>> tree_mask(torch.tensor([[3, 2, 3]])).int()  # a root with two children of one token each
    tensor([[[1, 0, 0],
             [1, 1, 0],
             [1, 0, 1]]], dtype=torch.int32)
    """
    columns = torch.arange(subtree_end.shape[1], device=subtree_end.device)
    query, key = columns[:, None], columns[None, :]
    return (key <= query) & (query < subtree_end[:, None, :])


def additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """The form that transformers passes on to sdpa: [B, 1, Q, K], 0 where visible, the lowest number elsewhere."""
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(~mask, torch.finfo(dtype).min)[:, None]
