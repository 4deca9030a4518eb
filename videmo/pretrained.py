"""What a checkpoint is besides its weights: where its config and tokenizer come from, and the published sizes.

A checkpoint is a Hugging Face hub id or folder of a Qwen2.5-VL model. ``random:3b`` and ``random:7b`` are models of the
published sizes with random weights, for benchmarks and for counting; nothing is downloaded for them, and their
tokenizer writes a byte a token, at the published ids of the special tokens.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import safe_open
from tokenizers import pre_tokenizers
from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerBase, Qwen2_5_VLConfig, Qwen2Tokenizer
from transformers.utils import CONFIG_NAME, cached_file

from videmo.errors import InputError
from videmo.hub import find_model

RANDOM = "random:"
HASHED_ROWS = 8
VIDEMO_FILE = "videmo.json"
"""What an export says of its training."""
Size = Literal["3b", "7b"]

SYSTEM_PROMPT = "You are a helpful assistant."
CHAT_TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\n" + SYSTEM_PROMPT + "<|im_end|>\n{% endif %}"
    "{% for turn in messages %}<|im_start|>{{ turn['role'] }}\n"
    "{% if turn['content'] is string %}{{ turn['content'] }}{% else %}{% for part in turn['content'] %}"
    "{% if part['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL_TOKENS = {
    "<|endoftext|>": 151643,
    "<|im_start|>": 151644,
    "<|im_end|>": 151645,
    "<|vision_start|>": 151652,
    "<|vision_end|>": 151653,
    "<|vision_pad|>": 151654,
    "<|image_pad|>": 151655,
    "<|video_pad|>": 151656,
}
"""Those that videmo uses, with their published ids."""

PUBLISHED: dict[Size, dict[str, Any]] = {
    "3b": {
        "vocab_size": 151936,
        "hidden_size": 2048,
        "intermediate_size": 11008,
        "num_hidden_layers": 36,
        "num_attention_heads": 16,
        "num_key_value_heads": 2,
        "tie_word_embeddings": True,
    },
    "7b": {
        "vocab_size": 152064,
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "tie_word_embeddings": False,
    },
}


def random_size(checkpoint: str) -> Size | None:
    """The size of a ``random:`` checkpoint, and nothing for one with weights.

    Raises:
        InputError: If the size is not a published one.
    """
    if not checkpoint.startswith(RANDOM):
        return None
    size = next((size for size in PUBLISHED if checkpoint == f"{RANDOM}{size}"), None)
    if size is None:
        raise InputError(f"{checkpoint}: random weights come in the sizes {', '.join(PUBLISHED)}")
    return size


def published_config(size: Size) -> Qwen2_5_VLConfig:
    """The config of Qwen2.5-VL 3B or 7B."""
    text, tied = PUBLISHED[size], PUBLISHED[size]["tie_word_embeddings"]
    return Qwen2_5_VLConfig(
        text_config={
            **text,
            "max_position_embeddings": 128000,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
            "bos_token_id": SPECIAL_TOKENS["<|endoftext|>"],
            "eos_token_id": SPECIAL_TOKENS["<|im_end|>"],
            "pad_token_id": SPECIAL_TOKENS["<|endoftext|>"],
        },
        vision_config={
            "depth": 32,
            "hidden_size": 1280,
            "intermediate_size": 3420,
            "num_heads": 16,
            "out_hidden_size": text["hidden_size"],
            "fullatt_block_indexes": [7, 15, 23, 31],
            "window_size": 112,
            "tokens_per_second": 2,
        },
        image_token_id=SPECIAL_TOKENS["<|image_pad|>"],
        video_token_id=SPECIAL_TOKENS["<|video_pad|>"],
        vision_start_token_id=SPECIAL_TOKENS["<|vision_start|>"],
        vision_end_token_id=SPECIAL_TOKENS["<|vision_end|>"],
        tie_word_embeddings=tied,
    )


def load_config(checkpoint: str, revision: str | None = None, local_files_only: bool = False) -> Qwen2_5_VLConfig:
    """The config of a checkpoint.

    Args:
        checkpoint: A Hugging Face folder or hub id, or ``random:3b`` or ``random:7b``.
        revision: A branch, tag or commit on the hub.
        local_files_only: Asks no hub, and takes what was downloaded before.

    Raises:
        InputError: If it is no Qwen2.5-VL model.
    """
    if size := random_size(checkpoint):
        return published_config(size)
    find_model(checkpoint, revision, local_files_only)
    try:
        config = AutoConfig.from_pretrained(checkpoint, revision=revision, local_files_only=local_files_only)
    except Exception as error:  # each field that is wrong has its own kind
        reason = " ".join(str(error).split())
        raise InputError(f"the config.json of {checkpoint} is none of a model ({reason}); get it again") from None
    if not isinstance(config, Qwen2_5_VLConfig):
        raise InputError(f"{checkpoint} is a {config.model_type} model; videmo trains Qwen2.5-VL (qwen2_5_vl)")
    return config


COMPUTING = {
    "": ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id"),
    "text_config": ("num_attention_heads", "num_key_value_heads", "hidden_act", "rms_norm_eps", "rope_parameters"),
    "vision_config": (
        *("num_heads", "hidden_act", "patch_size", "temporal_patch_size", "spatial_merge_size"),
        *("window_size", "fullatt_block_indexes", "tokens_per_second"),
    ),
}
"""Fields of a config that change what its weights compute, and that the weights' shapes do not tell."""


def computing_config(config: Qwen2_5_VLConfig) -> dict[str, Any]:
    """Those fields by their dotted names, as plain values."""
    values = config.to_dict()
    parts = {part: values[part] if part else values for part in COMPUTING}
    return {
        f"{part}.{name}".lstrip("."): parts[part][name]
        for part, names in COMPUTING.items()
        for name in names
        if name in parts[part]
    }


def base_fingerprint(checkpoint: str, revision: str | None = None, local_files_only: bool = False) -> str:
    """A hash of rows spread over every weight, whatever files and types hold them, and of how they compute: two bases
    of one size differ here.

    The arguments are those of ``load_config``, of a checkpoint with weights; empty if they are not safetensors.
    """
    source = {"revision": revision, "local_files_only": local_files_only}
    rows: dict[str, bytes] = {}
    for file in Path(str(cached_file(checkpoint, CONFIG_NAME, **source))).parent.glob("*.safetensors"):
        with safe_open(file, "pt") as weights:
            for name in weights.keys():  # noqa: SIM118 (not a mapping)
                rows[name] = _some_rows(weights.get_slice(name))
    computing = computing_config(load_config(checkpoint, **source))
    digest = hashlib.blake2b(json.dumps(computing, sort_keys=True).encode(), digest_size=16)
    for name in sorted(rows):
        digest.update(name.encode() + rows[name])
    return digest.hexdigest() if rows else ""


def _some_rows(weight) -> bytes:
    """The first row of a weight in a file, its last, and some between."""
    size = weight.get_shape()[0]
    numbers = {number * (size - 1) // (HASHED_ROWS - 1) for number in range(HASHED_ROWS)}
    rows = torch.cat([weight[number : number + 1] for number in sorted(numbers)]).to(torch.bfloat16)
    return rows.contiguous().flatten().view(torch.uint8).numpy().tobytes()


def trained_video(checkpoint: str) -> dict[str, Any]:
    """How videos were sampled and sized in the training of a folder of ``videmo export``; empty for others."""
    file = Path(checkpoint) / VIDEMO_FILE
    try:
        found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except ValueError as error:
        raise InputError(f"{file} is no JSON ({error}); export the model again") from None
    return found.get("video", {}) if isinstance(found, dict) else {}


def load_tokenizer(
    checkpoint: str, revision: str | None = None, local_files_only: bool = False
) -> PreTrainedTokenizerBase:
    """The tokenizer of a checkpoint, with its chat template; the arguments are those of ``load_config``.

    Raises:
        InputError: If it has none.
    """
    if random_size(checkpoint):
        return byte_tokenizer()
    find_model(checkpoint, revision, local_files_only)
    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint, revision=revision, local_files_only=local_files_only)
    except (OSError, ValueError):
        tokenizer = None
    # Where files lack, transformers may make up one without a vocabulary.
    if tokenizer is None or not tokenizer.chat_template or not tokenizer("a").input_ids:
        raise InputError(
            f"{checkpoint} has no tokenizer with a chat template; copy tokenizer.json, tokenizer_config.json and "
            "chat_template.jinja there, as far as its model has them"
        )
    return tokenizer


def byte_tokenizer() -> Qwen2Tokenizer:
    """A Qwen2 tokenizer without merges: about four times the tokens that the published one makes of a text."""
    bytes_ = {token: number for number, token in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    return qwen_tokenizer({**bytes_, **SPECIAL_TOKENS}, [])


def qwen_tokenizer(vocab: dict[str, int], merges: Any) -> Qwen2Tokenizer:
    """A Qwen2 tokenizer with the special tokens and the chat template that videmo uses."""
    return Qwen2Tokenizer(
        vocab=vocab,
        merges=merges,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=list(SPECIAL_TOKENS)[1:],
        chat_template=CHAT_TEMPLATE,
    )
