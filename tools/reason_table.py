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


def cost_curve(rows: Mapping[str, Mapping]) -> str:
    """The average over drawn tokens a question, as SVG."""
    width, height, left, bottom = 560, 320, 52, 40
    tokens, scores = ([of[key] for of in rows.values()] for key in ("tokens", "average"))
    scores = [one["score"] for one in scores]
    low, high = min(scores) - 1, max(scores) + 1
    most = max(tokens) * 1.08

    def x(value: float) -> float:
        return left + (width - left - 20) * value / most

    def y(value: float) -> float:
        return height - bottom - (height - bottom - 20) * (value - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<path d="M{left} 12V{height - bottom}H{width - 16}" fill="none" stroke="#94a3b8"/>',
        f'<text x="{width / 2}" y="{height - 8}" text-anchor="middle" fill="#334155">drawn tokens a question</text>',
        f'<text x="14" y="{height / 2}" transform="rotate(-90 14 {height / 2})" text-anchor="middle" fill="#334155">'
        "average of scenarios</text>",
    ]
    for value in range(int(low) + 1, int(high) + 1, max(1, int((high - low) / 6))):
        parts.append(f'<text x="{left - 6}" y="{y(value) + 4}" text-anchor="end" fill="#64748b">{value}</text>')
        parts.append(f'<path d="M{left} {y(value)}H{width - 16}" stroke="#e2e8f0"/>')
    step = 10 ** (len(str(int(most))) - 1)
    for value in range(0, int(most) + 1, step if most / step > 3 else max(1, step // 2)):
        parts.append(
            f'<text x="{x(value)}" y="{height - bottom + 16}" text-anchor="middle" fill="#64748b">{value}</text>'
        )
    for kind in ("tree", "flat"):
        own = [(of["tokens"], of["average"]["score"]) for way, of in rows.items() if way.startswith(kind)]
        points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in sorted(own))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[kind]}" stroke-width="1.5"/>')
    for way, of in rows.items():
        a, b, colour = x(of["tokens"]), y(of["average"]["score"]), COLOURS[way.split()[0]]
        parts.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{a + 7:.1f}" y="{b - 6:.1f}" fill="{colour}">{way}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


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
    (run / "reason" / "cost.svg").write_text(cost_curve(rows))
    print(markdown(rows))
    print(json.dumps({"seeds": seeds, "questions": len(greedy.scores), "ways": rows}))


if __name__ == "__main__":
    main()
