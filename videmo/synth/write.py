"""Draws a world to disk: H.264 clips, records in the release's layout, and the truth behind them.

    videmo synth OUT --videos 1500 --seed 0

    OUT/jsons/{train,val,test}/{attribute,caption,emotion,qa}/full/*.json   test: JSON lines, train and val: JSON lists
    OUT/videos/DrawnFaces/{train,val,test}/*.mp4                            128 x 128, 8 fps, 2 s
    OUT/truth/{train,val,test}.jsonl    each clip's whole latent state, for tests and controls; training never reads it
    OUT/world.json                      seed, sizes and counts; written last, so a world that has it is complete

While a world is being drawn, ``world.json`` is called ``world.unfinished.json``; the same command then continues it.
"""

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import av
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from videmo.errors import InputError
from videmo.synth.draw import draw_clip
from videmo.synth.face import Clip
from videmo.synth.geometry import SIZE
from videmo.synth.motion import FPS, NUM_FRAMES
from videmo.synth.questions import FILES, TRAIN_SHARE, clip_records, pair_records
from videmo.synth.world import SPLITS, World, sample_world

DONE, UNFINISHED = "world.json", "world.unfinished.json"
EDITION = 1  # of the drawn world; raise it when the same seed gives other pixels or records
BATCH = 8  # clips a process takes at a time


@dataclass(frozen=True)
class WorldSummary:
    """What stands in a world.

    Attributes:
        out: Its folder.
        videos: Clips a split.
        records: Records a split and task.
        drawn: Clips drawn by this call; 0 where the world was already complete.
        seconds: How long this call took.
    """

    out: Path
    videos: dict[str, int]
    records: dict[str, dict[str, int]]
    drawn: int
    seconds: float


def synthesize(
    out: str | Path, num_videos: int, seed: int, workers: int | None = None, console: Console | None = None
) -> WorldSummary:
    """Draw a world of moving faces, or return at once where the same one already stands.

    The world depends on `num_videos` and `seed` only, not on `workers`.

    Args:
        out: A new or empty folder, or one that holds the same world, complete or interrupted.
        num_videos: Clips over all splits.
        seed: Of everything.
        workers: Processes that draw; by default one a core. 1 draws in this process.
        console: Where progress and messages go; by default the standard error.

    Raises:
        InputError: If there are too few videos, or `out` holds something else.
        KeyboardInterrupt: As it came; what was drawn stays, and the same call continues it.
    """
    out, console, start = Path(out), console or Console(stderr=True), time.perf_counter()
    world = sample_world(num_videos, seed)
    settings = {"edition": EDITION, "seed": seed, "videos": num_videos, "size": SIZE, "fps": FPS, "frames": NUM_FRAMES}
    found = _what_stands(out, settings)
    waiting = [clip for split in SPLITS for clip in world.clips[split] if not (out / "videos" / clip.path).is_file()]
    if found is not None and not waiting:
        console.print(f"{out} already holds this world: {num_videos} videos, seed {seed}. Nothing to draw.")
        return WorldSummary(out, found["splits"], found["records"], 0, time.perf_counter() - start)
    if len(waiting) < num_videos:
        console.print(
            f"{out} holds {num_videos - len(waiting)} of {num_videos} videos of this world; drawing the rest."
        )

    out.mkdir(parents=True, exist_ok=True)
    (out / DONE).unlink(missing_ok=True)
    _write_text(out / UNFINISHED, json.dumps(settings, indent=2) + "\n")
    for split in SPLITS:
        (out / "videos" / "DrawnFaces" / split).mkdir(parents=True, exist_ok=True)
    _draw_all(out, waiting, workers or os.cpu_count() or 1, console)
    records = _write_records(out, world, seed)
    videos = {split: len(world.clips[split]) for split in SPLITS}
    _write_text(out / UNFINISHED, json.dumps({**settings, "splits": videos, "records": records}, indent=2) + "\n")
    os.replace(out / UNFINISHED, out / DONE)
    return WorldSummary(out, videos, records, len(waiting), time.perf_counter() - start)


def write_clip(clip: Clip, file: Path) -> None:
    """Draw and encode one clip; the file appears under its name only when it is whole."""
    frames = draw_clip(clip)
    part = file.with_suffix(".part")
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "20", "preset": "veryfast", "threads": "1"})
        stream.width = stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, FPS)
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    os.replace(part, file)


def _what_stands(out: Path, settings: dict) -> dict | None:
    """The finished world in `out`; None where it is new, empty, or the same world unfinished."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    for name in (DONE, UNFINISHED):
        if (out / name).is_file():
            try:
                found = json.loads((out / name).read_text(encoding="utf-8"))
            except json.JSONDecodeError:
                raise InputError(f"{out / name} is not valid JSON; delete {out} or choose another folder") from None
            other = {key: value for key, value in settings.items() if found.get(key) != value}
            if other:
                how = "; ".join(f"{key} {found.get(key)}, not {value}" for key, value in other.items())
                raise InputError(f"{out} holds another drawn world ({how}); delete it or choose another folder")
            return found if name == DONE else None
    raise InputError(f"{out} is not an empty folder and holds no drawn world; choose a new or empty folder")


def _draw_all(out: Path, clips: list[Clip], workers: int, console: Console) -> None:
    batches = [clips[start : start + BATCH] for start in range(0, len(clips), BATCH)]
    folder = out / "videos"
    columns = (TextColumn("drawing faces"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress, _explained(out, console):
        bar = progress.add_task("", total=len(clips))
        if workers == 1 or len(batches) == 1:
            for batch in batches:
                progress.advance(bar, _draw_batch(folder, batch))
            return
        # Fresh processes: a fork would copy the locks of whatever threads the caller runs.
        with ProcessPoolExecutor(
            min(workers, len(batches)), get_context("spawn"), initializer=_ignore_interrupts
        ) as pool:
            try:
                for done in as_completed([pool.submit(_draw_batch, folder, batch) for batch in batches]):
                    progress.advance(bar, done.result())
            finally:
                pool.shutdown(cancel_futures=True)  # after an error or an interrupt, nothing that still waits is drawn


def _draw_batch(folder: Path, clips: list[Clip]) -> int:
    for clip in clips:
        write_clip(clip, folder / clip.path)
    return len(clips)


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process of the terminal; only the parent answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _explained(out: Path, console: Console) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        console.print(f"interrupted; {out} is unfinished. The same command continues it.")
        raise


def _write_records(out: Path, world: World, seed: int) -> dict[str, dict[str, int]]:
    """The record files and the truth; returns the number of records a split and task."""
    counts: dict[str, dict[str, int]] = {}
    for number, split in enumerate(SPLITS):
        tasks = clip_records(world.clips[split], [seed, 10 + number], TRAIN_SHARE if split == "train" else {})
        tasks["identity"] = pair_records(world.pairs[split], [seed, 10 + number])
        counts[split] = {task: len(tasks[task]) for task in FILES}
        for task, records in tasks.items():
            lines = [json.dumps(record) for record in records]
            # Both forms occur in the release: lines for the test files, lists for training.
            text = "\n".join(lines) + "\n" if split == "test" else "[\n" + ",\n".join(lines) + "\n]\n"
            _write_text(out / "jsons" / FILES[task].path(split), text)
        truth = [json.dumps(clip.as_dict()) for clip in world.clips[split]]
        _write_text(out / "truth" / f"{split}.jsonl", "\n".join(truth) + "\n")
    return counts


def _write_text(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, file)
