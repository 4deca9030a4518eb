"""What a committee makes of labels: 100 drawn clips of known truth, three simulated models behind a real HTTP server.

python tools/curate_table.py --clips 100

Three models that err independently in 20% of all facts, three whose errors have a correlation of 0.5, and three of
which one errs in 45%; each with the first of the three as author, and with a fourth model of 20% apart from them.
Printed: the error of labels before and after, the share of samples kept, the calls, and Fleiss' kappa beside what a
direct simulation of the same beliefs gives (mean and the middle 95% of its runs). The last line is JSON.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import fmean

import numpy as np
from simulated_models import EMOTIONS, Beliefs, SimulatedModels, facts_of

from videmo.committee.agreement import agreement
from videmo.committee.member import VisionModel
from videmo.committee.run import Models, clips_in, settle
from videmo.data.sampling import VideoSettings
from videmo.synth.draw import draw_clip
from videmo.synth.encode import encode_clip
from videmo.synth.world import sample_world

VIDEO = VideoSettings(max_frames=4, min_pixels=84 * 84, max_pixels=84 * 84)
COMMITTEE = ("a", "b", "c")
SCENARIOS = {
    "independent, 20%": ({"a": 0.2, "b": 0.2, "c": 0.2, "d": 0.2}, 0.0),
    "correlated 0.5, 20%": ({"a": 0.2, "b": 0.2, "c": 0.2, "d": 0.2}, 0.5),
    "one of 45%, 20%": ({"a": 0.2, "b": 0.2, "c": 0.45, "d": 0.2}, 0.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rewrites", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shown, names = draw(Path(folder), given.clips, given.seed)
        rows = []
        for name, (errors, rho) in SCENARIOS.items():
            for author in ("a", "d"):
                beliefs = Beliefs(errors, rho, given.seed)
                rows.append(measure(name, author, beliefs, shown, names, Path(folder), given.rewrites))
                print(line(rows[-1]), flush=True)
    print(json.dumps({"clips": given.clips, "rows": rows}))


def draw(folder: Path, count: int, seed: int) -> tuple[dict, list[str]]:
    """Clips of one person each: what the server knows of them by their first picture, and their files."""
    drawn = [clip for clip in sample_world(4 * count + 60, seed).clips["train"] if clip.kind == "single"][:count]
    shown, names = {}, []
    for clip in drawn:
        file = folder / f"{clip.name}.mp4"
        encode_clip(draw_clip(clip), file)
        (one,) = clips_in(folder, [file.name], VIDEO)
        shown[one.frames.urls()[0]] = (clip.name, facts_of(clip))
        names.append(file.name)
    return shown, names


def measure(
    name: str, author: str, beliefs: Beliefs, shown: dict, names: list[str], folder: Path, rewrites: int
) -> dict:
    """One scenario, through the server."""
    start = time.perf_counter()
    truth = {f"{clip}.mp4": facts for clip, facts in shown.values()}
    with SimulatedModels(shown, beliefs) as server, tempfile.TemporaryDirectory() as work:
        settings = {one: VisionModel(server.url, one, cache=f"{work}/replies.sqlite") for one in {*COMMITTEE, author}}
        models = Models(settings[author], tuple(settings[one] for one in COMMITTEE), EMOTIONS, rewrites)
        clips = clips_in(folder, names, VIDEO)
        settle(clips, models)
        calls = server.paid.total()
    facts = {(clip.path, fact.task): fact for clip in clips for fact in truth[clip.path].values()}
    drafts = [
        (facts[clip.path, draft.task], draft)
        for clip in clips
        for draft in clip.drafts
        if (clip.path, draft.task) in facts
    ]
    first = [wrong(fact, [*draft.former, draft.answer][0]) for fact, draft in drafts]
    kept = [wrong(fact, draft.answer) for fact, draft in drafts if draft.status == "kept"]
    runs = [simulate(beliefs, author, [fact for fact, _ in drafts], rewrites, seed) for seed in range(200)]
    return {
        "scenario": name,
        "author": "of the committee" if author in COMMITTEE else "apart",
        "samples": len(drafts),
        "error_before": 100 * fmean(first),
        "error_after": 100 * fmean(kept),
        "kept": 100 * len(kept) / len(drafts),
        "calls": calls,
        "kappa": agreement(draft for _, draft in drafts),
        "simulated": {
            key: [fmean(run[key] for run in runs), *np.quantile([run[key] for run in runs], [0.025, 0.975]).tolist()]
            for key in runs[0]
        },
        "seconds": round(time.perf_counter() - start, 1),
    }


def wrong(fact, answer: str) -> bool:
    return fact.task.score(answer, fact.truth) != 1.0


def simulate(beliefs: Beliefs, author: str, facts: list, rewrites: int, seed: int) -> dict[str, float]:
    """The same committee without models, server or prompts: beliefs as numbers, 0 for the truth."""
    rng = np.random.default_rng([seed, 1])
    options = np.array([len(fact.others) for fact in facts])

    def believe(error: float) -> np.ndarray:
        return (rng.random(len(facts)) < error) * (1 + (rng.random(len(facts)) * options).astype(int))

    errors = beliefs.errors
    shared = {error: believe(error) for error in {*errors.values()}}
    own = {
        one: np.where(rng.random(len(facts)) < beliefs.rho**0.5, shared[errors[one]], believe(errors[one]))
        for one in errors
    }
    answer = own[author].copy()
    first = answer.copy()
    open_, kept, kappa = np.ones(len(facts), bool), np.zeros(len(facts), bool), None
    for number in range(rewrites + 1):
        votes = np.stack([own[one] == answer for one in COMMITTEE])  # [members, facts]
        kappa = fleiss(votes) if kappa is None else kappa
        stands = open_ & (votes.sum(0) >= 2)
        kept, open_ = kept | stands, open_ & ~stands
        if number == rewrites:
            break
        for place in np.flatnonzero(open_):
            said = [own[one][place] for one, vote in zip(COMMITTEE, votes[:, place], strict=True) if not vote]
            named = max(dict.fromkeys(said), key=said.count)
            open_[place] = named != answer[place]
            answer[place] = named
    return {
        "error_before": 100 * (first > 0).mean(),
        "error_after": 100 * (answer[kept] > 0).mean(),
        "kept": 100 * kept.mean(),
        "kappa": kappa,
    }


def fleiss(votes: np.ndarray) -> float:
    """Fleiss' kappa of votes [members, samples], by its definition."""
    members, right = len(votes), votes.sum(0)
    agreed = (right * (right - 1) + (members - right) * (members - right - 1)) / (members * (members - 1))
    share = right.mean() / members
    chance = share**2 + (1 - share) ** 2
    return (agreed.mean() - chance) / (1 - chance)


def line(row: dict) -> str:
    mean, low, high = row["simulated"]["kappa"]
    return (
        f"{row['scenario']:22} author {row['author']:17} error {row['error_before']:4.1f} -> {row['error_after']:4.1f}"
        f", kept {row['kept']:5.1f}, {row['calls']:5,} calls, kappa {row['kappa']:.3f} "
        f"(simulated {mean:.3f}, {low:.3f} to {high:.3f})"
    )


if __name__ == "__main__":
    main()
