"""From the options of ``videmo fit`` to what a plan is computed of; the model stands on the meta device."""

from collections.abc import Mapping
from typing import Any

import torch
from transformers import Qwen2_5_VLForConditionalGeneration

from videmo.errors import InputError
from videmo.models.adapters import Lora
from videmo.models.backbone import Backbone, check_attention
from videmo.models.scopes import SCOPES, Scope, ScopeName, scope_of
from videmo.plan.activations import Computing
from videmo.plan.memory import Batch, Setup, Sharding, Weights
from videmo.plan.shape import Shape
from videmo.pretrained import load_config

ADAPTER, HEADS = ".lora_", ("embed_tokens", "lm_head")


def meta_model(options: Mapping[str, Any]) -> Backbone:
    """The model of ``model.init_args`` without a byte of weights; of a hub id only the config is fetched.

    Raises:
        InputError: If its attention is none, or none whose memory is known.
    """
    attention = options.get("attn_implementation", "sdpa")
    check_attention(attention)
    if attention == "eager":
        raise InputError(
            "attn_implementation eager keeps what every head makes of every pair of tokens, and no plan knows how much "
            "that is; use sdpa or flex_attention"
        )
    config = load_config(options["checkpoint"], options.get("revision"), options.get("local_files_only", False))
    scopes: dict[str, Any] = {name: Scope(**options[name]) for name in SCOPES}
    with torch.device("meta"):
        model = Qwen2_5_VLForConditionalGeneration._from_config(config, dtype=getattr(torch, options["dtype"]))
        return Backbone(
            model,
            **scopes,
            lora=Lora(**options["lora"]),
            quantization=options.get("quantization"),
            attention=attention,
        )


def count_weights(backbone: Backbone) -> dict[ScopeName, Weights]:
    """The weights of every scope."""
    found = {name: {"total": 0, "trained": 0, "adapters": 0, "matrices": 0, "packed": 0} for name in backbone.scopes}
    for name, p in backbone.model.named_parameters():
        own, size = found[scope_of(name)], p.numel()
        own["trained"] += size * p.requires_grad
        if ADAPTER in name:
            own["adapters"] += size
            continue
        own["total"] += size
        matrix = p.ndim == 2 and not any(part in name for part in HEADS)
        own["matrices"] += size * matrix
        own["packed"] += size * (matrix and bool(backbone.quantization) and ".language_model." in name)
    return {name: Weights(**counts) for name, counts in found.items()}


def setup_of(backbone: Backbone, precision: str, optimizer: str, strategy: Any, world: int, batch: Batch) -> Setup:
    """All that the peak of a rank follows from.

    Args:
        backbone: On the meta device.
        precision: The trainer's.
        optimizer: The model's.
        strategy: The trainer's: a name, or a class with arguments.
        world: Devices over all machines.
        batch: The largest micro-batch.
    """
    sharding, offload = sharding_of(strategy, world)
    compute = 4 if precision.startswith("32") else 2
    copies = sharding == "fsdp" or sharding.startswith("zero")  # computes on bfloat16 copies that it makes itself
    autocast = precision.endswith("mixed") and not copies
    true = compute == 2 and not autocast
    packed = bool(backbone.quantization)
    weights = count_weights(backbone)
    held = {name: 2 if true else _held(backbone, name) for name in weights}
    computing = {}
    for name, scope in backbone.scopes.items():
        stream = "vision" if name == "merger" else name
        residual = 4 if backbone.scopes[stream].mode == "full" or (packed and name == "language") else held[stream]
        computing[name] = Computing(
            mode=scope.mode,
            compute=compute,
            residual=2 if true else residual,
            autocast=autocast,
            rank=backbone.lora.rank,
            adapted=tuple(backbone.lora.targets(name)) if scope.mode == "lora" else (),
            dropout=int(backbone.lora.dropout > 0),
        )
    return Setup(
        Shape.of(backbone.config),
        weights,
        computing,
        held,
        batch,
        trained_bytes=2 if true and not copies else 4,
        optimizer=optimizer,
        sharding=sharding,
        world=world,
        flex=backbone.flex,
        checkpointing=frozenset(name for name, scope in backbone.scopes.items() if scope.activation_checkpointing),
        **offload,
    )


def _held(backbone: Backbone, scope: ScopeName) -> int:
    """Bytes of a weight of a scope that does not train."""
    sizes = [
        p.element_size()
        for name, p in backbone.model.named_parameters()
        if scope_of(name) == scope and p.ndim == 2 and not p.requires_grad
    ]
    return max(sizes, default=4)


def sharding_of(strategy: Any, world: int) -> tuple[Sharding, dict[str, Any]]:
    """How a strategy shares the model out, and what it keeps in the machine's memory.

    Args:
        strategy: Of the trainer's options.
        world: Devices.

    >>> sharding_of("deepspeed_stage_3_offload", 8)
    ('zero3', {'offload_optimizer': True, 'offload_parameters': True})
    """
    name, given = (strategy, {}) if isinstance(strategy, str) else (strategy["class_path"], strategy.get("init_args"))
    name, given = name.rsplit(".", 1)[-1].lower(), dict(given or {})
    if "deepspeed" in name:
        stage = int(given.get("stage") or next((part for part in name.split("_") if part.isdigit()), 2))
        offload = {key: bool(given.get(key, "offload" in name)) for key in ("offload_optimizer", "offload_parameters")}
        offload["offload_parameters"] &= stage == 3
        if stage not in (2, 3):
            raise InputError(f"a plan knows ZeRO's stages 2 and 3, not {stage}")
        return "zero2" if stage == 2 else "zero3", offload
    if "fsdp2" in name or "modelparallel" in name:
        return "fsdp2", {}
    if "fsdp" in name:
        return "fsdp", {}
    return "ddp" if world > 1 else "none", {}
