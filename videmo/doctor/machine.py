"""What the machine has that training uses, with a word on what each lack costs."""

import importlib.metadata as metadata
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from packaging.requirements import Requirement

import videmo
from videmo.data.backends import why_unusable
from videmo.data.pool import available_cores
from videmo.unloadable import REASONS

PINS = Path(videmo.__file__).resolve().parent.parent / "constraints.txt"
SMALL_SHM = 1 << 30
SMALL_DISK = 50 << 30


@dataclass(frozen=True)
class Part:
    """One thing of the machine.

    Attributes:
        name: What it is.
        found: What there is of it.
        note: What it is good for, or what its lack costs; empty where there is nothing to say.
        lacks: Whether something is missing or outside its range.
    """

    name: str
    found: str
    note: str = ""
    lacks: bool = False


def examine_machine(folder: Path) -> list[Part]:
    """All parts, in the order in which one would look.

    Args:
        folder: Where runs would write, for the free space.
    """
    return [
        Part("videmo", videmo.__version__),
        Part("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        *_accelerator(),
        _package("bitsandbytes", "no QLoRA (model.quantization), no 8-bit and paged AdamW"),
        _package(
            "flash_attn",
            "costs nothing, unless flash_attention_2 is asked for: sdpa and flex_attention need no package",
            "FlashAttention",
        ),
        _package("deepspeed", "no ZeRO strategies, and their checkpoints cannot be exported; FSDP needs nothing more"),
        *_readers(),
        _package("torchvision", "the video-processor row of `videmo doctor --ckpt` is not run; training needs none"),
        *_room(folder),
        *_versions(),
    ]


def _accelerator() -> Iterator[Part]:
    build = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "for CPUs"
    blind = torch.version.cuda is None and shutil.which("nvidia-smi") is not None
    note = "there is a GPU driver, but this torch does not know CUDA: install your CUDA build of torch" if blind else ""
    yield Part("torch", f"{torch.__version__}, built {build}", note, blind)
    if not torch.cuda.is_available():
        yield Part("GPU", "none", "training runs on the CPU: enough for tiny models (`videmo demo`), not for 3B", True)
        yield Part("bfloat16", "-", "precision is 32-true without a GPU")
        return
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        yield Part(
            f"GPU {number}",
            f"{torch.cuda.get_device_name(number)}, {_gigabytes(free)} of {_gigabytes(total)} free",
            "`videmo plan` says what fits",
        )
    bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    cost = "precision is 32-true: twice the memory and much slower; use an Ampere or later GPU"
    yield Part("bfloat16", "yes" if bf16 else "no", "" if bf16 else cost, not bf16)


def _readers() -> Iterator[Part]:
    yield _reader("decord", "short H.264 clips are read by PyAV, 1.5 times slower")
    yield _package("av", "no videos can be read but short H.264 clips: `pip install av`", "PyAV")
    yield _reader("torchcodec", "costs nothing: it is a third reader, off by default (data.video.backends)")
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        yield Part("FFmpeg", "no command", "videos are read all the same; re-encoding bad ones needs it")
    else:
        yield Part("FFmpeg", _version_of(ffmpeg) or f"{ffmpeg} does not answer")


def _reader(backend: str, cost: str) -> Part:
    part = _package(backend, cost)
    why = why_unusable(backend) if find_spec(backend) is not None else None
    return Part(part.name, part.found, f"{why}; {cost}", True) if why else part


def _room(folder: Path) -> Iterator[Part]:
    cores = available_cores()
    yield Part("cores", str(cores), f"data.num_workers: at most {max(1, cores - 1)} a process that trains")
    total, free = _memory()
    yield Part("memory", f"{_gigabytes(free)} of {_gigabytes(total)} free" if total else "unknown")
    disk = shutil.disk_usage(folder).free
    small = disk < SMALL_DISK
    note = "a 3B checkpoint that resumes a full fine-tuning takes 45 GB; LoRA's far below 1 GB" if small else ""
    yield Part("disk", f"{_gigabytes(disk)} free in {folder.absolute()}", note, small)
    shm = Path("/dev/shm")
    if shm.is_dir():
        usage = shutil.disk_usage(shm)
        small = usage.total < SMALL_SHM
        note = "workers hand over pixels there and may die of `Bus error`: docker run --shm-size=8g" if small else ""
        yield Part("/dev/shm", f"{_gigabytes(usage.free)} of {_gigabytes(usage.total)} free", note, small)


def _versions() -> Iterator[Part]:
    """Installed packages against the ranges of our metadata, and the versions that our tests run with."""
    try:
        needed = [Requirement(line) for line in metadata.requires("videmo") or ()]
    except metadata.PackageNotFoundError:
        yield Part("packages", "unknown", "videmo itself is not installed, only found: `pip install -e .`", True)
        return
    needed = [r for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    off = [f"{r.name} {_version(r.name) or 'missing'} ({r.specifier})" for r in needed if not _fits(r)]
    yield Part(
        "packages",
        f"{len(needed) - len(off)} of {len(needed)} in their ranges",
        f"`pip install -c constraints.txt -e .` mends {'; '.join(off)}" if off else "",
        bool(off),
    )
    pins = _pins([r.name for r in needed])
    others = [f"{name} {_version(name)} ({pin})" for name, pin in pins.items() if not _same(_version(name), pin)]
    if pins:
        note = f"ours in brackets, should something fail: {', '.join(others)}" if others else ""
        yield Part("tested with", f"{len(pins) - len(others)} of {len(pins)} versions are those of our tests", note)


def _package(module: str, cost: str, name: str | None = None) -> Part:
    if module in REASONS:
        return Part(name or module, f"{_version(module)}, does not load", f"{REASONS[module]}; {cost}", True)
    if find_spec(module) is None:
        return Part(name or module, "not installed", cost, lacks=not cost.startswith("costs nothing"))
    return Part(name or module, _version(module) or "installed")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _fits(requirement: Requirement) -> bool:
    version = _version(requirement.name)
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def _same(version: str | None, pin: str) -> bool:
    """Whether it is the pinned version, whatever a build adds to it.

    >>> _same("2.13.0+cu130", "2.13.0"), _same(None, "1.0")
    (True, False)
    """
    return version is not None and version.split("+")[0] == pin


def _pins(names: Iterable[str]) -> dict[str, str]:
    """The pinned versions, where the repository is at hand."""
    if not PINS.is_file():
        return {}
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", PINS.read_text(encoding="utf-8"), flags=re.MULTILINE))
    by_name = {name.lower().replace("_", "-"): pin for name, pin in pinned.items()}
    return {name: by_name[name.lower()] for name in names if name.lower() in by_name}


def _memory() -> tuple[int, int]:
    """Bytes in all and free, by the limit of the container where there is one."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
        free = int(found[1]) * 1024 if found else total
    except (OSError, ValueError):
        return 0, 0
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except (OSError, ValueError):
        return total, free
    return min(total, limit), min(free, max(0, limit - used))


def _version_of(ffmpeg: str) -> str | None:
    try:
        said = subprocess.run([ffmpeg, "-version"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.split()[2] if len(said.split()) > 2 else None


def _gigabytes(count: int) -> str:
    return f"{count / 2**30:,.1f} GiB"
