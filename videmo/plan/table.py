"""How a plan reads at 100 columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from videmo.plan.knobs import Knob
from videmo.plan.memory import Memory, Setup
from videmo.plan.workload import Workload


@dataclass(frozen=True)
class Time:
    """How long a run takes at an assumed utilisation.

    Attributes:
        mfu: Assumed.
        peak_tflops: Of one GPU.
        flops: Of a micro-batch of average size.
        seconds: An optimizer step.
        steps: Of the stages; None where nobody knows.
    """

    mfu: float
    peak_tflops: float
    flops: float
    seconds: float
    steps: Sequence[int | None]

    @property
    def hours(self) -> float | None:
        """Of the run, validation and checkpoints left out."""
        known = [steps for steps in self.steps if steps is not None]
        return sum(known) * self.seconds / 3600 if known and len(known) == len(self.steps) else None


@dataclass(frozen=True)
class Plan:
    """All that ``videmo plan`` says.

    Attributes:
        setup: What it was computed of.
        memory: The peak of a rank.
        checkpointed: The same with activation checkpointing in all blocks.
        work: Tokens and steps.
        time: Of the run.
        precision: Of the trainer.
        gpu_memory: GB of one GPU, where it is known.
        knobs: What lowers the peak.
    """

    setup: Setup
    memory: Memory
    checkpointed: Memory
    work: Workload
    time: Time
    precision: str
    gpu_memory: float | None
    knobs: tuple[Knob, ...]

    @property
    def fits(self) -> bool:
        """Whether a GPU holds it; true where none is named."""
        return self.gpu_memory is None or self.memory.peak <= self.gpu_memory * 1e9


def show(made: Plan, console: Console) -> None:
    """Print a plan."""
    console.print(_scopes(made))
    console.print(_workload(made))
    console.print(_memory(made))
    console.print(_verdict(made))


def _scopes(made: Plan) -> Table:
    table = Table("scope", "mode", title="what trains", title_justify="left")
    for column in ("trained", "parameters"):
        table.add_column(column, justify="right")
    weights = made.setup.weights
    for name, part in weights.items():
        bits = " in 4 bits" if part.packed else ""
        table.add_row(name, made.setup.computing[name].mode + bits, f"{part.trained:,}", f"{part.total:,}")
    table.add_section()
    table.add_row("all", "", f"{made.setup.trained:,}", f"{sum(part.total for part in weights.values()):,}")
    return table


def _workload(made: Plan) -> Table:
    work, time = made.work, made.time
    table = Table("", "", title="what is computed", title_justify="left", show_header=False)
    table.add_row("seen in", work.source)
    table.add_row("tokens", f"{work.tokens / work.samples:,.0f} a sample, {work.tokens:,.0f} a micro-batch")
    mean, largest = work.mean, work.largest
    table.add_row("micro-batch", f"{work.samples:.1f} samples: {mean.rows} rows of {mean.row:,} on average")
    table.add_row("largest", f"{largest.rows} rows of {largest.row:,}, {largest.learned:,} learned tokens")
    table.add_row("step", f"{work.micro_batches} micro-batches on each of {made.setup.world} device(s)")
    for stage in work.stages:
        steps = "?" if stage.steps is None else f"{stage.steps:,}"
        epochs = "" if stage.epochs is None else f", {stage.epochs} epoch(s)"
        table.add_row(f"stage {stage.name}", f"{steps} optimizer steps{epochs}")
    table.add_row("operations", f"{time.flops / 1e12:,.2f} TFLOP a micro-batch, forward and backward")
    hours = "" if time.hours is None else f"; the run {time.hours:,.1f} hours without validation"
    table.add_row("time", f"{time.seconds:,.2f} s a step{hours}")
    table.add_row("", f"assumed: {100 * time.mfu:.0f}% of {time.peak_tflops:,.0f} TFLOP/s (--mfu, --peak_tflops)")
    return table


def _memory(made: Plan) -> Table:
    setup = made.setup
    title = f"peak memory of a GPU: {setup.sharding}, {setup.world} device(s), {made.precision}, {setup.optimizer}"
    table = Table("part", title=title, title_justify="left")
    table.add_column("GB", justify="right")
    table.add_column("with activation checkpointing", justify="right")
    parts = {
        "weights": "weights",
        "gradients": "gradients",
        "optimizer": "optimizer states",
        "vision": "activations, vision and merger",
        "language": "activations, language",
        "casts": "weights cast by autocast",
        "loss": "loss: a chunk of logits, the head",
        "buffers": "mask, patches, gathered layers",
        "fragmentation": "fragmentation and CUDA context",
    }
    for name, text in parts.items():
        table.add_row(text, *(_gb(getattr(memory, name)) for memory in (made.memory, made.checkpointed)))
    table.add_section()
    table.add_row("peak", _gb(made.memory.peak), _gb(made.checkpointed.peak))
    return table


def _verdict(made: Plan) -> str:
    need = made.memory.peak / 1e9
    if made.gpu_memory is None:
        return f"A GPU needs {need:.1f} GB; --gpu_memory 24 tells what to turn on one of 24 GB."
    have = f"{made.gpu_memory:.0f} GB"
    if made.fits:
        return f"It fits: {need:.1f} GB of {have}."
    better = sorted((k for k in made.knobs if k.memory.peak < made.memory.peak), key=lambda k: -k.memory.peak)
    lines = [f"It does not fit: {need:.1f} GB on a GPU of {have}. What to turn, each alone:"]
    for knob in better:
        fits = "fits" if knob.memory.peak <= made.gpu_memory * 1e9 else "not enough"
        lines.append(f"  {knob.option}: {knob.memory.peak / 1e9:.1f} GB, {fits}")
    if not any(knob.memory.peak <= made.gpu_memory * 1e9 for knob in better):
        lines.append("  then smaller rows: data.max_branches, data.max_tokens, data.video.max_pixels")
    return "\n".join(lines)


def _gb(num_bytes: float) -> str:
    return f"{num_bytes / 1e9:,.2f}" if num_bytes else "-"
