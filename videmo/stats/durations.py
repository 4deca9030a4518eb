"""How long the videos are, by source, from their files' own metadata."""

import numpy as np

from videmo.data.metadata import video_infos
from videmo.data.sampling import VideoSettings
from videmo.stats.charts import histogram
from videmo.stats.corpus import Corpus
from videmo.stats.section import LeftOut, Section, Table, inside, plural

NAME, TITLE = "durations", "Duration of the videos"
BINS = 30
_TAIL = 99  # percentile beyond which one bar has all


def durations(corpus: Corpus, most: int) -> Section | LeftOut:
    """The duration of videos that are there, at most so many of them drawn at random."""
    chosen, named = corpus.some_videos(most), len(corpus.index.videos)
    if not len(chosen):
        return LeftOut(NAME, TITLE, without_videos(corpus))
    infos = video_infos(corpus.index, corpus.folder.video_root, VideoSettings(), chosen)[chosen]
    readable = (infos["num_frames"] > 0) & (infos["fps"] > 0)
    bad = int((~readable).sum())
    if not readable.any():
        return LeftOut(NAME, TITLE, f"None of {plural(len(chosen), 'video')} that were opened can be read.")
    seconds = infos["num_frames"][readable] / infos["fps"][readable]
    sources = np.array([corpus.sources[number] for number in chosen[readable].tolist()])
    quantiles = {name: spread(seconds[sources == name]) for name in np.unique(sources).tolist()}
    whole = spread(seconds)
    edges = bins(seconds)
    counts = np.histogram(np.minimum(seconds, edges[-1]), edges)[0].tolist()
    beyond = int((seconds > edges[-1]).sum())
    looked = corpus.looked(len(chosen))
    return Section(
        name=NAME,
        title=TITLE,
        lead=f"{plural(int(readable.sum()), 'video')} ({looked}): median {whole['median']:.1f} s, the middle 80% from "
        f"{whole['p10']:.1f} to {whole['p90']:.1f} s."
        + (f" {plural(bad, 'video')} that could not be read left out; `videmo check` says why." if bad else "")
        + (f" The last bar has {plural(beyond, 'longer video')}, up to {seconds.max():,.0f} s, too." if beyond else ""),
        of=f"{plural(len(seconds), 'video')} ({looked})",
        alt=f"A histogram of the seconds that {plural(len(seconds), 'video')} last, median {whole['median']:.1f}.",
        numbers={
            "videos": named,
            "sampled": len(chosen),
            "unreadable": bad,
            "first_unreadable": corpus.where(chosen[~readable])[0] if bad else None,
            "edges": [float(edge) for edge in edges],
            "counts": counts,
            "beyond": beyond,
            "all": whole,
            "sources": quantiles,
        },
        draw=lambda width: histogram(
            edges,
            counts,
            width,
            says="seconds",
            counted="videos",
            marks=[(whole["median"], f"median {whole['median']:.1f} s")],
        ),
        tables=(
            Table(
                ("source", "videos", "10%", "median", "90%"),
                tuple(
                    (name, of["n"], *(f"{of[key]:.1f} s" for key in ("p10", "median", "p90")))
                    for name, of in {**quantiles, **({"all": whole} if len(quantiles) > 1 else {})}.items()
                ),
            ),
        ),
    )


def without_videos(corpus: Corpus) -> str:
    """Why nothing can be said of the videos of a data folder."""
    named = len(corpus.index.videos)
    if not named:
        return f"No record of {corpus.split} is about a video."
    return (
        f"None of the {plural(named, 'video')} that {corpus.split} names is in "
        f"{inside(corpus.folder.video_root, corpus.folder.root.parent)}; get them, or say by --video_root where they "
        "are."
    )


def spread(values: np.ndarray) -> dict[str, float]:
    """How many values there are, and what 5, 10, 25, 50, 75, 90 and 95% of them do not exceed.

    >>> spread(np.arange(101.0))["p10"]
    10.0
    """
    points = np.percentile(values, (5, 10, 25, 50, 75, 90, 95))
    names = ("p5", "p10", "p25", "median", "p75", "p90", "p95")
    return {"n": len(values), **dict(zip(names, points.tolist(), strict=True))}


def bins(values: np.ndarray) -> np.ndarray:
    """Edges of bins from zero to the 99th percentile, or to the largest where that is not far."""
    last = np.percentile(values, _TAIL)
    top = values.max() if values.max() <= 1.5 * last else last
    step = max(top / BINS, 1e-3)
    magnitude = 10.0 ** np.floor(np.log10(step))
    step = magnitude * next(nice for nice in (1, 2, 2.5, 5, 10) if nice * magnitude >= step * (1 - 1e-9))
    return step * np.arange(int(np.floor(top / step + 1e-9)) + 2)  # the last value is in a bin, not on its edge
