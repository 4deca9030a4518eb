"""FSDP2: each rank keeps a part of every parameter, and gathers a layer's others while it computes that layer.

The ViT's blocks and the decoder's layers are gathered one by one; what is left, patch embedding, merger, token
embeddings, final norm and output head, belongs to the backbone, whose ``forward`` is therefore the only way in.
"""

import torch
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLDecoderLayer, Qwen2_5_VLVisionBlock

from videmo.errors import InputError
from videmo.models.backbone import Backbone

LAYERS = (Qwen2_5_VLVisionBlock, Qwen2_5_VLDecoderLayer)


def shard(backbone: Backbone, mesh: DeviceMesh, precision: str) -> None:
    """Shard a backbone in place over the ranks of a one-dimensional mesh.

    Args:
        backbone: On any device; its parts move to the mesh's.
        mesh: The ranks that train on different data.
        precision: The trainer's. Where it is mixed, layers are gathered and computed in the lower precision, while
            weights, gradients' sums and rotary frequencies stay in float32.

    Raises:
        InputError: If its weights are quantised.
    """
    refuse_quantised(backbone)
    mixed = {"bf16-mixed": torch.bfloat16}.get(precision)
    # Autocast casts what is computed with; casting a layer's inputs, too, would round its rotary embeddings.
    policy = MixedPrecisionPolicy(mixed, torch.float32 if mixed else None, cast_forward_inputs=False)
    for layer in layers_of(backbone):
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    fully_shard(backbone, mesh=mesh, mp_policy=policy)


def layers_of(backbone: Backbone) -> list[torch.nn.Module]:
    """The ViT's blocks, then the decoder's layers."""
    return [module for module in backbone.modules() if isinstance(module, LAYERS)]


def refuse_quantised(backbone: torch.nn.Module) -> None:
    """Packed 4-bit weights cannot be cut.

    Raises:
        InputError: If there are any.
    """
    if any(not parameter.is_floating_point() for parameter in backbone.parameters()):
        raise InputError(
            "4-bit weights cannot be sharded: train QLoRA with configs/trainer/ddp.yaml or on one GPU, or leave "
            "model.quantization out"
        )
