"""Perplexity: estimates worked by hand, and scores that equal those of each answer alone."""

import json
import math
import shutil

import numpy as np
import pytest
import torch
from transformers import AutoConfig

from videmo.check.folder import DataFolder
from videmo.data.dataset import RecordDataset
from videmo.data.patterns import RELEASE, FilePatterns
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.models.backbone import Backbone
from videmo.pretrained import VIDEMO_FILE, load_tokenizer
from videmo.stats.command import stats
from videmo.stats.corpus import Corpus
from videmo.stats.perplexity import Scored, chosen_records, estimate, score_answers, suggested_order, trees_of
from videmo.tasks import find_task
from videmo.token_tree import TokenLayout

HAIR, AGE, DFEW = find_task("QA_Hair"), find_task("QA_Age"), find_task("DFEW_Single-Label-Emotion-Recognition")
SMALL = {"max_frames": 4, "min_pixels": 84 * 84, "max_pixels": 84 * 84}


def test_a_class_weighs_its_tasks_by_their_records_in_the_data():
    scored = [Scored(HAIR, 1, 4.0, 2), Scored(HAIR, 2, 2.0, 2), Scored(AGE, 1, 1.0, 1)]
    found, _ = estimate(scored, {HAIR: 300, AGE: 100})
    # a mean hair answer has nll 3 and 2 tokens, an age answer 1 and 1: (300*3 + 100*1) / (300*2 + 100*1)
    assert found["attribute"].value == pytest.approx(math.exp(1000 / 700))
    assert (found["attribute"].answers, found["attribute"].videos) == (3, 2)
    assert found["attribute"].tokens == pytest.approx((300 * 2 + 100 * 1) / 400)
    assert found["attribute"].low <= found["attribute"].value <= found["attribute"].high


def test_answers_on_one_video_are_drawn_together():
    """Ten answers on one video say no more of other videos than that one does."""
    alike = [Scored(HAIR, 1, float(nll), 1) for nll in range(10)]
    apart = [Scored(HAIR, video, float(video), 1) for video in range(10)]
    together, _ = estimate(alike, {HAIR: 10})
    alone, _ = estimate(apart, {HAIR: 10})
    assert together["attribute"].low == pytest.approx(together["attribute"].high)
    assert alone["attribute"].low < alone["attribute"].value < alone["attribute"].high


def test_the_order_is_by_rising_perplexity_and_sure_where_classes_lie_apart():
    scored = [Scored(HAIR, video, 0.1, 1) for video in range(20)] + [Scored(DFEW, video, 2.0, 1) for video in range(20)]
    found, share = estimate(scored, {HAIR: 20, DFEW: 20})
    assert suggested_order(found) == ["attribute", "expression"] and share == 1.0
    noise = np.random.default_rng(0).normal(1, 1, (2, 20))
    scored = [Scored(task, video, noise[i, video], 1) for i, task in enumerate((HAIR, DFEW)) for video in range(20)]
    assert estimate(scored, {HAIR: 20, DFEW: 20})[1] < 1.0


def test_one_class_has_no_order_and_nothing_has_none():
    assert estimate([Scored(HAIR, 1, 1.0, 1)], {HAIR: 1})[1] is None
    assert estimate([], {}) == ({}, None)


def test_a_tree_has_at_most_eight_branches():
    family = np.zeros(20, int)
    assert [len(group) for group in trees_of(np.arange(20), family)] == [8, 8, 4]
    assert trees_of(np.empty(0, int), family) == []


@pytest.fixture(scope="module")
def model(world_checkpoint, tmp_path_factory):
    """A random model that was trained on small pictures."""
    folder = tmp_path_factory.mktemp("model") / "model"
    shutil.copytree(world_checkpoint, folder)
    (folder / VIDEMO_FILE).write_text(json.dumps({"video": SMALL}))
    return str(folder)


@pytest.fixture
def corpus(world):
    patterns = {split: FilePatterns(pattern, f"--{split}") for split, pattern in RELEASE.items()}
    return Corpus.open(DataFolder(world, world / "videos", patterns), "train", 0)


def test_tasks_are_asked_about_the_same_videos_where_they_can_be(corpus):
    numbers = chosen_records(corpus, 3)
    assert len(set(numbers.tolist())) == len(numbers) == sum(min(3, len(own)) for own in corpus.tasks.values())
    assert len(np.unique(corpus.index.family[numbers])) < 0.8 * len(numbers)


def test_scores_in_trees_are_those_of_answers_alone(corpus, model):
    found, failed = score_answers(corpus, model, 1)
    assert failed == 0 and len(found) == len(corpus.tasks)
    tokenizer = load_tokenizer(model)
    backbone = Backbone.load(model).eval()
    layout = TokenLayout.from_config(AutoConfig.from_pretrained(model), tokenizer.pad_token_id)
    alone = RecordDataset(corpus.index, corpus.folder.video_root, tokenizer, layout, VideoSettings(**SMALL))
    for one in [one for one in found if one.task in (HAIR, DFEW, find_task("rationale"))]:
        number = next(
            n for n in chosen_records(corpus, 1).tolist() if corpus.index.tasks[corpus.index.task[n]] == one.task
        )
        with torch.inference_mode():
            logps = backbone.score(alone.__getitems__([number])).logps
        assert len(logps) == one.tokens
        assert -float(logps.sum()) == pytest.approx(one.nll, rel=1e-4)


def test_the_page_has_both_orders_and_says_its_doubt(world, model, tmp_path):
    stats(str(world), faces=0, sample=20, ckpt=model, answers=2, out=str(tmp_path / "out"))
    found = json.loads((tmp_path / "out" / "stats.json").read_text())["figures"]["perplexity"]
    assert found["paper_order"] == ["attribute", "expression", "emotion"]
    assert sorted(found["suggested_order"]) == sorted(found["paper_order"])
    # random weights guess among some hundreds of words
    assert all(of["value"] > 100 and of["low"] <= of["value"] <= of["high"] for of in found["classes"].values())
    page = (tmp_path / "out" / "stats.html").read_text()
    assert "of the resamples have the same order" in page and "By rising perplexity" in page


def test_videos_that_cannot_be_read_are_counted_and_left_out(world, model, tmp_path):
    root = tmp_path / "world"
    shutil.copytree(world, root, ignore=shutil.ignore_patterns(".videmo", "stats"))
    for video in (root / "videos").rglob("*.mp4"):
        video.write_bytes(b"\0" * 100)
    stats(str(root), faces=0, sample=5, ckpt=model, answers=1)
    left = json.loads((root / "stats" / "stats.json").read_text())["left_out"]
    assert "could be scored" in left["perplexity"] and "can be read" in left["durations"]


def test_a_model_that_is_none_is_refused(small, tmp_path):
    with pytest.raises(InputError):
        stats(str(small), ckpt=str(tmp_path / "none"))
