"""LoRA (Hu et al. 2022) through peft: which linear layers of which scope get an adapter, and of what rank.

The adapters stand in the transformers model itself, under the names that peft gives them, so what they learn is a peft
adapter and nothing of ours is needed to read it.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from peft import LoraConfig, inject_adapter_in_model
from torch import nn

from videmo.errors import InputError, check_positive
from videmo.models.scopes import ScopeName

WITHIN: dict[ScopeName, str] = {
    "vision": r"model\.visual\.blocks\.",
    "merger": r"model\.visual\.merger\.",
    "language": r"model\.language_model\.",
}


@dataclass(frozen=True)
class Lora:
    """The adapters of the scopes whose mode is ``lora``.

    Attributes:
        rank: Of the two matrices whose product is added to a weight.
        alpha: The product is scaled by alpha / rank.
        dropout: Share of an adapter's input that is zeroed in training.
        rslora: Scales by alpha / sqrt(rank) instead (Kalajdzievski 2023).
        dora: Learns the length of the weight's columns apart from their direction (Liu et al. 2024); slower.
        language_targets: Layers of the language model with an adapter, by the end of their names.
        vision_targets: Of the vision tower's blocks.
        merger_targets: Of the merger.
    """

    rank: int = 16
    alpha: float = 32
    dropout: float = 0.0
    rslora: bool = False
    dora: bool = False
    language_targets: list[str] = field(
        default_factory=lambda: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    )
    vision_targets: list[str] = field(
        default_factory=lambda: ["attn.qkv", "attn.proj", "gate_proj", "up_proj", "down_proj"]
    )
    merger_targets: list[str] = field(default_factory=lambda: ["mlp.0", "mlp.2"])

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise InputError(f"lora.rank must be at least 1, got {self.rank}")
        check_positive("lora.alpha", self.alpha)
        if not 0 <= self.dropout < 1:
            raise InputError(f"lora.dropout is a share of the inputs, from 0 to below 1; got {self.dropout}")

    def targets(self, scope: ScopeName) -> list[str]:
        return getattr(self, f"{scope}_targets")


def lora_config(lora: Lora, scopes: Collection[ScopeName]) -> LoraConfig:
    """peft's form of the settings, for the scopes that have adapters."""
    patterns = [
        rf"{WITHIN[scope]}(?:.*\.)?(?:{'|'.join(map(re.escape, lora.targets(scope)))})"
        for scope in WITHIN
        if scope in scopes
    ]
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,  # pyrefly: ignore[bad-argument-type]  (any number)
        lora_dropout=lora.dropout,
        use_rslora=lora.rslora,
        use_dora=lora.dora,
        target_modules="|".join(patterns),
    )


def add_adapters(model: nn.Module, lora: Lora, scopes: Collection[ScopeName]) -> None:
    """Put adapters into a model, in place; they change nothing before they have learnt.

    Raises:
        InputError: If a target names no layer.
    """
    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    for scope in scopes:
        inside = [name for name in linear if re.match(WITHIN[scope], name)]
        unknown = [t for t in lora.targets(scope) if not any(name.endswith(f".{t}") for name in inside)]
        if unknown or not lora.targets(scope):
            raise InputError(
                f"lora.{scope}_targets: {' '.join(map(repr, unknown)) or 'an empty list'} names no linear layer of the "
                f"{scope} scope; there are {', '.join(Lora().targets(scope))}"
            )
    inject_adapter_in_model(lora_config(lora, scopes), model)
