"""How much faster a GRPO step is on the shared tree than on a batch of copies, and than in TRL.

    python tools/bench_grpo.py

A step is whole: the video read, G = 8 completions drawn, rewarded, scored under policy and reference, backward and
AdamW. One question of about 100 tokens on one real mp4 file, 16 frames of 640 x 480, so 1040 video tokens; completions
are forced to 64, 128 and 256 tokens. The model is random and of middle size, its tower and language model in the 3B's
proportion, in float32, and all of it trains. Two ways make a step:

    ours   `GRPOModule` in the trainer: one vision pass and one prefill for the group, in each of rollout, reference and
           policy
    plain  transformers alone, as one would write it: the prompt and its video G times in a batch (which is also what
           `num_return_sequences` makes of it), `generate` with a cache, then the batch with its completions through
           reference and policy, logits for the completions only. The video is read once for the group

Both take turns; times are medians after a warm-up step. TRL's GRPOTrainer takes pictures and no videos, so it is held
against ours on another task, a picture of 1040 tokens that is to us a video of one temporal patch. It is no dependency
(`pip install --constraint constraints.txt trl`). The last line is JSON:

    speedup             seconds of a step, plain by ours, for 64 tokens
    curve               for 64, 128 and 256
    curve_processor     likewise, of the processor's time, of which others on the machine change little; with one thread
                        (`--threads 1`) none of it is spent on waiting
    difference          the largest between ours and plain in the log-probabilities of ours' completions, under policy
                        and reference
    trl_ratio           seconds of a step, TRL by ours, for 64 tokens and the picture; null with `trl_reason` if it
                        cannot run
    trl                 the same curves of that
    tokens              of a step: eight completions with their prompts. Both ways have the same
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import lightning as L
import numpy as np
import torch
from plain_grpo import GROUP, PlainGRPO, Step, Stopwatch
from stand_in import FULL, QUICK, Size, draw_videos, make_model, quiet_trainer, say, set_up, words_of, write_questions

from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.sampling import VideoSettings
from videmo.rewards import Reward, RewardTerm
from videmo.token_tree import IGNORE_INDEX
from videmo.training import GRPOModule
from videmo.training.rollouts import Rollout, TreeEngine

Way = Callable[[int], list[Step]]
"""From the length of completions to a step on each clip."""
LEARNING_RATE, BETA = 1e-5, 0.04
QUESTION = 90  # words, each a token; the chat template adds about ten


@dataclass(frozen=True)
class Effort(Size):
    """How much is measured.

    Attributes:
        picture: Width, height and seconds of the clips for TRL's task, which are one temporal patch each.
        lengths: Of completions, in tokens.
    """

    picture: tuple[int, int, int]
    lengths: tuple[int, ...]

    @property
    def still(self) -> VideoSettings:
        """How a picture's clip is sampled and resized."""
        area = self.picture[0] * self.picture[1]
        return VideoSettings(min_frames=2, max_frames=2, min_pixels=area, max_pixels=area)


MUCH = Effort(**vars(FULL), picture=(1120, 728, 1), lengths=(64, 128, 256))
LITTLE = Effort(**vars(QUICK), picture=(112, 56, 1), lengths=(4, 8))


class Alternate(Reward):
    """0, 1, 0, 1 and so on: every group has the same variance."""

    name = "alternate"

    def __call__(self, completions) -> list[float | None]:
        return [float(number % 2) for number in range(len(completions))]


class Forced(GRPOModule):
    """Completions that no stop token ends.

    Attributes:
        rollouts: Of the last step.
    """

    def configure_model(self) -> None:
        super().configure_model()
        self.engine = TreeEngine(self.backbone, eos_token_id=-1)

    @property
    def rollouts(self) -> list[Rollout]:
        return self._rollouts


class Clock(L.Callback):
    """Times the steps of a run, the reading of their videos included."""

    def __init__(self) -> None:
        self.watch = Stopwatch()

    def on_train_epoch_start(self, trainer, pl_module) -> None:
        self.watch.start()

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        self.watch.lap(GROUP * batch.input_ids.numel() + sum(rollout.num_tokens for rollout in pl_module.rollouts))


@dataclass(frozen=True)
class Task:
    """A question on each of a few clips, and a model to answer them.

    Attributes:
        root: A data folder, which has ``videos`` and ``all.json``.
        checkpoint: The model's folder.
        settings: How frames are sampled and resized.
        questions: One a clip.
    """

    root: Path
    checkpoint: Path
    settings: VideoSettings
    questions: list[str]

    def video(self, number: int) -> Path:
        return self.root / "videos" / f"{number}.mp4"

    def ours(self, length: int, max_steps: int = -1) -> tuple[list[Step], Forced]:
        """A step on each clip, and the module after the last."""
        module = Forced(
            rewards=[RewardTerm(Alternate())],
            checkpoint=str(self.checkpoint),
            num_generations=GROUP,
            max_completion_length=length,
            beta=BETA,
            learning_rate=LEARNING_RATE,
        )
        data = EmoCFGDataModule(
            str(self.root),
            str(self.checkpoint),
            train=["all.json"],
            val=[],
            video=self.settings,
            batch_size=1,
            num_workers=0,
        )
        clock = Clock()
        stop = {"max_epochs": 1, "max_steps": max_steps, "limit_val_batches": 0}
        quiet_trainer(self.root, callbacks=[clock], **stop).fit(module, data)
        return clock.watch.steps, module

    def plain_loop(self, length: int) -> PlainGRPO:
        return PlainGRPO(self.checkpoint, self.settings, length, beta=BETA, learning_rate=LEARNING_RATE)

    def plain(self, length: int) -> list[Step]:
        """A step on each clip."""
        loop, watch = self.plain_loop(length), Stopwatch()
        watch.start()
        for number, question in enumerate(self.questions):
            watch.lap(loop.step(self.video(number), question))
        return watch.steps


def make_task(root: Path, size: tuple[int, int, int], settings: VideoSettings, checkpoint: Path, clips: int) -> Task:
    """Clips with a question each, which are random words that the model knows."""
    draw_videos(root / "videos", clips, size)
    words, rng = words_of(__doc__), np.random.default_rng(0)
    questions = [" ".join(rng.choice(words, QUESTION)) + "?" for _ in range(clips)]
    write_questions(root / "all.json", ((f"{number}.mp4", text, "Yes") for number, text in enumerate(questions)))
    return Task(root, checkpoint, settings, questions)


def difference(task: Task, length: int) -> float:
    """Between ours and plain, in the log-probabilities of the completions that ours drew in a first step."""
    _, module = task.ours(length, max_steps=1)
    (rollout,) = module.rollouts
    loop = task.plain_loop(length)
    number = rollout.batch.records[0].line - 1
    inputs = loop.inputs(task.video(number), task.questions[number])
    completions = rollout.batch.labels[rollout.batch.labels != IGNORE_INDEX].view(GROUP, length)
    with torch.no_grad():
        theirs = loop.logps(loop.policy, inputs, completions).flatten()
    return max(float((mine - theirs).abs().max()) for mine in (rollout.old_logps, rollout.ref_logps))


def race(task: Task, lengths: tuple[int, ...], name: str, other: Way, turns: int) -> dict[str, object]:
    """Ours and another way in turns: medians of a step by the length of completions, and their ratios."""
    seconds: dict[str, dict[int, float]] = {"ours": {}, name: {}}
    processor: dict[str, dict[int, float]] = {"ours": {}, name: {}}
    tokens: dict[int, int] = {}
    for length in lengths:
        steps: dict[str, list[Step]] = {"ours": [], name: []}
        for turn in range(turns):
            runs = {"ours": task.ours(length)[0], name: other(length)}
            asked, answered = (sorted(step.tokens for step in run) for run in runs.values())
            assert asked == answered, (asked, answered)  # the same prompts and completions of one length
            tokens[length] = round(sum(asked) / len(asked))
            for way, run in runs.items():
                steps[way] += run[1:]  # the first warms up
                seconds[way][length] = round(median(step.seconds for step in steps[way]), 3)
                processor[way][length] = round(median(step.processor_seconds for step in steps[way]), 3)
            say(f"{length} tokens, {turn + 1}: " + ", ".join(f"{way} {by[length]} s" for way, by in seconds.items()))
    return {
        "curve": {length: round(seconds[name][length] / ours, 3) for length, ours in seconds["ours"].items()},
        "curve_processor": {
            length: round(processor[name][length] / ours, 3) for length, ours in processor["ours"].items()
        },
        "seconds": seconds,
        "processor_seconds": processor,
        "tokens": tokens,
    }


def against_trl(task: Task, lengths: tuple[int, ...], turns: int) -> dict[str, object]:
    """The picture task by TRL and by ours; or why not."""
    try:
        from trl_grpo import VERSION, trl_steps
    except ImportError as error:
        return {"trl_ratio": None, "trl_reason": f"TRL is not installed: {error}"}

    def trl(length: int) -> list[Step]:
        return trl_steps(task, length, beta=BETA, learning_rate=LEARNING_RATE)

    found = race(task, lengths, "trl", trl, turns)
    return {"trl_ratio": found["curve"][lengths[0]], "trl": {**found, "version": VERSION}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3, help="of each way and turn, the first left out (default 3)")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="small clips and model, to try the tool")
    given = parser.parse_args()
    size = LITTLE if given.quick else MUCH
    set_up(given.threads)
    began = time.perf_counter()
    with TemporaryDirectory() as folder:
        root = Path(folder)
        checkpoint = make_model(root / "model", words_of(__doc__), size.hidden, size.layers)
        video = make_task(root / "video", size.clip, size.settings, checkpoint, given.steps)
        picture = make_task(root / "picture", size.picture, size.still, checkpoint, given.steps)
        apart = difference(video, size.lengths[0])
        say(f"ready after {time.perf_counter() - began:.0f} s; log-probabilities differ by up to {apart:.1e}")
        found = race(video, size.lengths, "plain", video.plain, given.turns)
        trl = against_trl(picture, size.lengths, given.turns)
    print(
        json.dumps(
            {
                "speedup": found["curve"][size.lengths[0]],
                **found,
                "difference": apart,
                **trl,
                "generations": GROUP,
                "hidden": size.hidden,
                "layers": size.layers,
                "threads": given.threads,
                "took": round(time.perf_counter() - began),
            }
        )
    )


if __name__ == "__main__":
    main()
