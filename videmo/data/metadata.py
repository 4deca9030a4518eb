"""How long and large each video is: read once, kept beside the index, so that lengths are known before decoding."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from videmo.aside import file_aside
from videmo.data.decode import VideoError, probe
from videmo.data.index import RecordIndex
from videmo.data.sampling import VideoInfo, VideoSettings, video_tokens
from videmo.terminal import watch

INFO = np.dtype(
    [("size", "i8"), ("mtime", "i8"), ("num_frames", "i4"), ("fps", "f8"), ("height", "i4"), ("width", "i4")]
)


def video_infos(
    index: RecordIndex, video_root: Path, settings: VideoSettings, wanted: np.ndarray, quiet: bool = False
) -> np.ndarray:
    """What the wanted videos hold, `INFO` [V]; of one that cannot be read, no frames.

    A file is read again if its size or time of modification differ from what they were, or if it could not be read.

    Args:
        index: Whose videos.
        video_root: What their paths are relative to.
        settings: What reads them, and for how long at most.
        wanted: Positions of videos.
        quiet: Without a progress bar.
    """
    file = index.folder / "video_infos.npy"
    infos = np.load(file) if file.is_file() else np.zeros(len(index.videos), INFO)
    stale = []
    for number in wanted.tolist():
        path = video_root / index.videos[number]
        found = path.stat() if path.is_file() else None
        identity = (found.st_size, found.st_mtime_ns) if found else (0, 0)
        if (infos[number]["size"], infos[number]["mtime"]) != identity:
            stale.append((number, path, identity))
    if not stale:
        return infos

    def look(item: tuple[int, Path, tuple[int, int]]) -> tuple:
        number, path, identity = item
        try:
            info = probe(path, settings)
        except VideoError:  # told with its record when it is decoded; the next run looks again, maybe for longer
            return number, (0, 0, 0, 0.0, 0, 0)
        return number, (*identity, info.num_frames, info.fps, info.height, info.width)

    with ThreadPoolExecutor() as pool:
        for number, info in watch("lengths of videos", len(stale), pool.map(look, stale), shown=not quiet):
            infos[number] = info
    with file_aside(file) as stream:
        np.save(stream, infos)
    return infos


def tokens_of_videos(infos: np.ndarray, settings: VideoSettings, unknown: int) -> np.ndarray:
    """Tokens that each video becomes, [V]; `unknown` where it cannot be read."""
    kinds, kind = np.unique(infos[["num_frames", "fps", "height", "width"]], return_inverse=True)
    return np.array([_tokens(VideoInfo(*row.tolist()), settings, unknown) for row in kinds], dtype=np.int64)[kind]


def most_tokens(settings: VideoSettings) -> int:
    """The longest that the settings let a video be, but for rounding."""
    area = settings.frame_pixel_limit(settings.max_frames) / settings.side_factor**2
    return int(settings.max_frames // settings.temporal_patch_size * area)


def _tokens(info: VideoInfo, settings: VideoSettings, unknown: int) -> int:
    try:
        return video_tokens(info, settings)
    except ValueError:
        return unknown
