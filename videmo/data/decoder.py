"""The process that decodes: reads requests from its standard input until that ends, and answers each.

    python -m videmo.data.decoder PIXELS_FD PARENT_PID decord pyav

It is started by ``decoder_pool.py`` alone. Decoders block in C, where Python cannot stop them, and may crash: so they
run where killing them costs nothing else. Without torch it starts in half a second, and 25 MB are its own.
"""

import math
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

from videmo.data.backends import opener
from videmo.data.decoder_messages import Failed, Frames, ParentGoneError, receive, send
from videmo.data.reader import NoRateError, Reader, Unreadable
from videmo.data.sampling import VideoInfo, VideoSettings, frame_indices
from videmo.data.shared_pixels import SharedPixels
from videmo.data.worker import answers_to_parent


class Decoder:
    """Answers requests with the given backends, tried in their order.

    Args:
        pixels_fd: The shared file that pixels go to.
        requests: Where requests come from.
        answers: Where answers go.
        backends: Their names.
    """

    def __init__(self, pixels_fd: int, requests: BinaryIO, answers: BinaryIO, backends: list[str]) -> None:
        self.pixels = SharedPixels(pixels_fd, writes=True)
        self.requests = requests
        self.answers = answers
        self.openers: dict[str, Callable[[str], Reader]] = {name: opener(name) for name in backends}
        self.probing: Callable[[str], Any] = opener("pyav")

    def serve(self) -> None:
        send(self.answers, "ready")
        while True:
            try:
                kind, *about = receive(self.requests)
            except ParentGoneError:
                return
            try:
                answer = self.probe(*about) if kind == "probe" else self.read(*about)
            except Exception as error:
                answer = _with_trace(error)
            send(self.answers, answer)

    def probe(self, path: str) -> VideoInfo | Failed:
        try:
            reader = self.probing(path)
        except Unreadable as error:
            return Failed({"pyav": str(error)}, False, type(error))
        reader.close()
        return VideoInfo(reader.num_frames, reader.fps, reader.height, reader.width)

    def read(self, path: str, settings: VideoSettings) -> Frames | Failed:
        reasons: dict[str, str] = {}
        problem = Unreadable  # of errors only what is needed: their traces would keep all this alive
        opened = False
        for name, open_file in self.openers.items():
            try:
                reader = open_file(path)
                opened = True
                if not (math.isfinite(reader.fps) and reader.fps > 0):
                    raise NoRateError(f"{reader.fps} frames a second")
                indices, sampled_fps = frame_indices(reader.num_frames, reader.fps, settings)
                frames = reader.read(indices, self.pixels.view)
                reader.close()
            except Unreadable as error:
                reasons[name] = str(error)
                if type(error) is not Unreadable:
                    problem = type(error)
                continue
            return Frames(frames.shape, sampled_fps, name)
        return Failed(reasons, opened, problem)


def _with_trace(error: Exception) -> Exception:
    trace = f"In the decoder process:\n{''.join(traceback.format_exception(error))}"
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever an error of a library does when it is pickled, its trace must arrive
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(trace)
    return error


def main(pixels_fd: str, parent: str, *backends: str) -> None:
    answers = answers_to_parent(signal.SIGINT, signal.SIGTERM)
    if os.getppid() != int(parent):  # it died before it could be watched
        return
    Decoder(int(pixels_fd), sys.stdin.buffer, answers, list(backends)).serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
