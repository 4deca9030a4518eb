"""Reading the wanted frames of one video file, and saying plainly why a file cannot be read.

Decoding happens in a process of its own (``decoder.py``), with a time-out: some broken files hang FFmpeg for ever, and
some crash it. Decoders fail without a reason: a missing file, an empty one and a broken one look the same to them. So
a failed file is looked at here, and the error says what it is and what to do about it.
"""

import os
import warnings
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from videmo.data.backends import MODULES, why_unusable
from videmo.data.boxes import mp4_index
from videmo.data.decoder_messages import Failed, Frames
from videmo.data.decoder_pool import CrashedError, DecoderProcess, HungError, decoder_pool
from videmo.data.reader import NoFramesError, NoPictureStreamError, NoRateError, OnlySoundError
from videmo.data.sampling import VideoInfo, VideoSettings
from videmo.errors import InputError

T = TypeVar("T")

reads: Counter[str] = Counter()
"""What became of the videos of this process: how many each backend read, ``unreadable_videos``, ``hung_decoders``,
``crashed_decoders``."""

_DOWNLOAD_AGAIN = "download it again, or leave its records out"
_HEAD_BYTES = 64
_TEXT = frozenset(range(32, 127)) | {9, 10, 13}
_LFS = b"version https://git-lfs"
_Y4M = b"YUV4MPEG2 "
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")  # those that MP4 and older MOV files begin with
_FILE_TYPES = {
    b"\x1aE\xdf\xa3": "a Matroska or WebM file",
    b"RIFF": "a RIFF file (AVI, but also WAV and WebP)",
    b"FLV": "a Flash video",
    b"0&\xb2u": "a Windows Media file",
    b"OggS": "an Ogg file",
    b"\x00\x00\x01": "an MPEG file",
    b"\x00\x00\x00\x01": "a raw H.264 or HEVC stream",
    b"G@": "an MPEG transport stream",
    b"GIF8": "a GIF",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\x1f\x8b": "a gzip archive; unpack it first",
}
_PICTURES = ("a PNG image", "a JPEG image")


class VideoError(InputError):
    """A video that cannot be used; the message names the file, says what is wrong and how to mend it.

    Args:
        what: Is wrong with which file.
        advice: How who keeps the file as data mends it.
        said: What decoders said.

    Attributes:
        what: As given.
    """

    def __init__(self, what: str, advice: str = "", said: str = "") -> None:
        super().__init__(what + (f"; {advice}" if advice else "") + (f" ({said})" if said else ""))
        self.what = what


def read_frames(path: str | Path, settings: VideoSettings) -> tuple[np.ndarray, float]:
    """Sample and decode the frames of a video that the settings ask for, and only those.

    Frame n is the n-th picture that a player shows, turned as the file says, with any backend. Threads decode side by
    side, each in its own process. A file that was cut short but still opens is sampled over the frames that are left.

    Args:
        path: A video file on this machine.
        settings: How to sample, with what, and for how long at most.

    Returns:
        The frames as uint8 RGB ``[F, H, W, 3]``, and the sampled frames per second.

    Raises:
        VideoError: If the file is missing, is no video, is damaged, has no frame or no frame rate, takes too long, or
            crashes the decoder.
        InputError: If no backend can be used.
    """

    def read(decoder: DecoderProcess) -> tuple[np.ndarray, Frames] | Failed:
        decoder.send(("read", os.path.abspath(path), settings))
        answer = decoder.receive()
        return answer if isinstance(answer, Failed) else (decoder.frames(answer.shape), answer)

    frames, answer = _decoded(Path(path), read, settings)
    reads[answer.backend] += 1
    return frames, answer.sampled_fps


def probe(path: str | Path, settings: VideoSettings) -> VideoInfo:
    """What a video file holds: a pass over its packets, and its first picture, which says how it is turned.

    From the counts ``read_frames`` samples.

    Raises:
        VideoError: As ``read_frames``.
    """

    def ask(decoder: DecoderProcess) -> VideoInfo | Failed:
        decoder.send(("probe", os.path.abspath(path)))
        return decoder.receive()

    return _decoded(Path(path), ask, settings)


@cache
def usable(backends: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the backends that can be used here; the others are named in one warning.

    Raises:
        InputError: If none can.
    """
    reasons = {name: why for name in backends if (why := why_unusable(name))}
    missing = ", ".join(f"{name} {why}" for name, why in reasons.items())
    found = tuple(name for name in backends if name not in reasons)
    if not found:
        raise InputError(f"none of video.backends can be used: {missing}; or name others of {', '.join(MODULES)}")
    if missing:
        warnings.warn(f"{missing}: videos are read with {', '.join(found)}", stacklevel=2)
    return found


def _decoded(path: Path, job: Callable[[DecoderProcess], T | Failed], settings: VideoSettings) -> T:
    """What a decoder process answers, or a sentence that says why there is no answer."""
    _check_is_video_file(path)
    try:
        answer = decoder_pool(usable(settings.backends)).run(job, settings.decode_timeout)
    except HungError:
        reads["hung_decoders"] += 1
        raise VideoError(
            f"{path} was not read within {settings.decode_timeout:g} seconds, and its decoder was stopped",
            f"either it hangs decoders: {_DOWNLOAD_AGAIN}; or the disk is slow: raise decode_timeout",
        ) from None
    except CrashedError as error:
        reads["crashed_decoders"] += 1
        raise VideoError(f"{path} crashed its decoder twice ({error}): it is damaged", _DOWNLOAD_AGAIN) from None
    if isinstance(answer, Failed):
        reads["unreadable_videos"] += 1
        raise _error(path, answer)
    return answer


def _error(path: Path, failed: Failed) -> VideoError:
    said = "; ".join(f"{name}: {reason}" for name, reason in failed.reasons.items())
    if failed.problem is NoFramesError:
        return VideoError(f"{path} has no frames", _DOWNLOAD_AGAIN, said)
    if failed.problem is NoRateError:
        advice = "write it anew with one, for example `ffmpeg -i FILE -r 25 NEW_FILE`"
        return VideoError(f"{path} states no frame rate, so its frames have no times", advice, said)
    what = "opens, but its frames cannot be decoded" if failed.opened else "cannot be opened as a video"
    reason, advice = _reason(path, failed)
    return VideoError(f"{path} {what}: {reason}", advice, said)


def _check_is_video_file(path: Path) -> None:
    """Refuse what needs no decoder to be refused.

    Text is: FFmpeg takes some for playlists, and would read what other files they name.
    """
    if not path.exists():
        raise VideoError(f"{path} does not exist", "check the data folder and the `videos` entry of the record")
    if path.is_dir():
        raise VideoError(f"{path} is a folder, but a video file was expected", "check the `videos` entry of the record")
    if not path.is_file():
        raise VideoError(f"{path} is no file but a pipe or a device", "check the `videos` entry of the record")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes)", _DOWNLOAD_AGAIN)
    if not os.access(path, os.R_OK):
        raise VideoError(f"{path} may not be read by this user", "change its permissions with `chmod`")
    head = _head(path)
    if head.startswith(_LFS):
        reason, advice = "it is a Git LFS pointer, not the video itself", "fetch the file with `git lfs pull`"
    elif _TEXT.issuperset(head) and not head.startswith(_Y4M):
        reason, advice = f"it is text, not a video (it begins {head[:24].decode('ascii')!r})", _DOWNLOAD_AGAIN
    else:
        return
    raise VideoError(f"{path} cannot be opened as a video: {reason}", advice)


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_HEAD_BYTES)


def _reason(path: Path, failed: Failed) -> tuple[str, str]:
    """What the first bytes tell about a file that every backend refused, and what to do about it."""
    head = _head(path)
    if head[4:8] in _MP4_BOXES:
        if mp4_index(path) is None:
            return "it is an MP4 or MOV file without its index (`moov`), so it was cut short", _DOWNLOAD_AGAIN
        kind = "an MP4 or MOV file"
    else:
        kind = next((kind for magic, kind in _FILE_TYPES.items() if head.startswith(magic)), None)
    if failed.problem is OnlySoundError:
        return f"it is {kind or 'a file'} with sound and no picture", "leave its records out"
    if kind is None:
        return "it does not begin like a video file", _DOWNLOAD_AGAIN
    if kind in _PICTURES:
        return f"it is {kind}, and no video", "leave its records out, or make a video of it"
    if failed.problem is NoPictureStreamError:
        return (
            f"it is {kind} without a picture stream that {' or '.join(failed.reasons)} can decode: sound, a codec that "
            "they lack, or damage",
            "`ffmpeg -i FILE` lists what it holds; `ffmpeg -i FILE -c:v libx264 NEW_FILE` re-encodes it",
        )
    return (
        f"it is {kind}, and damaged",
        f"`ffmpeg -i FILE -f null -` shows where. If it should play, {_DOWNLOAD_AGAIN}",
    )
