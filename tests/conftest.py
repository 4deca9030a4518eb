"""Shared fixtures: a tiny checkpoint on disk, and videos and records made on the spot."""

import importlib.util
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

# One thread a process: on models this small a second one brings next to nothing, and it would share the cores with
# workers, decoders and other ranks. It is read when torch is first imported, here and in every process of a test.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from judge_server import KEY
from transformers import AutoConfig, AutoTokenizer

from videmo.data.chat import encode_record
from videmo.data.records import Record, parse_record, read_records
from videmo.data.trees import Sample
from videmo.data.video import Video
from videmo.judge import Judge, JudgeSettings
from videmo.models.backbone import Backbone
from videmo.models.tiny import make_tiny
from videmo.synth import Plan, synthesize
from videmo.tasks import use_tasks
from videmo.token_tree import TokenLayout

# Several are called conftest; none has a doctest, for which it would be imported by that name.
collect_ignore_glob = ["conftest.py", "*/conftest.py"]

# Ranks of the tests are forked from one process that has imported the libraries, once for all tests.
multiprocessing.set_forkserver_preload(["videmo.demo", "callbacks"])

TEXT = [
    "What emotion does the person show?",
    "A. Happy",
    "B. Sad",
    "The woman has short black hair.",
    "AU1, AU12",
    "Yes",
]


@pytest.fixture(autouse=True)
def no_own_tasks():
    """What data a test opened says of tasks is nothing to the next."""
    yield
    use_tasks()


@pytest.fixture
def heard_interrupts():
    """Processes started here hear SIGINT, also where the tests are a shell's background job, which must not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Path:
    """A Hugging Face folder with a random model of 64 x 2."""
    return make_tiny(TEXT, tmp_path_factory.mktemp("tiny"), hidden_size=64, layers=2)


@pytest.fixture(scope="session")
def tokenizer(checkpoint):
    return AutoTokenizer.from_pretrained(checkpoint)


@pytest.fixture(scope="session")
def layout(checkpoint, tokenizer) -> TokenLayout:
    return TokenLayout.from_config(AutoConfig.from_pretrained(checkpoint), tokenizer.pad_token_id)


@pytest.fixture
def backbone(checkpoint) -> Backbone:
    """The model in float32; its layers drop nothing, so train and eval compute the same."""
    return Backbone.load(str(checkpoint))


@pytest.fixture
def decisive(backbone):
    """A random model repeats one token; larger weights make its answers differ."""
    with torch.no_grad():
        for p in backbone.parameters():
            p.mul_(3.0 if p.ndim > 1 else 1.0)
    return backbone.eval()


@pytest.fixture(scope="session")
def make_video():
    """A function that returns a video of random patches."""

    def make(t: int = 2, h: int = 4, w: int = 6, *, seed: int = 0, second_per_grid: float = 1.0) -> Video:
        values = torch.randn(t * h * w, 3 * 2 * 14 * 14, generator=torch.Generator().manual_seed(seed))
        return Video(values, (t, h, w), second_per_grid)

    return make


@pytest.fixture(scope="session")
def make_record():
    """A function that returns a record of one question and one answer, or of the given turns."""

    def make(
        question: str, answer: str, videos: tuple[str, ...] = ("a.mp4",), *more: str, source: str = "QA_Hair"
    ) -> Record:
        turns = [question, answer, *more]
        messages = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(turns)]
        return parse_record({"messages": messages, "videos": list(videos), "source": source}, "data.json", 1)

    return make


@pytest.fixture(scope="session")
def make_prompts(make_record, make_video, tokenizer):
    """A function from questions with the names of their videos, a and b, to samples that end where an answer begins."""
    videos = {"a": make_video(2, 4, 6, seed=1, second_per_grid=1.25), "b": make_video(3, 4, 4, seed=2)}

    def make(questions: Sequence[tuple[str, tuple[str, ...]]]) -> list[Sample]:
        return [
            Sample(
                encode_record(make_record(question, "Yes", names), tokenizer, with_answer=False),
                tuple(videos[name] for name in names),
                names,
            )
            for question, names in questions
        ]

    return make


@pytest.fixture(scope="session")
def quiet() -> dict[str, object]:
    """The trainer's options for a fit on the CPU that writes and prints nothing of its own."""
    return {
        "accelerator": "cpu",
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "use_distributed_sampler": False,
    }


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Path:
    """A data folder of 60 drawn clips."""
    folder = tmp_path_factory.mktemp("world") / "data"
    synthesize(folder, Plan(60), workers=1)
    return folder


@pytest.fixture(scope="session")
def world_checkpoint(world, tmp_path_factory) -> Path:
    """A random model of 64 x 2 whose tokenizer knows the drawn world's text."""
    texts = [
        m.content for file in world.glob("jsons/train/*/full/*.json") for r in read_records(file) for m in r.messages
    ]
    return make_tiny(texts, tmp_path_factory.mktemp("world_tiny"), hidden_size=64, layers=2)


@pytest.fixture(scope="session")
def make_broken_world():
    """The function of tools/broken_world.py."""
    spec = importlib.util.spec_from_file_location("broken_world", Path(__file__).parents[1] / "tools/broken_world.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module.broken_world


@pytest.fixture
def make_judge(tmp_path, monkeypatch):
    """A function that returns a judge at a server, patient in milliseconds, with a cache of the test's own."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def make(server, **settings) -> Judge:
        patient = {"timeout": 2.0, "backoff": 0.002, "max_retries": 3, "cache": str(tmp_path / "judge.sqlite")}
        return Judge(JudgeSettings(getattr(server, "url", server), "judge-1", **patient | settings))

    return make
