"""Whether a model can be had, asked once: transformers asks a hub that does not answer for a minute or more."""

from pathlib import Path

from transformers.utils import has_file

from videmo.errors import InputError


def find_model(checkpoint: str, revision: str | None = None, local_files_only: bool = False) -> None:
    """A checkpoint must be a folder with a config, or a hub id of a model that is there or was downloaded before.

    Raises:
        InputError: If it is neither, or no hub answers.
    """
    try:
        if has_file(checkpoint, "config.json", revision=revision, local_files_only=local_files_only):
            return
    except (OSError, ValueError):  # no such model on the hub, and what can be no hub id
        pass
    hub = "" if local_files_only else ", and no hub that can be reached from here gives it"
    at = f" at revision {revision}" if revision else ""
    why = f"it is no folder here, was not downloaded before{hub}"
    if Path(checkpoint).is_dir():
        why = "the folder holds no config.json"
    raise InputError(
        f"no model at {checkpoint}{at}: {why}; name a folder with config.json, or a hub id such as "
        "Qwen/Qwen2.5-VL-3B-Instruct. `videmo tiny` makes a small one"
    )
