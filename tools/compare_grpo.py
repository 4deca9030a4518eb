"""GRPO against more SFT of the same compute, both from one SFT checkpoint that has converged, over several seeds.

python tools/compare_grpo.py runs/demo --seeds 0 1 2

RUN is a folder that `videmo demo` made. Its SFT goes on first until validation gains no more. From there each seed
trains by configs/demo/grpo.yaml, and by SFT for at least as long. What has converged knows its own clips by heart, nine
of ten answers to them, so that their rewards have nothing left to tell: GRPO's queries are about clips that it never
saw, drawn anew. SFT goes on with its own clips, and once with the new ones. Runs go to RUN/compare_grpo and are kept,
so that the command resumes. The last line is JSON, in points of 100 with 95% intervals of paired differences over the
questions of the test split, whose scores are means over the seeds:

    closed_set_mean   mean of the benchmark's columns that rules score, of greedy answers
    caption_facts     F1 of what fine-grained captions tell and the latent states that the clips were drawn from, greedy
    mixed_reward      what GRPO trains, as `val/reward` has it, the mean of all tasks; of greedy answers
    trained_reward    the same, every task with the weight that it has among GRPO's queries
"""

import argparse
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import torch
import yaml

from videmo.affect import AffectiveTree, caption_tree, pair_f1
from videmo.benchmark.compare import compare_graded
from videmo.benchmark.graded import Graded, read_scores
from videmo.cli import VidEmoCLI, run_trainer
from videmo.data.curriculum import Curriculum, Stage
from videmo.data.records import Message, Record, read_records
from videmo.metrics import paired_bootstrap
from videmo.rewards import Completion, RewardMixture
from videmo.synth import Plan, synthesize
from videmo.tasks import find_task

SFT, GRPO = "configs/demo/sft.yaml", "configs/demo/grpo.yaml"
CONVERGE = {"name": "converge", "mix": {"all": 0.5}, "epochs": 28, "learning_rate": 2.0e-3}
MORE = {"name": "more", "mix": {"all": 0.5}, "epochs": 4, "learning_rate": 1.0e-3}
LAST = "--trainer.limit_val_batches=0"  # or a stage ends with its lowest loss, which comes long before the best answers
FRESH = Plan(2400, seed=77)
FACTS, REWARD = "caption_facts", "mixed_reward"


def train(
    folder: Path, run: Path, data: Path, config: str, seed: int, start: Path, *options: str
) -> tuple[Path, float, VidEmoCLI]:
    """A run and its test: the folder of its scores, the seconds that training took, and the test's objects."""
    last, clock = folder / "checkpoints" / "last.ckpt", folder / "seconds.json"
    common = [
        f"--config={config}",
        f"--seed_everything={seed}",
        f"--data.seed={seed}",
        f"--trainer.default_root_dir={folder}",
        f"--model.init_args.checkpoint={run / 'tiny'}",
        f"--model.init_args.start_from={start}",
        *options,
    ]
    if not clock.is_file():
        begun = time.perf_counter()
        run_trainer(["fit", *common, f"--data.root={data}", *([f"--ckpt_path={last}"] if last.is_file() else [])])
        clock.write_text(json.dumps(time.perf_counter() - begun))
    tested = run_trainer(["test", *common, f"--data.root={run / 'data'}", f"--ckpt_path={last}"])
    return folder / "results" / "videmo", json.loads(clock.read_text()), tested


def fresh_clips(place: Path, run: Path) -> Path:
    """A data folder with the run's validation and test splits, and training clips that it never saw."""
    drawn, data = place / "fresh", place / "data"
    synthesize(drawn, FRESH)
    for split, source in (("train", drawn), ("val", run / "data"), ("test", run / "data")):
        shutil.copytree(source / "jsons" / split, data / "jsons" / split, dirs_exist_ok=True)
        for clips in (source / "videos").glob(f"*/{split}"):
            link = data / "videos" / clips.parent.name / split
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.exists():
                link.symlink_to(clips.resolve())
    return data


def shares(data: Path) -> dict[str, float]:
    """By result file, its share of GRPO's queries."""
    files = sorted(data.glob("jsons/train/*/full/*.json"))
    tasks = [find_task(record.source, record.file) for file in files for record in read_records(file)]
    known = list(dict.fromkeys(tasks))
    config = yaml.safe_load(Path(GRPO).read_text())["data"]
    plan = Curriculum(
        [Stage(**stage) for stage in config["curriculum"]],
        torch.tensor([known.index(task) for task in tasks]).numpy(),
        known,
        config["batch_size"],
    )
    counts = plan.counts(plan.stages[0])
    return {task.result_file: count / sum(counts.values()) for task, count in counts.items()}


def graded(folder: Path, mixture: RewardMixture, truth: Mapping[str, AffectiveTree]) -> list[Graded]:
    """The answers of a test with what they are rewarded, and what captions tell of the clips' latent states."""
    answers = read_scores(folder / "scores.jsonl")
    completions = []
    for one in answers:
        turns = (Message("user", "<video>" * len(one.videos) + one.question), Message("assistant", one.reference))
        record = Record(turns, one.videos, one.file, one.file, one.line)
        completions.append(Completion(one.response, record, one.task, 0, False))
    found = []
    for one, reward in zip(answers, mixture(completions, 1).totals.tolist(), strict=True):
        scores = {**one.scores} if reward != reward else {**one.scores, REWARD: reward}
        if one.task.column == "caption":
            scores[FACTS] = pair_f1(caption_tree(one.response), truth[one.videos[0]])
        found.append(replace(one, scores=scores))
    return found


def over_seeds(runs: Sequence[Sequence[Graded]]) -> list[Graded]:
    """Every question once, with the mean of its scores."""
    return [
        replace(same[0], scores={name: fmean(one.scores[name] for one in same) for name in same[0].scores})
        for same in zip(*runs, strict=True)
    ]


def differences(a: Sequence[Graded], b: Sequence[Graded], share: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """How much better the second is."""
    found = compare_graded(a, b)
    rows = {one.column: one for one in found.differences if one.column in (FACTS, REWARD)}
    rows["closed_set_mean"] = found.mean
    points = {
        name: {"from": row.a, "to": row.b, "difference": row.difference, "low": row.low, "high": row.high}
        for name, row in rows.items()
    }
    points["trained_reward"] = by_share(a, b, share)
    return {name: {key: round(value, 2) for key, value in row.items()} for name, row in points.items()}


def by_share(a: Sequence[Graded], b: Sequence[Graded], share: Mapping[str, float]) -> dict[str, float]:
    """The mean reward in points, every result file with its share; those that the test lacks are left out."""
    files = [file for file in share if any(one.file == file for one in a)]
    total = sum(share[file] for file in files)
    sides = [
        [torch.tensor([g.scores[REWARD] for g in side if g.file == file], dtype=torch.float64) for file in files]
        for side in (a, b)
    ]
    weights = [100 * share[file] / total for file in files]
    start, end = (sum(w * scores.mean().item() for w, scores in zip(weights, side, strict=True)) for side in sides)
    found = paired_bootstrap(sides[1], sides[0], weights=weights)
    return {"from": start, "to": end, "difference": found.difference, "low": found.low, "high": found.high}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a folder that `videmo demo` made")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--start", type=Path, help="the checkpoint to start from, instead of letting SFT converge")
    arguments = parser.parse_args()
    run, place = arguments.run, arguments.run / "compare_grpo"
    data = run / "data"
    states = [json.loads(line) for line in (data / "truth" / "test.jsonl").read_text().splitlines()]
    truth = {state["path"]: AffectiveTree.from_json(state["tree"]) for state in states}
    fresh = fresh_clips(place, run)
    share = shares(fresh)
    start = arguments.start
    if start is None:
        begun = run / "checkpoints" / "last.ckpt"
        train(place / "converge", run, data, SFT, 0, begun, curriculum(CONVERGE), LAST)
        start = place / "converge" / "checkpoints" / "last.ckpt"
    before = place / "start" / "results"
    run_trainer(
        [
            "test",
            f"--config={GRPO}",
            f"--data.root={data}",
            f"--ckpt_path={start}",
            f"--model.init_args.checkpoint={run / 'tiny'}",
            f"--model.init_args.results_dir={before}",
        ]
    )

    sft = (curriculum(MORE), LAST)
    ways = {"grpo": (GRPO, fresh, ()), "sft": (SFT, data, sft), "sft_fresh": (SFT, fresh, sft)}
    runs: dict[str, list[list[Graded]]] = {"start": [], "grpo": [], "sft": [], "sft_fresh": []}
    seconds: dict[str, list[int]] = {name: [] for name in runs}
    for seed in arguments.seeds:
        for name, (config, clips, options) in ways.items():
            if name == "sft_fresh" and seed != arguments.seeds[0]:
                continue
            folder, took, tested = train(place / f"{name}-{seed}", run, clips, config, seed, start, *options)
            if not runs["start"]:
                mixture = tested.model.mixture
                runs["start"] = [graded(before / "videmo", mixture, truth)]
            runs[name].append(graded(folder, mixture, truth))
            seconds[name].append(round(took))
            print(name, seed, differences(runs["start"][0], runs[name][-1], share), flush=True)
    means = {name: over_seeds(of) for name, of in runs.items() if of}
    pairs = [("start", name) for name in means if name != "start"] + [("sft", "grpo")]
    print(
        json.dumps(
            {
                "seeds": arguments.seeds,
                **{f"{b}_less_{a}": differences(means[a], means[b], share) for a, b in pairs},
                "by_seed": {
                    name: [
                        {key: row["difference"] for key, row in differences(runs["start"][0], one, share).items()}
                        for one in of
                    ]
                    for name, of in runs.items()
                },
                "seconds": seconds,
            }
        )
    )


def curriculum(stage: Mapping) -> str:
    """A curriculum of one stage, as an option."""
    return f"--data.curriculum={json.dumps([stage])}"


if __name__ == "__main__":
    main()
