"""Clips encoded for tests, every picture of which says its number, and what a full decode of a file shows."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

FPS = 25


def picture(number: int, height: int, width: int) -> np.ndarray:
    """Its number in 16 levels of grey: the units left, the sixteens right; below them a bar that moves."""
    image = np.empty((height, width, 3), np.uint8)
    image[:, : width // 2] = 16 + 14 * (number % 16)
    image[:, width // 2 :] = 16 + 14 * (number // 16)
    bar = 3 * number % (width - 8)
    image[3 * height // 4 :, bar : bar + 8] = (230, 40, 60)
    return image


def numbers_of(frames: np.ndarray) -> list[int]:
    """The numbers that frames say.  # frames: [F, H, W, 3]"""
    halves = np.asarray(frames)[:, : frames.shape[1] // 2].astype(float)
    quarter = frames.shape[2] // 4
    units, sixteens = (halves[:, :, at - 4 : at + 4].mean((1, 2, 3)) for at in (quarter, 3 * quarter))
    return [round((u - 16) / 14) + 16 * round((s - 16) / 14) for u, s in zip(units, sixteens, strict=True)]


class Pipe(io.RawIOBase):
    """A file that can only be written to its end, as a pipe."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def write(self, content: bytes) -> int:
        return self._file.write(content)

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def _same_priority() -> Iterator[None]:
    """Undo what SVT-AV1 does as root: the thread that opens it, and all that it starts later, become real-time ones."""
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    yield
    os.sched_setscheduler(0, *before)


def encode(
    path: Path,
    codec: str = "libx264",
    num_frames: int = 60,
    size: tuple[int, int] = (64, 96),
    *,
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    rotation: int = 0,
    times: list[int] | None = None,
    sound_first: bool = False,
    piped: str | None = None,
) -> Path:
    """Write a clip; skips the test where the encoder is missing.

    Args:
        times: Of each picture, in hundredths of a second.
        rotation: Degrees, as a camera writes it into the file.
        piped: A container format, to write it without going back.
    """
    try:
        av.Codec(codec, "w")
    except ValueError:
        pytest.skip(f"this PyAV has no encoder {codec}")
    target = Pipe(path) if piped else str(path)
    with _same_priority(), av.open(target, "w", format=piped, options=container or {}) as file:
        if sound_first:
            sound = file.add_stream("aac", rate=16000)
        stream = file.add_stream(codec, rate=FPS, options={"g": "250", "sc_threshold": "0"} | (options or {}))
        stream.height, stream.width = size
        stream.pix_fmt = pix_fmt
        stream.bit_rate = 4_000_000
        if rotation:
            stream.set_display_rotation(rotation)
        if times:
            stream.codec_context.time_base = Fraction(1, 100)
        if sound_first:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 32000), np.float32), format="fltp", layout="mono")
            silence.sample_rate = 16000
            file.mux(sound.encode(silence))
            file.mux(sound.encode())
        for number in range(num_frames):
            frame = av.VideoFrame.from_ndarray(picture(number, *size), format="rgb24")
            if times:
                frame.pts, frame.time_base = times[number], Fraction(1, 100)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def cut(source: Path, path: Path, first: int) -> Path:
    """As ``ffmpeg -ss -c copy``: packets from the keyframe before a picture on; an edit list hides what comes first."""
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        stream = old.streams.video[0]
        copied = new.add_stream_from_template(stream)
        start = int(first / FPS / stream.time_base)
        old.seek(start, stream=stream)
        for packet in old.demux(stream):
            if packet.size:
                packet.pts -= start
                packet.dts -= start
                packet.stream = copied
                new.mux(packet)
    return path


def full_decode(path: Path) -> np.ndarray:
    """All pictures in the order in which they are shown, turned as the file says: the reference.  # [N, H, W, 3]"""
    with av.open(str(path)) as file:
        stream = file.streams.best("video")
        stream.thread_count = 1
        return np.stack(
            [np.rot90(p.to_ndarray(format="rgb24"), round(p.rotation / 90) % 4) for p in file.decode(stream)]
        )
