"""Perplexity of the answers by class and task, by which the paper orders its curriculum (section 3.1), and the order
that it suggests.

A task's perplexity is exp of the mean negative log-probability of its answers' tokens, over a sample of its records.
That of a class weighs its tasks by how many records they have, so that it is that of the class as it stands in the
data. The tasks' samples are about the same videos where they can be, so that one prefill serves several.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from videmo.data.presence import Place
from videmo.data.quarantine import any_video
from videmo.stats.charts import Spread, spreads
from videmo.stats.classes import CLASSES, TEXT, class_of, colour_of, in_order
from videmo.stats.corpus import Corpus
from videmo.stats.questions import MAX_BRANCHES
from videmo.stats.section import LeftOut, Section, Table, inside, percent, plural
from videmo.tasks import Task, find_task
from videmo.terminal import watch

NAME, TITLE = "perplexity", "Perplexity of the answers, and the order it suggests"
RESAMPLES = 2000
SURE = 0.95
"""Share of the resamples with one order, below which it is called in doubt."""
_AT_ONCE = 250  # resamples, whose counts of 5,000 videos are 10 MB


@dataclass(frozen=True)
class Scored:
    """An answer that a model scored.

    Attributes:
        task: Of its record.
        video: What it has in common with the others on its videos.
        nll: Sum of its tokens' negative log-probabilities.
        tokens: How many they are.
    """

    task: Task
    video: int
    nll: float
    tokens: int


@dataclass(frozen=True)
class Estimate:
    """A perplexity.

    Attributes:
        value: Its estimate.
        low: The lower bound of its 95% interval.
        high: The upper bound.
        answers: How many were scored.
        tokens: Of an answer on average, each task by how many records it has, too.
        videos: How many they are about.
    """

    value: float
    low: float
    high: float
    answers: int
    tokens: float
    videos: int


def perplexity(corpus: Corpus, ckpt: str | None, answers: int, base: str | None = None) -> Section | LeftOut:
    """What a model finds of the answers, with at most so many of each task."""
    if ckpt is None:
        return LeftOut(NAME, TITLE, "No model was given: --ckpt takes a run, a checkpoint or a model's folder.")
    scored, failed = score_answers(corpus, ckpt, answers, base)
    if not scored:
        return LeftOut(NAME, TITLE, f"No answer of {corpus.split} could be scored: no video of theirs can be used.")
    held = {task: len(numbers) for task, numbers in corpus.tasks.items()}
    classes, order = estimate(scored, held, corpus.seed)
    tasks = {task: estimate([one for one in scored if one.task == task], held, corpus.seed)[0] for task in held}
    tasks = {task: next(iter(found.values())) for task, found in tasks.items() if found}
    suggested, paper = suggested_order(classes), [name for name in CLASSES if name in classes]
    ranked = sorted(tasks, key=lambda task: tasks[task].value)
    rows = [
        [_spread(name, classes[name], name) for name in in_order(classes)],
        [_spread(task.name, tasks[task], class_of(task)) for task in ranked],
    ]
    model = inside(ckpt, Path.cwd())
    said = ", ".join(f"{name} {classes[name].value:.2f}" for name in suggested)
    return Section(
        name=NAME,
        title=TITLE,
        lead=f"{plural(len(scored), 'answer')} scored by {model}, at most {answers} a task, with 95% intervals by "
        f"bootstrap over videos; a class weighs its tasks by how many records they have. By rising perplexity: {said}. "
        f"{verdict(suggested, paper, classes, order)} The axis is logarithmic. A perplexity is a token's, and long "
        "answers have many that follow from those before. A model that was trained on these answers orders them by "
        "what it learned, too: to plan a curriculum, give the one that it starts from."
        + (f" {plural(failed, 'record')} left out, whose videos or texts cannot be used." if failed else ""),
        of=f"{plural(len(scored), 'answer')}, scored by {model}",
        alt=f"Perplexities with their intervals, of the classes and of each task, on a logarithmic axis. {said}.",
        numbers={
            "checkpoint": ckpt,
            "answers": len(scored),
            "failed": failed,
            "classes": {name: asdict(of) for name, of in classes.items()},
            "tasks": {task.name: {"class": class_of(task), **asdict(of)} for task, of in tasks.items()},
            "suggested_order": suggested,
            "paper_order": paper,
            "share_of_resamples_in_suggested_order": order,
        },
        draw=lambda width: spreads(rows, width, says="perplexity of an answer's token, logarithmic", log=True),
        tables=(
            Table(
                ("class", "perplexity", "95%", "answers", "tokens"),
                tuple(_row(name, classes[name]) for name in suggested),
            ),
            Table(
                ("task", "perplexity", "95%", "answers"),
                tuple(_row(task.name, tasks[task])[:-1] for task in ranked),
            ),
        ),
    )


def score_answers(corpus: Corpus, ckpt: str, answers: int, base: str | None = None) -> tuple[list[Scored], int]:
    """The answers of a sample of each task's records, and how many records could not be used.

    Raises:
        InputError: If there is no such model.
    """
    numbers = chosen_records(corpus, answers)
    if not len(numbers):
        return [], 0
    # All else here needs no model, nor the seconds that these take.
    import torch

    from videmo.data.dataset import RecordDataset
    from videmo.data.loader import Failure
    from videmo.reason.model import load_reasoner
    from videmo.reasoning import SearchSettings
    from videmo.token_tree import TokenLayout
    from videmo.training.module import sums_by_sample

    model = load_reasoner(ckpt, SearchSettings(), base=base)
    backbone, tokenizer = model.search.backbone, model.search.tokenizer
    dataset = RecordDataset(
        corpus.index,
        corpus.folder.video_root,
        tokenizer,
        TokenLayout.from_config(backbone.config, tokenizer.pad_token_id),
        model.video,
        max_branches=MAX_BRANCHES,
        on_bad_sample="skip",
    )
    scored, failed = [], 0
    groups = trees_of(numbers, corpus.index.family)
    for group in watch("scoring answers", len(groups), groups):
        batch = dataset.__getitems__(group)
        if isinstance(batch, Failure):
            raise batch.error
        failed += len(batch.faults)
        if not batch.records:
            continue
        with torch.inference_mode():
            batch = batch.to(backbone.model.device)
            counts, sums = sums_by_sample(-backbone.score(batch).logps, batch)
        family = int(corpus.index.family[group[0]])
        for record, count, nll in zip(batch.records, counts.tolist(), sums.tolist(), strict=True):
            if count:
                scored.append(
                    Scored(find_task(record.source, record.file, has_videos=bool(record.videos)), family, nll, count)
                )
    return scored, failed


def chosen_records(corpus: Corpus, answers: int) -> np.ndarray:
    """Numbers of records whose videos are there, at most so many of each task: those on the first videos of one random
    order for all tasks.
    """
    family, lost = corpus.index.family, any_video(corpus.index, corpus.places != Place.THERE)
    place = np.random.default_rng(corpus.seed).permutation(int(family.max()) + 1)
    return np.concatenate(
        [
            np.empty(0, int),
            *(
                numbers[np.argsort(place[family[numbers]], kind="stable")[:answers]]
                for numbers in (own[~lost[own]] for task, own in corpus.tasks.items() if class_of(task) != TEXT)
            ),
        ]
    )


def trees_of(numbers: np.ndarray, family: np.ndarray) -> list[list[int]]:
    """Records in groups on the same videos, at most as many as a tree has branches.

    >>> trees_of(np.array([3, 0, 1]), np.array([7, 7, 5, 7]))
    [[0, 1, 3]]
    """
    ordered = np.sort(numbers)
    ordered = ordered[np.argsort(family[ordered], kind="stable")]
    groups = np.split(ordered, np.flatnonzero(np.diff(family[ordered])) + 1) if len(ordered) else []
    return [
        group[start : start + MAX_BRANCHES].tolist() for group in groups for start in range(0, len(group), MAX_BRANCHES)
    ]


def estimate(
    scored: Sequence[Scored], held: Mapping[Task, int], seed: int = 0
) -> tuple[dict[str, Estimate], float | None]:
    """The perplexity of each class, and how often resamples of the videos order the classes as the estimates do.

    Args:
        scored: Answers.
        held: How many records each task has, by which it weighs in its class.
        seed: Of the bootstrap.
    """
    if not scored:
        return {}, None
    tasks = list(dict.fromkeys(one.task for one in scored))
    videos = {video: place for place, video in enumerate(dict.fromkeys(one.video for one in scored))}
    sums = np.zeros((3, len(videos), len(tasks)))  # answers, nll, tokens
    for one in scored:
        sums[:, videos[one.video], tasks.index(one.task)] += 1, one.nll, one.tokens
    weight = np.array([held[task] for task in tasks], float)
    names = in_order(class_of(task) for task in tasks)
    member = np.array([[class_of(task) == name for task in tasks] for name in names], float)  # [classes, tasks]

    def of(counts: np.ndarray) -> np.ndarray:
        """Perplexities [R, classes] of resamples that hold each video so many times, [R, V]."""
        answers, nll, tokens = np.einsum("rv,kvt->krt", counts, sums)
        share = np.where(answers > 0, weight / np.maximum(answers, 1), 0)  # a task that a resample lost
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.exp((share * nll) @ member.T / ((share * tokens) @ member.T))

    whole = of(np.ones((1, len(videos))))[0]
    random = np.random.default_rng(seed)
    chances = np.full(len(videos), 1 / len(videos))
    drawn = np.concatenate(
        [of(random.multinomial(len(videos), chances, size=_AT_ONCE)) for _ in range(RESAMPLES // _AT_ONCE)]
    )
    low, high = np.nanpercentile(drawn, (2.5, 97.5), axis=0)
    answers, _, tokens = sums.sum(1)  # [tasks]
    lengths, found = tokens / answers, {}
    for place, name in enumerate(names):
        own = [one for one in scored if class_of(one.task) == name]
        tokens = float(np.average(lengths, weights=weight * member[place]))
        seen = len({one.video for one in own})
        values = (float(side[place]) for side in (whole, low, high))
        found[name] = Estimate(*values, answers=len(own), tokens=tokens, videos=seen)
    ranks = np.argsort(whole)
    kept = drawn[~np.isnan(drawn).any(1)]
    alike = float((np.argsort(kept, axis=1) == ranks).all(1).mean()) if len(names) > 1 and len(kept) else None
    return found, alike


def suggested_order(classes: Mapping[str, Estimate]) -> list[str]:
    """Classes by rising perplexity."""
    return sorted(classes, key=lambda name: classes[name].value)


def verdict(
    suggested: Sequence[str], paper: Sequence[str], classes: Mapping[str, Estimate], share: float | None
) -> str:
    """What may be said of an order: whether it is the paper's, and how sure it is."""
    if len(suggested) < 2:
        return "With one class there is no order."
    same = "the paper's own order" if [*suggested] == [*paper] else f"not the paper's, {', '.join(paper)}"
    close = [(a, b) for a, b in pairwise(suggested) if classes[a].high >= classes[b].low]
    said = [f"{a} and {b}" for a, b in close]
    apart = f"The intervals of {' and of '.join(said)} overlap" if said else "No two neighbours' intervals overlap"
    doubt = ", so that the order is in doubt" if share is not None and share < SURE else ""
    sure = "" if share is None else f"; {percent(share, 1)} of the resamples have the same order{doubt}"
    return f"That is {same}. {apart}{sure}."


def _spread(label: str, of: Estimate, name: str) -> Spread:
    return Spread(label, of.low, of.high, of.value, f"{of.value:.2f}", colour=colour_of(name))


def _row(label: str, of: Estimate) -> tuple:
    return label, f"{of.value:.2f}", f"{of.low:.2f} to {of.high:.2f}", of.answers, f"{of.tokens:.1f}"
