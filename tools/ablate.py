"""The paper's ablations on the frozen world bench-v1, over several seeds, beside the paper's own numbers.

python tools/ablate.py --table 4

RUN holds the world, a tiny model for it, every training and every test; what is there already is kept, whichever table
made it, so that the command resumes. Seeds run beside each other, and what they print is in RUN/seed-0.log and so on.
Written are RUN/table4.json, table4.md and table4.svg; the last line is JSON, `rows` in the paper's order and then the
settings that only we have. Tables:

    4   none; curriculum emotion learning (CEL); then GRPO with the affective-tree reward (ATR); then reasoning (ER)
    8   each class of the data alone, two of them, all three in the curriculum's order, and all of them shuffled
    9   GRPO from CEL by the answers' reward only, with the trees' overlap, with their edit distance; and more SFT
    10  ER by the number of candidates

All start from one model: a tower that was pretrained, and the demo's first stage, five plain questions, without which
random weights look at no video; it stands for what Qwen2.5-VL brings along, and is "no component". From there all is
configs/demo/sft.yaml and configs/demo/grpo.yaml, but without validation: a model is what its last step left. Budgets:
every model of table 8 takes as many steps as CEL, of as many records; every GRPO as many as an epoch has with the
trees' reward, and GRPO only asks for no captions, which nothing else rewards; more SFT is of GRPO's records, in as many
steps as ATR's processor time holds at the pace of the first 200. Every seed trains anew; the tests ask the same
questions.

Scores are 0 to 100. attribute and expression: the mean of the columns that rules score. understanding: the share of
facts of the clip's latent state that captions tell right (`videmo.synth.facts`), which no reward trains. Intervals
(95%) are of differences, paired by question, whose scores are means over the seeds.
"""

import argparse
import csv
import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
import yaml
from matplotlib.figure import Figure
from scenarios import FIGURES, cell, differences, over_seeds

from videmo.affect import AffectiveTree
from videmo.benchmark import BenchmarkResult
from videmo.benchmark.graded import Graded, read_scores
from videmo.data.curriculum import Curriculum
from videmo.data.records import read_records
from videmo.stats.ink import colour, drawing
from videmo.synth import Plan, find_preset, synthesize
from videmo.synth.facts import facts_told, stated_facts
from videmo.synth.files import FILES
from videmo.tasks import all_tasks
from videmo.tiny import tiny
from videmo.trainer import VidEmoCLI, run_trainer
from videmo.training.checkpoints import last_checkpoint, read_checkpoint

SFT, GRPO = (Path(__file__).parents[1] / "configs" / "demo" / name for name in ("sft.yaml", "grpo.yaml"))
STAGES = {stage["name"]: stage for stage in yaml.safe_load(SFT.read_text())["data"]["curriculum"]}
QUERIES = yaml.safe_load(GRPO.read_text())["data"]["curriculum"][0]["mix"]
REWARDS = yaml.safe_load(GRPO.read_text())["model"]["init_args"]["rewards"]
CEL = ("attribute", "expression", "emotion")
OTHERS = {"attribute": "expression", "expression": "understanding", "emotion": "emotion_single"}
"""Stage -> the key of its mix that is of another class of the data."""
RATE = 2.5e-3  # of runs that have one stage: that of the curriculum's first
MORE_RATE = 1.0e-3  # of SFT that goes on: that of its last
PAPER = Path(__file__).with_name("ablations.csv")
FACTS = "caption_facts"


@dataclass(frozen=True)
class Setting:
    """A row of a table.

    Attributes:
        name: As the paper names it, where it has the row.
        model: Name of a model of `Laboratory.recipe`.
        against: Name of the row that it is compared with.
        n: Candidates of the search; greedy answers without one where it is None.
    """

    name: str
    model: str
    against: str | None = None
    n: int | None = None


NONE, START, WHOLE = "no component", "CEL", "curriculum: attribute+expression+emotion"
ONE, GREEDY = "ER n=1", "no search"
TABLES: dict[str, tuple[Setting, ...]] = {
    "4": (
        Setting(NONE, "base"),
        Setting("CEL", "cel", NONE),
        Setting("CEL+ATR", "atr", "CEL"),
        Setting("CEL+ATR+ER", "atr", "CEL+ATR", n=8),
    ),
    "8": (
        Setting("single stage: none", "base", WHOLE),
        *(Setting(f"single stage: {name} data", name, WHOLE) for name in CEL),
        Setting("curriculum: attribute+expression", "two", WHOLE),
        Setting(WHOLE, "cel"),
        Setting("the same data shuffled", "shuffled", WHOLE),
    ),
    "9": (
        Setting("GRPO only", "qa", START),
        Setting("+ tree reward", "overlap", START),
        Setting("+ tree edit distance (ATR)", "atr", START),
        Setting("more SFT at equal compute", "more", START),
        Setting(START, "cel"),
    ),
    "10": (
        Setting(ONE, "atr", GREEDY, n=1),
        *(Setting(f"ER n={n}", "atr", ONE, n=n) for n in (2, 4, 8)),
        Setting(GREEDY, "atr"),
    ),
}


class Laboratory:
    """Trains models, tests them, and keeps both.

    Args:
        run: Folder of all that is made.
        plan: The world.
    """

    def __init__(self, run: Path, plan: Plan) -> None:
        self.run, self.data = run, run / "data"
        synthesize(self.data, plan)
        if not (run / "tiny" / "model.safetensors").is_file():
            tiny(str(self.data), str(run / "tiny"))
        self._truth = {
            state["path"]: AffectiveTree.from_json(state["tree"])
            for split in ("val", "test")
            for state in map(json.loads, (self.data / "truth" / f"{split}.jsonl").read_text().splitlines())
        }

    def recipe(self, model: str, seed: int) -> tuple[Path, str | None, list[str]]:
        """The config of a model's training, the model that it starts from, and options."""
        if model == "base":
            return SFT, None, stages(STAGES["looking"])
        if model == "cel":
            return SFT, "base", stages(*(STAGES[name] for name in CEL))
        if model == "atr":
            return GRPO, "cel", rewards(*REWARDS)
        if model == "overlap":
            return GRPO, "cel", rewards(REWARDS[0], overlap_instead(REWARDS[1]))
        if model == "qa":  # no other reward is for captions
            mix = QUERIES | dict.fromkeys(REWARDS[1]["tasks"], 0.0)
            one = {"name": "grpo", "mix": mix, "epochs": None, "steps": self.trained("atr", seed)["steps"]}
            return GRPO, "cel", [*rewards(REWARDS[0]), *stages(one)]
        cel = self.trained("cel", seed)
        one = partial(one_stage, model)
        if model in CEL:
            mix = {key: weight for key, weight in STAGES[model]["mix"].items() if key != OTHERS[model]}
            return SFT, "base", one(mix, cel["steps"])
        if model == "shuffled":
            return SFT, "base", one(cel["mix"], cel["steps"])
        if model == "two":
            share = cel["steps"] / sum(cel["stages"][name] for name in CEL[:2])
            both = [stretched(STAGES[name], round(cel["stages"][name] * share)) for name in CEL[:2]]
            return SFT, "base", stages(*both)
        if model == "pace":  # of more SFT, to know how many of its steps a time holds
            return SFT, "cel", one(QUERIES, 200, MORE_RATE)
        pace = self.trained("pace", seed)
        steps = round(self.trained("atr", seed)["seconds"] * pace["steps"] / pace["seconds"])
        return SFT, "cel", one(QUERIES, steps, MORE_RATE)

    def trained(self, model: str, seed: int) -> dict[str, Any]:
        """A model's checkpoint, what its training took, and its plan; trained where it is not yet."""
        folder = self.run / "models" / named(model, seed)
        done, last = folder / "trained.json", last_checkpoint(folder)
        if not done.is_file():
            config, start, options = self.recipe(model, seed)
            started = [f"--model.init_args.start_from={self.trained(start, seed)['checkpoint']}"] if start else []
            resumed = [f"--ckpt_path={last}"] if last.is_file() else []
            begun, first = time.process_time(), read_checkpoint(last)["global_step"] if resumed else 0
            where = [f"--trainer.default_root_dir={folder}", "--trainer.limit_val_batches=0"]
            cli = run_trainer(["fit", *self._common(config, seed), *where, *started, *options, *resumed])
            steps = cli.trainer.global_step
            seconds = (time.process_time() - begun) * steps / max(1, steps - first)
            done.write_text(json.dumps({"steps": steps, "seconds": seconds, **plan_of(cli)}))
        return {"checkpoint": last, **json.loads(done.read_text())}

    def blind(self, setting: Setting, seed: int) -> dict[str, float]:
        """The scores of the best answers without looking, those that training has; one caption of validation."""
        result = BenchmarkResult.load(self._results(setting, seed) / "benchmark.json")
        columns = {task.column: task.scenario for task in all_tasks()}
        found = {
            scenario: fmean(score for column, score in result.blind.items() if columns[column] == scenario)
            for scenario in ("attribute", "expression")
        }
        path = self.data / "jsons" / FILES["caption"].path("val")
        known = {record.videos[0]: stated_facts(record.answer) for record in read_records(path)}

        def fits(caption: Counter[str], videos: Iterable[str]) -> float:
            return 100 * fmean(facts_told(caption, self._truth[video]) for video in videos)

        asked = [one.videos[0] for one in self.answers(setting, seed) if one.task.column == "caption"]
        found["understanding"] = fits(max(known.values(), key=lambda caption: fits(caption, known)), asked)
        return {name: round(score, 2) for name, score in {**found, "average": fmean(found.values())}.items()}

    def answers(self, setting: Setting, seed: int) -> list[Graded]:
        """The answers to the test's questions, with their scores."""
        checkpoint = self.trained(setting.model, seed)["checkpoint"]
        results = self._results(setting, seed)
        if not (results / "benchmark.json").is_file():
            where = [f"--model.init_args.results_dir={results.parent}", f"--model.init_args.method={results.name}"]
            loaded = [f"--model.init_args.start_from={checkpoint}", f"--ckpt_path={checkpoint}"]
            search = [f"--reasoning.n={setting.n}", f"--reasoning.seed={seed}"] if setting.n else []
            run_trainer(["test", *self._common(GRPO, seed), *where, *loaded, *search])
        return [self._with_facts(one) for one in read_scores(results / "scores.jsonl")]

    def _results(self, setting: Setting, seed: int) -> Path:
        return self.run / "results" / (named(setting.model, seed) + (f"-er{setting.n}" if setting.n else ""))

    def _common(self, config: Path, seed: int) -> list[str]:
        return [
            f"--config={config}",
            f"--seed_everything={seed}",
            f"--data.seed={seed}",
            f"--model.init_args.checkpoint={self.run / 'tiny'}",
            f"--data.root={self.data}",
        ]

    def _with_facts(self, one: Graded) -> Graded:
        if one.task.column != "caption":
            return one
        return replace(one, scores={**one.scores, FACTS: facts_told(one.response, self._truth[one.videos[0]])})


def named(model: str, seed: int) -> str:
    """A model of a seed as files are called; all start from one base."""
    return f"{model}-{0 if model == 'base' else seed}"


def stages(*given: Mapping[str, Any]) -> list[str]:
    """A curriculum as an option; its first stage replays nothing."""
    first = {key: value for key, value in given[0].items() if key != "replay"}
    return [f"--data.curriculum={json.dumps([first, *given[1:]])}"]


def rewards(*terms: Mapping[str, Any]) -> list[str]:
    """A mixture of rewards as an option."""
    return [f"--model.init_args.rewards={json.dumps(terms)}"]


def one_stage(name: str, mix: Mapping[str, float], steps: int, rate: float = RATE) -> list[str]:
    return stages({"name": name, "mix": mix, "steps": steps, "learning_rate": rate})


def stretched(stage: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """A stage of another length."""
    return {key: value for key, value in stage.items() if key != "epochs"} | {"steps": steps}


def overlap_instead(term: Mapping[str, Any]) -> dict[str, Any]:
    """A term of the reward with the overlap of trees in place of their edit distance."""
    return {**term, "reward": {"class_path": "videmo.rewards.TreeOverlapReward"}}


def plan_of(cli: VidEmoCLI) -> dict[str, Any]:
    """The steps of each stage of a training, and the mix of one epoch that visits every task as often as all of it."""
    plan: Curriculum = cli.datamodule.curriculum
    visits, size = {}, {}
    for phase in plan.phases:
        for task, count in plan.counts(phase.stage).items():
            visits[task.name] = visits.get(task.name, 0) + count * phase.epochs
            if weight := phase.stage.weight(task):
                size[task.name] = count / weight
    mix = {name: round(count / size[name] / plan.num_epochs, 4) for name, count in visits.items() if count}
    return {"stages": {phase.stage.name: phase.steps for phase in plan.phases}, "mix": mix}


def fill(run: Path, plan: Plan, name: str, seed: int) -> None:
    """Train and test what a table needs of a seed, in a process of its own, whose output goes to a file."""
    console = os.dup(1)
    with (run / f"seed-{seed}.log").open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    laboratory = Laboratory(run, plan)
    for setting in TABLES[name]:
        begun = time.monotonic()
        laboratory.answers(setting, seed)
        took = (time.monotonic() - begun) / 60
        os.write(console, f"table {name}, seed {seed}: {setting.name} ({took:.1f} minutes)\n".encode())


def fill_all(laboratory: Laboratory, plan: Plan, name: str, seeds: Sequence[int]) -> None:
    """All seeds beside each other, after what they have in common; each on one thread, whatever the machine has, as
    several add up in another order, which makes another model of the same seed.
    """
    laboratory.trained("base", 0)
    for setting in TABLES[name]:
        if setting.model == "base":
            laboratory.answers(setting, seeds[0])
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(len(seeds), mp_context=get_context("spawn")) as processes:
        for done in [processes.submit(fill, laboratory.run, plan, name, seed) for seed in seeds]:
            done.result()


def table(laboratory: Laboratory, name: str, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """The rows of a table, the paper's beside ours."""
    answers = {setting.name: [laboratory.answers(setting, seed) for seed in seeds] for setting in TABLES[name]}
    with PAPER.open() as stream:
        published = {line["setting"]: line for line in csv.DictReader(stream) if line["table"] == name}
    rows = []
    for setting in TABLES[name]:
        runs, base = answers[setting.name], setting.against or setting.name
        found = differences(over_seeds(runs), over_seeds(answers[base]), FACTS)
        rows.append(
            {
                "setting": setting.name,
                **{key: found[key]["score"] for key in FIGURES},
                "against": setting.against,
                "difference": {key: found[key]["difference"] for key in FIGURES},
                "ci": {key: [found[key]["low"], found[key]["high"]] for key in FIGURES},
                "by_seed": [differences(run, run, FACTS)["average"]["score"] for run in runs],
                "paper": {key: float(published[setting.name][key]) for key in FIGURES}
                if setting.name in published
                else None,
            }
        )
    return rows


def markdown(rows: Sequence[Mapping[str, Any]], blind: Mapping[str, float]) -> str:
    """The table as Markdown, the best answers without looking beneath."""
    lines = [f"| setting | {' | '.join(FIGURES)} | seeds |", f"|---|{':-:|' * len(FIGURES)}---|"]
    for row in rows:
        name = f"{row['setting']}<br>against {row['against']}" if row["against"] else row["setting"]
        figures = [
            (cell(row[key], row["difference"][key], row["ci"][key]) if row["against"] else f"{row[key]:.1f}")
            + (f"<br>paper {row['paper'][key]:.1f}" if row["paper"] else "")
            for key in FIGURES
        ]
        seeds = "<br>".join(f"{score:.1f}" for score in row["by_seed"])
        lines.append(f"| {name} | {' | '.join(figures)} | {seeds} |")
    lines.append(f"| without looking | {' | '.join(f'{blind[key]:.1f}' for key in FIGURES)} | - |")
    return "\n".join(lines) + "\n"


def picture(rows: Sequence[Mapping[str, Any]], blind: Mapping[str, float]) -> Figure:
    """Our scores and the paper's, a panel for each figure.

    A whisker is the interval of the paired difference, around the score; a dotted line, the best answers without
    looking.
    """
    figure = Figure(figsize=(7.5, 1.8 + 0.6 * len(rows)), layout="constrained")
    panels = figure.subplots(2, 2, sharey=True).flatten()
    places = range(len(rows))
    for axes, key in zip(panels, FIGURES, strict=True):
        axes.set_title(key)
        axes.grid(axis="x")
        axes.tick_params(length=0)
        axes.axvline(blind[key], color=colour("faint"), ls=":", lw=1)
        for place, row in zip(places, rows, strict=True):
            if row["paper"]:
                axes.plot(row["paper"][key], place, "o", mfc="none", mec=colour("soft"), ms=7)
            if row["against"]:
                middle = row[key] - row["difference"][key]
                axes.plot([middle + end for end in row["ci"][key]], [place] * 2, color=colour("accent"), lw=2)
            axes.plot(row[key], place, "o", color=colour("accent"), ms=6)
        axes.margins(0.12)
    panels[0].set_yticks(places, [row["setting"] for row in rows])
    panels[0].invert_yaxis()
    said = "filled: ours, on drawn faces; open: the paper's, on Emo-CFG; dotted: ours without looking"
    figure.supxlabel(said, size=11, color=colour("soft"))
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", choices=TABLES, required=True)
    parser.add_argument("--run", type=Path, default=Path("runs/ablate"), help="folder of all that is made")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    if len({*arguments.seeds}) < len(arguments.seeds):
        parser.error("--seeds names one twice")
    try:
        arguments.run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--run: {arguments.run} cannot be made: {error.strerror}")
    torch.set_num_threads(2)  # of what all seeds start from, as where the published tables were made
    begun, plan = time.monotonic(), find_preset("bench-v1")
    laboratory = Laboratory(arguments.run, plan)
    fill_all(laboratory, plan, arguments.table, arguments.seeds)
    rows = table(laboratory, arguments.table, arguments.seeds)
    first = TABLES[arguments.table][0], arguments.seeds[0]
    blind = laboratory.blind(*first)
    found = {
        "table": arguments.table,
        "seeds": arguments.seeds,
        "questions": len(laboratory.answers(*first)),
        "seconds": round(time.monotonic() - begun),
        "blind": blind,
        "rows": rows,
    }
    place = arguments.run / f"table{arguments.table}"
    place.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
    place.with_suffix(".md").write_text(markdown(rows, blind))
    with drawing(place.name):
        picture(rows, blind).savefig(place.with_suffix(".svg"), facecolor=colour("paper"), metadata={"Date": None})
    print(markdown(rows, blind))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
