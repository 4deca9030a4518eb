"""decord, PyAV and torchcodec behind the interface of ``reader.py``.

PyAV reads everything (``pyav_reader.py``). The others count packets instead of looking at times, and so return other
pictures than asked after a seek, in files with open groups, edit lists or B-frames in AVI; decord gets colours of more
than 8 bits wrong. None of it is an error to them. So decord reads what it reads right, which is also where it need not
seek: H.264 of 8 bits with one keyframe in MP4, as short clips are. torchcodec reads where a pass over the packets finds
none of the above.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from videmo.data.boxes import mp4_index
from videmo.data.reader import Allocate, NoFramesError, NoPictureStreamError, Reader, Unreadable

MODULES = {"decord": "decord", "pyav": "av", "torchcodec": "torchcodec"}
_LOADED = {**MODULES, "torchcodec": "torchcodec.decoders"}
_8_BIT_PROFILES = (66, 77, 88, 100)  # of H.264: baseline, main, extended, high


def why_unusable(backend: str) -> str | None:
    """What keeps a backend from being used on this machine; None where nothing does."""
    if find_spec(MODULES[backend]) is None:
        return f"is not installed (`pip install {MODULES[backend]}`)"
    try:
        import_module(_LOADED[backend])
    except (ImportError, RuntimeError, OSError) as error:  # as where a library of FFmpeg is not found
        needs = ", it needs FFmpeg's libraries" if backend == "torchcodec" else ""
        return f"does not load{needs} ({str(error).splitlines()[0]})"
    return None


def opener(backend: str) -> Callable[[str], Reader]:
    """What opens a file with a backend; its libraries are loaded now, and not when the first file is waiting."""
    if backend == "decord":
        decord = import_module("decord")
        decord.logging.set_level(decord.logging.QUIET)
        return DecordReader
    av = import_module("av")
    av.logging.set_level(None)
    av.logging.set_libav_level(av.logging.PANIC)  # FFmpeg's own lines name no file; ours do
    if backend == "pyav":
        return import_module("videmo.data.pyav_reader").PyAVReader
    import_module("torchcodec.decoders")
    return TorchcodecReader


class DecordReader:
    """A short clip, decoded from its only keyframe on."""

    def __init__(self, path: str) -> None:
        import decord

        if not _is_read_right_by_decord(Path(path)):
            raise Unreadable("left to others, it is exact on H.264 with one keyframe in MP4 only")
        self._failures = (decord.DECORDError, decord.DECORDLimitReachedError, RuntimeError)
        try:
            self._reader = decord.VideoReader(path, num_threads=1)
        except AssertionError as error:  # what decord raises when it counts no frames
            raise NoFramesError("no frames") from error
        except self._failures as error:
            if "cannot find video stream" in str(error):
                raise NoPictureStreamError("no picture stream that it can decode") from error
            raise Unreadable("it does not open") from error
        self.num_frames, self.fps = len(self._reader), float(self._reader.get_avg_fps())
        if self._reader.get_frame_timestamp([0])[0][0] < 0:
            raise Unreadable("it would show pictures that the file's edit list hides")

    def read(self, indices: Sequence[int], allocate: Allocate) -> np.ndarray:
        try:
            batch = np.from_dlpack(_Capsule(self._reader.get_batch(list(indices)).to_dlpack()))
        except self._failures as error:
            raise Unreadable("its pictures do not decode") from error
        frames = allocate(batch.shape)
        frames[:] = batch
        return frames

    def close(self) -> None:
        del self._reader


class _Capsule:
    """decord's DLPack capsule as numpy wants it: the pixels arrive without a copy."""

    def __init__(self, capsule: object) -> None:
        self.capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # the CPU


def _is_read_right_by_decord(path: Path) -> bool:
    index = mp4_index(path)
    if index is None or index.count(b"avcC") != 1 or index.count(b"stss") != 1:
        return False
    profile = index[index.index(b"avcC") + 5]
    start = index.index(b"stss") + 8  # after the name: version and flags, then the number of keyframes
    return profile in _8_BIT_PROFILES and int.from_bytes(index[start : start + 4], "big") == 1


class TorchcodecReader:
    """A file whose packets PyAV found in order, decoded by torchcodec."""

    def __init__(self, path: str) -> None:
        from torchcodec.decoders import VideoDecoder

        from videmo.data.pyav_reader import PyAVReader

        reader = PyAVReader(path)
        reader.close()
        if not reader.steady:
            raise Unreadable(
                "it would not read the file exactly (open groups of pictures, an edit list, 10-bit colour, an odd side)"
            )
        try:
            self._decoder = VideoDecoder(path, dimension_order="NHWC", num_ffmpeg_threads=1)
        except (RuntimeError, ValueError) as error:
            raise Unreadable("it does not open") from error
        self.num_frames, self.fps = reader.num_frames, reader.fps
        if len(self._decoder) != self.num_frames:
            raise Unreadable(f"it counts {len(self._decoder)} pictures instead of {self.num_frames}")

    def read(self, indices: Sequence[int], allocate: Allocate) -> np.ndarray:
        try:
            batch = self._decoder.get_frames_at(list(indices)).data.numpy()
        except (RuntimeError, IndexError) as error:
            raise Unreadable("its pictures do not decode") from error
        frames = allocate(batch.shape)
        frames[:] = batch
        return frames

    def close(self) -> None:
        del self._decoder
