"""Where a check may write: over what it wrote before, never over data, and among no videos."""

import json
import os
from pathlib import Path

from videmo.check.folder import DataFolder
from videmo.data.quarantine import QUARANTINE_FILE, Quarantine
from videmo.errors import InputError

_FINDINGS = b'{\n "records": {'
"""How the JSON of a check begins."""


def check_outputs(folder: DataFolder, manifest: Path, report: Path | None) -> None:
    """Find out before hours of work whether the manifest and the JSON can be written where they were asked for.

    Raises:
        InputError: If one cannot be, or another file is or will be there; the message says which and why.
    """
    Quarantine.check_writable(manifest)
    _refuse_others("quarantine", manifest, folder)
    if report is None:
        return
    if report.is_dir() or not os.access(report if report.exists() else report.absolute().parent, os.W_OK):
        raise InputError(f"{report} cannot be written; name a file in a folder that can be")
    if os.path.realpath(report) == os.path.realpath(manifest):
        raise InputError(f"--json={report} is where the quarantine manifest goes; name another file")
    _refuse_others("json", report, folder)


def _refuse_others(option: str, path: Path, folder: DataFolder) -> None:
    place, root, videos = (Path(os.path.realpath(p)) for p in (path, folder.root, folder.video_root))
    if split := folder.split_of(place):
        why = f"--{split} takes it for a data file"
    elif place.is_relative_to(videos) and not root.is_relative_to(videos):
        why = f"it is among the videos, in {folder.video_root}"
    elif path.is_file() and place != root / QUARANTINE_FILE and not _is_ours(path):
        why = "there is a file that no check wrote"
    else:
        return
    raise InputError(f"--{option}={path} is refused: {why}; name another file")


def _is_ours(file: Path) -> bool:
    """Whether a file is empty, or begins as what a check writes."""
    with file.open("rb") as stream:
        head = stream.read(2**16)
    try:
        fault = json.loads(head.partition(b"\n")[0])
    except (ValueError, RecursionError):
        fault = None
    is_manifest = isinstance(fault, dict) and {"reason", "identity"} <= fault.keys()
    return not head or is_manifest or head.startswith(_FINDINGS)
