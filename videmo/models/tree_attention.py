"""Attention over token trees: a token sees its ancestors and its own segment's past, and nothing else.

As a mask for sdpa, which computes what the mask hides, too; or as blocks for FlexAttention (Dong et al. 2024), which
leaves out the blocks that are hidden as a whole, and makes no mask at all. Its kernel is compiled for a shape, so
batches come as one row, in as few lengths as ``bucket`` gives. Answers that grow look at their cached tree by sdpa
either way.
"""

from functools import cache

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, create_mask, flex_attention
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from videmo.errors import InputError

BLOCK = 128
"""Tokens along a block's side."""
FLEX = "flex_attention"
_REGISTERED = "videmo_tree"
_SHAPES = 64
"""For which the kernel may be compiled; torch's own 8 are a few minutes of training."""


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


def bucket(length: int) -> int:
    """The length to pad to: at most a quarter more, of four to a power of two, whole blocks.

    >>> [bucket(n) for n in (1, 500, 1000, 1025, 5000)]
    [128, 512, 1024, 1280, 5120]
    """
    step = max(BLOCK, 1 << max(0, (length - 1).bit_length() - 3))
    return -(-length // step) * step


def tree_blocks(subtree_end: Tensor) -> tuple[Tensor, Tensor]:
    """Which blocks of keys a block of queries sees whole, and which in part; exact, without the mask.

    Keys of an earlier block are seen by the queries up to where their segments' descendants end.

    Args:
        subtree_end: [B, S], S a multiple of ``BLOCK``.

    Returns:
        Two booleans, [B, S / BLOCK queries, S / BLOCK keys].
    """
    ends = subtree_end.unflatten(1, (-1, BLOCK))  # [B, blocks, BLOCK]
    number = torch.arange(ends.shape[1], device=ends.device)
    query, key = number[:, None], number[None, :]
    earlier = key < query
    whole = earlier & (ends.amin(-1)[:, None, :] >= (query + 1) * BLOCK)
    some = (key == query) | earlier & (ends.amax(-1)[:, None, :] > query * BLOCK)
    return whole, some & ~whole


def block_mask(subtree_end: Tensor) -> BlockMask:
    """The tree mask as FlexAttention takes it.

    Args:
        subtree_end: [B, S], S a multiple of ``BLOCK``.
    """

    def visible(row, head, query, key):
        return (key <= query) & (query < subtree_end[row, key])

    whole, part = (_ordered(blocks) for blocks in tree_blocks(subtree_end))
    length = subtree_end.shape[1]
    return BlockMask.from_kv_blocks(*part, *whole, BLOCK_SIZE=BLOCK, mask_mod=visible, seq_lengths=(length, length))


def _ordered(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """How many blocks of keys each block of queries has, and their numbers, first of all."""
    numbers = blocks.int().argsort(dim=-1, descending=True, stable=True)
    return blocks.sum(-1, dtype=torch.int32)[:, None], numbers.to(torch.int32)[:, None]


def attend_over_trees(model) -> None:
    """Let the language model of a Qwen2.5-VL take a mask as a tensor, for sdpa, or as a ``BlockMask``."""
    AttentionInterface.register(_REGISTERED, _attend)
    AttentionMaskInterface.register(_REGISTERED, sdpa_mask)  # of transformers' own generate
    model.config.text_config._attn_implementation = _REGISTERED


def _attend(module, query: Tensor, key: Tensor, value: Tensor, attention_mask, scaling: float | None = None, **kwargs):
    """[B, heads, S, head] -> [B, S, heads, head]."""
    if isinstance(attention_mask, BlockMask) and not query.is_cuda:  # elsewhere it has no backward
        rows, _, length = query.shape[:3]
        attention_mask = create_mask(attention_mask.mask_mod, rows, 1, length, length, query.device)
    if not isinstance(attention_mask, BlockMask):
        if attention_mask is not None and query.shape[2] < key.shape[2]:
            return attend_to_cached(query, key, value, attention_mask, scaling), None
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **kwargs)
    if kwargs.get("dropout"):
        raise InputError("flex_attention knows no dropout; set the checkpoint's attention_dropout to 0, or take sdpa")
    return attend_by_blocks(query, key, value, attention_mask, scaling), None


def attend_by_blocks(query: Tensor, key: Tensor, value: Tensor, blocks: BlockMask, scale: float | None = None):
    """FlexAttention's kernel. In a block that is compiled as a whole it is part of its graph.

    Args:
        query: [B, heads, S, head].
        key, value: [B, heads of keys, S, head].
        blocks: Of the mask.
        scale: Of the products; 1 / sqrt(head) by default.

    Returns:
        [B, S, heads, head], of the type of `value`: rotary embeddings in float32 leave queries and keys as float32,
        which autocast does not cast for this kernel.
    """
    attend = flex_attention if torch.compiler.is_compiling() else _compiled()
    query, key = query.to(value.dtype), key.to(value.dtype)
    seen = attend(query, key, value, block_mask=blocks, scale=scale, enable_gqa=True)
    return seen.transpose(1, 2).contiguous()


def attend_to_cached(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scale: float | None = None) -> Tensor:
    """Attention of few queries to many keys, some query heads to each head of keys.

    Those heads become further queries of the one head. To repeat keys and values for each of them, as transformers does
    where there is a mask, would copy the whole cache several times over, in every layer and at every step.

    Args:
        query: [B, heads, Q, head].
        key, value: [B, heads of keys, K, head].
        mask: [B, 1, Q, K], added.
        scale: Of the products; 1 / sqrt(head) by default.

    Returns:
        [B, Q, heads, head].
    """
    rows, heads, length, size = query.shape
    sharing = heads // key.shape[1]
    queries = query.reshape(rows, key.shape[1], sharing * length, size)
    seen = scaled_dot_product_attention(queries, key, value, mask.repeat(1, 1, sharing, 1), scale=scale)
    return seen.reshape(rows, heads, length, size).transpose(1, 2).contiguous()


@cache
def _compiled():
    torch._dynamo.config.recompile_limit = max(_SHAPES, torch._dynamo.config.recompile_limit)
    return torch.compile(flex_attention, dynamic=False)
