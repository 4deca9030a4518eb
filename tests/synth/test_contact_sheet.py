"""The picture of a world, from what stands on disk."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from videmo.synth.draw import draw_clip
from videmo.synth.encode import encode_clip
from videmo.synth.world import sample_world

TOOL = Path(__file__).parents[2] / "tools" / "contact_sheet.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("contact_sheet", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_sheet_shows_clips_where_there_are_some_and_grey_where_none_is(tool, tmp_path):
    clips = [clip for clip in sample_world(200, seed=1).clips["train"] if clip.kind == "single"][:6]
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "train.jsonl").write_text("\n".join(json.dumps(clip.as_dict()) for clip in clips) + "\n")
    for clip in clips:
        (tmp_path / "videos" / clip.path).parent.mkdir(parents=True, exist_ok=True)
        encode_clip(draw_clip(clip), tmp_path / "videos" / clip.path)
    sheet = np.asarray(tool.contact_sheet(tmp_path))
    assert sheet.shape[1] == pytest.approx(1400, abs=20)
    grey = (sheet == np.array(tool.FAINT)).all(axis=-1).mean()
    assert 0.2 < grey < 0.8
    first = next(number for number, name in enumerate(tool.EMOTIONS) if name == clips[0].emotion)
    top = tool.HEAD + first * (tool.CELL + tool.CAPTION)
    assert len(np.unique(sheet[top : top + tool.CELL].reshape(-1, 3), axis=0)) > 1000
