"""The folder that an export writes: all of it or nothing, and never over something that no export wrote.

What training leaves alone is the base's own file, byte for byte: tokenizer, chat template, generation config, and the
config but for its dtype. So whatever loads the base loads the export, older programs included.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import videmo
from videmo import cards
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.export.processor import IMAGE_FILE, VIDEO_FILE, image_config, settings_for_others, video_config
from videmo.pretrained import VIDEMO_FILE

KEPT_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json"),
    *("added_tokens.json", "chat_template.json", "chat_template.jinja", "generation_config.json", IMAGE_FILE),
)


def check_destination(out: Path) -> None:
    """Refuse a path that holds anything but what an earlier export wrote there.

    Raises:
        InputError: Naming the path.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError(f"{out} is no folder; name one that is new, or an earlier export")
    if out.is_dir() and any(out.iterdir()) and not (out / VIDEMO_FILE).is_file():
        raise InputError(f"{out} holds something that is no export of videmo; name a new folder, or empty that one")
    if foreign := _foreign(out):
        raise InputError(
            f"{out} holds {foreign[0]}, which no export wrote ({VIDEMO_FILE} does not list it) and none may delete; "
            "move it away, or name a new folder"
        )
    parent = next(folder for folder in out.absolute().parents if folder.exists())
    if not os.access(parent, os.W_OK):
        raise InputError(f"{out} cannot be written: {parent} belongs to others; name another folder")


def _foreign(out: Path) -> list[str]:
    if not (out / VIDEMO_FILE).is_file():
        return []
    own = {VIDEMO_FILE, *read_json(out / VIDEMO_FILE).get("files", [])}
    return sorted(path.name for path in out.iterdir() if path.name not in own)


def base_folder(checkpoint: str, revision: str | None, local_files_only: bool) -> Path | None:
    """The folder with the files of a model that are not weights, downloaded for a hub id; None if it has no files."""
    if Path(checkpoint).is_dir():
        return Path(checkpoint)
    if checkpoint.startswith("random:"):
        return None
    from huggingface_hub import snapshot_download

    wanted = [*KEPT_FILES, "config.json", cards.FILE]
    return Path(
        snapshot_download(checkpoint, revision=revision, local_files_only=local_files_only, allow_patterns=wanted)
    )


def write_files(folder: Path, base: Path | None, video: VideoSettings, facts: dict[str, Any]) -> None:
    """Add all but weights and config: the base's files, the video settings, and last the list of all files.

    Args:
        folder: The export, in which transformers' own versions of some files may stand.
        base: Where the base's files are.
        video: As in training.
        facts: Of the export, for ``videmo.json``.
    """
    for name in KEPT_FILES:
        if base is not None and (base / name).is_file():
            shutil.copyfile(base / name, folder / name)
    if not (folder / IMAGE_FILE).is_file():
        write_json(folder / IMAGE_FILE, image_config(video))
    write_json(folder / VIDEO_FILE, video_config(video))
    files = sorted(path.name for path in folder.iterdir())
    facts = {"videmo": videmo.__version__, **facts, "files": files}
    write_json(folder / VIDEMO_FILE, {**facts, **settings_for_others(video)})


def write_config(folder: Path, base: Path | None, dtype: str) -> None:
    """Put the base's config in the place of transformers' version of it, with the dtype of the weights."""
    if base is None:
        return
    config = read_json(base / "config.json")
    config.pop("quantization_config", None)  # these weights are whole
    name = "torch_dtype" if "torch_dtype" in config else "dtype"
    for part in (config, *(value for value in config.values() if isinstance(value, dict))):
        if part is config or name in part:
            part[name] = dtype
    write_json(folder / "config.json", config)


def read_json(file: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        InputError: If there is none.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read as JSON ({error})") from None
    if not isinstance(found, dict):
        raise InputError(f"{file} holds a {type(found).__name__}, expected an object")
    return found


def write_json(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
