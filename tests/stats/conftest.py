"""A small data folder whose every number can be counted by hand."""

import io
import shutil
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from written_records import emotion, turns, write_records

from videmo.stats.command import stats

CAPTION = "A woman looks sad: the corners of her thin lips turn down."
RATIONALE = "The corners of her mouth turn down zebra."


def write_small(root: Path) -> Path:
    """Train has four emotions, a pair of videos, a caption, a rationale, a text and a broken record; test, one."""
    dfew = "DFEW_Single-Label-Emotion-Recognition.json"
    emotions = [emotion("DFEW/1.mp4", "Happy"), emotion("DFEW/2.mp4", "Happy"), emotion("DFEW/3.mp4", "hard to say")]
    write_records(root, f"train/emotion/full/{dfew}", [*emotions, emotion("DFEW/3.mp4", "A. Happy"), "{broken"])
    pair = {"messages": turns("<video><video>Same person?", "Yes"), "videos": ["MEAD/1.mp4", "MEAD/2.mp4"]}
    write_records(root, "train/attribute/full/MEAD_ID.json", [pair])
    told = {"messages": turns("<video>Describe.", CAPTION), "videos": ["DFEW/1.mp4"]}
    write_records(root, "train/caption/full/caption_test_sampling_v2_all_example.json", [told])
    why = turns("<video>What does she feel?", "Sadness", "Why?", RATIONALE)
    write_records(root, "train/rationale/full/rationale.json", [{"messages": why, "videos": ["DFEW/1.mp4"]}])
    write_records(root, "train/text/full/magpie.json", [{"messages": turns("Hello?", "Hello.")}])
    write_records(root, f"test/emotion/full/{dfew}", [emotion("DFEW/9.mp4", "Sad")])
    return root


@pytest.fixture
def small(tmp_path) -> Path:
    return write_small(tmp_path / "small")


@pytest.fixture(scope="session")
def told(tmp_path_factory) -> tuple[Path, str]:
    """The small folder with its pictures, and what was printed meanwhile. To be looked at: it is made once."""
    root = write_small(tmp_path_factory.mktemp("told") / "small")
    with redirect_stdout(io.StringIO()) as printed:
        stats(str(root))
    return root, " ".join(printed.getvalue().split())


@pytest.fixture
def drawn(told, tmp_path) -> Path:
    """A copy of the small folder with its pictures."""
    return shutil.copytree(told[0], tmp_path / "drawn")
