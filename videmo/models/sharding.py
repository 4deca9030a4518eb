"""FSDP2: each rank keeps a part of every parameter, and gathers a layer's others while it computes that layer.

The ViT's blocks and the decoder's layers are gathered one by one; what is left, patch embedding, merger, token
embeddings, final norm and output head, belongs to the backbone, whose ``forward`` is therefore the only way in.

The first rank alone reads the weights; the others build the model on the meta device and are sent one layer at a time,
so that a machine with 8 GPUs holds the model once in its memory and not 8 times.
"""

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLDecoderLayer, Qwen2_5_VLVisionBlock

from videmo.errors import InputError
from videmo.models.backbone import Backbone

LAYERS = (Qwen2_5_VLVisionBlock, Qwen2_5_VLDecoderLayer)


def shard(backbone: Backbone, mesh: DeviceMesh, precision: str) -> None:
    """Shard a backbone in place over the ranks of a one-dimensional mesh.

    Args:
        backbone: The first rank's with its weights, the others' with theirs or on the meta device.
        mesh: The ranks that train on different data.
        precision: The trainer's. Where it is mixed, layers are gathered and computed in the lower precision, while
            weights, gradients' sums and rotary frequencies stay in float32.
    """
    mixed = {"bf16-mixed": torch.bfloat16}.get(precision)
    # Autocast casts what is computed with; casting a layer's inputs, too, would round its rotary embeddings.
    policy = MixedPrecisionPolicy(mixed, torch.float32 if mixed else None, cast_forward_inputs=False)
    for unit in (*(module for module in backbone.modules() if isinstance(module, LAYERS)), backbone):
        send(unit, torch.device(mesh.device_type))
        if unit is backbone:
            backbone.model.tie_weights()
        fully_shard(unit, mesh=mesh, mp_policy=policy)


def send(module: nn.Module, device: torch.device) -> None:
    """Give every rank the first one's weights and buffers, but for those that are sharded already."""
    for owner in module.modules():
        for name, tensor in [*owner._parameters.items(), *owner._buffers.items()]:
            if tensor is None or isinstance(tensor, DTensor):
                continue
            value = torch.empty_like(tensor, device=device) if tensor.is_meta else tensor.detach().to(device)
            torch.distributed.broadcast(value, src=0)
            is_parameter = isinstance(tensor, nn.Parameter)
            setattr(owner, name, nn.Parameter(value, tensor.requires_grad) if is_parameter else value)


def refuse_what_cannot_be_cut(quantization: str | None, optimizer: str, dtensor: bool = True) -> None:
    """Packed 4-bit weights have no parts, and bitsandbytes' optimizers know no DTensor, as which FSDP2 keeps weights.

    Raises:
        InputError: If one of them is asked for.
    """
    if quantization:
        raise InputError(
            "4-bit weights cannot be sharded: train QLoRA with configs/trainer/ddp.yaml or on one GPU, or leave "
            "model.quantization out"
        )
    if dtensor and optimizer.endswith("_8bit"):
        raise InputError(
            f"{optimizer} cannot update what FSDP2 shards; use model.optimizer=adamw, whose states are sharded, too"
        )
