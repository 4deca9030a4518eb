"""The command ``videmo export``, and what ``callbacks.Export`` does at the end of a fit.

videmo export --ckpt runs/sft/checkpoints/last.ckpt --out runs/sft/model
"""

from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoConfig

from videmo.export.checkpoint import TrainedWeights, read_checkpoint
from videmo.export.folder import base_folder, check_destination, write_config, write_files, written_aside
from videmo.export.model import put_weights
from videmo.models.backbone import Backbone

Dtype = Literal["float32", "bfloat16", "float16"]


def export(ckpt: str, out: str, merge: bool = False, base: str | None = None, dtype: Dtype | None = None) -> None:
    """Turn a checkpoint into a folder that transformers, peft, vLLM and ms-swift load.

    A run with LoRA gives a peft adapter, or with --merge a whole model, as a run without it does.

    Args:
        ckpt: A run's checkpoint: a file, or a folder of FSDP or DeepSpeed.
        out: The folder to write: a new one, or an earlier export, which is replaced.
        merge: Adds adapters to the weights of the base.
        base: The model that training started from, where it has moved since.
        dtype: Of a whole model's weights; the base's own by default.
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
    source = base or given["checkpoint"]
    model = Backbone.load(source).model
    files = base_folder(source, given.get("revision"), given.get("local_files_only", False))
    wanted = dtype or str(AutoConfig.from_pretrained(source).dtype or torch.float32).removeprefix("torch.")
    put_weights(model, trained, source)
    model.to(getattr(torch, wanted))
    with written_aside(out) as folder:
        model.save_pretrained(folder, max_shard_size="5GB")
        write_config(folder, files, wanted)
        write_files(folder, files, trained.video, _facts("model", source, trained))
    return f"{out}: a whole model in {wanted}, from step {trained.step:,} of {ckpt}"


def _facts(kind: str, base: str, trained: TrainedWeights) -> dict[str, Any]:
    return {"kind": kind, "base": base, "step": trained.step}
