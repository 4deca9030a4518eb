"""Bytes become the tower's floats by the statistics of CLIP; floats stay what they are."""

import torch

from videmo.pixels import CHANNEL_MEAN, CHANNEL_STD, normalise


def test_bytes_are_normalised_by_channel():
    patches = torch.randint(0, 256, (5, 3 * 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    values = normalise(patches)
    assert values.dtype == torch.float32
    by_hand = patches.double().view(5, 3, 8) / 255
    by_hand = (by_hand - torch.tensor(CHANNEL_MEAN).double().view(3, 1)) / torch.tensor(CHANNEL_STD).double().view(3, 1)
    torch.testing.assert_close(values.view(5, 3, 8).double(), by_hand, atol=1e-5, rtol=0)


def test_floats_pass_through():
    patches = torch.randn(2, 12)
    assert normalise(patches) is patches
