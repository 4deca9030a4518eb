"""How large the faces in the videos are, and how they are turned, as far as a detector finds them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from videmo.check.videos import in_parallel
from videmo.data.decode import VideoError, read_frames
from videmo.data.pool import available_cores
from videmo.data.sampling import VideoSettings
from videmo.stats.charts import Bar, Panel, bar_panels, histogram
from videmo.stats.corpus import Corpus
from videmo.stats.detector import DETECTOR, Detector, Face, load_detector
from videmo.stats.durations import spread, without_videos
from videmo.stats.section import LeftOut, Section, Table, percent, plural
from videmo.terminal import watch

VIEWS = ("frontal", "three-quarter", "profile")
NONE = "no face found"
_TITLES = {"faces": "Relative face area", "views": "Head view"}
_FOUR = VideoSettings(min_frames=4, max_frames=4)
_EDGES = np.linspace(0, 1, 21)


@dataclass(frozen=True)
class Clip:
    """What a detector made of a clip.

    Attributes:
        frames: That were looked at.
        found: Those with a face.
        area: Median over these of the largest face's share of the frame; None where there is none.
        view: What most of these show; None likewise.
    """

    frames: int
    found: int
    area: float | None
    view: str | None


def faces_and_views(corpus: Corpus, most: int) -> tuple[Section | LeftOut, Section | LeftOut]:
    """The faces of clips that are there, at most so many of them drawn at random."""
    why, detector = "", None
    chosen = corpus.some_videos(most)
    if most == 0:
        why = "No face was looked for: --faces says in how many clips."
    elif not len(chosen):
        why = without_videos(corpus)
    elif (detector := load_detector()) is None:
        why = "The detector of faces is not installed: pip install 'videmo[faces]', on Python 3.11."
    if detector is None:
        return _left_out(why)
    clips, bad = look(corpus, chosen, detector)
    if not clips:
        return _left_out(f"None of {plural(len(chosen), 'video')} that were opened can be read.")
    looked = f"{plural(len(clips), 'clip')} ({corpus.looked(len(chosen))}), at four frames each"
    if bad:
        looked += f"; {plural(bad, 'clip')} that could not be read left out"
    return _areas(clips, bad, looked), _views(clips, bad, looked)


def _left_out(why: str) -> tuple[LeftOut, LeftOut]:
    areas, views = (LeftOut(name, title, why) for name, title in _TITLES.items())
    return areas, views


def look(corpus: Corpus, chosen: np.ndarray, detector: Detector) -> tuple[list[Clip], int]:
    """What is seen in videos by their positions, and how many could not be read; the next are decoded meanwhile."""

    def decode(video: str) -> np.ndarray | None:
        try:
            return read_frames(corpus.folder.video_root / video, _FOUR)[0]
        except VideoError:
            return None

    found: dict[str, Clip] = {}
    videos, bad = corpus.where(chosen), 0
    for video, frames in watch("looking for faces", len(videos), in_parallel(decode, videos, available_cores())):
        if frames is None:
            bad += 1
        else:
            found[video] = of_frames([detector(frame) for frame in frames])
    return [found[video] for video in videos if video in found], bad


def of_frames(faces: Sequence[Face | None]) -> Clip:
    """A clip from the largest face of each frame, None where there is none.

    Example:
        >>> of_frames([Face(0.1, "frontal"), None, Face(0.3, "frontal"), Face(0.2, "profile")])
        Clip(frames=4, found=3, area=0.2, view='frontal')
    """
    seen = [face for face in faces if face is not None]
    if not seen:
        return Clip(len(faces), 0, None, None)
    views = Counter(face.view for face in seen)
    view = max(VIEWS, key=lambda name: views[name])  # of two as frequent ones the more frontal
    return Clip(len(faces), len(seen), float(np.median([face.area for face in seen])), view)


def _areas(clips: Sequence[Clip], bad: int, looked: str) -> Section:
    areas = np.array([clip.area for clip in clips if clip.area is not None])
    none, frames, found = len(clips) - len(areas), sum(c.frames for c in clips), sum(c.found for c in clips)
    counts = np.histogram(areas, _EDGES)[0].tolist()
    whole = spread(areas) if len(areas) else None
    middle = (
        f"median {whole['median']:.1%}, the middle 80% from {whole['p10']:.1%} to {whole['p90']:.1%}" if whole else ""
    )
    return Section(
        name="faces",
        title=_TITLES["faces"],
        lead=f"{looked}. The largest face's box over the frame's area, the median over a clip's frames with a face: "
        f"{middle or 'none was found'}. In {plural(none, 'clip')} ({percent(none, len(clips))}) no face was found, and "
        f"one in {percent(found, frames)} of the frames. The detector is {DETECTOR}, made for photographs: of drawn, "
        "small, dark or turned faces it misses many, so that a clip without a face here may have one.",
        of=looked,
        alt=f"A histogram of the share of the frame that the largest face takes, {middle or 'empty'}; beside it a bar "
        f"of {plural(none, 'clip')} in which no face was found.",
        numbers={
            "detector": DETECTOR,
            "clips": len(clips),
            "unreadable": bad,
            "no_face": none,
            "frames": frames,
            "frames_with_face": found,
            "edges": _EDGES.tolist(),
            "counts": counts,
            "areas": whole,
        },
        draw=lambda width: histogram(
            _EDGES,
            counts,
            width,
            says="share of the frame that the largest face takes",
            counted="clips",
            apart=("no face", none),
            marks=[(whole["median"], f"median {whole['median']:.1%}")] if whole else [],
            ticks=[(share / 100, f"{share}%") for share in range(0, 101, 20)],
        ),
        tables=(
            Table(
                ("share of the frame", "clips"),
                (
                    (NONE, none),
                    *(
                        (f"{low:.0%} to {high:.0%}", count)
                        for low, high, count in zip(_EDGES[:-1], _EDGES[1:], counts, strict=True)
                        if count
                    ),
                ),
            ),
        ),
    )


def _views(clips: Sequence[Clip], bad: int, looked: str) -> Section:
    counts = Counter(clip.view or NONE for clip in clips)
    rows = [(view, counts[view]) for view in (*VIEWS, NONE)]
    said = ", ".join(f"{view} {percent(count, len(clips))}" for view, count in rows)
    bars = [
        Bar(view, count, f"{count:,} ({percent(count, len(clips))})", "bad" if view == NONE else "accent")
        for view, count in rows
    ]
    return Section(
        name="views",
        title=_TITLES["views"],
        lead=f"{looked}: {said}. A view is what most frames of a clip that have a face show. It is frontal "
        "where the tip of the nose lies beside the middle of the eyes by less than a sixth of their distance, as at a "
        "turn of up to about 20 degrees; three-quarter up to two thirds, as at about 55 degrees; beyond that profile. "
        "These bounds are for photographs and were checked on drawn heads only, which they call less turned than they "
        "are: of 41 that were turned by 60 degrees, 28 were called three-quarter, 5 frontal, 2 profile, and in 6 no "
        "face was found. So heads in profile may stand in any bar, and the bar of profile is no estimate of their "
        "share.",
        of=looked,
        alt=f"Bars of how many clips show a face from which side. {said}.",
        numbers={"detector": DETECTOR, "clips": len(clips), "unreadable": bad, "views": dict(rows)},
        draw=lambda width: bar_panels([Panel("", bars)], width),
        tables=(Table(("view", "clips", "share"), tuple((v, n, percent(n, len(clips))) for v, n in rows)),),
    )
