"""What the tests of rewards share."""

import pytest

from videmo.data.records import Record, parse_record
from videmo.rewards import Completion
from videmo.synth.files import FILES
from videmo.synth.questions import clip_records, pair_records
from videmo.synth.world import sample_world
from videmo.tasks import Task, find_task

SOURCES = {
    "emotion": "DFEW_Single-Label-Emotion-Recognition",
    "units": "AffWild2_Action_Unit_Detection",
    "hair": "QA_Hair",
    "short": "CelebV-Text_Emotion-Caption",
    "fine": "caption_test_sampling_v2_all_example",
    "rationale": "rationale",
}


@pytest.fixture(scope="session")
def make_completion(make_record):
    """A function that returns what a model said to a question of one of `SOURCES`."""

    def make(kind: str, text: str, answer: str, *, question: str = "What?", num_tokens: int = 5) -> Completion:
        record = make_record(f"<video>{question}", answer, source=SOURCES[kind])
        return Completion(text, record, find_task(record.source), num_tokens, truncated=False)

    return make


@pytest.fixture(scope="session")
def drawn_records() -> dict[Task, list[Record]]:
    """What a drawn world asks of 30 clips, with no clip drawn."""
    world = sample_world(300, seed=3)
    asked = {**clip_records(world.clips["test"][:30], [3], {}), "identity": pair_records(world.pairs["test"][:30], [3])}
    return {
        find_task(records[0]["source"], FILES[name].path("test")): [
            parse_record(fields, FILES[name].path("test"), line) for line, fields in enumerate(records, start=1)
        ]
        for name, records in asked.items()
    }
