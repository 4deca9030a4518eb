"""Table 10 for a drawn world: tree search by n, beside flat self-consistency that draws as many tokens, and one answer.

python tools/reason_table.py runs/bench --seeds 0 1 2

RUN is a folder that becomes, or holds already, the frozen world bench-v1 in `data`, a tiny model for it in `tiny`, and
a run of configs/demo/sft.yaml on it. Each way answers the test split once a seed of the draws; results go to RUN/reason
and are kept, so that the command resumes. Written there: table.md, cost.svg. The last line is JSON. Ways:

    greedy   the likeliest tokens, once: `videmo test`
    sampled  one draw
    tree n   tree search: n candidates at each level; tree 1 takes the likeliest tokens
    flat n   the question alone, with as many candidates as draw the tokens of tree n

Scores are those of rules, 0 to 100, means over seeds, by scenario: the paper's columns, and for understanding the tree
F1 of fine-grained captions. Intervals (95%) are of differences from `greedy`, paired by question.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from matplotlib.figure import Figure
from scenarios import FIGURES, cell, differences, over_seeds

from videmo.benchmark.graded import Graded, read_scores
from videmo.synth import find_preset, synthesize
from videmo.tiny import tiny
from videmo.trainer import run_trainer
from videmo.training.checkpoints import last_checkpoint

CONFIG = "configs/demo/sft.yaml"
SIZES = (2, 4, 8)
COLOURS = {"tree": "#7c3aed", "flat": "#0d9488", "greedy": "#334155", "sampled": "#d97706"}


def prepare(run: Path) -> list[str]:
    """The world, the model and its training; the options of a test."""
    synthesize(run / "data", find_preset("bench-v1"))
    if not (run / "tiny" / "model.safetensors").is_file():
        tiny(str(run / "data"), str(run / "tiny"))
    options = [
        f"--config={CONFIG}",
        f"--trainer.default_root_dir={run}",
        f"--model.init_args.checkpoint={run / 'tiny'}",
        f"--data.root={run / 'data'}",
    ]
    last = last_checkpoint(run)
    done = run / "trained"
    if not done.exists():
        run_trainer(["fit", *options, *([f"--ckpt_path={last}"] if last.is_file() else [])])
        done.touch()
    return [*options, f"--ckpt_path={last}", f"--model.init_args.results_dir={run / 'reason'}"]


class Way:
    """A way to answer, by seed.

    Args:
        name: Of its results.
        options: Of the test.
        search: The search's settings.
        seeds: Of the draws; one where nothing is drawn.
    """

    def __init__(self, name: str, options: Sequence[str], search: Mapping[str, object], seeds: Sequence[int]) -> None:
        self.name, self.runs, costs = name, [], []
        for seed in seeds:
            method = f"{name.replace(' ', '-')}-{seed}"
            folder = Path(options[-1].partition("=")[2]) / method
            if not (folder / "benchmark.json").is_file():
                given = [f"--reasoning.{key}={value}" for key, value in {**search, "seed": seed}.items()]
                run_trainer(["test", *options, f"--model.init_args.method={method}", *given])
            self.runs.append(read_scores(folder / "scores.jsonl"))
            costs.append(json.loads((folder / "benchmark.json").read_text())["generation"])
        self.tokens = fmean(cost["drawn_tokens_per_question"] for cost in costs)
        self.seconds = fmean(cost["seconds_per_question"] for cost in costs)

    @property
    def scores(self) -> list[Graded]:
        """Every question once, with the mean of its scores over seeds."""
        return over_seeds(self.runs)


def row(way: Way, base: Way) -> dict[str, object]:
    """By scenario its score, its difference from the base, and that difference's interval; tokens and seconds."""
    cost = {"tokens": round(way.tokens, 1), "seconds": round(way.seconds, 4)}
    return cost | differences(way.scores, base.scores, "caption_tree_f1")


def markdown(rows: Mapping[str, Mapping]) -> str:
    """A table of all ways."""
    lines = [
        f"| way | {' | '.join(FIGURES)} | tokens | s |",
        "|---|" + "---|" * len(FIGURES) + "---:|---:|",
    ]
    for way, of in rows.items():
        cells = [
            cell(one["score"], one["difference"], (one["low"], one["high"]))
            if way != "greedy"
            else f"{one['score']:.1f}"
            for one in (of[name] for name in FIGURES)
        ]
        lines.append(f"| {way} | {' | '.join(cells)} | {of['tokens']:.0f} | {of['seconds']:.3f} |")
    return "\n".join(lines) + "\n"


def draw_costs(rows: Mapping[str, Mapping], file: Path) -> None:
    """The average over drawn tokens a question, as SVG."""
    figure = Figure(figsize=(5.6, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel="drawn tokens a question", ylabel="average of scenarios", xlim=(0, 1.15 * _costs(rows)[-1][0]))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.4)
    for kind, colour in COLOURS.items():
        own = {way: of for way, of in rows.items() if way.split()[0] == kind}
        axes.plot(*zip(*_costs(own), strict=True), "-o", color=colour)
        for way, of in own.items():
            place = (of["tokens"], of["average"]["score"])
            axes.annotate(way, place, (6, 5), textcoords="offset points", color=colour)
    figure.savefig(file)


def _costs(rows: Mapping[str, Mapping]) -> list[tuple[float, float]]:
    """Tokens and score of each way, the cheapest first."""
    return sorted((of["tokens"], of["average"]["score"]) for of in rows.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    run, seeds = arguments.run, arguments.seeds
    options = prepare(run)
    flat = {"method": "flat"}
    greedy = Way("greedy", options, {"n": 1, "temperature": 0, **flat}, seeds[:1])
    sampled = Way("sampled", options, {"n": 1, "temperature": 0.7, **flat}, seeds)
    ways = [greedy, sampled, Way("tree 1", options, {"n": 1}, seeds[:1])]
    for n in SIZES:
        tree = Way(f"tree {n}", options, {"n": n}, seeds)
        equal = max(1, round(tree.tokens / sampled.tokens))
        ways += [tree, Way(f"flat {equal}", options, {"n": equal, **flat}, seeds)]
    rows = {way.name: row(way, greedy) for way in ways}
    (run / "reason" / "table.md").write_text(markdown(rows))
    draw_costs(rows, run / "reason" / "cost.svg")
    print(markdown(rows))
    print(json.dumps({"seeds": seeds, "questions": len(greedy.scores), "ways": rows}))


if __name__ == "__main__":
    main()
