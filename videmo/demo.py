"""The whole path on drawn faces, in minutes and without a GPU: draw, make a tiny model, train, test, report.

It is ``videmo synth``, ``videmo tiny``, ``videmo fit``, ``videmo test`` and ``videmo report`` one after the other, with
``configs/demo``.

    videmo demo --out runs/demo
"""

import time
from pathlib import Path

from videmo.benchmark import results_table
from videmo.cli import results_console, run_trainer, tiny
from videmo.report import write_report
from videmo.synth import Plan, find_preset, synthesize

CONFIG = "configs/demo/sft.yaml"


def demo(out: str = "runs/demo", videos: int | None = None, seed: int = 0) -> None:
    """Draw faces, train a tiny Qwen2.5-VL on them by curriculum, test it, also on other pixels, and write a report.

    A second run over the same folder keeps the world and the model, and training resumes where it stopped.

    Args:
        out: Folder for data, model, checkpoints, TensorBoard, results and report.html.
        videos: Clips to draw; by default the frozen world demo-v1.
        seed: Seed of the model's weights and the training order.
    """
    try:
        _run(Path(out), find_preset("demo-v1") if videos is None else Plan(videos), seed)
    except (KeyboardInterrupt, SystemExit):  # Lightning ends an interrupted fit with SystemExit
        results_console().print(f"\nInterrupted. What is in {out} stays, and the same command goes on from there.")
        raise


def _run(folder: Path, plan: Plan, seed: int) -> None:
    console = results_console()
    started = time.monotonic()

    def step(title: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - started), 60)
        console.rule(f"[bold]{title}[/] ({minutes}:{seconds:02d})", align="left")

    step("1/5 draw faces")
    synthesize(folder / "data", plan)
    step("2/5 a tiny Qwen2.5-VL")
    if not (folder / "tiny" / "model.safetensors").is_file():
        tiny(str(folder / "data"), str(folder / "tiny"), seed=seed)
    common = [
        f"--config={CONFIG}",
        f"--seed_everything={seed}",
        f"--data.seed={seed}",
        f"--trainer.default_root_dir={folder}",
        f"--model.init_args.checkpoint={folder / 'tiny'}",
        f"--data.root={folder / 'data'}",
        "--model.init_args.method=demo",
    ]
    last = folder / "checkpoints" / "last.ckpt"
    step("3/5 supervised fine-tuning: attribute, expression, emotion")
    run_trainer(["fit", *common, *([f"--ckpt_path={last}"] if last.is_file() else [])])
    step("4/5 test, also on blank and swapped videos")
    tested = run_trainer(["test", *common, f"--ckpt_path={last}", "--data.controls=[blank,swapped]"])
    step("5/5 report")
    page = write_report(folder)
    step("done")
    console.print(results_table(tested.model.result))
    console.print(f"the report, with curves, confusions and samples: {page}")
    console.print(f"predictions and benchmark.json: {tested.model.results_folder}")
