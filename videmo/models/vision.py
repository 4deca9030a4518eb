"""transformers' vision tower, computed in fewer and larger operations: the same parameters, names and numbers.

- The patch embedding is a 3D convolution whose stride is its kernel, over patches that are already cut: one matrix
  product, for which convolution kernels are slow.
- Attention is one call a window: at the release's size a clip of 16 frames has 96 windows, in each of 28 layers.
  Windows never see each other, so those of one length are a batch; a grid has at most four lengths. Which they are is
  found once a forward: their number depends on data, for which a GPU would stop and a compiled block break.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear, scaled_dot_product_attention
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import (
    Qwen2_5_VisionPatchEmbed,
    Qwen2_5_VLVisionAttention,
    apply_rotary_pos_emb_vision,
)
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VisionTransformerPretrainedModel as Tower
from transformers.vision_utils import get_vision_cu_seqlens, get_vision_window_index


def speed_up(tower: Tower) -> Tower:
    """Change a tower's classes to those below, in place; returns the same tower."""
    tower.__class__ = BatchedTower
    tower.patch_embed.__class__ = LinearPatchEmbed
    blocks: Iterable[Any] = tower.blocks
    for number, block in enumerate(blocks):
        block.attn.__class__ = BatchedWindowAttention
        block.attn.sees_frames = number in tower.fullatt_block_indexes
    return tower


@dataclass(frozen=True)
class Stretches:
    """Which patches see each other: stretches of them, by length.

    Attributes:
        sizes: The lengths.
        rows: For each, the patches of its stretches, [stretches * size].
        back: Where each patch stands when all rows stand one after another, [P].
    """

    sizes: tuple[int, ...]
    rows: tuple[Tensor, ...]
    back: Tensor

    @classmethod
    def between(cls, bounds: Tensor, device: torch.device) -> "Stretches":
        """Those from ``bounds[i]`` to ``bounds[i + 1]``, for all i; `bounds` on the CPU."""
        lengths = bounds.diff()
        sizes = lengths.unique().tolist()
        rows = [(bounds[:-1][lengths == size, None] + torch.arange(size)).flatten() for size in sizes]
        return cls(tuple(sizes), tuple(row.to(device) for row in rows), torch.cat(rows).argsort().to(device))


class BatchedTower(Tower):
    """Finds once what the attention of every block needs."""

    def forward(self, hidden_states: Tensor, grid_thw: Tensor, **kwargs):
        """As transformers': [P, patch] and [V, 3] to its output."""
        if self.config._attn_implementation == "sdpa":
            device, grids = hidden_states.device, grid_thw.cpu()
            sizes: Any = (self.spatial_merge_size, self.window_size, self.patch_size)
            index, bounds = get_vision_window_index(grids, *sizes)
            kwargs |= {"window_index": index.to(device), "cu_window_seqlens": bounds.to(device)}
            kwargs |= {
                "frames": Stretches.between(get_vision_cu_seqlens(grids), device),
                "windows": Stretches.between(bounds, device),
            }
        return super().forward(hidden_states, grid_thw=grid_thw, **kwargs)


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

    def forward(  # pyrefly: ignore[bad-override]  (the tower gives all but the first by name)
        self,
        hidden_states: Tensor,
        cu_seqlens: Tensor,
        position_embeddings: tuple[Tensor, Tensor] | None = None,
        frames: Stretches | None = None,
        windows: Stretches | None = None,
        **kwargs,
    ) -> Tensor:
        """[P, hidden] -> [P, hidden]; which patches see each other is in ``frames`` or ``windows``."""
        own = frames if self.sees_frames else windows
        if own is None:
            return super().forward(hidden_states, cu_seqlens, position_embeddings=position_embeddings, **kwargs)
        assert position_embeddings is not None
        patches = len(hidden_states)
        query, key, value = self.qkv(hidden_states).unflatten(1, (3, self.num_heads, -1)).unbind(1)  # [P, heads, head]
        query, key = apply_rotary_pos_emb_vision(query, key, *position_embeddings)
        if len(own.sizes) == 1:
            seen = _attend(query, key, value, own.sizes[0])
        else:
            stretches = zip(own.rows, own.sizes, strict=True)
            parts = [_attend(query[rows], key[rows], value[rows], size) for rows, size in stretches]
            seen = torch.cat(parts)[own.back]
        return self.proj(seen.reshape(patches, -1))


def _attend(query: Tensor, key: Tensor, value: Tensor, size: int) -> Tensor:
    """Attention within each stretch of `size` patches, [stretches * size, heads, head]."""
    query, key, value = (part.unflatten(0, (-1, size)).transpose(1, 2) for part in (query, key, value))
    return scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(0, 1)
