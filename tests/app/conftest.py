"""The page served in this process, a browser that sees nothing else, and clips to drop."""

import os
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from chromium import chromium
from PIL import Image

from videmo.app.server import serving
from videmo.data.sampling import VideoSettings
from videmo.models.sampling import Distribution
from videmo.reasoning import Reasoner, SearchSettings
from videmo.synth.draw import draw_clip
from videmo.synth.encode import encode_clip
from videmo.synth.presets import LOOKS
from videmo.synth.world import sample_world

SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)
WORDS = "The woman Happy Sad"
LIMIT_MB = 1


@dataclass
class Served:
    """A page that answers.

    Attributes:
        address: Of the page.
        hosts: Those that its process has called or looked up, but for itself.
        running: Searches that run at the moment, and the most that ever did at once.
        go: Searches wait for it.
    """

    address: str = ""
    hosts: set[str] = field(default_factory=set)
    running: list[int] = field(default_factory=lambda: [0, 0])
    go: threading.Event = field(default_factory=threading.Event)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """Where the page keeps its files."""
    return tmp_path_factory.mktemp("page").resolve()


@pytest.fixture(scope="session")
def reasoner(checkpoint, folder) -> Reasoner:
    """A random model that says nothing but words of which trees can be made."""
    found = Reasoner.load(str(checkpoint), SearchSettings(n=3), video=SMALL, max_new_tokens=8, root=folder)
    tokenizer, backbone = found.search.tokenizer, found.search.backbone
    said = {*tokenizer(WORDS).input_ids[1:]}
    size = backbone.config.text_config.vocab_size
    banned = torch.tensor([token for token in range(size) if token not in said])
    backbone.drawn = lambda temperature: Distribution(temperature, banned)
    return found


@pytest.fixture(scope="session")
def free_port():
    """A function that returns a port at which nothing listens."""

    def find() -> int:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return free.getsockname()[1]

    return find


@pytest.fixture(scope="session")
def served(reasoner, folder, free_port):
    """The page, its process watched."""
    watched = Served()
    watched.go.set()

    class Counted(Reasoner):
        def grow(self, video, question):
            watched.running[0] += 1
            watched.running[1] = max(watched.running)
            watched.go.wait(60)
            try:
                yield from super().grow(video, question)
            finally:
                watched.running[0] -= 1

    counted = object.__new__(Counted)
    counted.__dict__.update(reasoner.__dict__)
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def connect_and_tell(self, address):
        watched.hosts.add(str(address[0]) if isinstance(address, tuple) else "a file")
        return connect(self, address)

    def look_up_and_tell(host, *rest, **more):
        watched.hosts.add(str(host))
        return look_up(host, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_and_tell)
        patch.setattr(socket, "getaddrinfo", look_up_and_tell)
        more = {"host": "127.0.0.1", "port": free_port(), "upload_mb": LIMIT_MB, "model": "runs/tiny"}
        with serving(counted, folder, **more) as address:
            watched.address = address
            yield watched


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Headless Chromium that finds this machine only, and keeps what it asks for; `downloads` is its folder."""
    folder = tmp_path_factory.mktemp("downloads")
    with chromium({"browser": "ALL", "performance": "ALL"}, "127.0.0.1", str(folder)) as chrome:
        chrome.downloads = folder
        yield chrome


def write_clip(path: Path, shades: list[int], rate: int = 8, codec: str = "libx264") -> Path:
    """A clip whose frames are each of one colour."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for shade in shades:
            pixels = np.full((64, 64, 3), shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def clips(folder) -> dict[str, Path]:
    """What people drop: a drawn clip, and all that is none or a strange one."""
    folder = folder / "dropped"
    folder.mkdir()
    drawn = folder / "drawn.mp4"
    encode_clip(draw_clip(sample_world(60, 0, LOOKS["clear"]).clips["test"][0]), drawn)
    broken = folder / "broken.mp4"
    broken.write_bytes(drawn.read_bytes()[:200] + os.urandom(3000))
    big = folder / "big.mp4"
    big.write_bytes(drawn.read_bytes() + bytes(LIMIT_MB * 2**20))
    text = folder / "notes.txt"
    text.write_text("no video")
    disguised = folder / "notes.mp4"
    disguised.write_text("no video")
    sound = folder / "sound.mp4"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 16000
        container.mux([*stream.encode(silence), *stream.encode()])
    picture = folder / "picture.gif"
    Image.new("RGB", (8, 8)).save(picture)
    return {
        "sound": sound,
        "picture": picture,
        "avi": write_clip(folder / "old.avi", [0, 90, 180] * 5, codec="mpeg4"),
        "drawn": drawn,
        "broken": broken,
        "big": big,
        "text": text,
        "disguised": disguised,
        "black": write_clip(folder / "black.mp4", [0] * 16),
        "one": write_clip(folder / "one.mp4", [120]),
        "long": write_clip(folder / "long.mp4", [*range(0, 240, 2)] * 5, rate=1),
    }
