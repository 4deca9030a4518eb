"""Patterns of data files: which files of a data folder a split has, and how often an epoch takes their records."""

import glob
import math
from pathlib import Path

from videmo.errors import InputError

Patterns = list[str] | dict[str, float] | str
RELEASE = {split: f"jsons/{split}/*/full/*.json" for split in ("train", "val", "test")}
"""Where the release has the files of each split. A folder may lack one of them, but not what a user names."""


class FilePatterns:
    """The data files of a split.

    Args:
        given: Patterns relative to the data folder: one, several, or each with a weight, how often an epoch takes its
            files' records.
        option: The option they were given by, for errors.

    Attributes:
        weights: Pattern -> weight; 1 where none is given.

    Raises:
        InputError: If a weight is not a number above 0.
    """

    def __init__(self, given: Patterns, option: str) -> None:
        self.option = option
        patterns = [given] if isinstance(given, str) else given
        self.weights: dict[str, float] = patterns if isinstance(patterns, dict) else dict.fromkeys(patterns, 1.0)
        for pattern, weight in self.weights.items():
            if not 0 < weight < math.inf:
                raise InputError(
                    f"{option} gives {pattern} the weight {weight}; it is how often an epoch takes the files' records, "
                    "above 0. Leave out what is not to be trained on"
                )

    def files(self, root: Path) -> dict[Path, float]:
        """The files below a data folder, sorted, each with its weight.

        Raises:
            InputError: If nothing matches a pattern that is not the release's, or a file has two weights.
        """
        found: dict[Path, float] = {}
        for pattern, weight in self.weights.items():
            files = [Path(file) for file in glob.glob(str(root / pattern), recursive=True)] if pattern else []
            if not files and not (len(self.weights) == 1 and pattern in RELEASE.values()):
                raise InputError(
                    f"{self.option}: no file matches {pattern or repr(pattern)} in {root}; correct it or leave it out"
                )
            for file in files:
                if found.setdefault(file, weight) != weight:
                    raise InputError(
                        f"{self.option} gives {file} two weights, {found[file]} and {weight}; name it once"
                    )
        return dict(sorted(found.items()))
