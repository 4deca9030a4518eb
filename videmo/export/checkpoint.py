"""What a run's checkpoint holds that an export needs: weights, the module's arguments, the video settings.

Lightning writes one file under one device, ddp and ``full`` state dicts; a folder of `torch.distributed.checkpoint`
under FSDP and FSDP2, whose shards are put together here by one process; and a folder of DeepSpeed's under ZeRO, which
only DeepSpeed's own converter reads. Nothing is unpickled but tensors and plain values: a checkpoint may come from
elsewhere.
"""

import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
import torch.distributed.checkpoint as dcp
from torch import Tensor
from torch.distributed.checkpoint.metadata import Metadata, StorageMeta, TensorStorageMetadata
from transformers import Qwen2_5_VLConfig

from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.pretrained import load_config
from videmo.training.checkpoints import check_file, named_checkpoint

WEIGHTS_OF_BACKBONE = "backbone."
_REST_OF_FSDP = "meta.pt"  # beside the shards: all that is not a tensor of the model or the optimizer
_PREFIXES_OF_FSDP = ("state_dict.", "model.")  # of Lightning's FSDP2 and FSDP strategies
_STATES_OF_ZERO = "*mp_rank_00_model_states.pt"
_SAVE_AGAIN = "`videmo fit` writes checkpoints/last.ckpt in its default_root_dir"


@dataclass(frozen=True)
class TrainedWeights:
    """What a checkpoint says of the model.

    Attributes:
        path: The checkpoint.
        arguments: Of the module that was trained, as its constructor names them.
        video: How videos were sampled and sized.
        weights: By their names in ``Backbone``; only those that trained, where the run kept no others.
        step: Optimizer steps.
        base: What tells the base's weights from others (``base_fingerprint``); empty where it does not matter.
        data: The name of the data folder; empty where an earlier videmo saved it.
        drawn: Whether that was a drawn world.
        stages: The curriculum's, as its ``outline`` has them.
    """

    path: Path
    arguments: dict[str, Any]
    video: VideoSettings
    weights: dict[str, Tensor]
    step: int
    base: str
    data: str = ""
    drawn: bool = False
    stages: Sequence[Mapping[str, Any]] = ()

    @property
    def where(self) -> dict[str, Any]:
        """How the base is got: arguments of all that reads one."""
        given = self.arguments
        return {"revision": given.get("revision"), "local_files_only": given.get("local_files_only", False)}

    def base_config(self, base: str | None = None) -> Qwen2_5_VLConfig:
        """The config of the model that it was trained from.

        Args:
            base: That model, where it has moved since.

        Raises:
            InputError: If it is not there.
        """
        if base:
            return load_config(base, **self.where)
        was = self.arguments["checkpoint"]
        try:
            return load_config(was, **self.where)
        except InputError as error:
            raise InputError(
                f"{self.path} was trained from {was}, which is needed beside it: {error}. Name the place where that "
                "model is now with --base"
            ) from None


def read_checkpoint(path: str | Path) -> TrainedWeights:
    """Read a checkpoint of any strategy, or a run's last; its shards are put together in memory.

    Raises:
        InputError: If it is none, is damaged, is of another kind of run, or needs DeepSpeed where there is none.
    """
    path = named_checkpoint(path)
    if not path.exists():
        raise InputError(f"no checkpoint {path}; {_SAVE_AGAIN}")
    if path.is_file():
        rest = _load(path)
        weights = rest.pop("state_dict", None)
    elif (path / _REST_OF_FSDP).is_file():
        rest, weights = _load(path / _REST_OF_FSDP), _join_shards(path)
    elif (path / "latest").is_file() or any(path.glob(f"*/{_STATES_OF_ZERO}")):
        rest, weights = _convert_zero(path)
    elif (path / "adapter_config.json").is_file():
        raise InputError(
            f"{path} is a peft adapter, without the weights of its base: give the run's checkpoint, or the whole model "
            "that `videmo export --merge=true` makes of that"
        )
    elif (path / "config.json").is_file():
        raise InputError(f"{path} is a Hugging Face folder already; a checkpoint is expected, and {_SAVE_AGAIN}")
    else:
        raise InputError(
            f"the folder {path} holds no model: a run's has checkpoints/last.ckpt, written by `videmo fit`, a model's "
            f"config.json (a checkpoint of FSDP {_REST_OF_FSDP}, of DeepSpeed a file `latest`); is it another?"
        )
    if not isinstance(weights, dict) or not isinstance(rest.get("hyper_parameters"), dict):
        raise InputError(f"{path} is a torch file, but no checkpoint of a run: it lacks state_dict or hyper_parameters")
    own = {n.removeprefix(WEIGHTS_OF_BACKBONE): w for n, w in weights.items() if n.startswith(WEIGHTS_OF_BACKBONE)}
    if not own or "checkpoint" not in rest["hyper_parameters"]:
        raise InputError(f"{path} was not saved by videmo: expected weights {WEIGHTS_OF_BACKBONE}* and a model's name")
    data = _data(path, rest)
    if not isinstance(rest.get("outline"), dict):
        raise InputError(
            f"{path} does not say which base its weights fit (it has no outline): it was changed, or an earlier videmo "
            "saved it; resume the run for a step to save it anew"
        )
    step, base = rest.get("global_step", 0), rest["outline"].get("base", "")
    known = {field.name for field in fields(VideoSettings)}
    video = VideoSettings(**{name: value for name, value in data["video"].items() if name in known})
    about = {"data": data.get("name", ""), "drawn": data.get("drawn", False), "stages": rest.get("curriculum") or ()}
    return TrainedWeights(path, rest["hyper_parameters"], video, own, step, base, **about)


def _load(file: Path) -> dict[str, Any]:
    """A torch file without running code of it; tensors stay on disk until they are used."""
    check_file(file)
    try:
        found = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{file} holds more than tensors and plain values, and is not read, for that could run its code "
            f"({_first_line(error)})"
        ) from None
    except (RuntimeError, EOFError, OSError, KeyError) as error:
        raise InputError(f"{file} is damaged; save it again, or choose another ({_first_line(error)})") from None
    if not isinstance(found, dict):
        raise InputError(f"{file} is a torch file, but no checkpoint of a run: it holds a {type(found).__name__}")
    return found


def _data(path: Path, rest: dict[str, Any]) -> dict[str, Any]:
    """What a checkpoint says of its data."""
    found = [part for part in rest.values() if isinstance(part, dict) and isinstance(part.get("video"), dict)]
    if len(found) != 1:
        raise InputError(
            f"{path} does not say how its videos were sampled and sized: an earlier videmo saved it; resume the run "
            "for a step to save it anew"
        )
    return found[0]


def _join_shards(folder: Path) -> dict[str, Tensor]:
    reader = _SafeReader(folder)
    try:
        stored = reader.read_metadata().state_dict_metadata
        tensors = {n: entry for n, entry in stored.items() if isinstance(entry, TensorStorageMetadata)}
        prefix = next((p for p in _PREFIXES_OF_FSDP if any(n.startswith(p) for n in tensors)), None)
        if prefix is None:
            raise InputError(f"{folder} holds no weights under {' or '.join(_PREFIXES_OF_FSDP)}")
        weights = {
            n: torch.empty(entry.size, dtype=entry.properties.dtype)
            for n, entry in tensors.items()
            if n.startswith(prefix)
        }
        dcp.load(weights, storage_reader=reader, no_dist=True)
    except (dcp.api.CheckpointException, RuntimeError, EOFError, FileNotFoundError, pickle.UnpicklingError) as error:
        raise InputError(
            f"the shards in {folder} are not whole: copy all files of the folder, {_SAVE_AGAIN} ({_first_line(error)})"
        ) from None
    return {name.removeprefix(prefix): weight for name, weight in weights.items()}


class _SafeReader(dcp.FileSystemReader):
    """torch's reader of sharded checkpoints, whose table of contents is a pickle: it may name torch's own classes."""

    def read_metadata(self, *args: Any, **kwargs: Any) -> Metadata:
        with self.fs.create_stream(self._get_metadata_path(kwargs.get("rank")), "rb") as stream:
            metadata = _TableOfContents(stream).load()
        if not isinstance(metadata, Metadata):
            raise pickle.UnpicklingError("its .metadata is no table of contents")
        metadata.storage_meta = metadata.storage_meta or StorageMeta()
        metadata.storage_meta.load_id = self.load_id
        return metadata


class _TableOfContents(pickle.Unpickler):
    _CLASSES = {  # noqa: RUF012
        "torch": {"Size"},
        "torch.serialization": {"_get_layout"},
        "torch.distributed.checkpoint.filesystem": {"_StorageInfo", "_StoragePrefix"},
        "torch.distributed.checkpoint.metadata": {
            *("BytesStorageMetadata", "ChunkStorageMetadata", "Metadata", "MetadataIndex", "StorageMeta"),
            *("TensorProperties", "TensorStorageMetadata", "_MEM_FORMAT_ENCODING"),
        },
        "pathlib": {"Path", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"},
        "pathlib._local": {"PosixPath", "WindowsPath"},  # Python 3.13
        "collections": {"OrderedDict"},
    }

    def find_class(self, module: str, name: str) -> Any:
        is_dtype = module == "torch" and isinstance(getattr(torch, name, None), torch.dtype)
        if not is_dtype and name not in self._CLASSES.get(module, ()):
            raise pickle.UnpicklingError(f"its .metadata names {module}.{name}, which could run code")
        return super().find_class(module, name)


def _convert_zero(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint
    except ImportError:
        raise InputError(
            f"{folder} is a checkpoint of DeepSpeed, which only its own converter reads: `pip install deepspeed`, or "
            "export on the machine that trained"
        ) from None
    states = next(iter(sorted(folder.glob(f"*/{_STATES_OF_ZERO}"))), None)
    if states is None:
        raise InputError(f"{folder} lacks {_STATES_OF_ZERO}, where rank 0 saves what is no weight; copy all its files")
    with _tensors_alone():
        try:
            weights = get_fp32_state_dict_from_zero_checkpoint(str(folder), tag=states.parent.name)
            rest = torch.load(states, map_location="cpu", weights_only=True, mmap=True)
        except pickle.UnpicklingError as error:
            raise InputError(
                f"{folder} holds more than tensors and DeepSpeed's own settings, and is not read, for that could run "
                f"its code ({_first_line(error)})"
            ) from None
        except (RuntimeError, EOFError, ValueError, FileNotFoundError) as error:
            raise InputError(f"{folder} is not whole: copy all its files ({_first_line(error)})") from None
    rest.pop("module", None)
    return rest, {name.removeprefix("_forward_module."): weight for name, weight in weights.items()}


@contextmanager
def _tensors_alone() -> Iterator[None]:
    """DeepSpeed's converter asks torch to run whatever a file holds; this forbids it, but for DeepSpeed's settings."""
    from deepspeed.runtime.fp16.loss_scaler import DynamicLossScaler, LossScaler
    from deepspeed.runtime.zero.config import ZeroStageEnum
    from deepspeed.utils.tensor_fragment import fragment_address

    name, before = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD")
    os.environ[name] = "1"
    try:
        with torch.serialization.safe_globals([DynamicLossScaler, LossScaler, ZeroStageEnum, fragment_address]):
            yield
    finally:
        os.environ.pop(name) if before is None else os.environ.update({name: before})


def _first_line(error: BaseException) -> str:
    text = " ".join(str(error).split("\n\n")[0].split())
    return text if len(text) <= 160 else f"{text[:160]} ..."
