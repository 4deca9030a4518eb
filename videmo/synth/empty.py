"""Clips without anybody: rooms and landscapes, plain colours, black, noise; to learn what cannot be answered."""

import numpy as np

from videmo.synth.geometry import SIZE
from videmo.synth.motion import NUM_FRAMES
from videmo.synth.scene import BACKGROUNDS, background

KINDS = (*BACKGROUNDS, "black", "colour", "noise", "stripes")


def draw_empty(number: int) -> np.ndarray:
    """All frames of a clip that shows nobody, the same for the same number.

    Returns:
        RGB frames, uint8.  # [16, 128, 128, 3]
    """
    rng, kind = np.random.default_rng([number, 7]), KINDS[number % len(KINDS)]
    if kind == "noise":
        return rng.integers(0, 256, (NUM_FRAMES, SIZE, SIZE, 3), dtype=np.uint8)
    if kind == "black":
        still = np.full((SIZE, SIZE, 3), rng.integers(0, 24), dtype=np.uint8)
    elif kind == "colour":
        still = np.broadcast_to(rng.integers(0, 256, 3, dtype=np.uint8), (SIZE, SIZE, 3))
    elif kind == "stripes":
        ramp = np.arange(SIZE) * int(rng.integers(1, 9)) % 256
        planes = np.broadcast_arrays(ramp[:, None], ramp[None], np.full((SIZE, SIZE), rng.integers(0, 256)))
        still = np.stack(planes, axis=-1).astype(np.uint8)[..., rng.permutation(3)]
    else:
        still = np.asarray(background(kind, rng, SIZE + NUM_FRAMES).convert("RGB"))
        return np.stack([still[:SIZE, shift : shift + SIZE] for shift in range(NUM_FRAMES)])
    step = int(rng.integers(0, 4))
    return np.stack([np.roll(still, step * number, axis=1) for number in range(NUM_FRAMES)])
