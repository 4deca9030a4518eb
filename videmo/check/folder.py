"""A data folder: where its files, its videos and its index are."""

import glob
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from videmo.errors import InputError


@dataclass(frozen=True)
class DataFolder:
    """Where the data is.

    Attributes:
        root: The data folder.
        video_root: What the records' video paths are relative to.
        patterns: Split -> patterns of its files, relative to `root`.
        allow_outside_root: Whether records may name videos outside `video_root`.
    """

    root: Path
    video_root: Path
    patterns: Mapping[str, Sequence[str]]
    allow_outside_root: bool = False

    @property
    def index_folder(self) -> Path:
        return self.root / ".videmo"

    def files(self) -> dict[str, list[Path]]:
        """The data files of each split that has some.

        Raises:
            InputError: If there is no such folder, no data file in it, or none for one of a split's several patterns.
        """
        if not self.root.is_dir():
            raise InputError(f"no data folder {self.root}; `videmo synth {self.root}` draws one to try")
        found = {split: self._files(split) for split in self.patterns}
        if not any(found.values()):
            tried = " ".join(dict.fromkeys(pattern for patterns in self.patterns.values() for pattern in patterns))
            raise InputError(
                f"no data files in {self.root}: nothing matches {tried}; name yours with --train, --val and --test"
            )
        return {split: files for split, files in found.items() if files}

    def _files(self, split: str) -> list[Path]:
        matches = {name: glob.glob(str(self.root / name), recursive=True) for name in self.patterns[split]}
        unmatched = [pattern for pattern, names in matches.items() if not names]
        if 0 < len(unmatched) < len(matches):
            raise InputError(f"--{split}: no file matches {unmatched[0]} in {self.root}; correct it or leave it out")
        return [Path(name) for name in sorted({name for names in matches.values() for name in names})]

    def is_outside(self, video: str) -> bool:
        """Whether a video's path leads out of the video root as it is written; links in there are their owner's.

        >>> folder = DataFolder(Path("data"), Path("data/videos"), {})
        >>> folder.is_outside("MEAD/../../x.mp4"), folder.is_outside("MEAD/../x.mp4")
        (True, False)
        """
        if self.allow_outside_root or not (".." in video or os.path.isabs(video)):
            return False
        root = os.path.abspath(self.video_root)
        return os.path.commonpath([root, os.path.abspath(os.path.join(root, video))]) != root
