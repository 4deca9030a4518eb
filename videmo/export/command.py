"""The command ``videmo export``, and what ``callbacks.Export`` does at the end of a fit.

videmo export --ckpt runs/sft/checkpoints/last.ckpt --out runs/sft/model
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file

from videmo.aside import written_aside
from videmo.cards import FILE as CARD_FILE
from videmo.errors import InputError
from videmo.export.card import card
from videmo.export.checkpoint import TrainedWeights, read_checkpoint
from videmo.export.folder import base_folder, check_destination, write_config, write_files
from videmo.export.loading import weights_beside
from videmo.export.model import adapter, has_adapters, trains_whole, whole_model
from videmo.pretrained import load_tokenizer

ADAPTER_FILE = "adapter_model.safetensors"  # peft's name

Dtype = Literal["float32", "bfloat16", "float16"]


def export(ckpt: str, out: str, merge: bool = False, base: str | None = None, dtype: Dtype | None = None) -> None:
    """Turn a checkpoint into a folder that transformers, peft, vLLM and ms-swift load.

    A run with LoRA gives a peft adapter, or with --merge a whole model, as a run without it does.

    Args:
        ckpt: A run's checkpoint, a file or a folder of FSDP or DeepSpeed; or the run's folder, whose last it is then.
        out: The folder to write: a new one, or an earlier export, which is replaced.
        merge: Adds adapters to the weights of the base.
        base: The model that training started from, where it has moved since.
        dtype: Of a whole model's weights; the base's own by default. Adapters stay in float32, as they trained.
    """
    print(export_checkpoint(Path(ckpt), Path(out), merge=merge, base=base, dtype=dtype))


def export_checkpoint(
    ckpt: Path, out: Path, *, merge: bool = False, base: str | None = None, dtype: Dtype | None = None
) -> str:
    """``export`` as a function.

    Returns:
        A sentence on what was written.

    Raises:
        InputError: If the checkpoint cannot be read, does not fit its base, or the folder is taken.
    """
    check_destination(out)
    trained = read_checkpoint(ckpt)
    given = trained.arguments
    check_dtype(given, merge, dtype)
    source = base or given["checkpoint"]
    config = trained.base_config(base)  # its sentences on what is no model come first
    files = base_folder(source, **trained.where)
    origin = f"from step {trained.step:,} of {trained.path}"
    if has_adapters(given) and not merge:
        lora, weights = adapter(trained, source)
        with written_aside(out, "export", check_destination) as folder:
            lora.save_pretrained(str(folder))
            save_file({name: weight.contiguous() for name, weight in weights.items()}, folder / ADAPTER_FILE)
            _write_rest(folder, out, source, files, trained)
        beside = f"it needs that model's weights {weights_beside(given)}, as {out / CARD_FILE} loads them"
        return f"{out}: a peft adapter of {source}, {origin}; {beside}"
    wanted = dtype or str(config.dtype or torch.float32).removeprefix("torch.")
    model = whole_model(trained, source).to(getattr(torch, wanted))
    with written_aside(out, "export", check_destination) as folder:
        model.save_pretrained(folder, max_shard_size="5GB")
        write_config(folder, files, wanted)
        _write_rest(folder, out, source, files, trained, wanted)
    kept = f"; what did not train is as training had it, {weights_beside(given)}" if _is_rounded(given, wanted) else ""
    return f"{out}: a whole model in {wanted}, {origin}{kept}"


def check_dtype(arguments: Mapping[str, Any], merge: bool, dtype: Dtype | None) -> None:
    """Refuse to cast adapters: they are small, and peft computes with them in float32 whatever a file has them in.

    Args:
        arguments: Of the module that trains.
        merge: As given.
        dtype: As given.

    Raises:
        InputError: If the export is an adapter and names a dtype.
    """
    if dtype and not merge and has_adapters(arguments):
        raise InputError(
            f"dtype {dtype} is for the weights of a whole model, and an export of adapters leaves theirs in float32; "
            "leave it out, or set merge=true for a whole model"
        )


def _is_rounded(arguments: Mapping[str, Any], dtype: str) -> bool:
    """Whether what did not train has fewer bits than the type of a whole model, as training read it."""
    was = arguments.get("dtype", "float32")
    return not trains_whole(arguments) and (bool(arguments.get("quantization")) or was not in ("float32", dtype))


def _write_rest(
    folder: Path, out: Path, base: str, files: Path | None, trained: TrainedWeights, dtype: str | None = None
) -> None:
    """All but weights and config."""
    (folder / CARD_FILE).write_text(card(out, base, files, trained, dtype), encoding="utf-8")
    if files is None:  # others give theirs as they are
        load_tokenizer(base).save_pretrained(folder)
    facts = {"kind": "model" if dtype else "adapter", "base": base, "step": trained.step}
    write_files(folder, files, trained.video, {**facts, "quantization": trained.arguments.get("quantization")})
