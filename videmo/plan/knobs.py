"""What to turn when a run does not fit: each knob with the peak that it would give, the gentlest first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from videmo.models.scopes import ScopeName
from videmo.plan.memory import Batch, Memory, Setup, predict


@dataclass(frozen=True)
class Knob:
    """A change of the options.

    Attributes:
        option: What to write.
        memory: What a rank would then need at its peak.
    """

    option: str
    memory: Memory


def knobs(setup: Setup, batch_size: int) -> list[Knob]:
    """Changes that lower the peak of a rank.

    Args:
        setup: As it is.
        batch_size: Samples a micro-batch has.
    """
    return [Knob(option, predict(changed)) for option, changed in _changes(setup, batch_size)]


def _changes(setup: Setup, batch_size: int) -> Iterator[tuple[str, Setup]]:
    rows = setup.batch.rows
    if rows > 1:
        part, batch = 1 / rows, setup.batch
        learned, patches, frames = (round(size * part) for size in (batch.learned, batch.patches, batch.frames))
        one = Batch(1, batch.row, learned, patches, frames)
        few = 1 << (max(1, int(batch_size * part)).bit_length() - 1)  # a power of 2 divides most steps
        yield f"data.batch_size={few} (one row; the accumulation keeps the step)", replace(setup, batch=one)
    learn: list[ScopeName] = [name for name in ("language", "vision") if setup.computing[name].mode != "frozen"]
    for count in range(1, len(learn) + 1):
        if not setup.checkpointing.issuperset(learn[:count]):
            option = " and ".join(f"model.{name}.activation_checkpointing=true" for name in learn[:count])
            yield option, replace(setup, checkpointing=setup.checkpointing | frozenset(learn[:count]))
    eight_bits, cut = setup.optimizer.endswith("_8bit"), setup.sharding not in ("none", "ddp")
    full = [name for name, computing in setup.computing.items() if computing.mode == "full"]
    if "vision" in full and "language" in full:
        yield "model.vision.mode=frozen", _with(setup, "vision", "frozen")
    if setup.optimizer == "adamw" and not setup.deepspeed and setup.sharding != "fsdp2":
        yield "model.optimizer=adamw_8bit", replace(setup, optimizer="adamw_8bit")
    if setup.world > 1 and not cut and "language" in full and not eight_bits:
        yield "configs/trainer/fsdp2.yaml", replace(setup, sharding="fsdp2")
    if setup.world == 1 and "language" in full and not eight_bits:
        yield "configs/trainer/fsdp2.yaml on 8 GPUs", replace(setup, sharding="fsdp2", world=8)
    if "language" in full:
        lora = setup
        for name in ("vision", "merger"):
            lora = _with(lora, name, "frozen", held=2)
        lora = replace(_with(lora, "language", "lora", held=2), checkpointing=frozenset({"language"}))
        yield "configs/lora.yaml", lora
        if not cut:
            yield "configs/lora.yaml and configs/qlora.yaml", _packed(lora)
    elif setup.computing["language"].mode == "lora" and not setup.weights["language"].packed and not cut:
        yield "configs/qlora.yaml", _packed(setup)


def _with(setup: Setup, name: ScopeName, mode: Literal["lora", "frozen"], held: int | None = None) -> Setup:
    """Another mode of a scope; its adapters are those of configs/lora.yaml: rank 16, dropout, all linear layers.

    Args:
        setup: As it is.
        name: Of the scope.
        mode: ``lora`` or ``frozen``.
        held: Bytes of a weight of its base; as it is by default.
    """
    part, old, shape = setup.weights[name], setup.computing[name], setup.shape
    rank, lora = 16, mode == "lora"
    adapters = shape.layers * rank * sum(into + out for into, out in shape.layer_widths.values()) if lora else 0
    held = held or setup.held[name]
    adapted = tuple(shape.layer_widths) if lora else ()
    computing = replace(old, mode=mode, residual=held, rank=rank, adapted=adapted, dropout=1)
    return replace(
        setup,
        weights={**setup.weights, name: replace(part, trained=adapters, adapters=adapters)},
        computing={**setup.computing, name: computing},
        held={**setup.held, name: held},
    )


def _packed(setup: Setup) -> Setup:
    """The language model in 4 bits, as configs/qlora.yaml has it."""
    part, computing = setup.weights["language"], setup.computing["language"]
    return replace(
        setup,
        optimizer="paged_adamw_8bit",
        weights={**setup.weights, "language": replace(part, packed=part.matrices)},
        computing={**setup.computing, "language": replace(computing, residual=4)},
        held={**setup.held, "language": 2},
    )
