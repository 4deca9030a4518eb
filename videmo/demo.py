"""The whole path on drawn faces, in minutes and without a GPU: draw, make a tiny model, train it by SFT and by GRPO,
test, report, reason.

It is ``videmo synth``, ``videmo tiny``, ``videmo fit`` twice, ``videmo test``, ``videmo report`` and ``videmo reason``
one after the other, with ``configs/demo``.

    videmo demo --out runs/demo
"""

import time
from pathlib import Path

from rich.text import Text

from videmo.benchmark.table import results_table
from videmo.reason.command import reason
from videmo.report import write_report
from videmo.synth import Plan, find_preset, synthesize
from videmo.terminal import output
from videmo.tiny import tiny
from videmo.trainer import run_trainer
from videmo.training.checkpoints import last_checkpoint

SFT, GRPO = "configs/demo/sft.yaml", "configs/demo/grpo.yaml"


def demo(out: str = "runs/demo", videos: int | None = None, seed: int = 0) -> None:
    """Draw faces, train a tiny Qwen2.5-VL on them, test it, write a report, and let it reason about a clip.

    It trains by curriculum and by GRPO, and tests on blank and swapped videos, too: 13 to 25 minutes on two cores. A
    second run over the same folder keeps the world and the model, and training resumes where it stopped.

    Args:
        out: Folder for data, model, checkpoints, TensorBoard, results and report.html.
        videos: Clips to draw; by default the frozen world demo-v1.
        seed: Seed of the model's weights and the training order.
    """
    try:
        _run(Path(out), find_preset("demo-v1") if videos is None else Plan(videos), seed)
    except (KeyboardInterrupt, SystemExit) as ending:  # Lightning ends an interrupted fit with SystemExit
        ending.__notes__ = [f"what is in {out} stays, and the same command goes on from there"]
        raise


def _run(folder: Path, plan: Plan, seed: int) -> None:
    console = output()
    started = time.monotonic()

    def step(title: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - started), 60)
        console.rule(Text.assemble((title, "bold"), f" ({minutes}:{seconds:02d})"), align="left")

    step("1/7 draw faces")
    synthesize(folder / "data", plan)
    step("2/7 a tiny Qwen2.5-VL")
    if not (folder / "tiny" / "model.safetensors").is_file():
        tiny(str(folder / "data"), str(folder / "tiny"), seed=seed)

    def options(config: str, run: Path) -> list[str]:
        return [
            f"--config={config}",
            f"--seed_everything={seed}",
            f"--data.seed={seed}",
            f"--trainer.default_root_dir={run}",
            f"--model.init_args.checkpoint={folder / 'tiny'}",
            f"--data.root={folder / 'data'}",
        ]

    def fit(config: str, run: Path, *more: str) -> Path:
        last = last_checkpoint(run)
        run_trainer(["fit", *options(config, run), *more, *([f"--ckpt_path={last}"] if last.is_file() else [])])
        return last

    step("3/7 supervised fine-tuning: attribute, expression, emotion")
    learnt = fit(SFT, folder)
    step("4/7 GRPO with the affective-tree reward")
    last = fit(GRPO, folder / "grpo", f"--model.init_args.start_from={learnt}")
    step("5/7 test, also on blank and swapped videos")
    results = [f"--model.init_args.results_dir={folder / 'results'}", "--model.init_args.method=demo"]
    tested = run_trainer(
        ["test", *options(GRPO, folder / "grpo"), *results, f"--ckpt_path={last}", "--data.controls=[blank,swapped]"]
    )
    step("6/7 report")
    page = write_report(folder)
    step("7/7 reason about a clip of the test split")
    clip = min((folder / "data" / "videos").glob("*/test/*.mp4"))
    reason(str(last), [str(clip)], trees=str(folder / "trees"))
    step("done")
    console.print(results_table(tested.model.result))
    console.print(f"the report, with curves, confusions and samples: {page}")
    console.print(f"predictions and benchmark.json: {tested.model.results_folder}")
