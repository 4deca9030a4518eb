"""Training at real size on one GPU: memory, speed and MFU beside a plain loop and beside what ``videmo plan`` predicts.

python tools/bench_gpu.py
python tools/bench_gpu.py --rows 3b-lora 3b-full --ways ours plain --steps 8

Random weights of the published sizes; clips of 16 frames at the release's pixel bounds, each with five questions of 80
tokens, half of them learned. Each row trains some steps in a process of its own, so that its peak is its own:

- ``ours``: token trees, FlexAttention, the chunked loss;
- ``ours-sdpa``: the same with a mask; ``ours-compiled``: with compiled blocks;
- ``plain``: transformers and peft as they come, every sample with its own copy of the video, five a micro-batch.

All have the same scopes, precision, optimizer and activation checkpointing. Then the vision tower, forward and
backward, at one clip and at eight, against transformers'. What runs out of memory says so, and the others go on.
It needs torch, transformers and peft; bitsandbytes for the 7B in 4 bits. The last line is JSON.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a bare machine has the folder, and no installation

import torch
from peft import get_peft_model
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from videmo.data.video import Video
from videmo.losses.sft import sft_loss
from videmo.models.adapters import Lora, lora_config
from videmo.models.backbone import Backbone
from videmo.models.quantization import pack
from videmo.models.scopes import SCOPES, Scope, scope_of
from videmo.models.tree_attention import FLEX
from videmo.models.vision import speed_up
from videmo.pixels import normalise
from videmo.plan.flops import count_flops, peak_tflops
from videmo.plan.memory import Batch, predict
from videmo.plan.setup import setup_of
from videmo.plan.shape import Shape
from videmo.plan.work import plain_work, tree_work
from videmo.pretrained import Size, published_config
from videmo.token_tree import IGNORE_INDEX, Segment, TokenLayout, TokenTree, TreeBatch, flatten
from videmo.training.optimizer import Group, OptimizerName, make_optimizer

GRID = (8, 20, 26)  # 16 frames of 280 x 364, 1040 tokens
SMALL_GRID = (2, 4, 6)
QUESTIONS, QUESTION_TOKENS, ANSWER_TOKENS, SYSTEM_TOKENS = 5, 40, 40, 20
VISION_CLIPS = (1, 8)
WARM_UP = 2


@dataclass(frozen=True)
class Row:
    """What is trained.

    Attributes:
        size: Of the model.
        mode: Of the language model: ``full`` with the tower, or ``lora`` beside a frozen one.
        clips: A micro-batch.
        optimizer: As ``model.optimizer`` names it.
        quantization: Of the base.
    """

    size: Size
    mode: str
    clips: int
    optimizer: OptimizerName = "adamw"
    quantization: str | None = None

    @property
    def scopes(self) -> dict[str, Scope]:
        tower = Scope("full" if self.mode == "full" else "frozen", activation_checkpointing=True)
        return {"vision": tower, "merger": tower, "language": Scope(self.mode, activation_checkpointing=True)}

    @property
    def dtype(self) -> torch.dtype:
        return torch.float32 if self.mode == "full" else torch.bfloat16


ROWS = {
    "3b-lora": Row("3b", "lora", clips=4),
    "3b-full": Row("3b", "full", clips=2),
    "7b-lora": Row("7b", "lora", clips=4),
    "7b-qlora": Row("7b", "lora", clips=2, optimizer="paged_adamw_8bit", quantization="nf4"),
}
WAYS = ["ours", "ours-sdpa", "ours-compiled", "plain"]
LORA = Lora(rank=16, alpha=32, dropout=0.05)


def config_of(size: Size, tiny: bool) -> Qwen2_5_VLConfig:
    """The published one, or two narrow layers of it."""
    config = published_config(size)
    if tiny:
        for name, value in {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2}.items():
            setattr(config.text_config, name, value)
        config.text_config.num_attention_heads = config.text_config.num_key_value_heads = 2
        config.text_config.rope_parameters["mrope_section"] = [8, 12, 12]
        for name, value in {"hidden_size": 64, "intermediate_size": 128, "num_heads": 2, "depth": 2}.items():
            setattr(config.vision_config, name, value)
        config.vision_config.out_hidden_size, config.vision_config.fullatt_block_indexes = 128, [1]
    return config


def make_model(row: Row, config: Qwen2_5_VLConfig, device: str) -> Qwen2_5_VLForConditionalGeneration:
    """Random weights, made where they are used."""
    torch.manual_seed(0)
    with torch.device(device):
        return Qwen2_5_VLForConditionalGeneration._from_config(config, dtype=row.dtype, attn_implementation="sdpa")


def make_batch(config: Qwen2_5_VLConfig, clips: int, grid: tuple[int, int, int]) -> TreeBatch:
    """Clips of noise with their questions."""
    layout = TokenLayout.from_config(config, config.text_config.pad_token_id)
    values = config.vision_config.in_channels * config.vision_config.temporal_patch_size * 14 * 14
    trees, generator = [], torch.Generator().manual_seed(0)
    t, h, w = grid
    for clip in range(clips):
        patches = torch.randint(0, 256, (t * h * w, values), generator=generator, dtype=torch.uint8)
        video = Video(patches, grid, 1.0, path=str(clip))
        text = torch.randint(1000, 100_000, (SYSTEM_TOKENS,), generator=generator)
        tree, root = TokenTree(), torch.cat((text, torch.full((video.num_tokens,), layout.video_token_id)))
        start = tree.add(Segment(root, torch.full_like(root, IGNORE_INDEX), (video,)))
        for question in range(QUESTIONS):
            ids = torch.randint(1000, 100_000, (QUESTION_TOKENS + ANSWER_TOKENS,), generator=generator)
            labels = torch.where(torch.arange(len(ids)) < QUESTION_TOKENS, IGNORE_INDEX, ids)
            tree.add(Segment(ids, labels, sample=clip * QUESTIONS + question), start)
        trees.append(tree)
    return flatten(trees, layout)


def computing_in_bfloat16(batch: TreeBatch) -> torch.autocast:
    """As Lightning's bf16-mixed has it: round the forward alone, and no copy of a weight outlives the layer's use."""
    return torch.autocast(batch.input_ids.device.type, torch.bfloat16, cache_enabled=False)


def our_step(row: Row, way: str, model: nn.Module, batch: TreeBatch) -> tuple[nn.Module, Callable[[], Tensor]]:
    """The module that trains, and a step to its loss: as in Lightning, old gradients stay until backward begins."""
    backbone = Backbone(
        model,
        **row.scopes,
        lora=LORA,
        quantization=row.quantization,
        attention="sdpa" if way == "ours-sdpa" else FLEX,
        compile=way == "ours-compiled",
    ).to(batch.input_ids.device)

    def step() -> Tensor:
        with computing_in_bfloat16(batch):
            loss = sft_loss(backbone.score(batch).logps, batch.num_items_in_batch)
        backbone.zero_grad()
        loss.backward()
        return loss.detach()

    return backbone, step


def plain_step(row: Row, model: nn.Module, batch: TreeBatch) -> tuple[nn.Module, Callable[[], Tensor]]:
    """The same samples one by one in rows of their own, as other trainers have them: five a micro-batch."""
    if row.quantization:
        pack(model)
    if row.mode == "lora":
        model = get_peft_model(model, lora_config(LORA, ["language"]))
    model.gradient_checkpointing_enable({"use_reentrant": False})
    model = model.to(batch.input_ids.device).train()
    samples = [plain_sample(batch, model.config.video_token_id, number) for number in range(batch.num_samples)]
    micro_batches = [
        {name: torch.cat([sample[name] for sample in samples[i : i + QUESTIONS]]) for name in samples[0]}
        for i in range(0, len(samples), QUESTIONS)
    ]

    def step() -> Tensor:
        total = torch.zeros((), device=batch.input_ids.device)
        for number, inputs in enumerate(micro_batches):
            patches = normalise(inputs["pixel_values_videos"]).to(row.dtype)
            with computing_in_bfloat16(batch):
                loss = model(**{**inputs, "pixel_values_videos": patches}, use_cache=False).loss / len(micro_batches)
            if number == 0:
                model.zero_grad()
            loss.backward()
            total += loss.detach()
        return total

    return model, step


def plain_sample(batch: TreeBatch, video_token_id: int, number: int) -> dict[str, Tensor]:
    """A sample by itself, with its own copy of its clip."""
    row, leaf = int(batch.leaf_row[number]), int(batch.leaf_column[number])
    columns = torch.arange(batch.input_ids.shape[1], device=batch.input_ids.device)
    own = torch.nonzero((columns <= leaf) & (leaf < batch.subtree_end[row]))[:, 0]
    ids, labels = batch.input_ids[row, own][None], batch.labels[row, own][None]
    clip = number // QUESTIONS
    patches = batch.pixel_values_videos.chunk(len(batch.videos))[clip]
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": 2 * (ids == video_token_id).int(),
        "labels": labels,
        "pixel_values_videos": patches,
        "video_grid_thw": batch.video_grid_thw[clip : clip + 1],
        "second_per_grid_ts": torch.ones(1, device=ids.device),
    }


def train(row: Row, way: str, steps: int, tiny: bool) -> dict[str, Any]:
    """Some optimizer steps: samples a second, TFLOP/s, MFU, bytes at the peak, and the first and last loss."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    config = config_of(row.size, tiny)
    batch = make_batch(config, row.clips, SMALL_GRID if tiny else GRID)
    work = plain_work(batch, config.video_token_id) if way == "plain" else tree_work(batch)
    modes = {name: scope.mode for name, scope in row.scopes.items()}
    flops = count_flops(Shape.of(config), work, modes)
    batch = batch.to(device)
    model = make_model(row, config, device)
    module, step = plain_step(row, model, batch) if way == "plain" else our_step(row, way, model, batch)
    named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    groups = [Group(scope, 1e-5, [(name, p) for name, p in named if scope_of(name) == scope]) for scope in SCOPES]
    optimizer_name = row.optimizer if device == "cuda" else row.optimizer.removeprefix("paged_")
    optimizer = make_optimizer(groups, optimizer_name, weight_decay=0.0, beta2=0.999)
    seconds, losses = [], []
    if device == "cuda":
        torch.cuda.empty_cache()  # a model that was packed was there as a whole before
        torch.cuda.reset_peak_memory_stats()
    for _ in range(WARM_UP + steps):
        start = time.perf_counter()
        losses.append(step())
        torch.nn.utils.clip_grad_norm_([p for _, p in named], 1.0)
        optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    a_step = median(seconds[WARM_UP:])
    card = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    peak = peak_tflops(card)
    return {
        "samples_per_second": round(batch.num_samples / a_step, 2),
        "seconds": round(a_step, 4),
        "first_step_seconds": round(seconds[0], 1),
        "tflops": round(flops / a_step / 1e12, 2),
        "mfu": round(flops / a_step / 1e12 / peak, 4) if peak else None,
        "allocated_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2) if device == "cuda" else None,
        "reserved_gb": round(torch.cuda.max_memory_reserved() / 1e9, 2) if device == "cuda" else None,
        "losses": [round(float(losses[i]), 4) for i in (0, -1)],
        "card": card,
    }


def planned(row: Row, attention: str, tiny: bool) -> dict[str, float]:
    """What ``videmo plan`` says of the row."""
    config = config_of(row.size, tiny)
    batch = make_batch(config, row.clips, SMALL_GRID if tiny else GRID)
    if attention == FLEX:
        batch = batch.in_one_row()
    rows, width = batch.input_ids.shape
    size = Batch(
        rows, width, batch.num_label_tokens, len(batch.pixel_values_videos), int(batch.video_grid_thw[:, 0].sum())
    )
    with torch.device("meta"):
        model = Qwen2_5_VLForConditionalGeneration._from_config(config, dtype=row.dtype)
        backbone = Backbone(model, **row.scopes, lora=LORA, quantization=row.quantization, attention=attention)
    memory = predict(setup_of(backbone, "bf16-mixed", row.optimizer, "auto", 1, size))
    return {"allocated_gb": round(memory.allocated / 1e9, 2), "peak_gb": round(memory.peak / 1e9, 2)}


def vision(clips: int, tiny: bool, repeats: int) -> dict[str, Any]:
    """Forward and backward of the 3B's tower on some clips at once: seconds, and how much faster ours is."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    config = config_of("3b", tiny)
    towers = {}
    for name in ("transformers", "videmo"):
        model = make_model(Row("3b", "lora", 1), config, device)
        towers[name] = model.model.visual.train()
        del model
    speed_up(towers["videmo"])
    t, h, w = SMALL_GRID if tiny else GRID
    grid = torch.tensor([[t, h, w]] * clips, device=device)
    patches = torch.randn(clips * t * h * w, 1176, device=device, dtype=torch.bfloat16)
    seconds: dict[str, list[float]] = {name: [] for name in towers}
    for _ in range(WARM_UP + repeats):
        for name, tower in towers.items():
            start = time.perf_counter()
            tower(patches, grid_thw=grid).pooler_output.float().pow(2).mean().backward()
            tower.zero_grad()
            if device == "cuda":
                torch.cuda.synchronize()
            seconds[name].append(time.perf_counter() - start)
    times = {name: median(values[WARM_UP:]) for name, values in seconds.items()}
    return {
        "speedup": round(times["transformers"] / times["videmo"], 2),
        **{name: round(value, 4) for name, value in times.items()},
    }


def alone(task: dict[str, Any], timeout: float) -> dict[str, Any]:
    """The answer of this script in a process of its own, or why there is none."""
    command = [sys.executable, __file__, "--task", json.dumps(task)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"error": f"took more than {timeout:g} s"}
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        return {"error": "out of memory" if "OutOfMemoryError" in done.stderr else said[-1][:300] if said else "died"}
    return json.loads(done.stdout.splitlines()[-1])


def answer(task: dict[str, Any]) -> dict[str, Any]:
    if "vision" in task:
        return vision(task["vision"], task["tiny"], task["steps"])
    return train(Row(**task["row"]), task["way"], task["steps"], task["tiny"])


def table_of(rows: dict[str, dict[str, dict[str, Any]]]) -> Table:
    table = Table("row", "way", *("samples/s", "ratio", "MFU", "TFLOP/s", "GB", "planned GB", "loss"))
    for name, ways in rows.items():
        plain = ways.get("plain", {}).get("samples_per_second")
        for way, found in ways.items():
            if "error" in found:
                table.add_row(name, way, found["error"])
                continue
            ratio = f"{found['samples_per_second'] / plain:.2f}" if plain else "-"
            mfu = "-" if found["mfu"] is None else f"{100 * found['mfu']:.1f}%"
            predicted = found.get("planned", {}).get("allocated_gb", "-")
            numbers = (found["samples_per_second"], ratio, mfu, found["tflops"], found["allocated_gb"], predicted)
            table.add_row(name, way, *map(str, numbers), " to ".join(map(str, found["losses"])))
        table.add_section()
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", default=[*ROWS], choices=ROWS)
    parser.add_argument("--ways", nargs="+", default=WAYS, choices=WAYS)
    parser.add_argument("--steps", type=int, default=5, help="that are timed, after two that warm up")
    parser.add_argument("--tiny", action="store_true", help="two narrow layers, to try the tool; one row is compiled")
    parser.add_argument("--timeout", type=float, default=280, help="seconds that each measurement may take")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        print(json.dumps(answer(json.loads(options.task))))
        return
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    console = Console(stderr=True, width=130)
    for name in options.rows:
        row = ROWS[name]
        rows[name] = {}
        for way in options.ways:
            if options.tiny and way == "ours-compiled" and name != options.rows[0]:
                continue  # a CPU compiles for a minute, and one row tries that
            found = alone(
                {"row": asdict(row), "way": way, "steps": options.steps, "tiny": options.tiny}, options.timeout
            )
            if way != "plain" and "error" not in found:
                found["planned"] = planned(row, "sdpa" if way == "ours-sdpa" else FLEX, options.tiny)
            rows[name][way] = found
            console.print(f"{name} {way}: {found}")
    towers = {
        str(clips): alone({"vision": clips, "steps": options.steps, "tiny": options.tiny}, options.timeout)
        for clips in VISION_CLIPS
    }
    console.print(table_of(rows))
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    print(json.dumps({"card": card, "torch": torch.__version__, "rows": rows, "vision": towers}))


if __name__ == "__main__":
    main()
