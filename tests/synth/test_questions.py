"""Facts about the records: which there are, what they ask of whom, options, letters, wordings."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from scipy.stats import chisquare

from videmo.data.records import parse_record
from videmo.synth.attributes import ATTRIBUTES
from videmo.synth.face import DFEW, MEAD
from videmo.synth.files import FILES, MIX, attribute_task
from videmo.synth.labels import appearance_labels, emotion_fine, emotions_mafw, hidden_parts
from videmo.synth.questions import clip_records, pair_records
from videmo.synth.world import sample_world
from videmo.tasks import find_task, label_set, question_options

LISTED = {
    "head_pose": "head_pose7",
    "emotion_dfew": "dfew7",
    "emotion_mer2023": "dfew7",
    "sentiment_mosei": "sentiment3",
    "sentiment_mosi": "sentiment3",
    "sentiment_chsims": "sentiment7",
    "micro_expression": "micro5",
    "relation_perr": "perr5",
    "conversation_meld": "dfew7",
}
OPEN = {attribute_task(name): name for name in ATTRIBUTES}
CAPTIONS = ("appearance_cap", "action_cap", "emotion_cap", "caption", "rationale")


@pytest.fixture(scope="module")
def world():
    return sample_world(3000, seed=11)


@pytest.fixture(scope="module")
def clips(world):
    return {clip.path: clip for clip in world.clips["train"]}


def records_of(world, split, mix):
    key = [11, {"train": 10, "test": 12}[split]]
    written = {**clip_records(world.clips[split], key, mix), "identity": pair_records(world.pairs[split], key)}
    return {task: [parse_record(fields, FILES[task].path(split), 1) for fields in written[task]] for task in written}


@pytest.fixture(scope="module")
def records(world):
    """Every task asked of every clip that can be asked it."""
    return records_of(world, "train", {})


@pytest.fixture(scope="module")
def mixed(world):
    return records_of(world, "train", MIX)


def options(record):
    return question_options(record.question)


def test_tasks_sources_and_files_agree(world):
    """Every result file of the benchmark has test records, and find_task knows them by source and by file."""
    records = records_of(world, "test", {})
    assert set(records) == set(FILES) == {"identity", *MIX}
    for task, written in records.items():
        assert written, task
        for source in {record.source for record in written}:
            assert find_task(source).name == task
        assert find_task("unnamed", FILES[task].path("test")).name == task
        if task != "rationale":
            assert FILES[task].path("test").endswith(f"/{find_task(source).result_file}.json")


def test_every_reference_is_read_and_right_against_itself(records):
    for task, written in records.items():
        if task in CAPTIONS:
            continue
        for record in written:
            grade = find_task(record.source).grade(record.answer, record.answer, record.question)
            assert grade.parsed and grade.native == 1.0, (record.question, record.answer)


def test_a_clip_is_asked_a_task_once_or_not_at_all(records, clips):
    for task, written in records.items():
        if task != "identity":
            asked = Counter(record.videos[0] for record in written)
            assert set(asked) <= set(clips) and set(asked.values()) == {1}


KINDS = {
    **dict.fromkeys(("appearance_cls", "head_pose", *OPEN), ("single", "compound", "change", "micro")),
    **dict.fromkeys(("qa_body_actions", "qa_facial_actions"), ("single",)),
    **dict.fromkeys(("emotion_dfew", "emotion_mafw", "emotion_mer2023", "fine_mead", "fine_ravdess"), ("single",)),
    **dict.fromkeys(("sentiment_mosei", "sentiment_mosi", "sentiment_chsims", "action_cls", "action_cap"), ("single",)),
    **dict.fromkeys(("emotion_multi", "action_unit", "appearance_cap"), ("single", "compound")),
    **dict.fromkeys(("relation_perr", "conversation_meld"), ("pair",)),
    **dict.fromkeys(("emotion_cap", "caption"), ("single", "compound", "change", "pair")),
    "micro_expression": ("micro",),
    "rationale": ("single", "compound", "pair"),
}


@pytest.mark.parametrize("task", KINDS)
def test_a_task_is_asked_of_its_kinds_of_clips(records, clips, task):
    assert {clips[record.videos[0]].kind for record in records[task]} == set(KINDS[task])


def test_no_set_is_asked_an_emotion_outside_its_labels(records, clips):
    for task, known in [("emotion_dfew", DFEW), ("emotion_mer2023", DFEW), ("fine_mead", MEAD), ("fine_ravdess", MEAD)]:
        assert {clips[record.videos[0]].emotion for record in records[task]} == set(known)


def test_hidden_things_are_not_asked(records, clips):
    hiders = {"mouth": "qa_mouth", "nose": "qa_nose", "eyes": "qa_eyes", "jaw": "qa_face_shape"}
    for part, task in hiders.items():
        assert any(part in hidden_parts(clip) for clip in clips.values())
        assert not any(part in hidden_parts(clips[record.videos[0]]) for record in records[task])
    for record in records["qa_chin"]:
        clip = clips[record.videos[0]]
        assert "mask" not in clip.accessories
        assert clip.identity.beard != "goatee" or "goatee" in record.answer.lower()
    for task in ("action_unit", "action_cls"):
        assert not any("mask" in clips[record.videos[0]].accessories for record in records[task])
    assert all(clips[record.videos[0]].head_action == "none" for record in records["head_pose"])


def test_answers_are_the_labels_of_the_state(records, clips):
    truths = {
        "head_pose": lambda clip: clip.pose,
        "emotion_dfew": lambda clip: clip.emotion,
        "fine_mead": emotion_fine,
        "micro_expression": lambda clip: clip.micro,
        "relation_perr": lambda clip: clip.relation,
        "conversation_meld": lambda clip: clip.emotion,
        "appearance_cls": lambda clip: ", ".join(appearance_labels(clip)) or "none",
        "action_unit": lambda clip: ", ".join(clip.aus) or "none",
        "emotion_multi": lambda clip: ", ".join(emotions_mafw(clip)),
    }
    for task, truth in truths.items():
        assert all(record.answer == truth(clips[record.videos[0]]) for record in records[task])


def test_identity_answers_follow_the_clips(records, clips):
    for record in records["identity"]:
        one, two = (clips[path] for path in record.videos)
        assert record.answer == ("Yes" if one.identity == two.identity else "No")


@pytest.mark.parametrize("task", LISTED)
def test_label_sets_are_listed_whole_in_a_quarter_of_the_records(records, task):
    listed = [record for record in records[task] if options(record)]
    assert len(listed) / len(records[task]) == pytest.approx(0.25, abs=0.08)
    for record in listed:
        assert sorted(options(record).values()) == sorted(label_set(LISTED[task]))


@pytest.mark.parametrize("task", sorted(set(KINDS) - set(LISTED) - set(OPEN)))
def test_other_tasks_list_nothing(records, task):
    assert not any(options(record) for record in records[task])


@pytest.mark.parametrize("task", OPEN)
def test_some_of_the_open_attributes_records_are_choices_among_at_most_four(records, task):
    choices = [record for record in records[task] if options(record)]
    assert len(choices) / len(records[task]) == pytest.approx(0.3, abs=0.06)
    for record in choices:
        offered = list(options(record).values())
        assert 2 <= len(offered) == len(set(offered)) <= 4 and record.answer in offered
    assert all(len(record.answer.split()) <= 5 for record in records[task])


@pytest.mark.parametrize("task", OPEN)
def test_each_facet_of_an_open_attribute_is_asked_in_each_wording(records, task):
    facets = ATTRIBUTES[OPEN[task]]
    asked = {record.question.split("\n")[0] for record in records[task]}
    assert asked == {question for facet in facets for question in facet.questions}


@pytest.mark.parametrize("task", [*LISTED, *OPEN])
def test_letters_of_the_right_option_are_uniform(records, task):
    letters, expected = Counter(), Counter()
    for record in records[task]:
        for letter, text in options(record).items():
            letters[letter] += text == record.answer
            expected[letter] += 1 / len(options(record))
    letters, expected = ([counts[letter] for letter in sorted(expected)] for counts in (letters, expected))
    assert chisquare(letters, expected).pvalue > 0.0005


@pytest.mark.parametrize("task", OPEN)
def test_options_tell_no_more_than_the_most_frequent_answer(records, task):
    """What is most often right where it is offered is no better than what is most often right."""
    by_question = defaultdict(list)
    for record in records[task]:
        if options(record):
            by_question[record.question.split("\n")[0]].append(record)
    hits = chance = total = 0
    for choices in by_question.values():
        fitted, held_out = choices[::2], choices[1::2]
        right = Counter(record.answer for record in fitted)
        offered = Counter(text for record in fitted for text in options(record).values())
        rate = {text: (right[text] + 0.5) / (offered[text] + 2) for text in offered}
        guesses = [max(options(record).values(), key=lambda text: rate.get(text, 0)) for record in held_out]
        hits += sum(guess == record.answer for guess, record in zip(guesses, held_out, strict=True))
        frequent = right.most_common(1)[0][1] / len(fitted) * len(held_out)
        chance += max(frequent, sum(1 / len(options(record)) for record in held_out))
        total += len(held_out)
    assert hits / total < chance / total + 0.08


def test_questions_a_video_follow_the_mix(mixed, clips):
    a_video = Counter()
    for task, written in mixed.items():
        scenario = "open" if task in OPEN else find_task(FILES[task].source).scenario
        a_video[scenario] += len(written) / len(clips)
    assert a_video["open"] == pytest.approx(9.8, abs=0.5)
    assert a_video["attribute"] == pytest.approx(2.0, abs=0.3)
    assert a_video["expression"] == pytest.approx(4.4, abs=0.5)
    assert a_video["understanding"] == pytest.approx(0.6, abs=0.1)


def test_a_share_of_the_clips_that_can_be_asked_is_asked(records, mixed):
    for task, share in MIX.items():
        assert len(mixed[task]) == pytest.approx(share * len(records[task]), rel=0.25, abs=12)


def test_rationales_have_two_turns(records):
    for record in records["rationale"]:
        assert [message.role for message in record.messages] == ["user", "assistant"] * 2


def test_questions_are_short_and_a_few_stand_before_the_video(records):
    everything = [record for task, written in records.items() if task not in CAPTIONS for record in written]
    assert all(len(record.question.split("\n")[0].split()) <= 8 for record in everything)
    first = np.mean([not record.messages[0].content.startswith("<video>") for record in everything])
    assert 0.04 < first < 0.06
