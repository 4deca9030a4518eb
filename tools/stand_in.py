"""What the tools that measure stand on: clips of the size that people film in, and a model of middle size.

The model is random. By operations for a video of 1040 tokens its vision tower is to its language model about as the
3B's, and as there several query heads share a head of keys and values.
"""

import json
import logging
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import av
import lightning as L
import torch
import transformers
from transformers import Qwen2_5_VLForConditionalGeneration

from videmo.data.sampling import VideoSettings
from videmo.models.tiny import tiny_config, train_tokenizer
from videmo.synth.draw import draw_clip
from videmo.synth.presets import LOOKS
from videmo.synth.world import sample_world

FPS = 25


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        clip: Width, height and seconds.
        settings: How frames are sampled and resized.
        hidden, layers: Of the language model.
    """

    clip: tuple[int, int, int]
    settings: VideoSettings
    hidden: int
    layers: int


SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)
FULL = Size((640, 480, 8), VideoSettings(), hidden=384, layers=6)
QUICK = Size((160, 120, 2), SMALL, hidden=64, layers=2)


def set_up(threads: int) -> None:
    """Compute with so many threads, and say nothing but what the tool itself says."""
    torch.set_num_threads(threads)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    transformers.utils.logging.disable_progress_bar()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def words_of(text: str) -> list[str]:
    """The words of a text, each once: to make questions of."""
    return sorted({word for part in text.split() for word in [part.strip(".,:;`")] if word.isalpha()})


def write_questions(file: Path, asked: Iterable[tuple[str, str, str]]) -> None:
    """A data file of questions: the video's file name, the text and the answer of each."""
    lines = []
    for video, question, answer in asked:
        turns = [("user", f"<video>{question}"), ("assistant", answer)]
        messages = [{"role": role, "content": content} for role, content in turns]
        lines.append(json.dumps({"messages": messages, "videos": [video], "source": "QA_Hair"}))
    file.write_text("\n".join(lines))


def draw_videos(folder: Path, count: int, size: tuple[int, int, int]) -> None:
    """Drawn faces as mp4 files, ``0.mp4`` and so on.

    Args:
        folder: A new one.
        count: Of the files.
        size: Width, height and seconds.
    """
    folder.mkdir(parents=True)
    width, height, seconds = size
    clips = sample_world(200, 0, LOOKS["clear"]).clips["train"]
    for number, clip in zip(range(count), clips, strict=False):
        pictures = [av.VideoFrame.from_ndarray(frame, format="rgb24") for frame in draw_clip(clip)]
        with av.open(str(folder / f"{number}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "23"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for place in range(FPS * seconds):
                picture = pictures[place * len(pictures) // (FPS * seconds)]
                container.mux(stream.encode(picture.reformat(width, height, "yuv420p")))
            container.mux(stream.encode(None))


def make_model(folder: Path, words: list[str], hidden: int, layers: int, tied: bool = True) -> Path:
    """A random checkpoint in a folder, whose tokenizer knows the words as single tokens.

    Args:
        folder: A new one.
        words: Of the questions.
        hidden: Width of the language model, a multiple of 64.
        layers: Of the language model, and of the tower.
        tied: Whether its output head is its embeddings, as the 3B's is.
    """
    tokenizer = train_tokenizer([" ".join(words)] * 20, vocab_size=2048)
    config = tiny_config(tokenizer, hidden_size=hidden, layers=layers)
    vision, text = config.vision_config, config.text_config
    vision.hidden_size, vision.intermediate_size, vision.num_heads = hidden // 2, hidden, hidden // 64
    text.num_key_value_heads = max(1, text.num_attention_heads // 6)
    config.tie_word_embeddings = text.tie_word_embeddings = tied
    torch.manual_seed(0)
    Qwen2_5_VLForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def quiet_trainer(folder: Path, **options) -> L.Trainer:
    return L.Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        **options,
    )
