"""Ours against plain transformers, row by row, each of which can fail alone: it takes what the rows above it made.

So a position that is wrong fails the row of positions, and the logits, which both sides compute at our positions, say
whether the model itself is right. Only the last row, the answer, lets each side go its own way from tokens on.
"""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
import transformers
from packaging.version import Version
from torch import Tensor
from transformers import Qwen2_5_VLForConditionalGeneration

from videmo.data.sampling import VideoSettings
from videmo.doctor import ours
from videmo.doctor.inputs import patches_row, sampling_row, settings_row, size_row, stated_in, video_processor_row
from videmo.doctor.ours import Clip, prepare
from videmo.doctor.plain import Answer, Plain
from videmo.doctor.row import REPORT, Row, judge, worst
from videmo.errors import InputError
from videmo.export.folder import VIDEMO_FILE, base_folder
from videmo.export.processor import IMAGE_FILE
from videmo.models.backbone import Backbone
from videmo.pixels import normalise
from videmo.pretrained import load_config, load_tokenizer, random_size

LOGIT_LIMIT = 2e-4  # of the largest logit: float32's rounding through the layers of a 7B stays far below
WHOLE_SECONDS = Version("5.18")  # of transformers: earlier ones truncate second_per_grid before multiplying


def compare(checkpoint: str, videos: Sequence[Path], question: str, max_new_tokens: int) -> list[Row]:
    """All rows of a model on some videos; each row shows the worst of them.

    Raises:
        InputError: If there is no such model, or a video cannot be read.
    """
    folder = _model_folder(checkpoint)
    settings = _settings(folder)
    config = load_config(checkpoint)
    clips = [prepare(checkpoint, file, question, settings) for file in videos]
    images = stated_in(folder, IMAGE_FILE)
    rows = [
        settings_row(folder, config, settings),
        worst(clips, lambda clip: sampling_row(clip, settings)),
        worst(clips, lambda clip: size_row(clip, settings)),
        worst(clips, lambda clip: patches_row(clip, images)),
        worst(clips, lambda clip: video_processor_row(clip, images)),
    ]
    device = _device(config)
    with torch.backends.cudnn.flags(allow_tf32=False) if device.type == "cuda" else nullcontext():
        found, answers = _rows_of_plain(checkpoint, clips, question, max_new_tokens, device)
        rows += found  # transformers' model is let go of before ours is loaded
        return rows + _rows_of_model(checkpoint, clips, answers, max_new_tokens, device) if answers else rows


def _rows_of_plain(
    checkpoint: str, clips: list[Clip], question: str, length: int, device: torch.device
) -> tuple[list[Row], list[tuple[Tensor, Answer]]]:
    """The rows that need transformers' model alone; and its logits and answer to each clip, where the tokens agree."""
    plain = Plain.load(checkpoint, device)
    tokens = worst(clips, lambda clip: _tokens_row(clip, plain, question))
    if tokens.status == "FAIL":
        names = ("positions", "logits", "answer")
        return [tokens, *(Row(name, "not run", None, "", "mend the row `tokens` first") for name in names)], []
    positions = worst(clips, lambda clip: _positions_row(clip, plain))
    answers = []
    for clip in clips:
        patches, grid = normalise(clip.video.pixel_values), clip.video.grid_thw
        logits = plain.logits(clip.input_ids, patches, grid, clip.position_ids, clip.num_after)
        answers.append((logits, plain.answer(clip.input_ids, patches, grid, clip.video.second_per_grid, length)))
    return [tokens, positions], answers


def _rows_of_model(
    checkpoint: str, clips: list[Clip], answers: list[tuple[Tensor, Answer]], length: int, device: torch.device
) -> list[Row]:
    backbone = Backbone.load(checkpoint).to(device).eval()
    tokenizer = load_tokenizer(checkpoint)
    given = list(zip(clips, *zip(*answers, strict=True), strict=True))
    return [
        worst(given, lambda g: _logits_row(backbone, g[0], g[1])),
        worst(given, lambda g: _answer_row(backbone, g[0], g[2], tokenizer, length)),
    ]


def _tokens_row(clip: Clip, plain: Plain, question: str) -> Row:
    theirs = plain.tokens(question, math.prod(clip.video.grid_thw) // clip.video.merge_size**2)
    compared = f"{len(theirs)} tokens, with the chat template and the tokenizer of the folder"
    if torch.equal(clip.input_ids, theirs):
        return Row("tokens", "pass", 0, compared)
    place = next((n for n, (a, b) in enumerate(zip(clip.input_ids, theirs, strict=False)) if a != b), len(theirs))
    mine, other = (plain.tokenizer.decode(ids[place : place + 4]) for ids in (clip.input_ids, theirs))
    remedy = f"from token {place} on ours say {mine!r}, theirs {other!r}: is the chat template the published one?"
    return Row("tokens", "FAIL", None, compared, remedy)


def _positions_row(clip: Clip, plain: Plain) -> Row:
    seconds, version = clip.video.second_per_grid, transformers.__version__
    theirs = plain.positions(clip.input_ids, clip.video.grid_thw, seconds)
    difference = (clip.position_ids - theirs).abs()
    compared = f"positions of {theirs.shape[1]} tokens, with get_rope_index of transformers {version}"
    remedy = ""
    if Version(version) < WHOLE_SECONDS:
        compared += f", which truncates second_per_grid (here {seconds:g}) to an integer"
        remedy = f"transformers from {WHOLE_SECONDS} on does not truncate: `pip install -U transformers`"
    if difference.any():
        place = int(difference.amax(0).nonzero()[0])
        mine, other = clip.position_ids[:, place].tolist(), theirs[:, place].tolist()
        remedy = remedy or REPORT
        remedy = f"{clip.file}: token {place} (t, h, w) is at {mine}, theirs {other}; {remedy}"
    return judge("positions", difference.max().item(), 0, compared, remedy)


def _logits_row(backbone: Backbone, clip: Clip, theirs: Tensor) -> Row:
    largest = (ours.logits(backbone, clip) - theirs).abs().max().item()
    limit = LOGIT_LIMIT * max(1.0, theirs.abs().max().item())
    compared = (
        f"logits of the {clip.num_after} tokens after the video, in float32 on {backbone.model.device.type}, with "
        f"transformers on the same patches, tokens and positions (limit {limit:.2g})"
    )
    return judge("logits", largest, limit, compared, f"{clip.file}: the models compute differently; {REPORT}")


def _answer_row(backbone: Backbone, clip: Clip, theirs: Answer, tokenizer: Any, length: int) -> Row:
    mine = ours.answer(backbone, clip, length, tokenizer.eos_token_id)
    said = tokenizer.decode(theirs.tokens, skip_special_tokens=True).strip()
    compared = f"the greedy answer, with transformers' generate at its own positions: {_short(said)!r}"
    if mine == theirs.tokens:
        return Row("answer", "pass", 0, compared)
    place = next(
        (n for n, (a, b) in enumerate(zip(mine, theirs.tokens, strict=False)) if a != b),
        min(len(mine), len(theirs.tokens)),
    )
    best, second = theirs.scores[place].topk(2).values.tolist()
    if best - second <= LOGIT_LIMIT * max(1.0, abs(best)):
        return Row(
            "answer", "pass", best - second, f"{compared}; at token {place} two words tie, and ours takes the other"
        )
    other = tokenizer.decode(mine, skip_special_tokens=True).strip()
    remedy = f"{clip.file}: ours is {_short(other)!r}, from token {place} on: the first row that fails above says why"
    return Row("answer", "FAIL", None, compared, remedy)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]} ..."


def _model_folder(checkpoint: str) -> Path | None:
    path = Path(checkpoint)
    if path.is_file() or (path / "meta.pt").is_file() or (path / "latest").is_file():
        raise InputError(f"{path} is a run's checkpoint: `videmo export --ckpt {path} --out FOLDER --merge` first")
    if (path / "adapter_config.json").is_file():
        raise InputError(f"{path} is a peft adapter: export the run with --merge, and give that folder")
    if random_size(checkpoint):
        raise InputError(f"{checkpoint} has no weights that transformers could load; give a folder or a hub id")
    load_config(checkpoint)  # its sentences on what is no model come first
    return base_folder(checkpoint, None, False)


def _settings(folder: Path | None) -> VideoSettings:
    stated = stated_in(folder, VIDEMO_FILE).get("video")
    return VideoSettings(**stated) if isinstance(stated, dict) else VideoSettings()


def _device(config: Any) -> torch.device:
    """The GPU, where the model in float32 and its activations fit into what is free of it."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    with torch.device("meta"):
        size = sum(p.numel() for p in Qwen2_5_VLForConditionalGeneration(config).parameters())
    return torch.device("cuda" if torch.cuda.mem_get_info()[0] > 1.3 * 4 * size else "cpu")
