"""The vision tower as videmo runs it against transformers' own: equal on random grids, and how much faster.

python tools/bench_vit.py --layers 4 --repeats 5

The tower has the published widths and random weights. Both are timed in turns, forward and backward, on a clip of the
release's size: 16 frames of 280 x 364. The last line is JSON: the largest difference of tokens and of gradients
(relative to each tensor's largest entry) over 20 grids, the median seconds of both, and their ratio.
"""

import argparse
import json
import time
from statistics import median

import torch
from transformers.models.qwen2_5_vl.configuration_qwen2_5_vl import Qwen2_5_VLVisionConfig
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VisionTransformerPretrainedModel

from videmo.models.vision import speed_up

RELEASE_GRID = torch.tensor([[8, 20, 26]])
NUM_GRIDS = 20


def make_tower(layers: int, device: str) -> Qwen2_5_VisionTransformerPretrainedModel:
    """A tower of the published widths, every fourth layer with full attention; the same weights every time."""
    torch.manual_seed(0)
    config = Qwen2_5_VLVisionConfig(
        depth=layers,
        hidden_size=1280,
        intermediate_size=3420,
        num_heads=16,
        out_hidden_size=2048,
        fullatt_block_indexes=list(range(3, layers, 4)),
        attn_implementation="sdpa",
    )
    return Qwen2_5_VisionTransformerPretrainedModel._from_config(config).to(device)


def run(tower, patches: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """Tokens after a forward, with the gradients of a backward left in the tower."""
    tower.zero_grad()
    tokens = tower(patches, grid_thw=grid).pooler_output
    tokens.pow(2).mean().backward()
    return tokens.detach()


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max().clamp(min=1e-12))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    plain = make_tower(arguments.layers, arguments.device)
    ours = speed_up(make_tower(arguments.layers, arguments.device))

    generator = torch.Generator().manual_seed(0)
    tokens_differ = gradients_differ = 0.0
    for _ in range(NUM_GRIDS):
        count = int(torch.randint(1, 3, (), generator=generator))
        sides = 2 * torch.randint(1, 9, (count, 2), generator=generator)
        grid = torch.cat([torch.randint(1, 3, (count, 1), generator=generator), sides], dim=1)  # [V, 3]
        patches = torch.randn(int(grid.prod(1).sum()), 1176, generator=generator).to(arguments.device)
        expected, found = (run(tower, patches, grid.to(arguments.device)) for tower in (plain, ours))
        tokens_differ = max(tokens_differ, relative(found, expected))
        pairs = zip(ours.parameters(), plain.parameters(), strict=True)
        gradients_differ = max(gradients_differ, *(relative(a.grad, b.grad) for a, b in pairs))

    patches = torch.randn(int(RELEASE_GRID.prod()), 1176, generator=generator).to(arguments.device)
    seconds: dict[str, list[float]] = {"transformers": [], "videmo": []}
    for _ in range(arguments.repeats + 1):
        for name, tower in (("transformers", plain), ("videmo", ours)):
            start = time.perf_counter()
            run(tower, patches, RELEASE_GRID.to(arguments.device))
            if arguments.device != "cpu":
                torch.cuda.synchronize()
            seconds[name].append(time.perf_counter() - start)
    medians = {name: median(times[1:]) for name, times in seconds.items()}  # the first warms up
    print(
        json.dumps(
            {
                "max_diff": max(tokens_differ, gradients_differ),
                "tokens_diff": tokens_differ,
                "gradients_diff": gradients_differ,
                "speedup": round(medians["transformers"] / medians["videmo"], 3),
                "seconds": {name: round(value, 3) for name, value in medians.items()},
                "layers": arguments.layers,
                "grid": RELEASE_GRID[0].tolist(),
                "device": torch.cuda.get_device_name() if arguments.device != "cpu" else "cpu",
            }
        )
    )


if __name__ == "__main__":
    main()
