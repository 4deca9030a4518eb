"""Frames -> an H.264 file that says nothing about them but through its pixels.

A compressed clip is longer the more there is to see, so that the length of a file, its sample table or a setting of the
encoder could tell a noisy clip from a clean one, or a moving one from a still one. Here every file has one key frame
and 15 predicted ones, no text of the encoder, and every packet is filled up with a filler unit (H.264, 7.4.1: type 12,
which a decoder drops) to a constant number of bytes; where a packet does not fit, the clip is encoded again, coarser.
"""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from videmo.synth.motion import FPS

KEY_BYTES, NEXT_BYTES = 5120, 2304  # of the first packet, and of each of the others: 40 kB a clip
CRF, COARSER = 20, 4  # first try, and the step to the next
_START = b"\x00\x00\x00\x01"
_SEI, _FILLER = 6, 12  # types of NAL units
_X264 = (
    "bframes=0:scenecut=0:keyint=infinite:open-gop=0:threads=1:stitchable=1:weightp=0:rc-lookahead=0:sync-lookahead=0"
)


def encode_clip(frames: np.ndarray, file: Path) -> None:
    """Write frames as an mp4 whose length depends on their number and size only.

    The file appears under its name only when it is whole.

    Args:
        frames: RGB, uint8, with even height and width.  # [F, H, W, 3]
        file: Where to.
    """
    part = file.with_suffix(".part")
    crf = CRF
    while not _written(frames, part, crf):
        crf += COARSER
        assert crf <= 51, "a clip that does not fit at the coarsest setting"
    os.replace(part, file)


def _written(frames: np.ndarray, file: Path, crf: int) -> bool:
    """Encode with one setting; false as soon as a packet is too long for its place."""
    with av.open(str(file), "w", format="mp4", container_options={"fflags": "+bitexact"}) as container:
        options = {"crf": str(crf), "preset": "veryfast", "x264-params": _X264}
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, FPS)
        pictures = [av.VideoFrame.from_ndarray(frame, format="rgb24") for frame in frames]
        packets = [packet for picture in [*pictures, None] for packet in stream.encode(picture)]
        for number, packet in enumerate(packets):
            data = filled_up(bytes(packet), NEXT_BYTES if number else KEY_BYTES)
            if data is None:
                return False
            full = av.Packet(data)
            full.stream, full.time_base = stream, packet.time_base
            full.pts, full.dts, full.duration = packet.pts, packet.dts, packet.duration
            full.is_keyframe = packet.is_keyframe
            container.mux(full)
    return True


def filled_up(data: bytes, length: int) -> bytes | None:
    """A packet without text of the encoder, filled up to a length; None where it is too long.

    Args:
        data: NAL units with start codes (Annex B).
        length: Bytes wanted.

    Example:
        >>> filled_up(bytes.fromhex("000001 65 88"), 12).hex(" ")
        '00 00 00 01 65 88 00 00 00 01 0c 80'
    """
    units = [unit for unit in _units(data) if unit[0] & 31 != _SEI]
    data = b"".join(_START + unit for unit in units)
    room = length - len(data) - len(_START) - 2
    if room < 0:
        return None
    return data + _START + bytes([_FILLER]) + b"\xff" * room + b"\x80"


def _units(data: bytes) -> list[bytes]:
    """The NAL units between the start codes, which have three bytes or four."""
    return [unit for unit in (part.rstrip(b"\x00") for part in data.split(b"\x00\x00\x01")) if unit]
