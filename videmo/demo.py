"""The whole path on drawn faces, in minutes and without a GPU: draw, make a tiny model, test, train, test again.

It is ``videmo synth``, ``videmo tiny``, ``videmo fit`` and ``videmo test`` one after the other, with ``configs/demo``.

    videmo demo --out runs/demo
"""

import time
from pathlib import Path

from videmo.benchmark import BenchmarkResult, results_table, with_controls
from videmo.cli import results_console, run_trainer, synth, tiny

CONFIG = "configs/demo/sft.yaml"


def demo(out: str = "runs/demo", videos: int = 1800, seed: int = 0) -> None:
    """Draw faces, train a tiny Qwen2.5-VL on them, and print its scores before, after, and on blank videos.

    A second run over the same folder keeps the world and the model, and training resumes where it stopped.

    Args:
        out: Folder for data, model, checkpoints, TensorBoard and results.
        videos: Clips to draw.
        seed: Seed of the world, the model's weights and the training order.
    """
    try:
        _run(Path(out), videos, seed)
    except (KeyboardInterrupt, SystemExit):  # Lightning ends an interrupted fit with SystemExit
        results_console().print(f"\nInterrupted. The same command keeps what is in {out} and resumes the training.")
        raise


def _run(folder: Path, videos: int, seed: int) -> None:
    console = results_console()
    started = time.monotonic()

    def step(title: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - started), 60)
        console.rule(f"[bold]{title}[/] ({minutes}:{seconds:02d})", align="left")

    step("1/6 draw faces")
    synth(str(folder / "data"), videos, seed)
    step("2/6 a tiny Qwen2.5-VL")
    if not (folder / "tiny" / "model.safetensors").is_file():
        tiny(str(folder / "data"), str(folder / "tiny"), seed=seed)
    common = [
        f"--config={CONFIG}",
        f"--seed_everything={seed}",
        f"--trainer.default_root_dir={folder}",
        f"--model.init_args.checkpoint={folder / 'tiny'}",
        f"--data.root={folder / 'data'}",
    ]

    def test(method: str, *options: str) -> BenchmarkResult:
        return run_trainer(["test", *common, f"--model.init_args.method={method}", *options]).model.result

    last = folder / "checkpoints" / "last.ckpt"
    step("3/6 test the untrained model")
    before = test("before")
    step("4/6 supervised fine-tuning")
    run_trainer(["fit", *common, *([f"--ckpt_path={last}"] if last.is_file() else [])])
    step("5/6 test the trained model")
    after = test("after", f"--ckpt_path={last}")
    step("6/6 test it on blank videos")
    blank = test("blank", f"--ckpt_path={last}", "--data.control=blank")

    after = with_controls(after, {"blank": blank})
    after.save(folder / "results" / "after" / "benchmark.json")
    step("done")
    console.print(results_table({"before": before, "after": after, "blank": blank}))
    console.print(f"curves and sample answers: tensorboard --logdir {folder / 'tensorboard'}")
    console.print(f"predictions and benchmark.json: {folder / 'results'}")
