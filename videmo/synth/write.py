"""Draws a world to disk: H.264 clips, records in the release's layout, and the truth behind them.

    videmo synth OUT --preset demo-v1
    videmo synth OUT --videos 300 --seed 7 --look hard

    OUT/jsons/{train,val,test}/{attribute,caption,emotion,qa,rationale}/full/*.json   test: lines, others: lists
    OUT/dialogues/train.json    the form in which a search asks, for training (`videmo.synth.dialogues`)
    OUT/videos/DrawnFaces/empty/*.mp4    clips without anybody
    OUT/videos/DrawnFaces/{train,val,test}/*.mp4                                      128 x 128, 8 fps, 2 s
    OUT/truth/{train,val,test}.jsonl    each clip's whole latent state and its affective tree, for tests and reports;
                                        training never reads it
    OUT/world.json                      what it was made from, sizes, counts and hashes; written last, so a world that
                                        has it is complete

While a world is being drawn, ``world.json`` is called ``world.unfinished.json``; the same command then continues it.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from videmo.aside import write_atomically
from videmo.errors import InputError
from videmo.fingerprint import WORLD_FILE, text_hash
from videmo.synth.dialogues import EMPTY, NUM_EMPTY, dialogue_records
from videmo.synth.draw import draw_clip
from videmo.synth.empty import draw_empty
from videmo.synth.encode import encode_clip
from videmo.synth.face import Clip
from videmo.synth.files import FILES, MIX
from videmo.synth.geometry import SIZE
from videmo.synth.motion import FPS, NUM_FRAMES
from videmo.synth.presets import LOOKS, Plan
from videmo.synth.questions import clip_records, pair_records
from videmo.synth.truth import affective_tree
from videmo.synth.world import SPLITS, World, sample_world
from videmo.terminal import Steps

UNFINISHED = "world.unfinished.json"
EDITION = 3  # of the drawn world; raise it when the same plan gives other pixels or records
BATCH = 8  # clips a process takes at a time
RARE = ("micro_expression", "relation_perr", "conversation_meld", "emotion_multi")
MIXES = {
    "train": MIX,
    "val": {task: 1.0 if task in RARE else 0.5 for task in FILES},  # asked often: it costs training time
    "test": {"rationale": 0.0},  # the benchmark has no column of rationales
}


@dataclass(frozen=True)
class WorldSummary:
    """What stands in a world.

    Attributes:
        videos: Clips a split.
        content: Hash of each split's records, and of the truth.
        drawn: Clips drawn by this call; 0 where the world was already complete.
    """

    videos: dict[str, int]
    content: dict[str, str]
    drawn: int


@dataclass(frozen=True)
class WorldText:
    """All that is written of a world besides pixels.

    Attributes:
        files: Path under the root -> text.
        records: Records a split and task.
    """

    files: dict[str, str]
    records: dict[str, dict[str, int]]

    @property
    def content(self) -> dict[str, str]:
        """The hash of each split's records, and of the truth."""
        parts = {split: f"jsons/{split}/" for split in SPLITS} | {"truth": "truth/"}
        return {
            name: text_hash((path, text) for path, text in self.files.items() if path.startswith(start))
            for name, start in parts.items()
        }


def synthesize(out: str | Path, plan: Plan, workers: int | None = None) -> WorldSummary:
    """Draw a world of moving faces, or return at once where the same one already stands.

    Args:
        out: A new or empty folder, or one that holds the same world, complete or interrupted.
        plan: What to draw; the world depends on nothing else.
        workers: Processes that draw; by default one a core. 1 draws in this process.

    Raises:
        InputError: If there are too few videos, `out` holds something else, or a preset is not what it was.
        KeyboardInterrupt: As it came; what was drawn stays, and the same call continues it.
    """
    out = Path(out)
    world = sample_world(plan.videos, plan.seed, LOOKS[plan.look])
    settings = {
        "edition": EDITION,
        "preset": plan.preset,
        "seed": plan.seed,
        "look": plan.look,
        "videos": plan.videos,
        "size": SIZE,
        "fps": FPS,
        "frames": NUM_FRAMES,
    }
    found = _what_stands(out, settings)
    waiting = [clip for split in SPLITS for clip in world.clips[split] if not (out / "videos" / clip.path).is_file()]
    if found is not None and not waiting:
        _say(f"{out} already holds this world: {plan.videos} videos, seed {plan.seed}. Nothing to draw.")
        return WorldSummary(found["splits"], found["content"], 0)
    if len(waiting) < plan.videos:
        _say(f"{out} holds {plan.videos - len(waiting)} of {plan.videos} videos of this world; drawing the rest.")

    text = world_text(world, plan.seed)
    if plan.content and text.content != plan.content:
        raise InputError(
            f"this version of videmo gives {plan.preset} another content ({text.content}) than the frozen one "
            f"({dict(plan.content)}): a changed world needs a new name"
        )
    out.mkdir(parents=True, exist_ok=True)
    (out / WORLD_FILE).unlink(missing_ok=True)
    write_atomically(out / UNFINISHED, json.dumps(settings, indent=2) + "\n")
    for split in (*SPLITS, "empty"):
        (out / "videos" / "DrawnFaces" / split).mkdir(parents=True, exist_ok=True)
    for number in range(NUM_EMPTY):
        if not (file := out / "videos" / EMPTY.format(number)).is_file():
            encode_clip(draw_empty(number), file)
    _draw_all(out, waiting, workers or os.cpu_count() or 1)
    for path, lines in text.files.items():
        write_atomically(out / path, lines)
    videos = {split: len(world.clips[split]) for split in SPLITS}
    summary = {**settings, "splits": videos, "records": text.records, "content": text.content}
    write_atomically(out / UNFINISHED, json.dumps(summary, indent=2) + "\n")
    os.replace(out / UNFINISHED, out / WORLD_FILE)
    return WorldSummary(videos, text.content, len(waiting))


def world_text(world: World, seed: int) -> WorldText:
    """The record files and the truth of a world."""
    files: dict[str, str] = {}
    counts: dict[str, dict[str, int]] = {}
    for number, split in enumerate(SPLITS):
        key = [seed, 10 + number]
        tasks = clip_records(world.clips[split], key, MIXES[split])
        tasks["identity"] = pair_records(world.pairs[split], key)
        counts[split] = {task: len(tasks[task]) for task in FILES if tasks[task]}
        for task in counts[split]:
            # Both forms occur in the release: lines for the test files, lists for training.
            write = _json_lines if split == "test" else _json_list
            files[f"jsons/{FILES[task].path(split)}"] = write(tasks[task])
        truth = [{**clip.as_dict(), "tree": affective_tree(clip).to_json()} for clip in world.clips[split]]
        files[f"truth/{split}.jsonl"] = _json_lines(truth)
    files["dialogues/train.json"] = _json_list(dialogue_records(world.clips["train"], [seed, 20]))
    return WorldText(files, counts)


def _json_lines(values: Sequence[dict]) -> str:
    return "".join(f"{json.dumps(value)}\n" for value in values)


def _json_list(values: Sequence[dict]) -> str:
    return "[\n" + ",\n".join(map(json.dumps, values)) + "\n]\n"


def _what_stands(out: Path, settings: dict) -> dict | None:
    """The finished world in `out`; None where it is new, empty, or the same world unfinished."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    for name in (WORLD_FILE, UNFINISHED):
        if (out / name).is_file():
            try:
                found = json.loads((out / name).read_text(encoding="utf-8"))
                if not isinstance(found, dict):
                    raise ValueError
            except ValueError:
                raise InputError(
                    f"{out / name} is no description of a world; delete {out} or choose another folder"
                ) from None
            other = {key: value for key, value in settings.items() if found.get(key) != value}
            if other:
                how = "; ".join(
                    f"{key} {found.get(key) or 'none'}, not {value or 'none'}" for key, value in other.items()
                )
                raise InputError(f"{out} holds another drawn world ({how}); delete it or choose another folder")
            return found if name == WORLD_FILE else None
    raise InputError(f"{out} is not an empty folder and holds no drawn world; choose a new or empty folder")


def _draw_all(out: Path, clips: list[Clip], workers: int) -> None:
    batches = [clips[start : start + BATCH] for start in range(0, len(clips), BATCH)]
    draw = partial(_draw_batch, out / "videos")
    try:
        with Steps("drawing faces", len(clips)) as bar:
            if workers == 1 or len(batches) == 1:
                for batch in batches:
                    bar.step(draw(batch))
                return
            # Fresh processes: a fork would copy the locks of whatever threads the caller runs.
            processes = min(workers, len(batches))
            with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_leave_signals) as pool:
                try:
                    for done in as_completed([pool.submit(draw, batch) for batch in batches]):
                        bar.step(done.result())
                finally:
                    pool.shutdown(cancel_futures=True)  # after an error or an interrupt, what still waits is not drawn
    except (KeyboardInterrupt, SystemExit) as ending:
        ending.add_note(f"{out} is unfinished, and the same command goes on with it")
        raise


def _draw_batch(folder: Path, clips: list[Clip]) -> int:
    for clip in clips:
        encode_clip(draw_clip(clip), folder / clip.path)
    return len(clips)


def _leave_signals() -> None:
    """Ctrl-C reaches every process of the terminal, SIGTERM those of a job; only the parent answers."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _say(text: str) -> None:
    print(text, file=sys.stderr)
