"""Questions a video: what a token tree can share, by class of the curriculum."""

import numpy as np

from videmo.stats.charts import histogram
from videmo.stats.classes import CLASSES
from videmo.stats.corpus import Corpus
from videmo.stats.section import LeftOut, Section, Table, plural

NAME, TITLE = "questions", "Questions a video"
MAX_BRANCHES = 8  # of a tree in configs/sft.yaml
MOST = 20  # questions that have a bar of their own
_SHOWN = 12  # of them that have a number on the axis


def questions(corpus: Corpus) -> Section | LeftOut:
    """How many records each video has, or each set of videos that records are about together."""
    everything = records_a_video(corpus.index.family[corpus.has_videos])
    if not len(everything):
        return LeftOut(NAME, TITLE, f"No record of {corpus.split} is about a video.")
    by_class = {
        name: records_a_video(corpus.index.family[corpus.has_videos & corpus.in_class(name)]) for name in CLASSES
    }
    by_class = {name: counts for name, counts in by_class.items() if len(counts)}
    figures = {name: _figures(counts) for name, counts in {"all": everything, **by_class}.items()}
    mean, own = figures["all"]["mean"], {name: figures[name] for name in by_class}
    stages = ", ".join(f"{name} {of['branches']:.2f}" for name, of in own.items())
    shown = np.bincount(np.minimum(everything, MOST + 1), minlength=MOST + 2)[1:].tolist()
    last = MOST if shown[-1] == 0 else MOST + 1
    ticks = [(count, f"{count}" if count <= MOST else f">{MOST}") for count in range(1, last + 1)]
    return Section(
        name=NAME,
        title=TITLE,
        lead=f"{plural(int(everything.sum()), 'question')} about {plural(len(everything), 'video')}, or sets of videos "
        f"that are asked about together: {mean:.2f} a video. Questions on one video share its tokens in a token tree "
        "when they meet in one stage. In a stage of each class a tree would have on average so many branches, with at "
        f"most {MAX_BRANCHES}, as configs/sft.yaml allows: {stages}. Near 1, a tree shares nothing.",
        of=f"{plural(int(everything.sum()), 'question')} about {plural(len(everything), 'video')} or sets of videos",
        alt=f"A histogram of the number of questions that a video has. The mean is {mean:.2f}, the median "
        f"{figures['all']['median']:g}, the most {figures['all']['most']}.",
        numbers={
            "max_branches": MAX_BRANCHES,
            "histogram": {str(count): int(n) for count, n in enumerate(np.bincount(everything)) if n},
            "classes": figures,
        },
        draw=lambda width: histogram(
            np.arange(0.5, last + 1),
            shown[:last],
            width,
            says="questions a video",
            counted="videos",
            marks=[(min(mean, last), f"mean {mean:.2f}")],
            ticks=ticks if last <= _SHOWN else [tick for tick in ticks if tick[0] in (1, 5, 10, 15, last)],
        ),
        tables=(
            Table(
                ("class", "questions", "videos", "a video", "branches a tree"),
                tuple(
                    (name, of["questions"], of["videos"], f"{of['mean']:.2f}", f"{of['branches']:.2f}")
                    for name, of in figures.items()
                ),
            ),
        ),
    )


def records_a_video(family: np.ndarray) -> np.ndarray:
    """How many records each family has, the families without any left out.

    >>> records_a_video(np.array([4, 1, 4, 4])).tolist()
    [1, 3]
    """
    return np.unique(family, return_counts=True)[1]


def branches(counts: np.ndarray, most: int = MAX_BRANCHES) -> float:
    """Mean branches of the trees of families that are cut so that a tree has at most so many.

    >>> branches(np.array([1, 3, 10]), most=8)  # trees of 1, 3, 8 and 2
    3.5
    """
    return float(counts.sum() / np.ceil(counts / most).sum())


def _figures(counts: np.ndarray) -> dict[str, float]:
    return {
        "questions": int(counts.sum()),
        "videos": len(counts),
        "mean": float(counts.mean()),
        "median": float(np.median(counts)),
        "most": int(counts.max()),
        "branches": branches(counts),
    }
