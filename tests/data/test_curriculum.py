import math
from collections import Counter

import numpy as np
import pytest

from videmo.data.curriculum import Curriculum, Stage
from videmo.errors import InputError
from videmo.tasks import find_task

POSE, HAIR = find_task("MEAD_Head-Pose"), find_task("QA_Hair")
EMOTION, CAPTION = find_task("DFEW_Single-Label-Emotion-Recognition"), find_task("caption_test_sampling_v2_all_example")
KINDS = (CAPTION, HAIR, POSE, EMOTION)
TASKS = [POSE] * 40 + [HAIR] * 60 + [EMOTION] * 30 + [CAPTION] * 10
TASK = np.array([KINDS.index(task) for task in TASKS])

THREE = [
    Stage("attribute", {"attribute": 1.0}, epochs=2),
    Stage("expression", {"expression": 1.0}, epochs=3, replay=0.25),
    Stage("emotion", {"understanding": 1.0}, steps=7, replay=0.5),
]


def _taken(curriculum: Curriculum, epoch: int) -> Counter:
    return Counter(TASKS[number].name for number in curriculum.records(epoch))


def test_each_stage_takes_its_own_tasks_and_its_share_of_replay():
    plan = Curriculum(THREE, TASK, KINDS, samples_a_step=4)
    assert _taken(plan, 0) == {POSE.name: 40, HAIR.name: 60}
    assert _taken(plan, 2) == {EMOTION.name: 30, POSE.name: 4, HAIR.name: 6}  # 10 of 40 in the mix of stage 1
    emotion = _taken(plan, 5)
    assert emotion[CAPTION.name] == 10
    assert sum(emotion.values()) == 20


def test_epochs_and_steps_follow_one_another():
    plan = Curriculum(THREE, TASK, KINDS, samples_a_step=4)
    assert [(p.stage.name, p.first_epoch, p.epochs, p.first_step, p.steps) for p in plan.phases] == [
        ("attribute", 0, 2, 0, 50),
        ("expression", 2, 3, 50, 30),
        ("emotion", 5, 2, 80, 7),
    ]
    assert plan.num_epochs == 7
    assert [plan.phase(epoch).stage.name for epoch in (0, 1, 2, 4, 5, 6, 99)] == [
        *["attribute"] * 2,
        *["expression"] * 2,
        *["emotion"] * 3,
    ]


def test_a_stage_of_steps_cuts_its_last_epoch():
    plan = Curriculum(THREE, TASK, KINDS, samples_a_step=4)  # 20 samples an epoch are 5 steps; 7 steps are 28 samples
    assert len(plan.records(5)) == 20
    assert len(plan.records(6)) == 8


def test_a_fraction_takes_other_records_every_epoch_until_all_were_taken():
    plan = Curriculum([Stage("s", {"head_pose": 0.25}, epochs=8)], TASK, KINDS, samples_a_step=4)
    first = np.concatenate([plan.records(epoch) for epoch in range(4)])
    assert sorted(first.tolist()) == list(range(40))
    assert Counter(np.concatenate([plan.records(epoch) for epoch in range(8)]).tolist()).most_common(1)[0][1] == 2


def test_a_fraction_keeps_a_videos_questions_together():
    keys = np.arange(len(TASKS)) % 20  # 20 videos: 2 poses and 3 hairs of each
    plan = Curriculum([Stage("s", {"attribute": 0.25}, epochs=4)], TASK, KINDS, samples_a_step=4, family=keys)
    videos = Counter(keys[number] for number in plan.records(1))
    assert len(videos) == 5
    assert set(videos.values()) == {5}
    assert sorted(np.concatenate([plan.records(epoch) for epoch in range(4)]).tolist()) == list(range(100))


def test_a_weight_above_one_repeats_records():
    plan = Curriculum([Stage("s", {"head_pose": 2.5}, epochs=2)], TASK, KINDS, samples_a_step=4)
    assert set(Counter(plan.records(0).tolist()).values()) == {2, 3}


def test_a_files_weight_multiplies_its_stages():
    weight = np.where(np.arange(len(TASK)) < 20, 2.0, 0.5)  # half of the poses, and all others
    plan = Curriculum([Stage("s", {"attribute": 1.0}, epochs=1)], TASK, KINDS, samples_a_step=4, file_weight=weight)
    assert _taken(plan, 0) == {POSE.name: 50, HAIR.name: 30}
    assert Counter(plan.records(0)[plan.records(0) < 20].tolist()) == dict.fromkeys(range(20), 2)


def test_a_key_of_which_an_epoch_takes_no_record_is_known_with_how_many_there_are():
    mix = {"attribute": 1.0, "head_pose": 0.001, "text": 0.5, "gender": 0.0}
    stages = [Stage("s", mix, epochs=1), Stage("t", {"head_pose": 0.001, "emotion_single": 1.0}, epochs=1, replay=0.5)]
    plan = Curriculum(stages, TASK, KINDS, samples_a_step=4)
    assert plan.idle_keys(plan.stages[0]) == {"head_pose": 40, "text": 0}
    assert plan.idle_keys(plan.stages[1]) == {"head_pose": 40}


def test_the_narrowest_name_counts():
    mix = {"all": 1.0, "attribute": 0.5, "hair": 0.0}
    plan = Curriculum([Stage("s", mix, epochs=1)], TASK, KINDS, samples_a_step=4)
    assert _taken(plan, 0) == {POSE.name: 20, EMOTION.name: 30, CAPTION.name: 10}


def test_the_same_seed_takes_the_same_and_another_takes_others():
    stages = [Stage("s", {"attribute": 0.3}, epochs=2)]
    one, same, other = (Curriculum(stages, TASK, KINDS, 4, seed) for seed in (1, 1, 2))
    assert (one.records(1) == same.records(1)).all()
    assert set(one.records(1)) != set(other.records(1))


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([], "names of their own"),
        ([Stage("a", epochs=1), Stage("a", epochs=1)], "names of their own"),
        ([Stage("a", epochs=1, replay=0.5)], "nothing to replay"),
        ([Stage("a", {"atribute": 1.0}, epochs=1)], "did you mean attribute"),
        ([Stage("a", {"sentiment": 1.0}, epochs=1)], "sentiment_"),
        ([Stage("a", {"action_unit": 1.0}, epochs=1)], "no record is of action_unit"),
        ([Stage("a", {"head_pose": 0.001}, epochs=1)], "come to no record"),
        ([Stage("../a", epochs=1)], "becomes a file"),
        ([Stage("last", epochs=1)], "becomes a file"),
    ],
)
def test_a_curriculum_that_cannot_be_is_refused(stages, message):
    with pytest.raises(InputError, match=message):
        Curriculum(stages, TASK, KINDS, samples_a_step=4)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "either epochs or steps"),
        ({"epochs": 1, "steps": 1}, "either epochs or steps"),
        ({"epochs": 0}, "at least 1"),
        ({"epochs": 1, "replay": 1.0}, "replay"),
        ({"epochs": 1, "learning_rate": -1e-3}, "stage 'a': learning_rate must be above 0"),
        ({"epochs": 1, "mix": {"all": -1.0}}, "0 or more"),
        ({"epochs": 1, "mix": {"all": math.inf}}, "finite"),
        ({"epochs": 1, "mix": {}}, r"its mix \{\} takes nothing"),
        ({"epochs": 1, "mix": {"qa_hair": 0.0}}, r"its mix \{'qa_hair': 0.0\} takes nothing"),
        ({"epochs": 1, "mix": {"all": 1e12}}, r"would take 1.4e\+14 records, more than 100,000,000; lower the weights"),
    ],
)
def test_a_stage_that_cannot_be_is_refused(fields, message):
    with pytest.raises(InputError, match=message):
        Curriculum([Stage("a", **fields)], TASK, KINDS, samples_a_step=4)


@pytest.mark.parametrize(("weight", "replay"), [(1e12, 0.0), (1e308, 0.5), (1.0, 1 - 1e-9)])
def test_weights_of_files_and_replay_may_not_ask_for_more_than_an_epoch_can_hold(weight, replay):
    stages = [Stage("a", {"head_pose": 1.0}, epochs=1), Stage("b", {"hair": 1.0}, epochs=1, replay=replay)]
    with pytest.raises(InputError, match=r"stage '[ab]': an epoch would take"):
        Curriculum(stages, TASK, KINDS, samples_a_step=4, file_weight=np.full(len(TASK), weight))
