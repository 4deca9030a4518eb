"""Which samples are shown, and their frames and trees."""

import base64
import io

import pytest
from made_up import EMOTION
from PIL import Image

from videmo.report.frames import FrameReader
from videmo.report.results import read_methods
from videmo.report.samples import PER_TASK, choose_samples
from videmo.report.trees import ALONE, CHANGED, MATCHED, pair_trees, read_tree


@pytest.fixture
def samples(results):
    return choose_samples(read_methods(results)[0][0].predictions, FrameReader(None))


def of(samples, task, pick):
    return [sample for sample in samples if (sample.task, sample.pick) == (task, pick)]


def test_the_surest_wrong_answers_are_the_worst_and_the_surest_right_ones_the_best(samples):
    worst = of(samples, EMOTION, "worst")
    best = of(samples, EMOTION, "best")
    assert [s.clips[0].name for s in worst] == ["clips/2.mp4", "clips/3.mp4", "clips/4.mp4"]
    assert [s.clips[0].name for s in best] == ["clips/0.mp4", "clips/1.mp4", "clips/5.mp4"]
    assert {s.verdict for s in worst} == {"wrong"} and {s.verdict for s in best} == {"right"}


def test_an_unread_answer_is_wrong_and_says_so(samples):
    unread = of(samples, EMOTION, "worst")[-1]
    assert (unread.answer, unread.read_as) == ("perhaps", None)


def test_options_leave_the_question_text(samples):
    sample = of(samples, EMOTION, "best")[0]
    assert sample.question == "How does the person feel?"
    assert sample.options == ["A. Happy", "B. Sad", "C. Neutral", "D. Angry"]


def test_captions_go_by_their_score(samples):
    best, worst = of(samples, "caption", "best"), of(samples, "caption", "worst")
    assert best[0].answer == best[0].truth
    assert worst[0].answer == "A dog."
    assert len(best) <= PER_TASK and not {s.answer for s in best} & {s.answer for s in worst}


def test_no_sample_is_shown_twice(samples):
    assert len({sample.id for sample in samples}) == len(samples)
    shown = [(s.task, s.clips[0].name) for s in samples]
    assert len(set(shown)) == len(shown)


def test_frames_are_four_small_pictures(whole_run):
    uris, problem = FrameReader(whole_run / "data" / "videos").frames("clips/3.mp4")
    assert len(uris) == 4 and not problem
    pictures = [Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) for uri in uris]
    assert {picture.size for picture in pictures} == {(64, 48)}
    greens = [picture.getpixel((32, 24))[1] for picture in pictures]
    assert greens == sorted(greens) and greens[-1] - greens[0] > 150  # first to last of 16 frames


def test_pictures_run_out_with_a_sentence(whole_run):
    reader = FrameReader(whole_run / "data" / "videos", max_bytes=3500)
    answers = [reader.frames(f"clips/{number}.mp4") for number in range(8)]
    assert answers[0][0]
    assert answers[-1] == ([], "left out: the page has its fill of pictures")


def tree(*children, label="video"):
    return {"label": label, "children": list(children)}


def test_nodes_of_both_trees_match_below_a_changed_parent():
    lips = tree(label="lips: narrow")
    truth = read_tree(tree(tree(tree(lips, label="emotion: sadness"), label="person: woman"), tree(label="scene")))
    answer = read_tree(tree(tree(tree(lips, label="emotion: fear"), label="person: woman")))
    pair_trees(truth, answer)
    woman, scene = truth.children
    assert (woman.mark, woman.children[0].mark, woman.children[0].children[0].mark) == (MATCHED, CHANGED, MATCHED)
    assert scene.mark == ALONE
    assert (truth.count(), truth.count(MATCHED)) == (4, 2)


def test_one_answer_node_matches_one_truth_node():
    truth = read_tree(tree(tree(label="hair: long"), tree(label="hair: long")))
    answer = read_tree(tree(tree(label="hair: long")))
    pair_trees(truth, answer)
    assert [child.mark for child in truth.children] == [MATCHED, ALONE]


@pytest.mark.parametrize("value", [None, [], {"children": []}, {"label": 3}])
def test_what_is_no_tree_is_none(value):
    assert read_tree(value) is None
