"""Bytes of pixels -> what the vision tower computes with, by CLIP's statistics.

Patches travel from the loader to the tower as bytes, a quarter of the size of floats, and are normalised on its device.
"""

import torch
from torch import Tensor

CHANNEL_MEAN = (0.48145466, 0.4578275, 0.40821073)  # of red, green and blue, for values from 0 to 1
CHANNEL_STD = (0.26862954, 0.26130258, 0.27577711)


def normalise(patches: Tensor) -> Tensor:
    """Normalised patches in float32; those that are floats already pass through (0 is the mean colour).

    Args:
        patches: uint8, a patch's values by channel first.  # [P, 3 * temporal_patch * patch * patch]

    >>> normalise(torch.tensor([[0, 127, 255]], dtype=torch.uint8)).numpy().round(2).tolist()
    [[-1.7899999618530273, 0.15000000596046448, 2.1500000953674316]]
    """
    if patches.is_floating_point():
        return patches
    values = patches.shape[-1] // len(CHANNEL_MEAN)
    mean = torch.tensor(CHANNEL_MEAN, device=patches.device).mul(255).repeat_interleave(values)
    std = torch.tensor(CHANNEL_STD, device=patches.device).mul(255).repeat_interleave(values)
    return patches.float().sub(mean).div_(std)
