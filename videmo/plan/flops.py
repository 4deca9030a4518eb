"""Floating-point operations of a micro-batch, and the time that they take at an assumed utilisation.

A product with a matrix of n weights takes 2 n operations a token forward, 2 n for the gradient of its input, and 2 n
for that of its weight where it trains. Attention over S tokens takes 4 S H a token and layer forward and twice that
backward; under a tree mask the kernels compute what it hides, so all of S counts. Checkpointing computes a forward
once more, and the loss the head's. Vectors and norms are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from videmo.models.scopes import ScopeName
from videmo.plan.memory import Setup

MFU = 0.35
"""Model FLOPs utilisation that is assumed: what well-tuned training of this size reaches on one node is 0.3 to 0.5."""
PEAK_TFLOPS: Mapping[str, float] = {
    "H200": 989,
    "H100": 989,
    "A100": 312,
    "L40S": 362,
    "L40": 181,
    "A40": 150,
    "A10": 125,
    "L4": 121,
    "RTX 5090": 210,
    "RTX 4090": 165,
    "RTX 3090": 71,
}
"""Dense bfloat16, by what a device's name holds."""


def peak_tflops(device: str) -> float | None:
    """Of a device by its name; None of one that is not known.

    >>> peak_tflops("NVIDIA H100 80GB HBM3"), peak_tflops("Radeon")
    (989, None)
    """
    return next((value for name, value in PEAK_TFLOPS.items() if name in device), None)


@dataclass(frozen=True)
class Flops:
    """Operations of one micro-batch on one rank."""

    vision: float
    language: float
    head: float

    @property
    def total(self) -> float:
        return self.vision + self.language + self.head


def count_flops(setup: Setup) -> Flops:
    """Forward and backward of a micro-batch."""
    shape, batch = setup.shape, setup.batch
    language = 2 * batch.tokens * shape.layers * sum(shape.layer_matrices.values())
    attention = 4 * batch.tokens * batch.row * shape.hidden * shape.layers
    head = 2 * batch.learned * shape.head
    blocks = shape.depth * sum(shape.block_matrices.values()) + shape.patch * shape.width
    vision = 2 * batch.patches * blocks
    frame = batch.patches / max(1, batch.frames)
    seen = shape.full_blocks * frame + (shape.depth - shape.full_blocks) * shape.window**2
    looking = 4 * batch.patches * seen * shape.width
    merger = 2 * batch.patches / shape.merge * sum(shape.merger_matrices.values())
    return Flops(
        vision=_trained(setup, "vision", vision, looking, setup.computing["vision"].mode != "frozen")
        + _trained(setup, "merger", merger, 0, setup.tower_learns),
        language=_trained(setup, "language", language, attention, setup.language_learns),
        head=head * (1 + (2 if setup.language_learns else 0) + (setup.computing["language"].mode == "full")),
    )


def _trained(setup: Setup, name: ScopeName, products: float, attention: float, learns: bool) -> float:
    """Forward and backward of a scope, from the operations of its forward."""
    if not learns:
        return products + attention
    again = products + attention if name in setup.checkpointing else 0
    weights = products if setup.computing[name].mode == "full" else 0
    return 2 * products + weights + 3 * attention + again
