"""How much faster a search is than `generate(num_return_sequences=n)` a level, and whether it draws the same.

    python tools/bench_reason.py

A clip of 16 frames of 640 x 480, so 1040 video tokens, is asked at three levels (attribute, expression, emotion), each
with n candidates of 64 tokens. The model is random and of middle size, its tower and language model in the 3B's
proportion, in float32; it never stops by itself. Two ways search:

    ours   `videmo.reasoning.TreeSearch`: one tree that grows
    plain  transformers alone: at every level the whole dialogue so far, with its video, goes through
           `Qwen2_5_VLForConditionalGeneration.generate(num_return_sequences=n)`

The clip is read and cut once for both. Draws are decided by the same numbers, and the likeliest candidate is gone on
from. The two take turns; times are medians over turns. The last line is JSON:

    speedup     a search's seconds, plain by ours
    curve       the same for other n
    identical   whether all candidates of all levels are equal, token by token
    different   how many are not
"""

import argparse
import json
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
from stand_in import draw_videos, make_model, say, set_up, words_of
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from videmo.data.records import Message
from videmo.data.sampling import VideoSettings
from videmo.data.video import Video, load_video
from videmo.doctor.plain import Plain
from videmo.models.sampling import Distribution
from videmo.pixels import normalise
from videmo.reasoning import LikelihoodScorer, Reasoner, ScorerTerm, SearchSettings
from videmo.reasoning.dialogue import asked, draws_of, next_turn
from videmo.tasks import FEELING

CLIP = (640, 480, 8)  # width, height, seconds
LENGTH = 64


class Drawn(LogitsProcessor):
    """Leaves of each row the token alone that given numbers draw, and keeps its log-probability."""

    def __init__(self, distribution: Distribution, settings: SearchSettings, draws: Tensor) -> None:
        self._distribution, self._sampling, self._draws = distribution, settings.sampling, draws
        self.logps: list[Tensor] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        logps = self._distribution(scores).log_softmax(-1)
        chosen = self._sampling.draw(logps, self._draws[:, len(self.logps)])
        self.logps.append(logps.gather(1, chosen[:, None])[:, 0])
        return torch.full_like(scores, -torch.inf).scatter(1, chosen[:, None], 0.0)


class PlainSearch:
    """The same search by transformers' `generate`.

    Args:
        checkpoint: The model's folder.
        path: The clip.
        video: The same, read and cut.
        distribution: What is drawn from.
    """

    def __init__(self, checkpoint: Path, path: Path, video: Video, distribution: Distribution) -> None:
        self.plain = Plain(str(checkpoint))
        assert not self.plain.load(torch.device("cpu"))
        self.path, self.video, self.distribution = path, video, distribution

    def __call__(self, settings: SearchSettings) -> list[list[list[int]]]:
        """The tokens of all candidates, by level."""
        tokenizer = self.plain.tokenizer
        questions = [*settings.levels.values(), FEELING]
        tokens, dialogue, found = self.plain.tokens(questions[0], self.video.num_tokens), [], []
        for number, question in enumerate(questions):
            if number:
                tokens = torch.cat((tokens, next_turn(tokenizer, dialogue, question)))
            said = [turn.content for turn in dialogue]
            draws = draws_of(settings.n, LENGTH, settings.seed, [str(self.path)], *said, question)
            own, logps = self._level(tokens, settings, draws)
            best = int(logps.mean(1).argmax())
            found.append(own.tolist())
            stop = torch.tensor([tokenizer.eos_token_id])
            tokens = torch.cat((tokens, own[best], stop))
            text = tokenizer.decode(own[best], skip_special_tokens=True).strip()
            video = "<video>" * (not dialogue)
            dialogue += [Message("user", video + question), Message("assistant", text)]
        return found

    @torch.inference_mode()
    def _level(self, tokens: Tensor, settings: SearchSettings, draws: Tensor) -> tuple[Tensor, Tensor]:
        """Candidates [n, LENGTH], and their log-probabilities."""
        drawn = Drawn(self.distribution, settings, draws)
        found = self.plain.model.generate(
            input_ids=tokens[None],
            attention_mask=torch.ones_like(tokens)[None],
            mm_token_type_ids=2 * (tokens == self.plain.model.config.video_token_id).int()[None],
            pixel_values_videos=normalise(self.video.pixel_values),
            video_grid_thw=torch.tensor([self.video.grid_thw]),
            second_per_grid_ts=torch.tensor([self.video.second_per_grid]),
            generation_config=GenerationConfig(
                do_sample=True,
                num_return_sequences=settings.n,
                max_new_tokens=LENGTH,
                eos_token_id=None,
                pad_token_id=self.plain.tokenizer.pad_token_id,
            ),
            logits_processor=LogitsProcessorList([drawn]),
        )
        return found[:, len(tokens) :], torch.stack(drawn.logps, dim=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, nargs="+", default=[8, 4, 2, 1], help="candidates; the first is `speedup`")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=384)
    parser.add_argument("--layers", type=int, default=6)
    given = parser.parse_args()
    set_up(given.threads)
    began = time.perf_counter()
    with TemporaryDirectory() as folder:
        root = Path(folder)
        draw_videos(root / "videos", 1, CLIP)
        clip, settings = root / "videos" / "0.mp4", VideoSettings()
        checkpoint = make_model(root / "model", words_of(__doc__), given.hidden, given.layers, tied=False)
        reasoner = Reasoner.load(str(checkpoint), SearchSettings(), video=settings)
        backbone, tokenizer = reasoner.search.backbone, reasoner.search.tokenizer
        never = torch.cat((backbone.drawn(1.0).banned, torch.tensor([tokenizer.eos_token_id])))
        backbone.drawn = lambda temperature: Distribution(temperature, never)
        plain = PlainSearch(checkpoint, clip, load_video(clip, settings), Distribution(1.0, never))
        seconds: dict[int, dict[str, list[float]]] = {n: {"ours": [], "plain": []} for n in given.n}
        different = 0
        for n in given.n:
            search = SearchSettings(n, scorers=[ScorerTerm(LikelihoodScorer())], temperature=1.0)
            ours = Reasoner(backbone, tokenizer, settings, search, LENGTH, why=None)
            batch = ours.batch([asked(FEELING, [str(clip)])])
            for turn in range(given.rounds + 1):  # the first is not counted
                start = time.perf_counter()
                mine = ours.search(batch)[0]
                middle = time.perf_counter()
                theirs = plain(search)
                if turn:
                    seconds[n]["ours"].append(middle - start)
                    seconds[n]["plain"].append(time.perf_counter() - middle)
            texts = [[tokenizer.decode(own, skip_special_tokens=True).strip() for own in level] for level in theirs]
            parted = [
                (one.text, text)
                for step, level in zip(mine.steps, texts, strict=True)
                for one, text in zip(step.candidates, level, strict=True)
                if one.text != text
            ]
            different += len(parted)
            say(f"n = {n}: " + ", ".join(f"{way} {median(own):.2f} s" for way, own in seconds[n].items()))
    curve = {n: round(median(ways["plain"]) / median(ways["ours"]), 3) for n, ways in seconds.items()}
    print(
        json.dumps(
            {
                "speedup": curve[given.n[0]],
                "curve": curve,
                "identical": not different,
                "different": different,
                "seconds": {
                    n: {way: round(median(own), 3) for way, own in ways.items()} for n, ways in seconds.items()
                },
                "video_tokens": plain.video.num_tokens,
                "length": LENGTH,
                "hidden": given.hidden,
                "layers": given.layers,
                "threads": given.threads,
                "took": round(time.perf_counter() - began),
            }
        )
    )


if __name__ == "__main__":
    main()
