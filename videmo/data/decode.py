"""Reading the wanted frames of one video file with decord, and saying plainly why a file cannot be read.

decord reads fast but fails without a reason: a missing file, an empty one and a broken one all end in the same
``RuntimeError``. So a failed file is looked at here, and the error says what it is and what to do about it.
"""

import math
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from videmo.data.sampling import VideoInfo
from videmo.errors import InputError

_DOWNLOAD_AGAIN = "download it again, or leave its records out"
_HEAD_BYTES = 64
_TEXT = frozenset(range(32, 127)) | {9, 10, 13}
_MAX_MP4_BOXES = 64
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")  # those that MP4 and older MOV files begin with
_FILE_TYPES = {
    b"\x1aE\xdf\xa3": "a Matroska or WebM file",
    b"RIFF": "a RIFF file (AVI, but also WAV and WebP)",
    b"FLV": "a Flash video",
    b"0&\xb2u": "a Windows Media file",
    b"OggS": "an Ogg file",
    b"\x00\x00\x01": "an MPEG file",
    b"G@": "an MPEG transport stream",
    b"GIF8": "a GIF, which decord does not read",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\x1f\x8b": "a gzip archive; unpack it first",
}


class VideoError(InputError):
    """A video that cannot be used; the message names the file, says what is wrong and how to mend it."""


def read_frames(path: str | Path, sample: Callable[[int, float], tuple[list[int], float]]) -> tuple[Tensor, float]:
    """Decode only the frames that ``sample`` asks for.

    Decoding runs in the calling thread: with several DataLoader workers the processes are the parallelism. A file that
    was cut short but still opens is sampled over the frames that are left.

    Args:
        path: A video file on this machine.
        sample: Given the number of frames and the frames per second of the file, returns the frames wanted (numbers
            from 0) and the frames per second that they amount to.

    Returns:
        The frames as uint8 RGB ``[F, H, W, 3]``, and the sampled frames per second.

    Raises:
        VideoError: If the file is missing, is no video, is damaged, or has no frame or no frame rate.
        ImportError: If decord is not installed.
    """
    path = Path(path)
    decord = _import_decord()
    _check_is_file(path)
    failures = (decord.DECORDError, decord.DECORDLimitReachedError, RuntimeError)
    try:
        reader = decord.VideoReader(str(path), num_threads=1)
        total_frames, fps = len(reader), float(reader.get_avg_fps())
    except AssertionError as error:  # what decord raises when it counts no frames
        raise VideoError(f"{path} has no frames; {_DOWNLOAD_AGAIN}") from error
    except failures as error:
        raise VideoError(f"{path} cannot be opened as a video: {_reason(path, error)}") from error
    if not (math.isfinite(fps) and fps > 0):
        raise VideoError(
            f"{path} states no frame rate (decord reads {fps}), so its frames have no times; write it anew with one, "
            "for example `ffmpeg -i FILE -r 25 NEW_FILE`"
        )
    indices, sampled_fps = sample(total_frames, fps)
    try:
        frames = reader.get_batch(indices).asnumpy()
    except failures as error:
        raise VideoError(f"{path} opens, but its frames cannot be decoded: {_reason(path, error)}") from error
    return torch.from_numpy(frames), sampled_fps  # [F, H, W, 3]


def probe(path: str | Path) -> VideoInfo:
    """What a video file holds, without decoding its pixels.

    Raises:
        VideoError: As ``read_frames``.
    """
    import av

    path = Path(path)
    _check_is_file(path)
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise VideoError(f"{path} cannot be opened as a video: {_reason(path, ValueError())}")
            stream = container.streams.video[0]
            num_frames = sum(packet.size > 0 and not packet.is_discard for packet in container.demux(stream))
            info = VideoInfo(num_frames, float(stream.average_rate or 0), stream.height, stream.width)
    except av.FFmpegError as error:
        raise VideoError(f"{path} cannot be opened as a video: {_reason(path, error)}") from error
    if not info.num_frames:
        raise VideoError(f"{path} has no frames; {_DOWNLOAD_AGAIN}")
    return info


def _import_decord() -> ModuleType:
    try:
        import decord
    except ImportError as error:
        raise ImportError(
            "reading videos needs decord: `pip install decord` (on a Mac `pip install eva-decord`)"
        ) from error
    decord.logging.set_level(decord.logging.QUIET)  # FFmpeg's own lines name no file; ours do
    return decord


def _check_is_file(path: Path) -> None:
    if not path.exists():
        raise VideoError(f"{path} does not exist; check the data folder and the `videos` entry of the record")
    if not path.is_file():
        raise VideoError(f"{path} is a folder, but a video file was expected; check the `videos` entry of the record")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes); {_DOWNLOAD_AGAIN}")
    if not os.access(path, os.R_OK):
        raise VideoError(f"{path} may not be read by this user; change its permissions with `chmod`")


def _reason(path: Path, error: Exception) -> str:
    """What the first bytes tell about a file that decord refused."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if head.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, not the video itself; fetch the file with `git lfs pull`"
    if all(byte in _TEXT for byte in head):
        return f"it is text, not a video (it begins {head[:24].decode('ascii')!r}); {_DOWNLOAD_AGAIN}"
    if head[4:8] in _MP4_BOXES:
        if not _has_mp4_index(path):
            return f"it is an MP4 or MOV file without its index (`moov`), so it was cut short; {_DOWNLOAD_AGAIN}"
        kind = "an MP4 or MOV file"
    else:
        kind = next((kind for magic, kind in _FILE_TYPES.items() if head.startswith(magic)), None)
        if kind is None:
            return f"it does not begin like a video file; {_DOWNLOAD_AGAIN}"
    if "cannot find video stream" in str(error):
        return (
            f"it is {kind} without a picture stream that decord can read: sound alone, a codec it lacks (AV1 is one), "
            "or damage. `ffmpeg -i FILE` lists what it holds; `ffmpeg -i FILE -c:v libx264 NEW_FILE` re-encodes it"
        )
    return f"it is {kind}, and damaged; `ffmpeg -i FILE -f null -` shows where. If it should play, {_DOWNLOAD_AGAIN}"


def _has_mp4_index(path: Path) -> bool:
    """Walk the outermost boxes (4-byte size, 4-byte name) and look for a ``moov`` that ends inside the file."""
    end = path.stat().st_size
    start = 0
    with path.open("rb") as stream:
        for _ in range(_MAX_MP4_BOXES):
            stream.seek(start)
            header = stream.read(16)
            if len(header) < 8:
                return False
            size, name = int.from_bytes(header[:4], "big"), header[4:8]
            if size == 1:  # a 64-bit size follows the name
                size = int.from_bytes(header[8:16], "big")
            if name == b"moov":
                return start + size <= end
            if size < 8:  # 0: the box reaches to the end of the file; 2 to 7: no valid box
                return False
            start += size
    return False
