"""QLoRA's base (Dettmers et al. 2023): the language model's linear layers in 4 bits, nf4 with double quantisation.

A weight is one of 16 levels times the scale of its block of 64, and the scales are 8 bits themselves: 0.52 bytes a
parameter. bitsandbytes computes with such layers on CUDA and on the CPU, forward and backward. Embeddings, output head
and vision tower stay as they were read: they are small, or suffer. The norms are float32 and so is the residual
stream that they read, or what 4-bit layers lose adds up; nothing else is cast.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers import Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLRMSNorm

if TYPE_CHECKING:
    import bitsandbytes as bnb  # takes its time, and only 4 bits need it


def pack(model: Qwen2_5_VLForConditionalGeneration) -> None:
    """Pack the language model's linear layers into 4 bits, in place, one after the other."""
    for module in list(model.model.language_model.modules()):
        if isinstance(module, Qwen2_5_VLRMSNorm):
            module.float()
        for name, layer in module.named_children():
            if isinstance(layer, nn.Linear):
                setattr(module, name, packed(layer))
    model.is_loaded_in_4bit = True  # pyrefly: ignore[bad-argument-type]  (no weight; peft asks)


def packed(layer: nn.Linear) -> "bnb.nn.Linear4bit":
    """The layer in 4 bits, which computes in the type that its weight had; unpacked on the meta device."""
    import bitsandbytes as bnb

    weight = layer.weight
    four = bnb.nn.Linear4bit(
        layer.in_features,
        layer.out_features,
        bias=False,
        compute_dtype=weight.dtype,
        quant_type="nf4",
        device=torch.device("meta"),
    )
    params: Any = bnb.nn.Params4bit  # to a type checker it takes what its base takes
    four.weight = params(weight.data, requires_grad=False, quant_type="nf4", module=four)
    four.bias = layer.bias
    # On CPUs with AVX-512 bfloat16 it would repack its weight in eval() for a kernel without gradients, and keep it so.
    four.support_avx512bf16_for_cpu = False
    return four if weight.is_meta else four.to(weight.device)


def unpacked(layer: nn.Linear) -> torch.Tensor:
    """What the 4 bits say into which ``packed`` would pack a layer's weight, in the weight's own type and shape."""
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    four_bits = quantize_4bit(layer.weight.data, quant_type="nf4", compress_statistics=True)
    return dequantize_4bit(*four_bits).to(layer.weight.dtype)
