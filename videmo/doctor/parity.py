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
from videmo.doctor.plain import SPECIAL_IDS, Answer, Plain
from videmo.doctor.row import REPORT, Row, attempt, judge, worst
from videmo.errors import InputError, as_word
from videmo.export.folder import VIDEMO_FILE, base_folder
from videmo.export.processor import IMAGE_FILE
from videmo.models.backbone import Backbone
from videmo.models.generation import text_of
from videmo.pixels import normalise
from videmo.pretrained import load_config, random_size

LOGIT_LIMIT = 2e-4  # of the largest logit: float32's rounding through the layers of a 7B stays far below
NAMES = (
    *("settings", "sampling", "size", "patches", "video processor"),
    *("tokens", "weights", "positions", "logits", "answer"),
)
NEEDED = ("tokens", "weights", "logits")  # by the rows below them
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
        attempt("settings", lambda: settings_row(folder, config, settings)),
        worst("sampling", clips, lambda clip: sampling_row(clip, settings)),
        worst("size", clips, lambda clip: size_row(clip, settings)),
        worst("patches", clips, lambda clip: patches_row(clip, images)),
        worst("video processor", clips, lambda clip: video_processor_row(clip, images)),
    ]
    with torch.backends.cudnn.flags(allow_tf32=False) if torch.cuda.is_available() else nullcontext():
        plain = Plain(checkpoint)
        found, answers = _rows_of_plain(plain, config, clips, max_new_tokens)
        vars(plain).pop("model", None)  # transformers' model is let go of before ours is loaded
        rows += found
        rows += _rows_of_model(plain, clips, answers, max_new_tokens) if answers else []
    first = " and ".join(f"`{row.name}`" for row in rows if row.name in NEEDED and row.status == "FAIL")
    return rows + [Row(name, "not run", None, "", f"mend {first} first") for name in NAMES[len(rows) :]]


def _rows_of_plain(
    plain: Plain, config: Any, clips: list[Clip], length: int
) -> tuple[list[Row], list[tuple[Tensor, Answer]]]:
    """The rows that need transformers' model alone; and its logits and answer to each clip, where it can be asked."""
    rows = [
        worst("tokens", clips, lambda clip: _tokens_row(clip, plain, config)),
        attempt("weights", lambda: _weights_row(plain, _device(config)), f"get the weights of {plain.checkpoint} anew"),
    ]
    if any(row.status == "FAIL" for row in rows):
        return rows, []
    rows.append(worst("positions", clips, lambda clip: _positions_row(clip, plain)))
    answers = attempt("logits", lambda: [_ask(plain, clip, length) for clip in clips])
    return ([*rows, answers], []) if isinstance(answers, Row) else (rows, answers)


def _ask(plain: Plain, clip: Clip, length: int) -> tuple[Tensor, Answer]:
    patches, grid = normalise(clip.video.patches), clip.video.grid_thw
    logits = plain.logits(clip.input_ids, patches, grid, clip.position_ids, clip.num_after)
    return logits, plain.answer(clip.input_ids, patches, grid, clip.video.second_per_grid, length)


def _rows_of_model(plain: Plain, clips: list[Clip], answers: list[tuple[Tensor, Answer]], length: int) -> list[Row]:
    backbone = attempt("logits", lambda: Backbone.load(plain.checkpoint).to(plain.device).eval())
    if isinstance(backbone, Row):
        return [backbone]
    given = list(zip(clips, *zip(*answers, strict=True), strict=True))
    return [
        worst("logits", given, lambda g: _logits_row(backbone, g[0], g[1])),
        worst("answer", given, lambda g: _answer_row(backbone, g[0], g[2], plain.tokenizer, length)),
    ]


def _tokens_row(clip: Clip, plain: Plain, config: Any) -> Row:
    ids = plain.tokenizer.get_vocab()
    wrong = [
        f"config.json says {name} is {getattr(config, name)}, the tokenizer's {token} is {ids.get(token, 'missing')}"
        for name, token in SPECIAL_IDS.items()
        if getattr(config, name) != ids.get(token)
    ]
    if wrong:
        remedy = "take both files from the model that training started from"
        return Row("tokens", "FAIL", None, "; ".join(wrong), remedy)
    theirs = plain.tokens(clip.question, math.prod(clip.video.grid_thw) // clip.video.merge_size**2)
    compared = f"{len(theirs)} tokens, with the chat template and the tokenizer of the folder"
    if torch.equal(clip.input_ids, theirs):
        return Row("tokens", "pass", 0, compared)
    place = next((n for n, (a, b) in enumerate(zip(clip.input_ids, theirs, strict=False)) if a != b), len(theirs))
    mine, other = (plain.tokenizer.decode(ids[place : place + 4]) for ids in (clip.input_ids, theirs))
    remedy = f"from token {place} on ours say {mine!r}, theirs {other!r}: is the chat template the published one?"
    return Row("tokens", "FAIL", None, compared, remedy)


def _weights_row(plain: Plain, device: torch.device) -> Row:
    compared = "names and shapes of the weights, with the model of config.json"
    if wrong := plain.load(device):
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        return Row("weights", "FAIL", None, compared, f"{'; '.join(wrong[:3])}{more}: get weights and config anew")
    return Row("weights", "pass", None, compared)


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
    said = text_of(tokenizer, theirs.tokens)
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
    other = text_of(tokenizer, mine)
    remedy = f"{clip.file}: ours is {_short(other)!r}, from token {place} on: the first row that fails above says why"
    return Row("answer", "FAIL", None, compared, remedy)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]} ..."


def _model_folder(checkpoint: str) -> Path | None:
    path = Path(checkpoint)
    if path.is_file() or (path / "meta.pt").is_file() or (path / "latest").is_file():
        raise InputError(
            f"{path} is a run's checkpoint: `videmo export --ckpt {as_word(path)} --out FOLDER --merge` first"
        )
    if (path / "adapter_config.json").is_file():
        raise InputError(f"{path} is a peft adapter: export the run with --merge, and give that folder")
    if random_size(checkpoint):
        raise InputError(f"{checkpoint} has no weights that transformers could load; give a folder or a hub id")
    load_config(checkpoint)  # its sentences on what is no model come first
    return base_folder(checkpoint, None, False)


def _settings(folder: Path | None) -> VideoSettings:
    stated = stated_in(folder, VIDEMO_FILE).get("video")
    try:
        return VideoSettings(**stated) if isinstance(stated, dict) else VideoSettings()
    except (InputError, TypeError) as error:  # TypeError: names and types that are not ours
        raise InputError(f"{folder}/{VIDEMO_FILE} holds no video settings ({error}); export again") from None


def _device(config: Any) -> torch.device:
    """The GPU, where the model in float32 and its activations fit into what is free of it."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    with torch.device("meta"):
        size = sum(p.numel() for p in Qwen2_5_VLForConditionalGeneration(config).parameters())
    return torch.device("cuda" if torch.cuda.mem_get_info()[0] > 1.3 * 4 * size else "cpu")
