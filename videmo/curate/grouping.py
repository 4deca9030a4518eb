"""What clips have in common, and their splits, with a sentence for whatever makes these doubtful.

Clips go together by the person and the source video that a user names; where nobody does, by what the paths of known
data sets tell (`videmo.data.leaks`); and always where their bytes are equal.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from videmo.curate.folder import earlier_facts
from videmo.curate.splits import SPLITS, groups_of, split
from videmo.data.leaks import content_of, subject_reader
from videmo.data.patterns import RELEASE
from videmo.data.records import read_records

GROUPS = ("identity", "source_video")
"""What a user may say that clips share."""
SPLIT = "split"
"""And that a clip belongs to."""
_NAMED = 3


@dataclass(frozen=True)
class SplitClips:
    """Where each clip belongs.

    Attributes:
        splits: Clip -> train, val or test.
        by: What they were split by, in words.
        told: What a user should know of it.
    """

    splits: Mapping[str, str]
    by: str
    told: Sequence[str]


def split_clips(
    videos: Path,
    about: Mapping[str, Mapping[str, str]],
    labels: Mapping[str, Iterable[str]],
    shares: Mapping[str, float],
    seed: int,
    out: Path,
) -> SplitClips:
    """Deal clips out to the splits.

    Args:
        videos: Their folder.
        about: Clip -> what is known of identity, source_video and split.
        labels: Clip -> what is to be spread evenly over the splits.
        shares: Of the clips in each split.
        seed: Decides between groups that are alike.
        out: A data folder of an earlier run: its clips stay where they were, if shares and seed are the same, so that
            no model is tested on what an earlier one was trained on.
    """
    paths = sorted(about)
    by, shared, told = _in_common(videos, {path: about[path] for path in paths})
    contents = _contents(videos, paths)
    groups = groups_of(paths, [[*shared[path], *contents.get(path, [])] for path in paths])
    fixed = {path: about[path][SPLIT] for path in paths if SPLIT in about[path]}
    stay = {path: where for path, where in earlier_splits(out, shares, seed).items() if path in about}
    torn = [group for group in groups if len({fixed[path] for path in group if path in fixed}) > 1]
    if torn:
        told.append(
            f"groups of clips that share {by or 'their bytes'} and that the column {SPLIT} parts, so that scores will "
            f"be too good: {len(torn)}, such as {named(torn[0])}"
        )
    splits = split(groups, labels, {**stay, **fixed}, shares, seed)
    if len(stay) < len(paths) and stay:
        told.append(f"clips that stay in the split of the earlier run: {len(stay)}")
    by = f"{by}, {len(groups)} groups" if by else "clip, each for itself"
    if fixed:
        by = f"the column {SPLIT}" + (f" for {len(fixed)} clips, else by {by}" if len(fixed) < len(paths) else "")
    counts = Counter(splits.values())
    told.append(f"split by {by}: {', '.join(f'{counts[name]} {name}' for name in SPLITS)}")
    if empty := [name for name in SPLITS if not counts[name]]:
        asked = len(fixed) == len(paths) or not any(shares[name] for name in empty)
        why = "that was asked for" if asked else "there are too few groups of clips"
        told.append(f"no clip in {' and '.join(empty)}: {why}")
    return SplitClips(splits, by, told)


def earlier_splits(out: Path, shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """The split of each clip of an earlier run, if it dealt by the same shares and seed; else none."""
    try:
        settings = earlier_facts(out)["settings"]
        if settings.get("seed") != seed or settings.get("shares") != dict(shares):
            return {}
        files = {file: name for name in SPLITS for file in sorted(out.glob(RELEASE[name]))}
        return {video: name for file, name in files.items() for record in read_records(file) for video in record.videos}
    except (OSError, ValueError, KeyError, AttributeError):
        return {}


def named(paths: Sequence[str]) -> str:
    """The first few paths."""
    return ", ".join(paths[:_NAMED]) + (" ..." if len(paths) > _NAMED else "")


def _in_common(videos: Path, about: Mapping[str, Mapping[str, str]]) -> tuple[str, dict[str, list], list[str]]:
    """What clips are held together by, in words; what each may share with others; and what is doubtful about that."""
    columns = [name for name in GROUPS if any(name in known for known in about.values())]
    if columns:
        shared = {path: [(name, known[name]) for name in columns if name in known] for path, known in about.items()}
        alone = [path for path, keys in shared.items() if not keys]
        told = [f"{len(alone)} clips without {' or '.join(columns)}, each for itself: {named(alone)}"] if alone else []
        return " and ".join(columns), shared, told
    subject_of = subject_reader()
    subjects = {path: subject_of(f"{videos.resolve().name}/{path}") for path in about}
    alone = [path for path, subject in subjects.items() if subject is None]
    told = []
    if alone:
        told.append(
            f"{len(alone)} of {len(about)} clips are split each for itself, as no column identity or source_video says "
            "what they share: where one person or film is in several, scores will be too good"
        )
    by = "who or what the paths of known data sets name" if len(alone) < len(about) else ""
    return by, {path: [subject] if subject else [] for path, subject in subjects.items()}, told


def _contents(videos: Path, paths: Sequence[str]) -> dict[str, list]:
    """What clips of equal bytes share."""
    sizes = {path: (videos / path).stat().st_size for path in paths}
    counts = Counter(sizes.values())
    return {
        path: [("content", key)]
        for path, size in sizes.items()
        if size and counts[size] > 1 and (key := content_of(videos / path, size))
    }
