"""The sizes that a plan computes with are those of the model."""

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
    model = meta_model(published_config(size))
    assert HAND[size] == {name: count.total for name, count in count_scopes(model.named_parameters()).items()}
    assert_sizes(model)


def test_a_small_model(checkpoint):
    assert_sizes(meta_model(AutoConfig.from_pretrained(checkpoint)))


def meta_model(config):
    with torch.device("meta"):
        return Qwen2_5_VLForConditionalGeneration._from_config(config)


def assert_sizes(model):
    """The weights of matrices, and how many layers and blocks have them, are those of the model's modules."""
    shape, layers, tower = Shape.of(model.config), model.model.language_model.layers, model.model.visual
    linear = {name.rsplit(".", 1)[-1]: m for name, m in layers[0].named_modules() if isinstance(m, torch.nn.Linear)}
    assert shape.layer_widths == {name: (m.in_features, m.out_features) for name, m in linear.items()}
    assert (shape.layers, shape.depth) == (len(layers), len(tower.blocks))
    assert shape.layer_weights == matrices(layers[0])
    assert shape.block_weights == matrices(tower.blocks[0])
    assert shape.merger_weights == matrices(tower.merger)
    assert shape.head == model.lm_head.weight.numel()
    assert shape.tied == (model.lm_head.weight is model.model.language_model.embed_tokens.weight)
    assert shape.patch * shape.width == tower.patch_embed.proj.weight.numel()


def matrices(module):
    return sum(p.numel() for p in module.parameters() if p.ndim == 2)
