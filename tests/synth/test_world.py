"""Facts about sampled worlds; nothing is drawn here."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import cross_val_score

from videmo.errors import InputError
from videmo.synth.face import EMOTIONS, POSES, appearance, sentiment
from videmo.synth.world import MIN_VIDEOS, SPLITS, sample_world, split_sizes
from videmo.tasks import label_set


@pytest.fixture(scope="module")
def world():
    return sample_world(1500, seed=7)


@pytest.fixture(scope="module")
def clips(world):
    return [clip for split in SPLITS for clip in world.clips[split]]


def test_latent_names_are_those_of_the_label_sets(clips):
    assert set(EMOTIONS) == set(label_set("dfew7"))
    assert set(POSES) == set(label_set("head_pose7"))
    assert {au for clip in clips for au in clip.aus} == set(label_set("au12"))
    drawn = list(appearance(clips[0]))
    assert drawn == [label for label in label_set("appearance40") if label in drawn]


def test_same_seed_gives_the_same_world_and_another_seed_another():
    assert sample_world(60, seed=3) == sample_world(60, seed=3)
    assert sample_world(60, seed=3) != sample_world(60, seed=4)


@pytest.mark.parametrize("num_videos", [MIN_VIDEOS, 41, 77, 200, 1500])
def test_every_split_has_its_share_and_two_identities(num_videos):
    sizes = split_sizes(num_videos)
    assert sum(sizes.values()) == num_videos and sizes["train"] > 0.7 * num_videos
    world = sample_world(num_videos, seed=1)
    for split in SPLITS:
        assert len(world.clips[split]) == sizes[split]
        assert len({clip.identity.name for clip in world.clips[split]}) >= 2
        assert len(world.pairs[split]) >= 2


def test_too_few_videos_name_the_minimum():
    with pytest.raises(InputError, match=f"at least {MIN_VIDEOS}"):
        sample_world(MIN_VIDEOS - 1, seed=0)


def test_splits_share_no_identity_and_no_clip(world):
    names = [{clip.identity.name for clip in world.clips[split]} for split in SPLITS]
    faces = [{replace(clip.identity, name="") for clip in world.clips[split]} for split in SPLITS]
    assert sum(map(len, names)) == len(set.union(*names))
    assert sum(map(len, faces)) == len(set.union(*faces))
    paths = [clip.path for split in SPLITS for clip in world.clips[split]]
    assert len(set(paths)) == len(paths)


def test_pairs_differ_in_background_pose_and_emotion_whether_same_or_not(world):
    for split in SPLITS:
        for pair in world.pairs[split]:
            one, two = pair.first, pair.second
            assert one.background != two.background and one.pose != two.pose and one.emotion != two.emotion
            assert one.split == two.split == split and one.name != two.name


def test_half_of_the_pairs_are_one_person_and_half_of_the_others_share_a_gender(world):
    pairs = world.pairs["train"]
    assert len(pairs) == pytest.approx(0.2 * len(world.clips["train"]), abs=2)
    assert sum(pair.same for pair in pairs) == len(pairs) // 2
    others = [pair for pair in pairs if not pair.same]
    assert sum(pair.first.identity.male == pair.second.identity.male for pair in others) == len(others) // 2


def test_action_units_tell_the_emotion(clips):
    seen: dict[tuple, set] = {}
    for clip in clips:
        seen.setdefault(tuple(clip.aus), set()).add(clip.emotion)
    assert all(len(emotions) == 1 for emotions in seen.values())


def test_blind_answers_stay_weak(clips):
    emotions = Counter(clip.emotion for clip in clips)
    poses = Counter(clip.pose for clip in clips)
    sentiments = Counter(map(sentiment, clips))
    assert max(emotions.values()) / len(clips) < 0.22
    assert max(poses.values()) / len(clips) < 0.16
    assert 0.33 < max(sentiments.values()) / len(clips) < 0.45


@pytest.mark.parametrize(("task", "bound"), [("appearance", 0.46), ("aus", 0.42)])
def test_best_constant_multi_label_answer_stays_weak(clips, task, bound):
    """Greedy search for the fixed label set with the best mean per-sample F1."""
    rows = [appearance(clip) if task == "appearance" else dict.fromkeys(clip.aus, True) for clip in clips]
    labels = sorted({label for row in rows for label in row})
    truth = np.array([[bool(row.get(label)) for label in labels] for row in rows])  # [clips, labels]

    def score(chosen: list[int]) -> float:
        answer = np.zeros_like(truth)
        answer[:, chosen] = True
        return f1_score(truth, answer, average="samples", zero_division=1.0)

    chosen, best = [], 0.0
    while len(chosen) < len(labels):
        value, label = max((score([*chosen, label]), label) for label in range(len(labels)) if label not in chosen)
        if value <= best:
            break
        chosen, best = [*chosen, label], value
    assert 0.3 < best < bound


def test_clip_names_and_their_order_tell_nothing(world):
    clips = world.clips["train"]
    names = [" ".join(clip.name) for clip in clips]
    place = np.arange(len(clips))[:, None]
    for target in ([clip.emotion for clip in clips], [clip.pose for clip in clips]):
        chance = max(Counter(target).values()) / len(target)
        spelt = CountVectorizer(analyzer="char").fit_transform(names)
        assert cross_val_score(LogisticRegression(max_iter=200), spelt, target, cv=3).mean() < chance + 0.05
        waves = np.concatenate([np.sin(place / period) for period in (3, 10, 50, 200, 1000)], axis=1)
        assert cross_val_score(LogisticRegression(max_iter=200), waves, target, cv=3).mean() < chance + 0.05


def test_what_is_worn_and_where_is_independent_of_the_emotion(clips):
    for name in ("eyeglasses", "hat", "blush"):
        share = np.mean([name in clip.accessories for clip in clips])
        for emotion in EMOTIONS:
            group = [name in clip.accessories for clip in clips if clip.emotion == emotion]
            assert abs(np.mean(group) - share) < 4 * np.sqrt(share * (1 - share) / len(group))
