"""transformers' vision tower, computed in fewer and larger operations: the same parameters, names and numbers.

- The patch embedding is a 3D convolution whose stride is its kernel, over patches that are already cut: one matrix
  product, for which convolution kernels are slow.
- Attention is one call a window: at the release's size a clip of 16 frames has 96 windows, in each of 28 layers.
  Windows never see each other, so those of one length are a batch; a grid has at most four lengths.
"""

import torch
from torch import Tensor
from torch.nn.functional import linear, scaled_dot_product_attention
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import (
    Qwen2_5_VisionPatchEmbed,
    Qwen2_5_VisionTransformerPretrainedModel,
    Qwen2_5_VLVisionAttention,
    apply_rotary_pos_emb_vision,
)


def speed_up(tower: Qwen2_5_VisionTransformerPretrainedModel) -> Qwen2_5_VisionTransformerPretrainedModel:
    """Change a tower's classes to those below, in place; returns the same tower."""
    tower.patch_embed.__class__ = LinearPatchEmbed
    for block in tower.blocks:
        block.attn.__class__ = BatchedWindowAttention
    return tower


class LinearPatchEmbed(Qwen2_5_VisionPatchEmbed):
    """The convolution as the matrix product that it is."""

    def forward(self, hidden_states: Tensor) -> Tensor:
        """[P, patch] -> [P, hidden]."""
        weight = self.proj.weight
        return linear(hidden_states.to(weight.dtype), weight.flatten(1))


class BatchedWindowAttention(Qwen2_5_VLVisionAttention):
    """Windows of one length in one call.

    FlashAttention's kernels take windows of any length at once, so with ``flash_attention_2`` nothing changes.
    """

    def forward(
        self,
        hidden_states: Tensor,
        cu_seqlens: Tensor,
        position_embeddings: tuple[Tensor, Tensor] | None = None,
        **kwargs,
    ) -> Tensor:
        """[P, hidden] -> [P, hidden]; the windows are ``cu_seqlens[i]:cu_seqlens[i + 1]``."""
        if self.config._attn_implementation != "sdpa":
            return super().forward(hidden_states, cu_seqlens, position_embeddings=position_embeddings, **kwargs)
        patches = len(hidden_states)
        query, key, value = self.qkv(hidden_states).unflatten(1, (3, self.num_heads, -1)).unbind(1)  # [P, heads, head]
        query, key = apply_rotary_pos_emb_vision(query, key, *position_embeddings)
        lengths = cu_seqlens.diff()
        sizes = lengths.unique().tolist()
        if len(sizes) == 1:
            seen = _attend(query, key, value, sizes[0])
        else:
            rows = [_rows(cu_seqlens[:-1][lengths == size], size) for size in sizes]
            parts = [_attend(query[own], key[own], value[own], size) for own, size in zip(rows, sizes, strict=True)]
            seen = torch.cat(parts)[torch.cat(rows).argsort()]
        return self.proj(seen.reshape(patches, -1))


def _rows(starts: Tensor, size: int) -> Tensor:
    """The patches of windows of one size, [windows * size]."""
    return (starts[:, None] + torch.arange(size, device=starts.device)).flatten()


def _attend(query: Tensor, key: Tensor, value: Tensor, size: int) -> Tensor:
    """Attention within each stretch of `size` patches, [windows * size, heads, head]."""
    query, key, value = (part.unflatten(0, (-1, size)).transpose(1, 2) for part in (query, key, value))
    return scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(0, 1)
