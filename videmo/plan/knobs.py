"""What to turn when a run does not fit: each knob with the peak that it would give, the gentlest first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from videmo.plan.memory import Memory, Setup, predict


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
        one = replace(batch, rows=1, learned=round(batch.learned * part), patches=round(batch.patches * part), frames=1)
        few = max(1, round(batch_size * part))
        yield f"data.batch_size={few} (one row; the accumulation keeps the step)", replace(setup, batch=one)
    full = [name for name, computing in setup.computing.items() if computing.mode == "full"]
    if "vision" in full and "language" in full:
        yield "model.vision.mode=frozen", _with(setup, "vision", "frozen")
    if setup.optimizer == "adamw" and not setup.deepspeed:
        yield "model.optimizer=adamw_8bit", replace(setup, optimizer="adamw_8bit")
    if setup.world > 1 and setup.sharding in ("none", "ddp") and "language" in full:
        yield "configs/trainer/fsdp2.yaml", replace(setup, sharding="fsdp2")
    if "language" in full:
        lora = setup
        for name in ("vision", "merger"):
            lora = _with(lora, name, "frozen")
        lora = _with(lora, "language", "lora")
        yield "configs/lora.yaml", lora
        yield "configs/lora.yaml and configs/qlora.yaml", _packed(lora)
    elif setup.computing["language"].mode == "lora" and not setup.weights["language"].packed:
        yield "configs/qlora.yaml", _packed(setup)


def _with(setup: Setup, name: str, mode: str) -> Setup:
    """Another mode of a scope; its adapters are of rank 16 on all linear layers, as configs/lora.yaml has it."""
    part, old, shape = setup.weights[name], setup.computing[name], setup.shape
    names = tuple(shape.layer_matrices) if mode == "lora" else ()
    rank, adapters = 16, 0
    if mode == "lora":
        widths = shape.layer_widths.values()
        adapters = shape.layers * rank * sum(into + out for into, out in widths)
    weights = replace(part, trained=adapters, adapters=adapters)
    computing = replace(old, mode=mode, residual=2, rank=rank, adapted=names)
    return replace(
        setup,
        weights={**setup.weights, name: weights},
        computing={**setup.computing, name: computing},
        held={**setup.held, name: 2},
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
