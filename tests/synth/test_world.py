"""Facts about sampled worlds; nothing is drawn here."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from videmo.errors import InputError
from videmo.synth.face import (
    ACCESSORIES,
    BODY_ACTIONS,
    COMPOUNDS,
    DFEW,
    EMOTIONS,
    FACE_ACTIONS,
    HEAD_ACTIONS,
    INTENSITIES,
    MEETINGS,
    MICRO,
    POSES,
    RELATIONS,
)
from videmo.synth.labels import actions, appearance, hidden_parts, sentiment
from videmo.synth.motion import MICRO_COURSE, NUM_FRAMES
from videmo.synth.world import (
    HARD,
    KIND_SHARES,
    MIN_VIDEOS,
    SPLITS,
    STRENGTHS,
    sample_action_units,
    sample_world,
    split_sizes,
)
from videmo.tasks import label_set

KINDS = tuple(KIND_SHARES["test"])
WITH_EYES = {"wink", "close_eyes", "look_around"}
WITH_MOUTH = {"talk", "yawn", "kiss", "drink", "smoke", "sing"}


@pytest.fixture(scope="module")
def world():
    return sample_world(1500, seed=7)


@pytest.fixture(scope="module")
def clips(world):
    return [clip for split in SPLITS for clip in world.clips[split]]


@pytest.fixture(scope="module")
def of_kind(clips):
    return {kind: [clip for clip in clips if clip.kind == kind] for kind in KINDS}


@pytest.fixture(scope="module")
def hard():
    return [clip for split in sample_world(500, seed=7, look=HARD).clips.values() for clip in split]


def people(clips):
    return [person for clip in clips for person in (clip.identity, clip.partner) if person is not None]


def expressions(clip):
    """The emotions that are shown at once, and the action units of them; not those of a micro-expression."""
    if clip.kind == "compound":
        return [((clip.emotion, clip.second), clip.aus)]
    if clip.kind == "change":
        return [((clip.second,), clip.first_aus), ((clip.emotion,), clip.aus)]
    if clip.kind == "pair":
        return [((clip.emotion,), clip.aus), ((clip.partner_emotion,), clip.partner_aus)]
    return [((clip.emotion,), clip.aus)] if clip.kind == "single" else []


def strengths(clips):
    return [value for clip in clips for aus in (clip.aus, clip.first_aus, clip.partner_aus) for value in aus.values()]


def best_constant_f1(rows):
    """Greedy search for the fixed set of labels with the best mean per-sample F1."""
    labels = sorted({label for row in rows for label in row})
    left = np.array([[label in row for label in labels] for row in rows])  # not yet hit  # [clips, labels]
    true_sizes, hits = left.sum(axis=1, keepdims=True), np.zeros((len(rows), 1))
    best = float(np.mean(true_sizes == 0))  # that of no label at all
    for size in range(1, len(labels) + 1):
        scores = (2 * (hits + left) / (true_sizes + size)).mean(axis=0)
        if scores.max() <= best:
            break
        best, chosen = float(scores.max()), int(scores.argmax())
        hits = hits + left[:, [chosen]]
        left[:, chosen] = False
    return best


def test_latent_names_are_those_of_the_label_sets(clips):
    assert set(DFEW) == set(label_set("dfew7"))
    assert set(POSES) == set(label_set("head_pose7"))
    assert set(MICRO) == set(label_set("micro5"))
    assert set(RELATIONS) == set(MEETINGS) == set(label_set("perr5"))
    units = {unit for clip in clips for unit in {**clip.aus, **clip.first_aus, **clip.partner_aus}}
    assert units == set(label_set("au12"))


def test_same_seed_gives_the_same_world_and_another_seed_another():
    world = sample_world(60, seed=3)
    assert world == sample_world(60, seed=3)
    assert world != sample_world(60, seed=4)


@pytest.mark.parametrize("num_videos", [MIN_VIDEOS, 61, 77, 200])
def test_every_split_has_its_share_and_two_identities(num_videos):
    sizes = split_sizes(num_videos)
    assert sum(sizes.values()) == num_videos and sizes["train"] >= 0.7 * num_videos
    world = sample_world(num_videos, seed=1)
    for split in SPLITS:
        assert len(world.clips[split]) == sizes[split]
        assert len({clip.identity.name for clip in world.clips[split]}) >= 2
        assert len(world.pairs[split]) >= 2


@pytest.mark.parametrize("seed", range(6))
def test_the_smallest_world_can_ask_about_identity_in_every_split(seed):
    for pairs in sample_world(MIN_VIDEOS, seed).pairs.values():
        assert {pair.same for pair in pairs} == {True, False}


def test_too_few_videos_name_the_minimum():
    with pytest.raises(InputError, match=f"at least {MIN_VIDEOS}"):
        sample_world(MIN_VIDEOS - 1, seed=0)


def test_splits_share_no_identity_and_no_clip(world):
    names = [{person.name for person in people(world.clips[split])} for split in SPLITS]
    faces = [{replace(person, name="") for person in people(world.clips[split])} for split in SPLITS]
    assert sum(map(len, names)) == len(set.union(*names))
    assert sum(map(len, faces)) == len(set.union(*faces))
    paths = [clip.path for split in SPLITS for clip in world.clips[split]]
    assert len(set(paths)) == len(paths)
    assert all(clip.split == split for split in SPLITS for clip in world.clips[split])


def test_a_person_has_two_clips_or_three_and_a_partner_is_nobody_else(clips):
    owners = Counter(clip.identity.name for clip in clips)
    partners = [clip.partner.name for clip in clips if clip.partner is not None]
    assert set(owners.values()) <= {2, 3}
    assert len(partners) == len(set(partners)) > 100 and not owners.keys() & set(partners)


def test_identity_pairs_differ_in_background_pose_and_emotion_whether_same_or_not(world):
    for split in SPLITS:
        seen = set()
        for pair in world.pairs[split]:
            one, two = pair.first, pair.second
            assert one.background != two.background and one.pose != two.pose and one.emotion != two.emotion
            assert one.split == two.split == split and "pair" not in (one.kind, two.kind)
            assert pair.same == (one.identity == two.identity)
            seen.add(frozenset((one.name, two.name)))
        assert len(seen) == len(world.pairs[split]) and all(len(names) == 2 for names in seen)


def test_half_of_the_identity_pairs_are_one_person_and_half_of_the_others_share_a_gender(world):
    pairs = world.pairs["train"]
    assert len(pairs) == pytest.approx(0.2 * len(world.clips["train"]), abs=2)
    for split in SPLITS:
        assert 2 * sum(pair.same for pair in world.pairs[split]) == len(world.pairs[split])
    others = [pair for pair in pairs if not pair.same]
    assert sum(pair.first.identity.male == pair.second.identity.male for pair in others) == len(others) // 2


@pytest.mark.parametrize("split", SPLITS)
def test_kinds_have_their_shares_and_rarer_ones_are_more_frequent_where_they_are_measured(world, split):
    kinds = Counter(clip.kind for clip in world.clips[split])
    for kind, share in KIND_SHARES["train" if split == "train" else "test"].items():
        assert abs(kinds[kind] - share * kinds.total()) < 1 + 1e-9
    assert set(kinds) == set(KINDS)
    for kind in set(KINDS) - {"single"}:
        assert KIND_SHARES["test"][kind] > KIND_SHARES["train"][kind]


def test_a_kind_has_what_it_needs_and_nothing_of_the_others(clips):
    for clip in clips:
        assert (clip.second is not None) == (clip.kind in ("compound", "change"))
        assert (clip.micro is not None) == (clip.onset > 0) == (clip.kind == "micro")
        pair = {clip.relation is not None, clip.partner is not None, clip.partner_emotion is not None}
        assert pair == {clip.kind == "pair"}
        assert clip.kind == "change" or not clip.first_aus
        assert clip.kind == "pair" or not clip.partner_aus
        assert clip.kind == "single" or clip.intensity == "medium"
        assert clip.kind == "single" or (clip.head_action, clip.face_action, clip.body_action) == ("none",) * 3


def test_action_units_shape_their_emotion(clips):
    """What is always there is; one of what must be is; nothing else is but what may be, in numerical order."""
    for clip in clips:
        for emotions, aus in expressions(clip):
            shapes = [EMOTIONS[name] for name in emotions]
            always = {unit for shape in shapes for unit in shape.always}
            may = {unit for shape in shapes for unit in (*shape.either, *dict(shape.often))}
            rare = set(shapes[0].rare) - may if len(shapes) == 1 else set()
            assert always <= set(aus) <= always | may | rare and len(rare & set(aus)) <= 1
            assert all(set(shape.either) & set(aus) for shape in shapes if shape.either)
            assert list(aus) == sorted(aus, key=lambda unit: int(unit[2:]))


def test_action_units_alone_tell_which_of_seven_emotions_it_is():
    rng, seen = np.random.default_rng(0), {}
    for emotion in DFEW:
        for _ in range(150):
            seen.setdefault(tuple(sample_action_units((emotion,), 1.0, rng)), set()).add(emotion)
    assert all(len(emotions) == 1 for emotions in seen.values())


def test_emotions_beyond_the_seven_show_in_lids_lips_gaze_or_tilt_too():
    cues = [(e.eye_wide, e.smirk, e.gaze, e.tilt) for name, e in EMOTIONS.items() if name not in DFEW]
    assert (0.0, 0.0, (0.0, 0.0), 0.0) not in cues and len(set(cues)) == 4


def test_intensities_are_strengths_in_order_that_do_not_overlap(of_kind):
    values = {name: strengths([c for c in of_kind["single"] if c.intensity == name]) for name in INTENSITIES}
    assert max(values["weak"]) < min(values["medium"]) and max(values["medium"]) < min(values["strong"])
    for name in INTENSITIES:
        assert np.mean(values[name]) == pytest.approx(STRENGTHS[name], rel=0.02)


def test_every_intensity_is_a_third_whatever_the_emotion(of_kind):
    singles = of_kind["single"]
    for name in INTENSITIES:
        assert np.mean([clip.intensity == name for clip in singles]) == pytest.approx(1 / 3, abs=0.05)
        for emotion in EMOTIONS:
            group = [clip.intensity == name for clip in singles if clip.emotion == emotion]
            assert abs(np.mean(group) - 1 / 3) < 4 * np.sqrt(2 / 9 / len(group))


def test_a_compound_is_one_of_nine_and_each_of_them_occurs(of_kind):
    assert {(clip.emotion, clip.second) for clip in of_kind["compound"]} == set(COMPOUNDS)


def test_a_change_has_a_first_emotion_that_differs_and_both_are_of_the_seven(of_kind):
    for clip in of_kind["change"]:
        assert clip.second != clip.emotion and {clip.emotion, clip.second} <= set(DFEW)
        assert set(clip.first_aus) != set(clip.aus)
    assert {clip.second for clip in of_kind["change"]} == {clip.emotion for clip in of_kind["change"]} == set(DFEW)


def test_a_micro_expression_is_that_of_its_class_on_a_calm_face(of_kind):
    for clip in of_kind["micro"]:
        assert clip.emotion == "Neutral" and tuple(clip.aus) == MICRO[clip.micro]
    counts = Counter(clip.micro for clip in of_kind["micro"])
    assert set(counts) == set(MICRO) and max(counts.values()) < 0.3 * counts.total()


def test_the_onset_of_a_micro_expression_follows_a_calm_frame_and_leaves_five_frames(of_kind):
    onsets = {clip.onset for clip in of_kind["micro"]}
    assert len(MICRO_COURSE) == 5 and NUM_FRAMES == 16  # that is: the numbers below are those of the motion
    assert min(onsets) >= 1 and max(onsets) + 5 <= 16 and len(onsets) > 5


def test_two_people_feel_what_people_of_their_relation_feel(of_kind):
    met = {relation: set() for relation in RELATIONS}
    for clip in of_kind["pair"]:
        met[clip.relation].add((clip.emotion, clip.partner_emotion))
    assert met == {relation: set(meetings) for relation, meetings in MEETINGS.items()}
    counts = Counter(clip.relation for clip in of_kind["pair"])
    assert max(counts.values()) < 0.3 * counts.total()


def test_what_two_people_feel_together_tells_their_relation():
    meetings = [meeting for relation in RELATIONS for meeting in MEETINGS[relation]]
    assert len(set(meetings)) == len(meetings)


def test_two_people_face_the_camera(of_kind):
    assert {clip.pose for clip in of_kind["pair"]} == {"Front"}


def test_every_action_is_done_by_someone_and_calm_faces_alone_act(of_kind):
    singles = of_kind["single"]
    assert {clip.head_action for clip in singles} == set(HEAD_ACTIONS)
    assert {clip.face_action for clip in singles} == set(FACE_ACTIONS)
    assert {clip.body_action for clip in singles} == set(BODY_ACTIONS)
    assert {clip.emotion for clip in singles if clip.face_action != "none"} == {"Neutral"}
    assert {clip.pose for clip in singles if clip.head_action == "turn"} == {"Front"}


def test_no_action_is_hidden_by_a_mask_or_sunglasses(of_kind):
    for clip in of_kind["single"]:
        done, hidden = {clip.face_action, clip.body_action}, hidden_parts(clip)
        assert "eyes" not in hidden or not done & WITH_EYES
        assert "mouth" not in hidden or not done & WITH_MOUTH


def test_eyes_act_above_a_mask_and_lips_below_sunglasses(of_kind):
    masked, shaded = (
        {act for clip in of_kind["single"] if worn in clip.accessories for act in (clip.face_action, clip.body_action)}
        for worn in ("mask", "sunglasses")
    )
    assert masked & WITH_EYES and shaded & WITH_MOUTH


def test_a_mouth_does_one_thing_at_a_time(of_kind):
    for clip in of_kind["single"]:
        assert clip.face_action not in WITH_MOUTH or clip.body_action not in WITH_MOUTH


def test_features_and_things_worn_fit_together(clips):
    for person in people(clips):
        assert person.male or (person.beard == "none" and not person.sideburns and not person.receding)
        assert person.hair_length != "bald" or not (person.bangs or person.receding or person.sideburns)
        assert not (person.bangs and person.receding)
    for clip in clips:
        worn = set(clip.accessories)
        assert not {"eyeglasses", "sunglasses"} <= worn
        assert not clip.identity.male or not {"lipstick", "makeup"} & worn
        assert clip.accessories == tuple(name for name in ACCESSORIES if name in worn)


def test_every_appearance_and_action_label_that_is_drawn_occurs_and_none_is_nearly_certain(clips):
    for shown in (appearance, actions):
        rows = [shown(clip) for clip in clips if clip.kind == "single"]
        for label in rows[0]:
            assert 0 < np.mean([row[label] for row in rows]) < 0.6, label


def test_blind_answers_stay_weak(clips, of_kind):
    emotions = Counter(clip.emotion for clip in of_kind["single"])
    poses = Counter(clip.pose for clip in clips if clip.kind != "pair")
    sentiments = Counter(map(sentiment, of_kind["single"]))
    assert set(emotions) == set(EMOTIONS) and max(emotions.values()) / emotions.total() < 0.22
    assert set(poses) == set(POSES) and max(poses.values()) / poses.total() < 0.16
    assert len(sentiments) == 3 and max(sentiments.values()) / sentiments.total() < 0.55


@pytest.mark.parametrize(("task", "bound"), [("appearance", 0.46), ("aus", 0.45)])
def test_best_constant_multi_label_answer_stays_weak(clips, task, bound):
    if task == "appearance":
        rows = [{label for label, seen in appearance(clip).items() if seen} for clip in clips if clip.kind != "pair"]
    else:
        rows = [set(clip.aus) for clip in clips if clip.kind in ("single", "compound")]
    assert 0.3 < best_constant_f1(rows) < bound


def test_clip_names_and_their_order_tell_nothing(world):
    clips = world.clips["train"]
    spelt = CountVectorizer(analyzer="char").fit_transform(" ".join(clip.name) for clip in clips)
    place = np.arange(len(clips))[:, None]
    waves = np.concatenate([np.sin(place / period) for period in (3, 10, 50, 200, 1000)], axis=1)
    for field in ("kind", "emotion", "pose"):
        target = [getattr(clip, field) for clip in clips]
        chance = max(Counter(target).values()) / len(target)
        for told in (spelt, waves):
            assert cross_val_score(LogisticRegression(max_iter=1000), told, target, cv=3).mean() < chance + 0.05


def test_clips_of_one_person_do_not_stand_together(world):
    names = [clip.identity.name for clip in world.clips["train"]]
    assert sum(one == two for one, two in pairwise(names)) < 8


def test_order_and_sides_of_identity_pairs_tell_nothing(world):
    clips, pairs = world.clips["train"], world.pairs["train"]
    half, place = len(pairs) // 2, {clip.name: number for number, clip in enumerate(clips)}
    assert sum(pair.same for pair in pairs[:half]) / half == pytest.approx(0.5, abs=0.15)
    for same in (True, False):
        earlier = [place[pair.first.name] < place[pair.second.name] for pair in pairs if pair.same == same]
        assert np.mean(earlier) == pytest.approx(0.5, abs=0.18)


def test_who_it_is_and_what_is_worn_is_independent_of_the_emotion(of_kind):
    singles = of_kind["single"]
    traits = {
        **{name: [name in clip.accessories for clip in singles] for name in ("eyeglasses", "hat", "blush", "mask")},
        "male": [clip.identity.male for clip in singles],
        "elderly": [clip.identity.age == "elderly" for clip in singles],
        "front": [clip.pose == "Front" for clip in singles],
    }
    for holds in traits.values():
        share = np.mean(holds)
        for emotion in EMOTIONS:
            group = [held for held, clip in zip(holds, singles, strict=True) if clip.emotion == emotion]
            assert abs(np.mean(group) - share) < 4 * np.sqrt(share * (1 - share) / len(group))


def test_a_clear_look_is_neither_noisy_nor_occluded_and_shows_feelings_in_full(clips):
    assert {(clip.noise, clip.occluder, clip.tint) for clip in clips} == {(0.0, "none", 1.0)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_hard_look_is_fainter_in_every_kind(of_kind, hard, kind):
    faint = strengths([clip for clip in hard if clip.kind == kind])
    assert np.mean(faint) == pytest.approx(0.75 * np.mean(strengths(of_kind[kind])), rel=0.08)


def test_a_hard_look_is_noisy_pale_and_half_occluded(hard):
    assert all(6.9 < clip.noise < 14.1 and clip.tint == 0.25 for clip in hard)
    assert np.std([clip.noise for clip in hard]) > 1
    seen = Counter(clip.occluder for clip in hard)
    assert set(seen) == set(HARD.occluders) and 0.45 < seen["none"] / len(hard) < 0.65


def test_occlusion_and_noise_are_independent_of_the_emotion(hard):
    singles = [clip for clip in hard if clip.kind == "single"]
    share, noise = np.mean([clip.occluder != "none" for clip in singles]), [clip.noise for clip in singles]
    for emotion in DFEW:
        group = [clip for clip in singles if clip.emotion == emotion]
        covered = np.mean([clip.occluder != "none" for clip in group])
        assert abs(covered - share) < 4 * np.sqrt(share * (1 - share) / len(group))
        assert abs(np.mean([clip.noise for clip in group]) - np.mean(noise)) < 4 * np.std(noise) / np.sqrt(len(group))
