"""The curriculum against the same records shuffled: as many visits to every task, as many steps, over several seeds.

python tools/compare_curriculum.py runs/demo --seeds 0 1 2

RUN is a folder that `videmo demo` made; runs go to RUN/compare and are kept, so that the command resumes. The last line
is JSON: for both orders the mean score of each scenario by seed, on the test split, and their mean difference.
"""

import argparse
import json
from pathlib import Path
from statistics import mean, stdev

import yaml

from videmo.benchmark import BenchmarkResult
from videmo.cli import run_trainer
from videmo.data.curriculum import Curriculum, Stage
from videmo.data.records import read_records
from videmo.tasks import all_tasks, find_task

CONFIG = "configs/demo/sft.yaml"
SCENARIOS = {task.column: task.scenario for task in all_tasks()}


def shuffled(curriculum: Curriculum) -> Stage:
    """One stage that visits every task as often as all stages of a curriculum do, in as many epochs."""
    visits, held = {}, {}
    for phase in curriculum.phases:
        for task, count in curriculum.counts(phase.stage).items():
            visits[task.name] = visits.get(task.name, 0) + count * phase.epochs
            held[task.name] = curriculum.num_records(task)
    epochs = curriculum.num_epochs
    return Stage("shuffled", {name: count / (held[name] * epochs) for name, count in visits.items()}, epochs=epochs)


def scenario_means(result: BenchmarkResult) -> dict[str, float]:
    """Mean score of the columns scored by rule, by scenario and over all; captions by tree F1 under understanding."""
    by_scenario: dict[str, list[float]] = {}
    for column, score in result.columns.items():
        by_scenario.setdefault(SCENARIOS[column], []).append(score)
    means = {name: mean(scores) for name, scores in by_scenario.items()}
    means["understanding"] = result.extra["caption_tree_f1"]["score"]
    return {**means, "average": mean(means.values())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a folder that `videmo demo` made")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    run = arguments.run
    config = yaml.safe_load(Path(CONFIG).read_text())["data"]
    files = sorted((run / "data").glob("jsons/train/*/full/*.json"))
    tasks = [find_task(record.source, record.file) for file in files for record in read_records(file)]
    staged = Curriculum([Stage(**stage) for stage in config["curriculum"]], tasks, config["batch_size"])
    one = shuffled(staged)
    plain = json.dumps([{"name": one.name, "mix": one.mix, "epochs": one.epochs}])
    orders = {"curriculum": [], "shuffled": [f"--data.curriculum={plain}"]}

    scores: dict[str, list[dict[str, float]]] = {name: [] for name in orders}
    for seed in arguments.seeds:
        for name, options in orders.items():
            folder = run / "compare" / f"{name}-{seed}"
            last = folder / "checkpoints" / "last.ckpt"
            common = [
                f"--config={CONFIG}",
                f"--seed_everything={seed}",
                f"--data.seed={seed}",
                f"--trainer.default_root_dir={folder}",
                f"--model.init_args.checkpoint={run / 'tiny'}",
                f"--data.root={run / 'data'}",
                *options,
            ]
            saved = folder / "results" / "videmo" / "benchmark.json"
            if not saved.is_file():
                run_trainer(["fit", *common, *([f"--ckpt_path={last}"] if last.is_file() else [])])
                run_trainer(["test", *common, f"--ckpt_path={last}"])
            scores[name].append(scenario_means(BenchmarkResult.load(saved)))
            print(name, seed, {key: round(value, 1) for key, value in scores[name][-1].items()}, flush=True)
    keys = scores["curriculum"][0]
    differences = {
        key: [a[key] - b[key] for a, b in zip(scores["curriculum"], scores["shuffled"], strict=True)] for key in keys
    }
    print(
        json.dumps(
            {
                "seeds": arguments.seeds,
                **{name: {key: [round(s[key], 2) for s in runs] for key in keys} for name, runs in scores.items()},
                "difference": {key: round(mean(values), 2) for key, values in differences.items()},
                "spread": {
                    key: round(stdev(values), 2) if len(values) > 1 else None for key, values in differences.items()
                },
            }
        )
    )


if __name__ == "__main__":
    main()
