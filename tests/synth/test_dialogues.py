"""The drawn dialogues ask as a search does, and clips without anybody show nobody."""

import numpy as np

from videmo.affect import caption_tree
from videmo.data.records import parse_record
from videmo.synth.dialogues import EMPTY, NUM_EMPTY, dialogue_records
from videmo.synth.empty import KINDS, draw_empty
from videmo.synth.motion import NUM_FRAMES
from videmo.synth.world import sample_world
from videmo.tasks import FEELING, LEVEL_QUESTIONS, PRESENCE, WHY, find_task


def test_dialogues_go_through_the_levels_and_presence_is_asked_evenly():
    clips = sample_world(400, seed=3).clips["train"]
    records = [parse_record(fields, "train.json", 1) for fields in dialogue_records(clips, [3, 20])]
    assert all(find_task(record.source).name == "reasoning" for record in records)
    asked = [[m.content.removeprefix("<video>") for m in r.messages if m.role == "user"] for r in records]
    dialogues = [turns for turns in asked if turns != [PRESENCE]]
    assert len(dialogues) == len(clips)
    assert all(turns[:2] == [*LEVEL_QUESTIONS.values()] and len(turns) in (3, 4) for turns in dialogues)
    free = [turns[2:] for turns in dialogues if len(turns) == 4]
    assert all(turns == [FEELING, WHY] for turns in free) and 0.4 < len(free) / len(dialogues) < 0.6
    said = {}
    for record in records:
        if len(record.messages) == 2:
            said.setdefault(record.answer, []).append(record.videos[0])
    assert {*said["No"]} == {EMPTY.format(number) for number in range(NUM_EMPTY)}
    assert {*said["Yes"]} <= {clip.path for clip in clips} and len(said["Yes"]) > 0.7 * len(said["No"])
    expressions = [r.messages[3].content for r in records if len(r.messages) > 2]
    assert all(caption_tree(text).children for text in expressions if "at rest" not in text)


def test_clips_without_anybody_are_of_every_kind_and_stay_what_they_are():
    seen = set()
    for number in range(len(KINDS)):
        frames = draw_empty(number)
        assert frames.dtype == np.uint8 and frames.shape == (NUM_FRAMES, 128, 128, 3)
        assert np.array_equal(frames, draw_empty(number))
        seen.add(frames.tobytes())
    assert len(seen) == len(KINDS) and not np.array_equal(draw_empty(0), draw_empty(len(KINDS)))
