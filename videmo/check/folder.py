"""A data folder: where its files, its videos and its index are."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from videmo.data.index import INDEX_FOLDER
from videmo.data.patterns import FilePatterns, Patterns
from videmo.errors import InputError, as_word


@dataclass(frozen=True)
class DataFolder:
    """Where the data is.

    Attributes:
        root: The data folder.
        video_root: What the records' video paths are relative to.
        patterns: Of the files of each split.
        allow_outside_root: Whether records may name videos outside `video_root`.
    """

    root: Path
    video_root: Path
    patterns: Mapping[str, FilePatterns]
    allow_outside_root: bool = False

    @classmethod
    def of(
        cls, data: str, splits: Mapping[str, Patterns], video_root: str | None, allow_outside_root: bool = False
    ) -> "DataFolder":
        """By the options of a command, each split's patterns by its option."""
        root = Path(data)
        patterns = {split: FilePatterns(given, f"--{split}") for split, given in splits.items()}
        return cls(root, Path(video_root) if video_root else root / "videos", patterns, allow_outside_root)

    @property
    def index_folder(self) -> Path:
        return self.root / INDEX_FOLDER

    def files(self) -> dict[str, list[Path]]:
        """The data files of each split that has some.

        Raises:
            InputError: If there is no such folder, no data file in it, or none for a pattern that was given.
        """
        if self.root.is_file():
            raise InputError(
                f"{self.root} is a file, and a folder is expected, which holds jsons and videos; give the folder, and "
                "name the file in it with --train, --val or --test"
            )
        if not self.root.is_dir():
            raise InputError(f"no data folder {self.root}; `videmo synth {as_word(self.root)}` draws one to try")
        found = {split: list(patterns.files(self.root)) for split, patterns in self.patterns.items()}
        if not any(found.values()):
            tried = " ".join(pattern for patterns in self.patterns.values() for pattern in patterns.weights)
            raise InputError(
                f"no data files in {self.root}: nothing matches {tried or '[]'}; name yours with --train, --val and "
                "--test"
            )
        return {split: files for split, files in found.items() if files}

    def split_of(self, file: Path) -> str | None:
        """The split that takes a path without links for one of its files, there or not; ``**`` is one folder here."""
        root = os.path.realpath(self.root)
        for split, patterns in self.patterns.items():
            if any(file.match(os.path.join(root, pattern)) for pattern in patterns.weights):
                return split
        return None

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
