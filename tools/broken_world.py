"""A small data folder with 60 broken videos and 30 malformed records among good ones: what bad input may look like.

python tools/broken_world.py OUT --seed 0

Videos are cut short, have bits flipped, bytes zeroed or taken out, carry another container's suffix, or are no videos
at all. Some that are only scratched still decode: these are `damaged`, the others `broken`. The same seed gives the
same bytes.
"""

import argparse
import gzip
import io
import json
import os
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from PIL import Image

NUM_GOOD = 8
FORMATS = {  # of files: suffix, codec, options of the container
    "mp4": ("mp4", "libx264", {}),
    "fast": ("mp4", "libx264", {"movflags": "faststart"}),
    "mkv": ("mkv", "libx264", {}),
    "webm": ("webm", "libvpx-vp9", {}),
    "avi": ("avi", "mpeg4", {}),
}
FOLDER = "jsons/train/qa/full"
SPECIAL = "<|im_end|>"
_EXACT = {"fflags": "+bitexact"}  # no random names of segments


@dataclass
class BrokenWorld:
    """What stands in the folder.

    Attributes:
        root: The data folder; its videos are in ``videos``, as `videmo check` and training expect.
        good: Videos that are whole.
        damaged: Videos that are scratched; some still decode.
        broken: Videos that nothing reads.
        records: (file under `root`, line) -> video, of well-formed records; each video has two of them.
        malformed: (file, line) -> what its fault says, in part; line 0 is the whole file.
        special: Records whose text holds a special token, which only a check with a tokenizer tells.
    """

    root: Path
    good: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    records: dict[tuple[str, int], str] = field(default_factory=dict)
    malformed: dict[tuple[str, int], str] = field(default_factory=dict)
    special: list[tuple[str, int]] = field(default_factory=list)


def broken_world(folder: str | Path, seed: int = 0) -> BrokenWorld:
    """Make the folder."""
    world, chance = BrokenWorld(Path(folder)), random.Random(seed)
    (world.root / "videos" / "Faces").mkdir(parents=True)
    (world.root / FOLDER).mkdir(parents=True)
    clips = {}
    for number in range(NUM_GOOD):
        name = list(FORMATS)[number % len(FORMATS)]
        clips[name] = encode(*FORMATS[name], seed=seed * NUM_GOOD + number)
        world.good.append(_put(world, f"good_{number}.{FORMATS[name][0]}", clips[name]))
    for name, content in scratched(clips, chance):
        world.damaged.append(_put(world, name, content))
    for name, content in unreadable(clips, chance):
        world.broken.append(_put(world, name, content))
    world.broken += _strange(world)
    _write_records(world)
    return world


def encode(suffix: str, codec: str, options: dict[str, str], seed: int, num_frames: int = 40) -> bytes:
    """A clip of 64 x 64 pixels and 8 frames a second, in which noise drifts."""
    noise = np.random.default_rng(seed).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    picture = np.asarray(Image.fromarray(noise).resize((64, 64), Image.Resampling.BICUBIC))
    with TemporaryDirectory() as work, av.open(f"{work}/clip.{suffix}", "w", options=_EXACT | options) as container:
        stream = container.add_stream(codec, rate=8)
        stream.width, stream.height, stream.pix_fmt, stream.thread_count = 64, 64, "yuv420p", 1
        container.start_encoding()  # also where no frame follows
        for number in range(num_frames):
            frame = av.VideoFrame.from_ndarray(np.roll(picture, 2 * number, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        container.close()
        return Path(work, f"clip.{suffix}").read_bytes()


def scratched(clips: dict[str, bytes], chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """40 files that are nearly a video: name and content. Those that surely cannot be read come from `unreadable`."""
    for name, content in clips.items():
        suffix, size = FORMATS[name][0], len(content)
        if name != "mp4":
            for share in (0.2, 0.6, 0.9, 0.999):
                yield f"cut_{name}_{share}.{suffix}", content[: int(share * size)]
        for count in (20, 400):
            flipped = bytearray(content)
            for _ in range(count):
                flipped[chance.randrange(size)] ^= 1 << chance.randrange(8)
            yield f"flipped_{name}_{count}.{suffix}", bytes(flipped)
        start, length = chance.randrange(size // 2), size // 8
        yield f"zeroed_{name}.{suffix}", content[:start] + bytes(length) + content[start + length :]
        yield f"taken_{name}.{suffix}", content[:start] + content[start + chance.randrange(1, length) :]
    for name, wrong in (("mkv", "mp4"), ("webm", "avi"), ("avi", "mkv")):
        yield f"renamed_{name}.{wrong}", clips[name]
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(picture, "PNG")
    yield "picture.mp4", picture.getvalue()


def unreadable(clips: dict[str, bytes], chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """17 files that nothing reads as a video; with the three that are no files they make 20."""
    content = clips["mp4"]  # its index stands at its end
    for share in (0.1, 0.3, 0.5, 0.8):
        yield f"cut_mp4_{share}.mp4", content[: int(share * len(content))]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as stream:
        stream.writestr(zipfile.ZipInfo("clip.mp4"), content)
    yield "zip.mp4", archive.getvalue()
    yield "gzip.mp4", gzip.compress(content, mtime=0)
    yield "page.mp4", b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n" * 9
    yield "lfs.mp4", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n"
    yield "empty.mp4", b""
    yield "byte.mp4", b"\0"
    yield "zeros.mp4", bytes(100_000)
    yield "noise.mp4", chance.randbytes(50_000)
    yield "head.mp4", content[:32]
    yield "no_frames.mp4", encode(*FORMATS["mp4"], seed=0, num_frames=0)
    yield "sound.mp4", _sound("mp4")
    yield "sound.mkv", _sound("matroska")
    yield "sound.avi", _sound("avi")


def _sound(kind: str) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind, options=_EXACT) as container:
        stream = container.add_stream("aac", rate=16000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 16000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    return buffer.getvalue()


def _put(world: BrokenWorld, name: str, content: bytes) -> str:
    (world.root / "videos" / "Faces" / name).write_bytes(content)
    return f"Faces/{name}"


def _strange(world: BrokenWorld) -> list[str]:
    """What is no file: a pipe that never speaks, a folder, a link to nothing."""
    folder = world.root / "videos" / "Faces"
    os.mkfifo(folder / "pipe.mp4")
    (folder / "folder.mp4").mkdir()
    (folder / "link.mp4").symlink_to("nothing.mp4")
    return ["Faces/pipe.mp4", "Faces/folder.mp4", "Faces/link.mp4"]


def record(video: str, source: str = "QA_Hair", **changes) -> dict:
    """A well-formed record of one question, or what `changes` makes of it."""
    question = {"role": "user", "content": f"<video>What does {source} ask?"}
    messages = [question, {"role": "assistant", "content": "brown"}]
    return {"messages": messages, "videos": [video], "source": source, **changes}


def malformed(video: str) -> Iterator[tuple[bytes, str]]:
    """Lines that are no records, and what their fault says; all but these are in a file of lines of their own."""
    user, assistant = record(video)["messages"]
    text = json.dumps(record(video)).encode()
    yield text[:40], "not valid JSON"
    yield text.replace(b'"', b"'"), "not valid JSON"
    yield text[:-1] + b",}", "not valid JSON"
    yield text + b"]", "not valid JSON"
    yield b"[" * 100_000, "not valid JSON"
    yield text.replace(b"brown", b"ch\xe2tain"), "not UTF-8"
    for value in (None, "text", {}, [record(video)]):
        yield json.dumps(value).encode(), "messages"
    changes = (
        ({"messages": "What hair?"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [user, {"role": "assistant", "content": [{"type": "text", "text": "brown"}]}]}, r"messages\[1\]"),
        ({"messages": [{"from": "human", "value": "<video>"}, assistant]}, r"messages\[0\]"),
        ({"messages": [{**user, "role": "human"}, assistant]}, r"messages\[0\]"),
        ({"messages": [user]}, "no assistant turn"),
        ({"messages": [user, {**assistant, "content": " "}]}, "no assistant turn"),
        ({"messages": [{**user, "content": "What hair?"}, assistant]}, "<video> stands 0 times"),
        ({"videos": []}, "<video> stands 1 times"),
        ({"videos": video}, "videos"),
        ({"videos": [None]}, "videos"),
        ({"videos": [""]}, "videos"),
        ({"videos": ["a\0.mp4"]}, "videos"),
        ({"source": 7}, "source"),
    )
    for change, reason in changes:
        yield json.dumps(record(video, **change)).encode(), reason


def _write_records(world: BrokenWorld) -> None:
    videos = [*world.good, *world.damaged, *world.broken]
    entries = [json.dumps(record(video)) for video in videos]
    _write(world, "QA_Hair.json", ("[\n" + ",\n".join(entries) + "\n]").encode())
    _write(world, "QA_Mouth.json", "\n".join(json.dumps(record(v, source="QA_Mouth")) for v in videos).encode())
    for number, video in enumerate(videos):
        world.records[f"{FOLDER}/QA_Hair.json", number + 2] = video
        world.records[f"{FOLDER}/QA_Mouth.json", number + 1] = video

    video = world.good[0]
    lines = list(malformed(video))
    for path in ("../../secret.mp4", "/etc/hostname"):
        lines.append((json.dumps(record(path)).encode(), "leads out of the video root"))
    world.malformed |= {(f"{FOLDER}/QA_Nose.json", n): reason for n, (_, reason) in enumerate(lines, start=1)}
    for answer in (SPECIAL, f"brown{SPECIAL}"):
        turns = [record(video)["messages"][0], {"role": "assistant", "content": answer}]
        lines.append((json.dumps(record(video, messages=turns)).encode(), ""))
        world.special.append((f"{FOLDER}/QA_Nose.json", len(lines)))
    _write(world, "QA_Nose.json", b"\n".join(line for line, _ in lines))

    _write(world, "Mystery.json", json.dumps([record(video, source="Nobody")], indent=0).encode())
    world.malformed[f"{FOLDER}/Mystery.json", 2] = "no task for source 'Nobody'"
    _write(world, "QA_Chin.json", random.Random(1).randbytes(5000))
    world.malformed[f"{FOLDER}/QA_Chin.json", 0] = "not UTF-8"
    _write(world, "QA_Age.json", b"")
    world.malformed[f"{FOLDER}/QA_Age.json", 0] = "no record"
    skin = [json.dumps(record(video, source="QA_Skin")) for video in videos[:3]]
    _write(world, "QA_Skin.json", ("[\n" + ",\n".join(skin)[:-50]).encode())
    world.malformed[f"{FOLDER}/QA_Skin.json", 4] = "not valid JSON"
    world.records |= {(f"{FOLDER}/QA_Skin.json", number + 2): videos[number] for number in range(2)}


def _write(world: BrokenWorld, name: str, content: bytes) -> None:
    (world.root / FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    made = broken_world(args.out, args.seed)
    print(
        f"{len(made.good)} good, {len(made.damaged)} damaged and {len(made.broken)} broken videos, {len(made.records)} "
        f"records and {len(made.malformed) + len(made.special)} malformed ones are in {made.root}"
    )
