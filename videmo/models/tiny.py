"""A tiny random Qwen2.5-VL as a Hugging Face folder, for demos and tests without downloads.

It is the real model class and the real tokenizer class, only small: one to two million random parameters and a
byte-level BPE vocabulary trained on the text at hand. The folder is loaded through the code path of a published
checkpoint.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2Tokenizer
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

from videmo.pretrained import SPECIAL_TOKENS, SYSTEM_PROMPT, qwen_tokenizer


def train_tokenizer(texts: Iterable[str], vocab_size: int = 1024) -> Qwen2Tokenizer:
    """A Qwen2 tokenizer (byte-level BPE, Qwen's pre-tokenization and special tokens) with merges of ``texts``."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - len(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*texts, SYSTEM_PROMPT, "system", "user", "assistant"], trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return qwen_tokenizer(tokenizer.get_vocab(), [tuple(merge) for merge in merges])


def tiny_config(tokenizer: Qwen2Tokenizer, *, hidden_size: int = 128, layers: int = 2) -> Qwen2_5_VLConfig:
    """Qwen2.5-VL's proportions in small: patch 14, merge 2, window 112, two seconds a temporal step as published."""
    token = tokenizer.get_vocab()
    heads = hidden_size // 32
    spread = 0.7 * hidden_size**-0.5  # 0.02 suits widths in the thousands; here it would start attention uniform
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": hidden_size,
            "intermediate_size": 3 * hidden_size,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "num_key_value_heads": max(1, heads // 2),
            "max_position_embeddings": 4096,
            # 1e6 spreads its low frequencies, those of height and width, over contexts a thousand times longer.
            "rope_parameters": {"rope_type": "default", "rope_theta": 100.0, "mrope_section": [4, 6, 6]},
            "initializer_range": spread,
            "bos_token_id": None,
            "eos_token_id": token["<|im_end|>"],
            "pad_token_id": token["<|endoftext|>"],
            "tie_word_embeddings": True,
        },
        vision_config={
            "depth": layers,
            "hidden_size": hidden_size,
            "intermediate_size": 2 * hidden_size,
            "num_heads": heads,
            "out_hidden_size": hidden_size,
            "fullatt_block_indexes": [layers - 1],
            "window_size": 112,
            "tokens_per_second": 2,
            "initializer_range": spread,
        },
        image_token_id=token["<|image_pad|>"],
        video_token_id=token["<|video_pad|>"],
        vision_start_token_id=token["<|vision_start|>"],
        vision_end_token_id=token["<|vision_end|>"],
        tie_word_embeddings=True,
    )


def make_tiny(texts: Iterable[str], out: str | Path, *, hidden_size: int = 128, layers: int = 2, seed: int = 0) -> Path:
    """Write a random model and its tokenizer as a Hugging Face folder and return the folder."""
    tokenizer = train_tokenizer(texts)
    config = tiny_config(tokenizer, hidden_size=hidden_size, layers=layers)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen2_5_VLForConditionalGeneration(config)
    text = config.get_text_config()
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = text.eos_token_id, text.pad_token_id
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return Path(out)
