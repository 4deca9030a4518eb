"""What the token tree and the cache of encoded videos save in supervised fine-tuning, on this machine.

    python tools/bench_sft.py

Real mp4 files through `EmoCFGDataModule`, `SFTModule` and the trainer: 16 frames of 640 x 480, so 1040 video tokens,
questions with answers of 60 to 100 tokens, no dropout. The model is random and of middle size, its tower and language
model in the 3B's proportion. What is compared runs in turns, several times; times are medians over optimizer steps.
The last line is JSON:

    speedup           samples a second with sharing against without, at 5 questions a video
    ceiling           the same ratio of the language model's tokens: what sharing could save there. The tower, and so
                      the whole, may gain more, as it sees a video once and not 5 times
    speedup_by_stage  at the questions a video of the paper's table 7: samples over the measured seconds of their trees
    speedup_cached    with a frozen tower, one question a video: the second epoch with room for 10% of the encoded
                      videos and for all, against no cache
    hit_rate          of that epoch
    learning_curve    validation loss after equally many samples, sharing on and off, of a tiny model on drawn faces
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import lightning as L
import numpy as np
from stand_in import (
    FULL,
    QUICK,
    SMALL,
    Size,
    draw_videos,
    make_model,
    quiet_trainer,
    say,
    set_up,
    words_of,
    write_questions,
)

from videmo.data.cache import CacheRoom
from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.records import read_records
from videmo.models.scopes import Scope
from videmo.models.tiny import make_tiny
from videmo.synth import Plan, synthesize
from videmo.training import SFTModule

QUESTIONS = 5
MAX_BRANCHES = 8  # the default of the data module
BRANCHES = (1, 2, 3, 5, 8)  # whose trees are timed; others lie between
TOKENS = (60, 100)  # of a question with its answer, template included

# Videos by how many questions a stage asks of them. Table 7 counts samples and no videos: rows of one source are taken
# to ask of the same videos, a lone row once of each, and the 1,215,882 open attributes of the 78,072 videos that have
# fine-grained captions. That makes about 440,000 videos; the paper says 400,000.
STAGES = {
    "attribute": {1: 82 + 188_590 + 19_998, 2: 32_010 + 59_797, 15: 33_270, 16: 44_802},
    "expression": {1: 19_710 + 1_824 + 12_882 + 198_957 + 515 + 2_180 + 38_153 + 59_797, 2: 7_178},
    "emotion": {2: 34_526, 3: 43_546},
}


@dataclass(frozen=True)
class Effort(Size):
    """How much is measured."""

    repeats: int
    videos: int  # a pass
    cached_videos: int
    epochs: int
    train: str  # what the curve learns of the drawn world


EVERYTHING, A_TENTH = "jsons/train/*/full/*.json", "jsons/train/attribute/full/*.json"
MUCH = Effort(**vars(FULL), repeats=3, videos=3, cached_videos=10, epochs=5, train=EVERYTHING)
LITTLE = Effort(**vars(QUICK), repeats=1, videos=2, cached_videos=10, epochs=2, train=A_TENTH)


def write_records(file: Path, videos: int, questions: int, words: list[str]) -> None:
    """So many questions of each of so many videos; a word is a token, and the template adds 8 to 12."""
    rng = np.random.default_rng(0)
    asked = []
    for video in range(videos):
        for _ in range(questions):
            said, answered = (" ".join(rng.choice(words, size)) for size in rng.integers((30, 20), (51, 37)))
            asked.append((f"{video}.mp4", f"{said}?", f"{answered}."))
    write_questions(file, asked)


class Step(NamedTuple):
    """An optimizer step, the making of its batch included."""

    seconds: float
    samples: int
    tokens: int
    found: int  # videos that needed no encoding
    videos: int


class Clock(L.Callback):
    """Times the steps of a run, of which the first warms up."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._last = 0.0

    def on_train_epoch_start(self, trainer, pl_module) -> None:
        self._last = time.perf_counter()

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        now = time.perf_counter()
        tokens = int((batch.input_ids != trainer.datamodule.tokenizer.pad_token_id).sum())
        found, videos = len(batch.video_features), len(batch.videos)
        self.steps.append(Step(now - self._last, batch.num_samples, tokens, found, videos))
        self._last = now


class Bench:
    """The model and data under test.

    Args:
        root: A folder to work in.
        size: How much.
    """

    def __init__(self, root: Path, size: Effort) -> None:
        self.root, self.size = root, size
        words = words_of(__doc__)
        self.checkpoint = make_model(root / "model", words, size.hidden, size.layers)
        draw_videos(root / "videos", max(size.videos, size.cached_videos), size.clip)
        for questions in BRANCHES:
            write_records(root / f"{questions}.json", max(size.videos, 2), questions, words)
        write_records(root / "cached.json", size.cached_videos, 1, words)
        self.modules = {frozen: self._module(frozen) for frozen in (False, True)}

    def _module(self, frozen: bool) -> SFTModule:
        tower = Scope("frozen" if frozen else "full")
        return SFTModule(str(self.checkpoint), vision=tower, merger=tower)

    def run(
        self,
        file: str,
        *,
        batch_size: int = 1,
        max_branches: int = MAX_BRANCHES,
        epochs: int = 1,
        frozen: bool = False,
        room: CacheRoom = CacheRoom(),  # noqa: B008 (frozen)
    ) -> tuple[list[Step], EmoCFGDataModule]:
        """The steps of a run over a file's records, and its data; the tower frozen or not."""
        data = EmoCFGDataModule(
            str(self.root),
            str(self.checkpoint),
            train=[file],
            val=[],
            video=self.size.settings,
            batch_size=batch_size,
            max_branches=max_branches,
            num_workers=0,
            vision_cache=room,
        )
        clock = Clock()
        trainer = quiet_trainer(self.root, max_epochs=epochs, callbacks=[clock], limit_val_batches=0)
        trainer.fit(self.modules[frozen], data)
        lengths = data.records("train").index.text_tokens[:, 1]
        assert TOKENS[0] <= lengths.min() and lengths.max() <= TOKENS[1], (lengths.min(), lengths.max())
        return clock.steps, data

    def sharing(self) -> dict[str, object]:
        """The same records with and without sharing, in turns."""
        rates: dict[int, list[float]] = {1: [], MAX_BRANCHES: []}
        tokens: dict[int, float] = {}
        for repeat in range(self.size.repeats):
            for branches, seen in rates.items():
                steps, _ = self.run(f"{QUESTIONS}.json", batch_size=QUESTIONS, max_branches=branches)
                seen += [step.seconds / step.samples for step in steps[1:]]
                tokens[branches] = sum(step.tokens for step in steps) / sum(step.samples for step in steps)
                say(f"{repeat + 1}: up to {branches} questions a tree: {median(seen):.2f} s a sample")
        plain, shared = median(rates[1]), median(rates[MAX_BRANCHES])
        return {
            "speedup": round(plain / shared, 3),
            "ceiling": round(tokens[1] / tokens[MAX_BRANCHES], 3),
            "samples_per_second": {"plain": round(1 / plain, 3), "shared": round(1 / shared, 3)},
            "tokens_a_sample": {"plain": round(tokens[1]), "shared": round(tokens[MAX_BRANCHES])},
        }

    def by_stage(self) -> dict[str, object]:
        """Seconds of a tree by its branches, and what they make of each stage."""
        seconds: dict[int, list[float]] = {branches: [] for branches in BRANCHES}
        for _ in range(self.size.repeats):
            for branches, seen in seconds.items():
                steps, _ = self.run(f"{branches}.json", batch_size=branches)
                seen += [step.seconds for step in steps[1:]]
        tree = {branches: median(seen) for branches, seen in seconds.items()}
        say("seconds a tree by its branches: " + ", ".join(f"{k}: {value:.2f}" for k, value in tree.items()))
        speedups = {}
        for stage, videos in STAGES.items():
            samples = sum(questions * count for questions, count in videos.items())
            shared = sum(
                count * float(np.interp(branches, [*tree], [*tree.values()]))
                for questions, count in videos.items()
                for branches in trees_of(questions)
            )
            speedups[stage] = round(samples * tree[1] / shared, 3)
        return {"speedup_by_stage": speedups, "seconds_by_branches": {k: round(v, 3) for k, v in tree.items()}}

    def cached(self) -> dict[str, object]:
        """Second epochs without a cache, with one of a tenth of the videos, and with one of all, in turns."""
        videos, hits = self.size.cached_videos, {}
        ratios: dict[str, list[float]] = {"0.1": [], "1.0": []}
        _, data = self.run("cached.json", frozen=True, room=CacheRoom(memory_mb=1000))
        everything = data._vision_store.memory_used / 2**20
        shares = {name: CacheRoom(memory_mb=float(name) * everything + 1e-4) for name in ratios}  # against rounding
        for repeat in range(self.size.repeats):
            took = {}
            for name, room in {"none": CacheRoom(), **shares}.items():
                epochs = 2 if room else 1  # without a cache they are alike
                steps, _ = self.run("cached.json", epochs=epochs, frozen=True, room=room)
                last = steps[videos if room else 1 :]
                took[name] = sum(step.seconds for step in last) / len(last)
                hits[name] = sum(step.found for step in last) / len(last)
            for name, seen in ratios.items():
                seen.append(took["none"] / took[name])
            say(f"{repeat + 1}: seconds a video: " + ", ".join(f"{k}: {v:.2f} s" for k, v in took.items()))
        return {
            "speedup_cached": {name: round(median(seen), 3) for name, seen in ratios.items()},
            "hit_rate": {name: round(hits[name], 3) for name in ratios},
        }


def trees_of(questions: int) -> Iterator[int]:
    """The branches of a video's trees."""
    for first in range(0, questions, MAX_BRANCHES):
        yield min(MAX_BRANCHES, questions - first)


class Losses(L.Callback):
    """The validation loss after each epoch."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_validation_end(self, trainer, pl_module) -> None:
        self.losses.append(round(float(trainer.callback_metrics["val/loss"]), 4))


def learning_curve(root: Path, size: Effort) -> dict[str, object]:
    """A tiny model on a drawn world: the same seed, records and steps, with sharing and without."""
    world = root / "world"
    synthesize(world, Plan(60), workers=1)
    files = sorted(world.glob("jsons/train/*/full/*.json"))
    texts = [message.content for file in files for record in read_records(file) for message in record.messages]
    checkpoint = make_tiny(texts, root / "tiny", hidden_size=64, layers=2)
    curves = {}
    for name, branches in (("shared", 16), ("plain", 1)):
        L.seed_everything(0, verbose=False)
        data = EmoCFGDataModule(
            str(world),
            str(checkpoint),
            train=size.train,
            video=SMALL,
            batch_size=32,
            max_branches=branches,
            num_workers=0,
            frames_cache=CacheRoom(memory_mb=1000),
        )
        watch = Losses()
        module = SFTModule(str(checkpoint), optimizer="muon", learning_rate=3e-3, adam_beta2=0.98, warmup_ratio=0.05)
        quiet_trainer(root, max_epochs=size.epochs, callbacks=[watch]).fit(module, data)
        curves[name] = watch.losses
        records = len(data.records("train"))
        say(f"validation loss by epoch of {records} samples, {name}: {watch.losses}")
    return {"learning_curve": {"samples": [records * (epoch + 1) for epoch in range(size.epochs)], **curves}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="a few small steps, to try the tool; the numbers mean nothing"
    )
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    size = LITTLE if arguments.quick else MUCH
    set_up(arguments.threads)
    began = time.perf_counter()
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder), size)
        say(f"ready after {time.perf_counter() - began:.0f} s")
        result = bench.sharing()
        for more in (bench.by_stage, bench.cached, lambda: learning_curve(Path(folder), size)):
            result |= more()
            say(f"{time.perf_counter() - began:.0f} s")
    parameters = sum(p.numel() for p in bench.modules[False].parameters())
    result |= {"parameters": parameters, "layers": size.layers, "threads": arguments.threads}
    print(json.dumps({**result, "seconds": round(time.perf_counter() - began)}))


if __name__ == "__main__":
    main()
