"""Floating-point operations of a micro-batch, and the time that they take at an assumed utilisation.

A product with a matrix of n weights takes 2 n operations a token forward, 2 n for the gradient of its input, and 2 n
for that of its weight where it trains. Attention over S tokens takes 4 S H a token and layer forward and twice that
backward, where S is what a token sees. These are the model's operations, which utilisation (MFU) is about: what is
computed once more to save memory, or multiplied though a mask hides it, is no part of them. Vectors, norms and adapters
are left out.
"""

import re
from collections.abc import Mapping

from videmo.models.scopes import ScopeName
from videmo.plan.activations import Mode
from videmo.plan.shape import Shape
from videmo.plan.work import Work

MFU = 0.35
"""Model FLOPs utilisation that is assumed: what well-tuned training of this size reaches on one node is 0.3 to 0.5."""
PEAK_TFLOPS: Mapping[str, float] = {
    "H200 NVL": 835,
    "H200": 989,
    "H100 PCIe": 756,
    "H100 NVL": 835,
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
"""Dense bfloat16, by words that a device's name holds; the first that fits."""
OTHER_CARDS = frozenset({"MIG", "Ti", "D", "Laptop"})
"""Words that make a name that of another card, or of a slice of one."""


def peak_tflops(device: str) -> float | None:
    """Of a device by its name; None of one that is not known.

    >>> [peak_tflops(f"NVIDIA {name}") for name in ("H100 80GB HBM3", "H100 PCIe", "RTX A4000", "H100 MIG 1g.10gb")]
    [989, 756, None, None]
    """
    words = set(re.split(r"[\s-]+", device))
    if words & OTHER_CARDS:
        return None
    return next((value for name, value in PEAK_TFLOPS.items() if words.issuperset(name.split())), None)


def count_flops(shape: Shape, work: Work, modes: Mapping[ScopeName, Mode]) -> float:
    """Operations of forward and backward of one micro-batch on one rank.

    Args:
        shape: Of the model.
        work: What it is computed on.
        modes: How the scopes train.
    """
    layers = 2 * work.tokens * shape.layers * shape.layer_weights
    attention = 4 * work.tokens * work.seen * shape.hidden * shape.layers
    head = 2 * work.learned * shape.head
    blocks = 2 * work.patches * (shape.depth * shape.block_weights + shape.patch * shape.width)
    frame = work.patches / max(1, work.frames)
    seen = shape.full_blocks * frame + (shape.depth - shape.full_blocks) * shape.window**2
    looking = 4 * work.patches * seen * shape.width
    merger = 2 * work.patches / shape.merge * shape.merger_weights
    full = {name: mode == "full" for name, mode in modes.items()}
    blocks_learn = modes["vision"] != "frozen"
    tower_learns = blocks_learn or modes["merger"] != "frozen"
    language_learns = tower_learns or modes["language"] != "frozen"  # gradients pass it to the features of videos
    return (
        _trained(blocks, looking, blocks_learn, full["vision"])
        + _trained(merger, 0, tower_learns, full["merger"])
        + _trained(layers, attention, language_learns, full["language"])
        + _trained(head, 0, language_learns, full["language"])
    )


def _trained(products: float, attention: float, learns: bool, full: bool) -> float:
    """Forward and backward, from the operations of the forward."""
    return products * (1 + learns + (learns and full)) + attention * (1 + 2 * learns)
