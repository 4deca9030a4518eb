"""What of the model trains: the vision tower's blocks, its merger and the language model, each as its scope says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from rich.table import Table
from torch import nn

ScopeName = Literal["vision", "merger", "language"]
SCOPES: tuple[ScopeName, ...] = get_args(ScopeName)


@dataclass(frozen=True)
class Scope:
    """How a part of the model trains.

    Attributes:
        mode: ``full`` trains its weights, ``lora`` adapters beside them, ``frozen`` nothing.
        learning_rate: Its peak; the module's where it has none of its own. A stage's rate changes all in proportion.
        activation_checkpointing: Keeps of each block its input alone, and computes it once more in backward: a third
            more time for most of the activations' memory. The merger has no blocks.
    """

    mode: Literal["full", "lora", "frozen"] = "full"
    learning_rate: float | None = None
    activation_checkpointing: bool = False


Scopes = Mapping[ScopeName, Scope]


def scope_of(name: str) -> ScopeName:
    """The scope of a parameter; embeddings and output head are of the language model.

    >>> [scope_of(f"backbone.model.{name}.weight") for name in ("model.visual.blocks.0.attn.qkv", "lm_head")]
    ['vision', 'language']
    >>> scope_of("model.visual.merger.mlp.0.lora_A.default.weight")
    'merger'
    """
    if "visual.merger." in name:
        return "merger"
    return "vision" if "visual." in name else "language"


class Count(NamedTuple):
    """The size of a scope.

    Attributes:
        trained: Parameters that train.
        total: All parameters, those packed into 4 bits counted as what they stand for.
        num_bytes: Of all weights as they are held, over all processes that share them.
    """

    trained: int
    total: int
    num_bytes: int


def count_scopes(named_parameters: Iterable[tuple[str, nn.Parameter]]) -> dict[ScopeName, Count]:
    """The size of every scope; a weight that two names share (tied embeddings) counts once."""
    counts = {name: Count(0, 0, 0) for name in SCOPES}
    seen: set[int] = set()
    for name, p in named_parameters:
        if id(p) in seen:
            continue
        seen.add(id(p))
        scope = scope_of(name)
        trained, total, num_bytes = counts[scope]
        size, held = _size(p)
        counts[scope] = Count(trained + p.requires_grad * size, total + size, num_bytes + held)
    return counts


def _size(p: nn.Parameter) -> tuple[int, int]:
    """Parameters and bytes of a weight; ZeRO-3 hides the one, bitsandbytes packs it."""
    if hasattr(p, "quant_state"):
        size = p.quant_state.shape.numel() if p.quant_state else p.numel()  # none before it is packed
        return size, size // 2 + size // 64 + 4 * (size // (64 * 256))
    size = getattr(p, "ds_numel", p.numel())
    return size, size * p.element_size()


def scope_table(counts: Mapping[ScopeName, Count], scopes: Scopes, learning_rate: float) -> Table:
    """What trains, a line a scope and their sum.

    Args:
        counts: Of ``count_scopes``.
        scopes: Of the model.
        learning_rate: Where a scope has none of its own.
    """
    table = Table("scope", "mode", title="what trains", title_justify="left")
    for column in ("trained", "parameters", "weights", "learning rate"):
        table.add_column(column, justify="right")
    for name, count in counts.items():
        scope = scopes[name]
        rate = f"{scope.learning_rate or learning_rate:g}" if count.trained else "-"
        table.add_row(name, scope.mode, f"{count.trained:,}", f"{count.total:,}", _megabytes(count.num_bytes), rate)
    table.add_section()
    trained, total, num_bytes = (sum(column) for column in zip(*counts.values(), strict=True))
    share = f"{100 * trained / total:.2g}%" if trained < total else "all"
    table.add_row("all", share, f"{trained:,}", f"{total:,}", _megabytes(num_bytes), "")
    return table


def _megabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:,.1f} MB"
