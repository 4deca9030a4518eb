"""The model that a command reasons with: a Hugging Face folder or hub id, or a run's checkpoint as it is."""

from pathlib import Path
from typing import Any

import torch

from videmo.data.sampling import VideoSettings
from videmo.export.checkpoint import read_checkpoint
from videmo.export.model import whole_model
from videmo.models.backbone import Backbone
from videmo.pretrained import base_fingerprint, load_config, load_tokenizer
from videmo.reasoning import Reasoner, SearchSettings
from videmo.reasoning.reasoner import FROZEN
from videmo.training.checkpoints import named_checkpoint


def load_reasoner(
    ckpt: str, settings: SearchSettings, *, base: str | None = None, video: VideoSettings | None = None, **more
) -> Reasoner:
    """A reasoner of what ``--ckpt`` names.

    Args:
        ckpt: A model's folder or hub id, a checkpoint of a run, or a run's folder, whose last checkpoint it is then.
        settings: How the search goes.
        base: The model that a checkpoint was trained from, where it has moved since.
        video: How videos are sampled and sized; as in training by default.
        more: What else ``Reasoner`` takes.

    Raises:
        InputError: If there is no such model, or the checkpoint does not fit its base.
    """
    path = _checkpoint(ckpt)
    if path is None:
        return Reasoner.load(ckpt, settings, video=video, **more)
    trained = read_checkpoint(path)
    source = base or trained.arguments["checkpoint"]
    trained.base_config(base)  # its sentences on what is no model come first
    cuda = torch.cuda.is_available()
    model: Any = whole_model(trained, source)  # transformers' `to` says nothing of its arguments
    model.to("cuda" if cuda else "cpu", torch.bfloat16 if cuda else torch.float32)
    backbone = Backbone(model, **FROZEN)
    return Reasoner(backbone, load_tokenizer(source), video or trained.video, settings, **more)


def fingerprint(ckpt: str) -> str:
    """Which weights ``--ckpt`` names now: another model there, or a run that went on, has another.

    Raises:
        InputError: If there is no such model.
    """
    path = _checkpoint(ckpt)
    if path is None:
        load_config(ckpt)  # its sentences on what is no model come first
        return base_fingerprint(ckpt)
    file = path if path.is_file() else max(path.rglob("*"), key=lambda part: part.stat().st_mtime_ns, default=path)
    return f"{file.stat().st_size} bytes of {file.stat().st_mtime_ns}"


def _checkpoint(ckpt: str) -> Path | None:
    """A run's checkpoint; None where a model's folder or a hub id is named."""
    path = named_checkpoint(ckpt)
    return path if path.exists() and not (path / "config.json").is_file() else None
