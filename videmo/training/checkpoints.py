"""Checkpoints as files or, where each rank writes its part, as folders: replaced whole, found again, loaded as weights.

A file is replaced in one move. A folder takes two, and a run that is killed between them leaves the old one beside its
place, from where ``kept`` puts it back.
"""

import errno
import fcntl
import hashlib
import os
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path
from pickle import UnpicklingError
from typing import IO, Any

import lightning as L
import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.strategies import DeepSpeedStrategy, FSDPStrategy, ModelParallelStrategy, Strategy

from videmo.errors import InputError

# What stands in a strategy's folders once all their parts do.
WRITTEN_LAST = {ModelParallelStrategy: "meta.pt", FSDPStrategy: "meta.pt", DeepSpeedStrategy: "latest"}


def last_checkpoint(run: str | Path) -> Path:
    """Where a run keeps its last checkpoint."""
    return Path(run) / "checkpoints" / "last.ckpt"


def named_checkpoint(path: str | Path) -> Path:
    """A checkpoint by its own path, or a run's last by that of the run's folder."""
    last = last_checkpoint(path)
    return last if last.exists() else Path(path)


def hold(run: str | Path) -> IO[str]:
    """Claim a run's folder for this process, until it ends, however it does.

    Returns:
        What claims it, to be kept.

    Raises:
        InputError: If another process has.
    """
    Path(run).mkdir(parents=True, exist_ok=True)
    claim = (Path(run) / ".lock").open("a+")
    try:
        fcntl.lockf(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)  # unlike flock's, no child inherits it
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):  # others: the file system knows no locks
            claim.seek(0)
            raise InputError(
                f"another run is writing into {run} (process {claim.read() or 'unknown'}); wait for it, or give "
                "another --trainer.default_root_dir"
            ) from None
    claim.truncate(0)
    claim.write(f"{os.getpid()} on {os.uname().nodename}")
    claim.flush()
    return claim


def save_whole(trainer: L.Trainer, path: str | Path, weights_only: bool = False) -> None:
    """Save a checkpoint so that at any time the path has the one before or this one. Every rank calls it."""
    path = Path(path)
    if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
        trainer.strategy.checkpoint_io = DirectIO()
    fresh = path.with_name(f".{path.name}.new")
    if trainer.is_global_zero:
        kept(path)
        _remove(fresh)
    trainer.strategy.barrier("the place is free")
    trainer.save_checkpoint(fresh, weights_only)
    if trainer.is_global_zero:
        _replace(fresh, path)
    trainer.strategy.barrier("the checkpoint is in its place")


class DirectIO(TorchCheckpointIO):
    """Writes a checkpoint to its place. Lightning's makes it whole in memory once more, and again in the folder for
    temporary files, which is often a small disk.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """
        Raises:
            InputError: If there is no room.
        """
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.save(checkpoint, path)
        except RuntimeError as error:  # of torch's writer, which knows no errno
            raise InputError(f"{path} cannot be written ({str(error).splitlines()[0]}); is its disk full?") from error


def load_weights(trainer: L.Trainer, path: str | Path) -> None:
    """Give the model the weights of a checkpoint; the optimizer stays as it is. Every rank calls it.

    DeepSpeed keeps the exact weights with the optimizer's states, and loads both.
    """
    strategy = trainer.strategy
    optimizers, strategy._optimizers = strategy._optimizers, []  # sharded strategies would look for their states
    try:
        checkpoint = strategy.load_checkpoint(kept(path), weights_only=True)
        strategy.load_model_state_dict(checkpoint)
    finally:
        strategy._optimizers = optimizers


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """A checkpoint's values, and its weights, which are not read before they are used.

    Raises:
        InputError: If it is not a file of `videmo fit`.
    """
    path = kept(path)
    again = "`videmo export` it, and give the folder as model.checkpoint"
    if path.is_dir():
        raise InputError(f"{path} is a folder, of a strategy that shards or of a model; {again}")
    check_checkpoint(path)
    return torch.load(path, mmap=True, map_location="cpu", weights_only=True)


def check_file(path: Path) -> None:
    """Find out whether a file can be read, and is an archive as torch writes them.

    Raises:
        InputError: If not.
    """
    try:
        with path.open("rb") as stream:
            whole = zipfile.is_zipfile(stream)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None
    if not whole:
        raise InputError(f"{path} is not a torch checkpoint, or was cut short; save it again, or choose another")


def content_hash(path: str | Path) -> str:
    """A hash of what a checkpoint file holds. It is a zip archive, whose directory has a checksum of every tensor."""
    with zipfile.ZipFile(kept(path)) as archive:
        held = sorted((info.filename.partition("/")[2], info.CRC, info.file_size) for info in archive.infolist())
    return hashlib.blake2b(repr(held).encode(), digest_size=8).hexdigest()


def kept(path: str | Path) -> Path:
    """The same path, with its checkpoint put back if a kill took it away."""
    path = Path(path)
    if not path.exists():
        with suppress(FileNotFoundError, NotADirectoryError):  # there is none, or another rank was faster
            _old(path).rename(path)
    return path


def check_checkpoint(path: str | Path | None, weights_only: bool = True, resuming: bool = False) -> None:
    """A checkpoint that is named must be there and be one: a torch file of `videmo fit`, or a sharded folder.

    A fit that resumes needs more than the weights, which are all that a stage's has.

    Raises:
        InputError: Naming the path; Lightning would end in a trace.
    """
    if path is None:
        return
    if not kept(path).exists():
        raise InputError(
            f"no checkpoint {path}; `videmo fit` writes checkpoints/last.ckpt in its default_root_dir, which "
            "--ckpt_path=last takes"
        )
    if Path(path).is_file():
        check_file(Path(path))
    if not weights_only:
        return
    try:
        held = plain_part(path)
    except (UnpicklingError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as a checkpoint of plain values and tensors: {reason}") from None
    if Path(path).is_file() and not (isinstance(held, dict) and {"state_dict", "pytorch-lightning_version"} <= {*held}):
        raise InputError(
            f"{path} is a torch file, but no checkpoint of `videmo fit`: it has no state_dict of Lightning's. "
            "Hugging Face weights are given as --model.init_args.checkpoint=FOLDER"
        )
    if resuming and held and "callbacks" not in held:
        raise InputError(
            f"{path} holds the best weights of a stage, and nothing of the optimizer: a run is resumed from its "
            "last.ckpt. To train on from these weights, `videmo export` them and give the folder as "
            "--model.init_args.checkpoint"
        )


def check_kind(path: str | Path | None, strategy: Strategy) -> None:
    """A checkpoint must be whole, and of the kind, a file or a folder, that the strategy writes.

    Raises:
        InputError: Naming both sides.
    """
    if path is None:
        return
    name, again = type(strategy).__name__, "or `videmo export` it and take the export as model.checkpoint"
    if Path(path).is_file() and getattr(strategy, "_save_distributed_checkpoint", False):
        raise InputError(
            f"{path} is one file, of a strategy that does not shard, and {name} reads folders; leave "
            f"configs/trainer/fsdp2.yaml out, {again}"
        )
    if not Path(path).is_dir():
        return
    mark = next((mark for kind, mark in WRITTEN_LAST.items() if isinstance(strategy, kind)), None)
    if mark is None or not (Path(path) / mark).is_file():
        for file, do in (
            ("config.json", "give it"),
            ("adapter_config.json", "it is an adapter: export its run with --merge=true, and give that"),
        ):
            if (Path(path) / file).is_file():
                raise InputError(f"{path} is a model, and no run's checkpoint; {do} as --model.init_args.checkpoint")
        raise InputError(
            f"{path} is a folder, and no whole checkpoint for {name}; give the strategy that wrote it (--config "
            f"configs/trainer/fsdp2.yaml), {again}"
        )
    was = plain_part(path).get("strategy", name)
    if was != name:
        raise InputError(f"{path} was written by {was}, and this run's strategy is {name}; give the former, {again}")


def plain_part(path: str | Path) -> dict[str, Any]:
    """What a checkpoint holds besides the weights of a folder; no tensor is read. Empty for a folder of DeepSpeed's."""
    file = Path(path) / WRITTEN_LAST[ModelParallelStrategy] if Path(path).is_dir() else Path(path)
    return torch.load(file, mmap=True, map_location="meta", weights_only=True) if file.is_file() else {}


def _replace(fresh: Path, path: Path) -> None:
    if fresh.is_file() and not path.is_dir():
        os.replace(fresh, path)
        return
    _remove(_old(path))
    if path.exists():
        path.rename(_old(path))
    fresh.rename(path)
    _remove(_old(path))


def _old(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
