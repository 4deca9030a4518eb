"""Facts about the captions: they say the whole truth, they are short, and the test's sentences are its own."""

import re
from collections import Counter

import numpy as np
import pytest

from videmo.affect import pair_f1, parse_caption, tree_f1
from videmo.errors import InputError
from videmo.synth import captions, phrases
from videmo.synth.captions import (
    CAPTION_KINDS,
    TEMPLATES,
    action_caption,
    appearance_caption,
    caption_question,
    emotion_caption,
    fine_caption,
    rationale,
)
from videmo.synth.truth import affective_tree, told
from videmo.synth.world import KIND_SHARES, sample_world

SPLITS = ("train", "test")
MAX_WORDS = {appearance_caption: 18, action_caption: 12, emotion_caption: 15, fine_caption: 60}


@pytest.fixture(scope="module")
def clips():
    return [clip for split in sample_world(300, seed=3).clips.values() for clip in split]


def written(write, clips, split):
    rng = np.random.default_rng(5)
    return [write(clip, rng, split) for clip in clips]


@pytest.mark.parametrize("split", SPLITS)
def test_a_fine_caption_says_the_true_tree(clips, split):
    read = [parse_caption(text).tree for text in written(fine_caption, clips, split)]
    true = [affective_tree(clip) for clip in clips]
    for kind in KIND_SHARES["train"]:
        both = [two for two, clip in zip(zip(read, true, strict=True), clips, strict=True) if clip.kind == kind]
        assert both
        assert np.mean([tree_f1(*two) for two in both]) >= 0.98
        assert np.mean([pair_f1(*two) for two in both]) >= 0.98


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("write", MAX_WORDS, ids=lambda write: write.__name__)
def test_every_word_of_a_caption_has_its_place_and_none_is_too_long(clips, write, split):
    for text in written(write, clips, split):
        assert not parse_caption(text).unplaced, text
        assert len(text.split()) <= MAX_WORDS[write], text


@pytest.mark.parametrize("split", SPLITS)
def test_a_fine_caption_is_mostly_shorter_than_45_words(clips, split):
    lengths = [len(text.split()) for text in written(fine_caption, clips, split)]
    assert np.mean(lengths) <= 40 and np.mean(np.array(lengths) > 45) <= 0.2


@pytest.mark.parametrize("split", SPLITS)
def test_a_short_caption_says_nothing_that_is_not_true(clips, split):
    for write in (appearance_caption, emotion_caption):
        for clip, text in zip(clips, written(write, clips, split), strict=True):
            if clip.kind != "pair":
                said, true = parse_caption(text).tree.pairs(), affective_tree(clip).pairs()
                assert not said - true, text


@pytest.mark.parametrize("split", SPLITS)
def test_an_emotion_caption_names_every_emotion_and_how_it_changes(clips, split):
    for clip, text in zip(clips, written(emotion_caption, clips, split), strict=True):
        felt = [one for person in told(clip) for one in person.felt]
        names = [phrases.EMOTIONS[one.label] for one in felt]
        assert Counter(re.findall("|".join(sorted(names, key=len, reverse=True)), text)) == Counter(names)
        times = {label for label in parse_caption(text).tree.pairs() if label.startswith("time")}
        assert times == {f"time: {one.time}" for one in felt if one.time}


@pytest.mark.parametrize("split", SPLITS)
def test_a_rationale_answers_and_gives_the_expressions_of_the_emotion(clips, split):
    for clip, turns in zip(clips, written(rationale, clips, split), strict=True):
        question, answer, why, reason = turns
        assert question.endswith((".", "?")) and answer.endswith(".") and why.endswith("?")
        assert len(reason.split()) <= 25 and not parse_caption(reason).unplaced
        said = {label for label in parse_caption(reason).tree.pairs() if not label.startswith("person")}
        assert said <= set(affective_tree(clip).pairs())
        if clip.kind != "pair" and any(one.shown for one in told(clip)[0].felt):
            assert said


def test_the_tests_templates_are_held_out():
    for kind, (train, test) in TEMPLATES.items():
        assert train and test and not set(train) & set(test), kind
        frames = [{re.sub(r"[\[\]]|{\w+}", "", template) for template in pool} for pool in (train, test)]
        assert not frames[0] & frames[1], kind


@pytest.mark.parametrize("write", MAX_WORDS, ids=lambda write: write.__name__)
def test_no_sentence_of_the_test_is_one_of_the_training(clips, write):
    train, test = (set(written(write, clips, split)) for split in SPLITS)
    assert not train & test


def test_validation_has_the_sentences_of_training(clips):
    for write in (*MAX_WORDS, rationale):
        assert written(write, clips[:50], "val") == written(write, clips[:50], "train")


def test_the_same_numbers_give_the_same_caption(clips):
    for write in (*MAX_WORDS, rationale):
        assert written(write, clips[:50], "train") == written(write, clips[:50], "train")


def test_the_vocabulary_is_small(clips):
    texts = " ".join(text for write in MAX_WORDS for split in SPLITS for text in written(write, clips, split))
    assert len(set(re.findall(r"[a-z]+", texts.lower()))) <= 160


@pytest.mark.parametrize("kind", CAPTION_KINDS)
def test_questions_are_short_and_varied(kind):
    asked = {caption_question(kind, np.random.default_rng(n)) for n in range(20)}
    assert len(asked) > 1 and all(len(question.split()) <= 8 for question in asked)


def test_an_unknown_split_or_kind_is_refused(clips):
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="no split"):
        fine_caption(clips[0], rng, "dev")
    with pytest.raises(InputError, match="appearance, action"):
        caption_question("mood", rng)


def test_every_label_of_the_truth_has_words(clips):
    tables = (phrases.EXPRESSIONS, phrases.EMOTIONS, phrases.POSES, phrases.ACTIONS, phrases.THINGS)
    worded = {label for table in tables for label in table}
    for clip in clips:
        for label in affective_tree(clip).pairs():
            aspect = label.partition(":")[0]
            assert label in worded or aspect in ("person", "age", "hair", "intensity", "time", "eyebrows", "lips")
    assert set(captions.CAPTION_KINDS) == {"appearance", "action", "emotion", "fine"}
