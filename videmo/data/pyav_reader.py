"""Reading pictures with PyAV, exactly: picture n is the n-th that a full decode shows.

A pass over the packets (no pixels) gives the times of all pictures, so that a picture is known by its time and not by
counting after a seek. To read one, decoding starts at the last keyframe that is shown no later: a picture of an open
group stands behind a keyframe in the file, but needs the one before. Between the pictures asked for, those to which no
other refers are not decoded at all, which nearly halves the work on H.264 with B-frames. What a seek does not yield, a
decode from the start must.

Files whose packets have no times of their own (raw streams, B-frames in AVI) are decoded whole and counted.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from videmo.data.reader import Allocate, NoFramesError, NoPictureStreamError, OnlySoundError, Unreadable

_OPTIONS = {"protocol_whitelist": "file"}  # a file of a data set is not to open network addresses
_PICTURE_FORMATS = ("image2", "_pipe")
_INDEXED_FORMATS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "gif")  # others seek by guessing


class PyAVReader:
    """One open file.

    Attributes:
        num_frames: Pictures that a full decode shows.
        fps: Of them a second.
        height, width: Of a picture, turned as the file says.
        steady: Whether any decoder that seeks to keyframes and counts on gets the pictures right: packets stand in
            groups that need no other, none is hidden by an edit list, the container has an index, and a picture has
            8 bits a channel and even sides (releases of FFmpeg differ in the colours at an odd edge).
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._open()
            packets = self._scan()
            self._start(packets)
        except av.FFmpegError as error:
            raise Unreadable(error.strerror or str(error)) from error

    def read(self, indices: Sequence[int], allocate: Allocate) -> np.ndarray:
        rows: dict[int, list[int]] = {}
        for row, index in enumerate(indices):
            rows.setdefault(self._times[index] if self._times else index, []).append(row)
        frames = allocate((len(indices), self.height, self.width, 3))
        reformatter = VideoReformatter()
        try:
            for key, picture in self._timed(sorted(rows)) if self._times else self._counted(set(rows)):
                picture = reformatter.reformat(picture, *self._size, format="rgb24")
                pixels = np.rot90(picture.to_ndarray(), self._quarter_turns)
                for row in rows.pop(key):
                    frames[row] = pixels
        except av.FFmpegError as error:
            raise Unreadable(error.strerror or str(error)) from error
        if rows:
            key = min(rows)
            number = self._times.index(key) if self._times else key
            raise Unreadable(f"picture {number} of {self.num_frames} does not decode")
        return frames

    def close(self) -> None:
        self._container.close()
        # They hold this reader, and with it the decoder's memory, until Python looks for cycles.
        self._pictures = iter(())

    def _open(self) -> None:
        self._container = av.open(self.path, options=_OPTIONS)
        if self._container.format.name.endswith(_PICTURE_FORMATS):
            raise Unreadable("a single picture, not a video")
        best = self._container.streams.best("video")
        if {stream.type for stream in self._container.streams} == {"audio"}:
            raise OnlySoundError("sound and no picture")
        if not isinstance(best, av.VideoStream) or best.codec_context is None:
            raise NoPictureStreamError("no picture stream that it can decode")
        best.codec_context.thread_count = 1
        self._stream = best

    def _scan(self) -> list[tuple[int | None, int | None, bool, bool]]:
        """Time shown, time decoded, keyframe or not, hidden by an edit list or not: of every whole packet."""
        packets = []
        with suppress(av.FFmpegError):  # a file cut short ends in an error; what came before counts
            for packet in self._container.demux(self._stream):
                if packet.size and not packet.is_corrupt:
                    packets.append((packet.pts, packet.dts, packet.is_keyframe, packet.is_discard))
        if not packets:
            promised = self._stream.frames
            raise Unreadable(f"none of its {promised} pictures is there") if promised else NoFramesError("no pictures")
        return packets

    def _start(self, packets: list[tuple[int | None, int | None, bool, bool]]) -> None:
        context = self._stream.codec_context
        visible = [shown for shown, _, _, hidden in packets if not hidden]
        times = sorted({shown for shown in visible if shown is not None})
        self._keys = sorted(shown for shown, _, is_key, _ in packets if is_key and shown is not None)
        unknown = len(times) < len(visible) or not self._keys
        self._times = [] if unknown or (self._container.format.name == "avi" and context.has_b_frames) else times
        leading: list[av.VideoFrame] = []  # pictures shown before the first keyframe; without an earlier one few decode
        self._begin(self._keys[0] if self._times else None)
        first = None
        for first in self._pictures:
            if not self._times or first.pts is None or first.pts >= self._keys[0]:
                break
            leading.append(first)
        if first is None:
            raise Unreadable("none of its pictures decodes")
        self._size = first.width, first.height
        self._quarter_turns = round(first.rotation / 90) % 4
        if self._times:
            shown = {picture.pts for picture in leading}
            self._times = [time for time in self._times if time >= self._keys[0] or time in shown]
            self._pictures = chain(leading, [first], self._pictures)
            self.num_frames = len(self._times)
        else:
            self.num_frames = 1 + sum(1 for _ in self._pictures)
        self.width, self.height = self._size[:: -1 if self._quarter_turns % 2 else 1]
        self.fps = self._rate()
        rank: dict[int | None, int] = {time: number for number, time in enumerate(self._times)}
        self.steady = (
            self._container.format.name in _INDEXED_FORMATS
            and len(packets) == self.num_frames
            and all(rank.get(shown) == number for number, (shown, _, is_key, _) in enumerate(packets) if is_key)
            and all(component.bits == 8 for component in first.format.components)
            and self.width % 2 == self.height % 2 == 0
        )

    def _rate(self) -> float:
        """Frames per second as the file states it, or from the times of its pictures."""
        rate, unit = self._stream.average_rate or self._stream.guessed_rate, self._stream.time_base
        if not rate and unit and len(self._times) > 1:
            rate = (self.num_frames - 1) / ((self._times[-1] - self._times[0]) * unit)
        return float(rate or 0)

    def _begin(self, time: int | None, wanted: set[int] | None = None) -> None:
        """Decode from a keyframe at or before a time on; from the first packet where seeking does not get there.

        Args:
            time: In the stream's units; None for the first packet.
            wanted: The times of pictures asked for; others are decoded where they are needed only.
        """
        if time is not None:
            with suppress(av.FFmpegError, StopIteration):
                self._container.seek(time, stream=self._stream)
                packets = self._container.demux(self._stream)
                first = next(packets)
                if first.is_keyframe and first.pts is not None and first.pts <= time:
                    self._pictures = self._decoded(chain([first], packets), wanted)
                    return
        self._container.close()
        self._open()
        self._pictures = self._decoded(self._container.demux(self._stream), wanted)

    def _decoded(self, packets: Iterator[av.Packet], wanted: set[int] | None) -> Iterator[av.VideoFrame]:
        context = self._stream.codec_context
        self._reached = self._keys[0] if self._keys else 0
        with suppress(av.FFmpegError):  # of demuxing: the file ends here
            for packet in packets:
                if packet.is_keyframe and packet.pts is not None:
                    self._reached = max(self._reached, packet.pts)
                context.skip_frame = "DEFAULT" if wanted is None or packet.pts in wanted else "NONREF"
                try:
                    pictures = packet.decode()
                except av.FFmpegError:  # a damaged packet: the pictures that it held are missing
                    continue
                yield from pictures

    def _timed(self, times: list[int]) -> Iterator[tuple[int, av.VideoFrame]]:
        """The pictures of ascending times, by seeking; those that a seek does not yield come from the start."""
        wanted = set(times)
        for number, time in enumerate(times):
            key = self._keys[max(0, bisect_right(self._keys, time) - 1)]
            if key > self._reached:
                self._begin(key, wanted)
            for picture in self._pictures:
                if picture.pts is not None and picture.pts >= time:
                    break
            else:
                picture = None
            if picture is None or picture.pts != time:
                self._begin(None)
                lost = set(times[number:])
                yield from ((p.pts, p) for p in self._pictures if p.pts in lost)
                return
            yield time, picture

    def _counted(self, numbers: set[int]) -> Iterator[tuple[int, av.VideoFrame]]:
        self._begin(None)
        last = max(numbers)
        for number, picture in enumerate(self._pictures):
            if number in numbers:
                yield number, picture
            if number == last:
                return
