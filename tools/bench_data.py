"""The release's size on this machine: how long 2,156,230 records take to index and to open, and what a pass costs.

    python tools/bench_data.py --records 2156230 --seconds 120

Makes a data set of that many records in the release's layout and mix, in a temporary folder: lists and lines, about
five questions a video, each video a hard link to one of a few really drawn and encoded clips. Then it times the index
(with text lengths), opens it again, and passes through the loader of `EmoCFGDataModule` beside bare decord + resize +
patchify of the same clips in as many processes. The last line is JSON.

A pass of all videos takes hours; each is measured for `--seconds` in all, and `pass_share` says how much was seen.
"""

import argparse
import itertools
import json
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import decord
import lightning as L
import numpy as np
import psutil
import torch
from stand_in import say
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from transformers import AutoTokenizer

from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.index import RecordIndex
from videmo.data.sampling import VideoSettings, frame_indices
from videmo.data.video import patchify, resize_frames
from videmo.data.worker import keep_freed_memory
from videmo.models.tiny import make_tiny
from videmo.stats.published import published_rows
from videmo.synth.draw import draw_clip
from videmo.synth.encode import encode_clip
from videmo.synth.files import FILES
from videmo.synth.presets import LOOKS
from videmo.synth.world import World, sample_world
from videmo.synth.write import world_text

SHARED_OUT = {  # rows of table 7 that have several sources
    "sentiment_mosei": 16_326,
    "sentiment_mosi": 3_384,
    "emotion_mafw": 5_671,
    "emotion_dfew": 9_362,
    "emotion_mer2023": 5_027,
    "fine_mead": 190_000,
    "fine_ravdess": 8_957,
    "relation_perr": 26_014,
    "conversation_meld": 12_139,
}
SAMPLES = {row.tasks[0]: row.samples for row in published_rows()} | SHARED_OUT
"""Training samples of each task, as the paper counts them."""
TURNS = 6
PREFETCHED = 8  # batches of two workers, those that they are at included
A_VIDEO = 5  # questions
A_FILE = 60_000  # records
A_FOLDER = 1000  # videos
CLIPS = 48  # really drawn; each has at most 431,246 / 48 links, and ext4 allows 65,000
VIDEO = VideoSettings(fps=8.0)  # the drawn clips last two seconds: 16 frames of the release's size
TEXT_CLIPS = 1500  # whose questions and answers are asked


def questions_of(world: World) -> dict[str, list[list[dict]]]:
    """The conversations of each task in a drawn world."""
    files = world_text(world, seed=0).files
    return {
        task: [record["messages"] for record in json.loads(files[path])]
        for task, file in FILES.items()
        if (path := f"jsons/{file.path('train')}") in files
    }


def write_records(root: Path, records: int, asked: dict[str, list[list[dict]]], copies: int = 1) -> int:
    """Write so many records in the release's mix, and all of them again about other videos; the number of videos."""
    rng = np.random.default_rng(0)
    num_videos = max(2, records // A_VIDEO)
    shares = np.cumsum([0, *SAMPLES.values()]) * records // sum(SAMPLES.values())
    captions = [messages[-1]["content"] for messages in asked["appearance_cap"]]
    for number, (task, count) in enumerate(zip(SAMPLES, np.diff(shares).tolist(), strict=True)):
        for part in range(-(-count // A_FILE)):
            size = min(A_FILE, count - part * A_FILE)
            lines = [_line(task, asked[task], captions, num_videos, rng) for _ in range(size)]
            lines = [_about(line, copy * num_videos) for copy in range(copies) for line in lines]
            path = root / "jsons" / FILES[task].path("train")
            path = path.with_name(f"{path.stem}_{part}.json")
            path.parent.mkdir(parents=True, exist_ok=True)
            text = "[\n" + ",\n".join(lines) + "\n]\n" if number % 2 else "\n".join(lines) + "\n"
            path.write_text(text, encoding="utf-8")
    return num_videos * copies


def _line(task: str, asked: list[list[dict]], captions: list[str], num_videos: int, rng: np.random.Generator) -> str:
    """A conversation about random videos; half the open answers go on with a caption, so that few are alike."""
    messages = asked[rng.integers(len(asked))]
    if task.startswith("qa_") and rng.random() < 0.5:
        last = f"{messages[-1]['content']}. {captions[rng.integers(len(captions))]}"
        messages = [*messages[:-1], {"role": "assistant", "content": last}]
    placeholders = sum(message["content"].count("<video>") for message in messages)
    videos = [video_path(number) for number in rng.integers(num_videos, size=placeholders).tolist()]
    return json.dumps({"messages": messages, "videos": videos, "source": FILES[task].source}, ensure_ascii=False)


def _about(line: str, later: int) -> str:
    """The same record about videos of later numbers."""
    if later == 0:
        return line
    return re.sub(r"DrawnFaces/train/\d+/clip_(\d+)\.mp4", lambda found: video_path(int(found[1]) + later), line)


def video_path(number: int) -> str:
    return f"DrawnFaces/train/{number // A_FOLDER:04}/clip_{number:07}.mp4"


def draw_clips(folder: Path, world: World) -> list[Path]:
    folder.mkdir()
    clips = [folder / f"{number}.mp4" for number in range(CLIPS)]
    for clip, file in zip(world.clips["train"], clips, strict=False):
        encode_clip(draw_clip(clip), file)
    return clips


def link_videos(root: Path, clips: list[Path], count: int, copies: int = 1) -> None:
    for number in range(count):
        path = root / "videos" / video_path(number)
        if number % A_FOLDER == 0:
            path.parent.mkdir(parents=True)
        os.link(clips[number % (count // copies) % len(clips)], path)


def timed(work: Callable[[], object]) -> tuple[float, object]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


class Memory:
    """How far the unique memory of this process and of those that it started grows, in bytes."""

    def __init__(self) -> None:
        self.first: dict[int, int] = {}
        self.most: dict[int, int] = {}

    def look(self) -> None:
        this = psutil.Process()
        for process in (this, *this.children(recursive=True)):
            try:
                unique = process.memory_full_info().uss
            except psutil.Error:
                continue
            self.first.setdefault(process.pid, unique)
            self.most[process.pid] = max(unique, self.most.get(process.pid, 0))

    @property
    def growth(self) -> int:
        return max((self.most[pid] - first for pid, first in self.first.items()), default=0)


class BareClips(IterableDataset):
    """Clips decoded, resized and cut with nothing around it; yields how many were done."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files

    def __iter__(self) -> Iterator[int]:
        worker = get_worker_info()
        place = worker.id
        while True:
            reader = decord.VideoReader(str(self.files[place % len(self.files)]), num_threads=1)
            numbers, _ = frame_indices(len(reader), reader.get_avg_fps(), VIDEO)
            frames = torch.from_numpy(reader.get_batch(numbers).asnumpy())  # [F, H, W, 3]
            patchify(resize_frames(frames, VIDEO), VIDEO)
            place += worker.num_workers
            yield 1


def bare_rate(clips: list[Path], workers: int, seconds: float, set_up: Callable[[int], None] | None = None) -> float:
    """Clips a second of bare decoding."""
    options = {"num_workers": workers, "prefetch_factor": 2, "worker_init_fn": set_up}
    counts = iter(DataLoader(BareClips(clips), batch_size=None, **options))
    return rate(map(int, counts), seconds)


def rate(counts: Iterator[int], seconds: float) -> float:
    """What is counted a second, once the processes have started and what they had ready is used up."""
    for _ in range(PREFETCHED):
        next(counts)
    start, total = time.perf_counter(), 0
    while time.perf_counter() < start + seconds:
        total += next(counts)
    return total / (time.perf_counter() - start)


def measure(root: Path, records: int, seconds: float, workers: int) -> dict[str, object]:
    world = sample_world(TEXT_CLIPS, 0, LOOKS["clear"])
    asked = questions_of(world)
    clips = draw_clips(root / "clips", world)
    sets = {"large": records, "100": 100, "100000": 100_000}
    # The same questions about the same clips a thousand times: what differs between the two is their number.
    for name, (size, copies) in {"large": (records, 1), "100": (100, 1), "100000": (100, 1000)}.items():
        took, videos = timed(lambda args=(root / name, size, asked, copies): write_records(*args))
        say(f"{size * copies} records on {videos} videos written in {took:.1f} s")
        link_videos(root / name, clips, videos, copies)
    texts = [message["content"] for conversations in asked.values() for turns in conversations for message in turns]
    checkpoint = make_tiny(texts, root / "tiny", hidden_size=64, layers=1)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)

    files = sorted((root / "large").glob("jsons/train/*/full/*.json"))
    options = {"folder": root / "large" / ".videmo", "tokenizer": tokenizer}
    index_seconds, index = timed(lambda: RecordIndex.open(files, **options))
    reopen_seconds, index = timed(lambda: RecordIndex.open(files, **options))
    say(f"{len(index)} records, {len(files)} files: indexed in {index_seconds:.1f} s, opened in {reopen_seconds:.3f} s")
    assert len(index) == records, f"{records} records written, {len(index)} indexed: {index.faults[:3]}"
    result = {
        "index_seconds": round(index_seconds, 1),
        "reopen_seconds": round(reopen_seconds, 3),
        "records": len(index),
        "videos": len(index.videos),
        "files": len(files),
        "gigabytes": round(sum(file.stat().st_size for file in files) / 2**30, 2),
        "text_tokens": int(index.text_tokens.sum()),
    }
    return result | measure_loader(root, checkpoint, clips, sets, seconds, workers)


def measure_loader(
    root: Path, checkpoint: Path, clips: list[Path], sets: dict[str, int], seconds: float, workers: int
) -> dict[str, object]:
    """Throughput of the loader by the data set's size and of bare decoding, in turns, and memory over the largest's.

    Our workers keep the memory that they free; ``bare`` does as DataLoader's do, ``bare_keeping_memory`` as ours.

    Ratios are medians over the turns: other work on the machine slows whole turns.
    """
    passes = {name: Pass(root / name, checkpoint, workers) for name in sets}
    bare, keeping, rates, memory = [], [], {name: [] for name in sets}, Memory()
    for turn in range(TURNS):
        bare.append(bare_rate(clips, workers, seconds / TURNS))
        keeping.append(bare_rate(clips, workers, seconds / TURNS, lambda worker: keep_freed_memory()))
        for name, each in passes.items():
            rates[name].append(rate(each.clips, seconds / TURNS))
            if name == "large":
                memory.look()  # takes tenths of a second, so not within what is timed
        say(
            f"turn {turn + 1}: bare {bare[-1]:.1f}, keeping {keeping[-1]:.1f}, "
            + ", ".join(f"{name} {r[-1]:.1f}" for name, r in rates.items())
        )
    large, measured = passes["large"], {"bare": bare, "bare_keeping_memory": keeping, **rates}
    return {
        "uss_growth_mb": round(memory.growth / 2**20, 1),
        "throughput_ratio": ratio(rates["large"], bare),
        "throughput_ratio_bare_keeping_memory": ratio(rates["large"], keeping),
        "throughput_ratios": {name: ratio(of_set, bare) for name, of_set in rates.items()},
        "throughput_100000_to_100": ratio(rates["100000"], rates["100"]),
        "clips_per_second": {name: round(median(of_set), 1) for name, of_set in measured.items()},
        "setup_seconds": round(large.setup_seconds, 1),
        "pass_share": round(large.records / sets["large"], 4),
        "turns": TURNS,
        "workers": workers,
    }


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over turns."""
    return round(median(a / b for a, b in zip(ours, theirs, strict=True)), 3)


class Pass:
    """The training loader of a data folder, epoch after epoch.

    Attributes:
        clips: Yields how many each batch has.
        records: How many have come.
        setup_seconds: Until the loader could be made.
    """

    def __init__(self, root: Path, checkpoint: Path, workers: int) -> None:
        self._data = EmoCFGDataModule(str(root), str(checkpoint), video=VIDEO, num_workers=workers)
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        self._data.trainer = L.Trainer(accelerator="cpu", devices=1, limit_val_batches=0, **quiet)
        self.setup_seconds, _ = timed(lambda: self._data.setup("fit"))
        self.records = 0
        self.clips = self._pass()

    def _pass(self) -> Iterator[int]:
        for epoch in itertools.count():
            loader = self._data.train_dataloader()
            loader.sampler.set_epoch(epoch)
            for batch in loader:
                self.records += len(batch.records)
                yield 0 if batch.video_grid_thw is None else len(batch.video_grid_thw)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=60, help="for which each pass is measured")
    parser.add_argument("--workers", type=int, default=2, help="processes that decode")
    parser.add_argument("--folder", help="where the temporary folder is made; links need one file system")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the folder goes with the process
    with tempfile.TemporaryDirectory(prefix="bench_data_", dir=arguments.folder) as folder:
        result = measure(Path(folder), arguments.records, arguments.seconds, arguments.workers)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
