"""The features of a batch's videos: how the vision tower is called, so that every process calls it alike.

A tower that trains takes all videos of a batch at once. A frozen one takes each by itself: matrix products of another
size round differently, and what is kept of a video must not depend on what stood beside it. Processes whose tower is
sharded, or takes part in reducing gradients, must call it equally often, so some calls encode nothing but one black
merge block.
"""

import hashlib
import math

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.distributed.tensor import DTensor
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VisionTransformerPretrainedModel as Tower

from videmo.errors import InputError
from videmo.pixels import normalise


def encode(tower: Tower, patches: Tensor, grids: list[list[int]]) -> list[Tensor]:
    """The features of videos in one call of the tower, [tokens, hidden] each.

    Args:
        tower: Qwen2.5-VL's, with its merger.
        patches: [P, patch], the videos' one after the other, as bytes or normalised.
        grids: [V][3], patches in time, height and width.
    """
    values = normalise(patches).to(tower.dtype)
    features = tower(values, grid_thw=torch.tensor(grids, device=patches.device)).pooler_output
    return list(features.split([t * h * w // tower.spatial_merge_unit for t, h, w in grids]))


def encode_nothing(tower: Tower) -> Tensor:
    """0, reached through all parameters of the tower: a call for those who have no video to encode."""
    side, embed = tower.spatial_merge_size, tower.patch_embed
    values = embed.in_channels * math.prod(embed.proj.kernel_size)
    patches = torch.zeros(side * side, values, device=embed.proj.weight.device)
    (features,) = encode(tower, patches, [[1, side, side]])
    return 0 * features.sum()


def in_step(tower: nn.Module) -> bool:
    """Whether the tower is called even without a video: others may wait to gather its parameters or reduce gradients.

    A tower that trains is called by a single process, too. A step of text alone has gradients of 0 then and not none at
    all, which optimizers with momentum tell apart, and does not depend on how many processes there are.
    """
    trains = torch.is_grad_enabled() and any(p.requires_grad for p in tower.parameters())
    return trains or is_sharded(tower)


def largest(number: int, device: torch.device) -> int:
    """The largest of all processes' numbers."""
    found = torch.tensor(number, device=device)
    torch.distributed.all_reduce(found, op=torch.distributed.ReduceOp.MAX)
    return int(found)


def is_sharded(module: nn.Module) -> bool:
    """Whether calling a module gathers parameters from other processes: FSDP2, FSDP or ZeRO-3."""
    return is_wrapped(module) or any(isinstance(p, DTensor) or hasattr(p, "ds_id") for p in module.parameters())


def is_wrapped(module: nn.Module) -> bool:
    """Whether FSDP 1 holds parameters of a module, in flat parts and under other names."""
    return any(isinstance(part, FullyShardedDataParallel) for part in module.modules())


def weights_hash(module: nn.Module) -> str:
    """A hash of the names, types and bytes of a module's weights; parameters that FSDP2 sharded are gathered for it.

    Raises:
        InputError: If they are sharded in a way that hides them.
    """
    if is_wrapped(module) or any(hasattr(p, "ds_id") for p in module.parameters()):
        raise InputError("data.vision_cache needs whole weights or FSDP2's; leave it out under FSDP 1 and ZeRO-3")
    digest = hashlib.blake2b(digest_size=16)
    for name, weight in module.state_dict().items():
        if isinstance(weight, DTensor):
            weight = weight.full_tensor()
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
        digest.update(weight.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
