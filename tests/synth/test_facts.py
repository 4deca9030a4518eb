"""Facts about the facts of captions: whole captions tell all of them, in every split, and what is wrong costs."""

import numpy as np
import pytest

from videmo.affect import AffectiveTree
from videmo.synth.captions import appearance_caption, fine_caption
from videmo.synth.facts import facts_told, stated_facts
from videmo.synth.truth import affective_tree
from videmo.synth.world import sample_world


@pytest.fixture(scope="module")
def clips():
    return [clip for split in sample_world(300, seed=3).clips.values() for clip in split]


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_whole_caption_states_every_fact_of_its_clip_and_no_other(clips, split):
    rng = np.random.default_rng(5)
    for clip in clips:
        caption = fine_caption(clip, rng, split)
        assert stated_facts(caption) == affective_tree(clip).pairs(), caption


def test_a_part_of_the_caption_tells_a_part_and_another_clips_caption_less(clips):
    rng = np.random.default_rng(5)
    one = next(clip for clip in clips if clip.kind == "single")
    truth = affective_tree(one)
    part = facts_told(appearance_caption(one, rng, "test"), truth)
    others = [facts_told(fine_caption(clip, rng, "test"), truth) for clip in clips if clip != one]
    assert 0 < part < 1 and np.mean(others) < 0.5


@pytest.mark.parametrize(
    ("caption", "right"),
    [
        ("A young man with short black hair. He looks sad because of tears.", 6 / 6),
        ("A young woman with short black hair. She looks sad because of tears.", 5 / 7),  # one missing, one wrong
        ("He looks sad and sad and sad.", 1 / 8),  # said twice more than it is true
        ("Short black hair, young man, sad, tears.", 6 / 6),  # facts, not sentences
        ("", 0.0),
    ],
)
def test_wrong_and_repeated_facts_cost_as_missing_ones_do(caption, right):
    truth = AffectiveTree.from_compact(
        "video(person: man(emotion: sadness(eyes: tearful), "
        "emotion: -(expression: -(age: young, hair: short, hair: black))))"
    )
    assert facts_told(caption, truth) == pytest.approx(right)
