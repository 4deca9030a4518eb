"""Decoded videos kept by the processes that decode them, and what makes two decoded videos the same."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from videmo.data.cache import TensorStore
from videmo.data.controls import Shown
from videmo.data.sampling import VideoSettings
from videmo.data.video import Video

NOT_SEEN = ("decode_timeout",)
"""Settings that leave the patches as they are."""


def video_key(file: Path, settings: VideoSettings, control: Shown = "none") -> str:
    """What the patches of a file are kept under: its path, size, time of modification, and how frames are made of it.

    Empty where there is no such file: who reads it says why.
    """
    if not file.is_file():
        return ""
    status = os.stat(file)
    seen = {name: value for name, value in asdict(settings).items() if name not in NOT_SEEN}
    identity = (os.path.abspath(file), status.st_size, status.st_mtime_ns, control, sorted(seen.items()))
    return hashlib.blake2b(repr(identity).encode(), digest_size=16).hexdigest()


class FramesCache:
    """A store of decoded videos.

    Attributes:
        found, decoded: Videos that were in the store, and that were not.
    """

    def __init__(self, store: TensorStore) -> None:
        self.store = store
        self.found = self.decoded = 0

    def get(self, key: str, load: Callable[[], Video]) -> Video:
        """The video of a key, loaded if it is not here."""
        if (tensors := self.store.get(key)) is not None:
            self.found += 1
            return Video.from_tensors(tensors)
        self.decoded += 1
        video = load()
        self.store.put(key, video.tensors())
        return video
