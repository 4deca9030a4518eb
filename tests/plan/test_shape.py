"""Parameters of a plan are those of the model."""

import pytest
import torch
from transformers import AutoConfig, Qwen2_5_VLForConditionalGeneration

from videmo.models.scopes import count_scopes
from videmo.plan.shape import Shape
from videmo.pretrained import published_config

# Worked by hand from shared facts. 3B, language: 151936 * 2048 = 311,164,928 embeddings, tied; a layer has
# q 4,196,352, k and v 524,544 each, o 4,194,304, MLP 67,633,152, norms 4,096 = 77,076,992; 36 of them and a norm.
# Vision: patches 1,505,280; a block has qkv 4,919,040, proj 1,639,680, gate and up 4,381,020 each, down 4,378,880,
# norms 2,560. Merger: 1,280 + 26,219,520 + 10,487,808.
HAND = {
    "3b": {
        "vision": 1_505_280 + 32 * (4_919_040 + 1_639_680 + 2 * 4_381_020 + 4_378_880 + 2_560),
        "merger": 1_280 + 26_219_520 + 10_487_808,
        "language": 311_164_928 + 36 * 77_076_992 + 2_048,
    },
    "7b": {
        "vision": 1_505_280 + 32 * (4_919_040 + 1_639_680 + 2 * 4_381_020 + 4_378_880 + 2_560),
        "merger": 1_280 + 26_219_520 + 5_120 * 3_584 + 3_584,
        "language": 2 * 152_064 * 3_584
        + 28 * (2 * 3_584**2 + 3_584 + 2 * (3_584 * 512 + 512) + 3 * 3_584 * 18_944 + 2 * 3_584)
        + 3_584,
    },
}


@pytest.mark.parametrize("size", ["3b", "7b"])
def test_published_sizes_by_hand_and_on_the_meta_device(size):
    config = published_config(size)
    found = Shape.of(config).parameters
    assert found == HAND[size]
    with torch.device("meta"):
        model = Qwen2_5_VLForConditionalGeneration._from_config(config)
    assert found == {name: count.total for name, count in count_scopes(model.named_parameters()).items()}


def test_a_small_model(checkpoint):
    config = AutoConfig.from_pretrained(checkpoint)
    with torch.device("meta"):
        model = Qwen2_5_VLForConditionalGeneration._from_config(config)
    expected = {name: count.total for name, count in count_scopes(model.named_parameters()).items()}
    assert Shape.of(config).parameters == expected
