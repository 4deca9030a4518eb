"""How much faster a test answers than `generate` a question at a time, and whether it says the same.

    python tools/bench_eval.py

Real mp4 files, 16 frames of 640 x 480, so 1040 video tokens, five questions of 20 to 60 tokens each, and greedy answers
of up to 16 tokens. The model is random and of middle size, its tower and language model in the 3B's proportion, in
float32; one token was made its stop token that about half of its answers would hold. Two ways answer every question:

    ours   what `videmo test` runs: the data module's loader with its workers, and `trainer.test` up to the last answer.
           Its scores, its files and the index of the data are left out
    plain  transformers alone, question by question: the video read (by decord through videmo's reader, resized and cut
           as ours), the prompt made by the chat template, and `Qwen2_5_VLForConditionalGeneration.generate`

Both have the same weights, type and threads, and leave out vision placeholders. They take turns, and times are medians
over turns. The last line is JSON:

    speedup                 questions a second, ours against plain
    speedup_decode_shared   against plain that keeps a decoded video for the questions of its clip: the time spent
                            on reading a video again is taken off
    identical               whether all answers are equal, token by token
    different               how many are not, and for each the gap that plain's two best logits had where they part; an
                            answer is different also where the two best are the same up to rounding
    padding                 the share of padding in the tokens that ours computes on before the first answer token
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import lightning as L
import numpy as np
import torch
from stand_in import FULL, QUICK, draw_videos, make_model, quiet_trainer, say, set_up, words_of, write_questions

from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.sampling import VideoSettings
from videmo.data.video import load_video
from videmo.doctor.plain import Answer, Plain
from videmo.models.generation import Generation
from videmo.pixels import normalise
from videmo.token_tree import TreeBatch
from videmo.training import SFTModule

Question = tuple[str, str]
"""The video's file name, and the text."""


def make_questions(file: Path, clips: int, a_clip: int, words: list[str]) -> list[Question]:
    """Write so many questions of each clip; a word is a token, and the template adds about ten."""
    rng = np.random.default_rng(0)
    asked = [
        (f"{clip}.mp4", " ".join(rng.choice(words, rng.integers(10, 50))) + "?")
        for clip in range(clips)
        for _ in range(a_clip)
    ]
    write_questions(file, [(*question, "Yes") for question in asked])
    return asked


class PlainWay:
    """transformers, question by question.

    Attributes:
        reading: Seconds that the last round spent on videos which it had read before.
    """

    def __init__(self, checkpoint: Path, videos: Path, settings: VideoSettings, length: int) -> None:
        self.plain = Plain(str(checkpoint))
        self.videos, self.settings, self.length = videos, settings, length
        self.reading = 0.0

    def load(self) -> None:
        assert not self.plain.load(torch.device("cpu"))

    def answer(self, questions: list[Question]) -> list[Answer]:
        self.reading, answers, seen = 0.0, [], set()
        for name, text in questions:
            began = time.perf_counter()
            video = load_video(self.videos / name, self.settings)
            self.reading += (time.perf_counter() - began) * (name in seen)
            seen.add(name)
            tokens = self.plain.tokens(text, video.num_tokens)
            answers.append(
                self.plain.answer(
                    tokens, normalise(video.pixel_values), video.grid_thw, video.second_per_grid, self.length
                )
            )
        return answers

    def let_answers_end(self, checkpoint: Path, questions: list[Question]) -> None:
        """Exchange the stop token's row of the output head for that of a token which half of the answers hold."""
        self.load()
        model, stop = self.plain.model, self.plain.tokenizer.eos_token_id
        held = torch.zeros(model.lm_head.out_features)
        answers = self.answer(questions)
        for answer in answers:
            held[sorted(set(answer.tokens))] += 1
        ending = int((held / len(answers) - 0.5).abs().argmin())
        with torch.no_grad():
            model.lm_head.weight[[stop, ending]] = model.lm_head.weight[[ending, stop]]
        model.save_pretrained(checkpoint)


class Listening(SFTModule):
    """A module that keeps the tokens of what it says, by the line of the record, and counts those that it reads."""

    def on_test_start(self) -> None:
        self.said: dict[int, Generation] = {}
        self.places = self.tokens = 0

    def generations(self, batch: TreeBatch) -> list[Generation]:
        found = super().generations(batch)
        self.said.update((record.line, answer) for record, answer in zip(batch.records, found, strict=True))
        self.places += batch.input_ids.numel()
        self.tokens += int((batch.input_ids != self.tokenizer.pad_token_id).sum())
        return found


class Clock(L.Callback):
    """The seconds from where the data is indexed to the last answer."""

    def setup(self, trainer, pl_module, stage: str) -> None:
        self.began = time.perf_counter()

    def on_test_batch_end(self, *arguments) -> None:
        self.seconds = time.perf_counter() - self.began


@dataclass(frozen=True)
class Asked:
    """A file of questions about a folder of clips, and a model to answer them.

    Attributes:
        root: The data folder, which has ``videos``.
        checkpoint: The model's folder.
        settings: How frames are sampled and resized.
        batch_size: Questions a batch of ours.
    """

    root: Path
    checkpoint: Path
    settings: VideoSettings
    batch_size: int

    def by_ours(self, module: Listening, file: str) -> float:
        """Let the module answer a file, and return the seconds."""
        data = EmoCFGDataModule(
            str(self.root),
            str(self.checkpoint),
            train=[file],
            val=[],
            test=[file],
            video=self.settings,
            eval_batch_size=self.batch_size,
        )
        clock = Clock()
        quiet_trainer(self.root, callbacks=[clock]).test(module, data, verbose=False)
        return clock.seconds


def compare(mine: dict[int, Generation], theirs: list[Answer]) -> list[dict[str, float]]:
    """Where answers part: the question, the token, and the gap of the two best logits there."""
    parted = []
    for number, answer in enumerate(theirs):
        tokens = mine[number + 1].tokens.tolist()
        if tokens != answer.tokens:
            pairs = zip(tokens, answer.tokens, strict=False)
            place = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(tokens), len(answer.tokens)))
            best, second = answer.scores[place].topk(2).values.tolist()
            parted.append({"question": number, "token": place, "gap": best - second})
    return parted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--questions", type=int, default=5, help="a clip (default 5)")
    parser.add_argument(
        "--tokens", type=int, default=16, help="an answer may have, the stop token included (default 16)"
    )
    parser.add_argument("--batch", type=int, default=32, help="questions a batch of ours (default 32, as videmo test)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="small clips and model, to try the tool")
    given = parser.parse_args()
    size = QUICK if given.quick else FULL
    set_up(given.threads)
    began = time.perf_counter()
    with TemporaryDirectory() as folder:
        root = Path(folder)
        words = words_of(__doc__)
        draw_videos(root / "videos", given.clips, size.clip)
        checkpoint = make_model(root / "model", words, size.hidden, size.layers, tied=False)
        questions = make_questions(root / "all.json", given.clips, given.questions, words)
        make_questions(root / "warm.json", 1, given.questions, words)
        plain = PlainWay(checkpoint, root / "videos", size.settings, given.tokens)
        plain.let_answers_end(checkpoint, questions[:: given.questions])
        asked = Asked(root, checkpoint, size.settings, given.batch)
        module = Listening(str(checkpoint), max_new_tokens=given.tokens)
        asked.by_ours(module, "warm.json")
        say(f"ready after {time.perf_counter() - began:.0f} s")
        seconds: dict[str, list[float]] = {"ours": [], "plain": [], "plain_decode_shared": []}
        for turn in range(given.rounds):
            seconds["ours"].append(asked.by_ours(module, "all.json"))
            start = time.perf_counter()
            answers = plain.answer(questions)
            seconds["plain"].append(time.perf_counter() - start)
            seconds["plain_decode_shared"].append(seconds["plain"][-1] - plain.reading)
            say(f"{turn + 1}: " + ", ".join(f"{way} {seen[-1]:.1f} s" for way, seen in seconds.items()))
    parted = compare(module.said, answers)
    ours = median(seconds["ours"])
    print(
        json.dumps(
            {
                "speedup": round(median(seconds["plain"]) / ours, 3),
                "speedup_decode_shared": round(median(seconds["plain_decode_shared"]) / ours, 3),
                "identical": not parted,
                "different": parted,
                "questions_per_second": {way: round(len(questions) / median(s), 2) for way, s in seconds.items()},
                "padding": round(1 - module.tokens / module.places, 4),
                "questions": len(questions),
                "answer_tokens": sum(len(answer.tokens) for answer in answers),
                "stopped": sum(said.finished for said in module.said.values()),
                "distinct_answers": len({tuple(answer.tokens) for answer in answers}),
                "batch": given.batch,
                "threads": given.threads,
                "seconds": round(time.perf_counter() - began),
            }
        )
    )


if __name__ == "__main__":
    main()
