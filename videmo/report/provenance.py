"""What a run says of itself: its config, where its videos and truth lie, and the size of its model.

Paths in a config are relative to where the command ran, which a report need not know: they are tried as given, then
from the run folder and from each folder above it.
"""

import json
import math
import struct
from dataclasses import dataclass, field
from pathlib import Path

import yaml

CONFIG_FILES = ("config.yaml", "tensorboard/config.yaml", "*/config.yaml", "*/*/config.yaml")
MAX_HEADER = 100_000_000  # bytes: safetensors' own bound


@dataclass(frozen=True)
class Provenance:
    """Where things are; None and empty for what is not known or not on this machine.

    Attributes:
        config: What LightningCLI wrote.
        video_root: What the records' paths are relative to.
        truth: Path of a drawn clip -> its latent state.
        num_parameters: Of the model's checkpoint folder.
        problems: A sentence for each thing that is missing.
    """

    config: dict
    video_root: Path | None
    truth: dict[str, dict] = field(repr=False)
    num_parameters: int | None = None
    problems: tuple[str, ...] = ()


def read_provenance(run: Path) -> Provenance:
    """Read what there is; nothing here is needed for a report."""
    problems: list[str] = []
    config = _read_config(run, problems)
    data = config.get("data") if isinstance(config.get("data"), dict) else {}
    given_root, given_videos = data.get("root"), data.get("video_root")
    data_root = find_folder(given_root, run) or find_folder("data", run)
    video_root = find_folder(given_videos, run) if given_videos else data_root / "videos" if data_root else None
    if video_root is None or not video_root.is_dir():
        where = given_videos or (f"{given_root}/videos" if given_root else "data/videos")
        problems.append(f"No frames: the folder of videos, {where}, is not on this machine.")
        video_root = None
    truth = _read_truth(data_root / "truth" / "test.jsonl", problems) if data_root else {}
    return Provenance(config, video_root, truth, _num_parameters(config, run), tuple(problems))


def find_folder(given: object, run: Path) -> Path | None:
    """A folder that a config names, as given or from the run folder or one above it."""
    if not isinstance(given, str) or not given:
        return None
    path = Path(given).expanduser()
    run = run.resolve()
    return next((p for p in (path, *(base / path for base in (run, *run.parents))) if p.is_dir()), None)


def _read_config(run: Path, problems: list[str]) -> dict:
    path = next((file for pattern in CONFIG_FILES for file in sorted(run.glob(pattern)) if file.is_file()), None)
    if path is None:
        return {}
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        problems.append(f"{path.relative_to(run)} is not whole YAML, so the run's settings are missing.")
        return {}
    return config if isinstance(config, dict) else {}


def _read_truth(path: Path, problems: list[str]) -> dict[str, dict]:
    truth: dict[str, dict] = {}
    if not path.is_file():
        return truth
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            state = json.loads(line) if line.strip() else None
            if isinstance(state, dict) and isinstance(state.get("path"), str):
                truth[state["path"]] = state
    except ValueError:
        problems.append(f"truth/{path.name} breaks off: the latent states of {len(truth)} clips are used.")
    return truth


def _num_parameters(config: dict, run: Path) -> int | None:
    """From the headers of the checkpoint's safetensors files, without reading a weight."""
    model = config.get("model") if isinstance(config.get("model"), dict) else {}
    arguments = model.get("init_args") if isinstance(model.get("init_args"), dict) else model
    folder = find_folder(arguments.get("checkpoint"), run)
    files = sorted(folder.glob("*.safetensors")) if folder else []
    try:
        return sum(map(_count_weights, files)) or None
    except (ValueError, TypeError, AttributeError, struct.error, OSError):  # no safetensors file of the known layout
        return None


def _count_weights(path: Path) -> int:
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        if length > MAX_HEADER:
            raise ValueError(f"{path}: no safetensors header")
        header = json.loads(stream.read(length))
    return sum(math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
