"""The vision tower as we run it against transformers' own: the same numbers, forward and backward, on any grid."""

import pytest
import torch
from transformers.models.qwen2_5_vl.configuration_qwen2_5_vl import Qwen2_5_VLVisionConfig
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VisionTransformerPretrainedModel

from videmo.models.vision import speed_up

CONFIG = Qwen2_5_VLVisionConfig(
    depth=3, hidden_size=64, intermediate_size=96, num_heads=2, out_hidden_size=48, fullatt_block_indexes=[1]
)
TOLERANCE = 1e-5


def tower() -> Qwen2_5_VisionTransformerPretrainedModel:
    torch.manual_seed(0)
    config = CONFIG.__class__(**CONFIG.to_dict(), attn_implementation="sdpa")
    return Qwen2_5_VisionTransformerPretrainedModel._from_config(config)


def random_grids(seed: int) -> torch.Tensor:
    """One to three clips of 1 to 3 temporal patches, 2 to 22 patches high and wide.  # [V, 3]"""
    generator = torch.Generator().manual_seed(seed)

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=generator))

    return torch.tensor([[draw(1, 3), 2 * draw(1, 11), 2 * draw(1, 11)] for _ in range(draw(1, 3))])


@pytest.mark.parametrize("seed", range(20))
def test_tokens_and_gradients_are_those_of_transformers(seed):
    plain, ours = tower(), speed_up(tower())
    grid = random_grids(seed)
    patches = torch.randn(int(grid.prod(1).sum()), 3 * 2 * 14 * 14, generator=torch.Generator().manual_seed(seed))
    tokens = []
    for model in (plain, ours):
        out = model(patches, grid_thw=grid).pooler_output
        out.pow(2).sum().backward()
        tokens.append(out)
    torch.testing.assert_close(tokens[1], tokens[0], atol=TOLERANCE, rtol=TOLERANCE)
    for (name, expected), found in zip(plain.named_parameters(), ours.parameters(), strict=True):
        scale = expected.grad.abs().max()
        torch.testing.assert_close(
            found.grad / scale,
            expected.grad / scale,
            atol=TOLERANCE,
            rtol=0,
            msg=lambda text, name=name: f"{name}: {text}",
        )


def test_every_block_is_one_graph_for_windows_of_any_lengths():
    ours = speed_up(tower())
    compiled = speed_up(tower())
    for block in compiled.blocks:
        block.compile(backend="eager", dynamic=True, fullgraph=True)  # which fails where a graph breaks
    for seed in (0, 3):
        grid = random_grids(seed)
        patches = torch.randn(int(grid.prod(1).sum()), 1176)
        expected, found = (model(patches, grid_thw=grid).pooler_output for model in (ours, compiled))
        torch.testing.assert_close(found, expected, atol=TOLERANCE, rtol=TOLERANCE)


def test_parameters_keep_their_names():
    assert speed_up(tower()).state_dict().keys() == tower().state_dict().keys()


def test_eager_attention_stays_transformers_own():
    config = CONFIG.__class__(**CONFIG.to_dict(), attn_implementation="eager")
    torch.manual_seed(0)
    eager = speed_up(Qwen2_5_VisionTransformerPretrainedModel._from_config(config))
    grid = random_grids(3)
    patches = torch.randn(int(grid.prod(1).sum()), 1176)
    torch.testing.assert_close(
        eager(patches, grid_thw=grid).pooler_output,
        speed_up(tower())(patches, grid_thw=grid).pooler_output,
        atol=1e-4,
        rtol=1e-4,
    )
