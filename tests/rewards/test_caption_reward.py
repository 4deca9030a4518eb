"""Facts about a judge as a reward, against a real server: whatever it does, training goes on and nothing becomes 0."""

import time

import pytest
from judge_server import GOOD, JudgeServer, says, silent, status

from videmo.affect import AffectiveTree, pair_f1
from videmo.benchmark.grading import grade
from videmo.benchmark.predictions import Prediction
from videmo.rewards import CaptionReward, QAReward, RewardMixture, RewardTerm, TreeOverlapReward

REFERENCE = "A man looks sad."
TREE = says('{"label": "video", "children": [{"label": "person: man", "children": []}]}')


@pytest.fixture
def captions(make_completion):
    """A function that returns captions that the server knows by their numbers."""
    return lambda count, kind="short": [make_completion(kind, f"sample {n:04d}", REFERENCE) for n in range(count)]


def test_a_score_of_100_is_1_and_the_benchmarks(make_judge, captions):
    script = {n: [says(f'{{"score": {score}}}')] for n, score in enumerate((0, 100, 37))}
    with JudgeServer(script) as server:
        judge = make_judge(server)
        completions = captions(3)
        rewards = CaptionReward(judge.settings)(completions)
        assert rewards == [0.0, 1.0, 0.37]
        graded = grade([Prediction(c.record, c.text) for c in completions], make_judge(server))
        assert [one.scores["emotion_caption"] for one in graded] == rewards
        assert len(server.requests) == 3  # both ask the same, so that the second finds it on disk
        assert "A man looks sad." in str(server.requests[0]["body"]["messages"])


def test_an_empty_caption_is_0_and_nobody_is_asked(make_judge, make_completion):
    with JudgeServer() as server:
        assert CaptionReward(make_judge(server).settings)([make_completion("short", " ", REFERENCE)]) == [0.0]
        assert not server.requests


def test_each_failure_is_missing_with_its_reason_and_the_others_count(make_judge, captions):
    script = {
        1: [status(500, "boom")],
        2: [status(429, "slow", Retry_After="0.01")],
        3: [says("what?")],
        4: [says('{"score": 130}')],
        5: [silent(30.0)],
    }
    with JudgeServer(script) as server:
        reward = CaptionReward(make_judge(server, timeout=1.5, max_retries=0).settings)
        mixture = RewardMixture([RewardTerm(reward)])
        rewards = mixture(captions(8), num_generations=4)
    assert rewards.totals.isnan().tolist() == [False, True, True, True, True, True, False, False]
    assert rewards.totals[[0, 6, 7]].tolist() == pytest.approx([0.85] * 3)
    reasons = rewards.missing["caption"]
    assert reasons.total() == 5
    for words in ("status 500: boom", "rate limited", "off the scale", "no reply in 1.5 s"):
        assert sum(words in reason for reason in reasons) == 1, (words, reasons)
    assert 1.5 <= rewards.seconds["caption"] < 15


def test_a_judge_that_is_not_there_masks_captions_and_nothing_else(make_judge, make_completion, captions):
    reward = CaptionReward(make_judge("http://127.0.0.1:9/v1").settings)
    answers = [make_completion("emotion", text, "Sad") for text in ("Sad", "Happy")]
    rewards = RewardMixture([RewardTerm(QAReward()), RewardTerm(reward)])([*answers, *captions(2)], 2)
    assert rewards.totals.isnan().tolist() == [False, False, True, True]
    (reason, count), *_ = rewards.missing["caption"].items()
    assert count == 2 and "no judge at http://127.0.0.1:9/v1" in reason


@pytest.mark.parametrize("turn", [status(401, "bad key"), status(404, "no such model")])
def test_a_judge_that_refuses_all_is_missing(make_judge, captions, turn):
    with JudgeServer(otherwise=turn) as server:
        reward = CaptionReward(make_judge(server).settings)
        assert reward(captions(2)) == [None, None]
    assert reward.reasons.total() == 2 and "status 40" in next(iter(reward.reasons))


def test_a_rate_limit_without_end_takes_no_longer_than_a_batch_may_wait(make_judge, captions):
    with JudgeServer({0: [GOOD]}, otherwise=status(429, "slow", Retry_After="300")) as server:
        reward = CaptionReward(make_judge(server, concurrency=1).settings, max_wait=1.5)
        start = time.monotonic()
        assert reward(captions(6)) == [0.85, *[None] * 5]
        assert time.monotonic() - start < 15
    assert reward.reasons == {"no verdict in the 1.5 s that all questions had together": 5}


def test_a_slow_judge_gives_what_it_has_in_time_and_the_rest_is_on_disk_or_asked_again(make_judge, captions):
    with JudgeServer({n: [silent(30.0), GOOD] for n in (4, 5)}) as server:
        settings = make_judge(server, timeout=60.0).settings
        reward = CaptionReward(settings, max_wait=1.5)
        start = time.monotonic()
        assert reward(captions(6)) == [0.85] * 4 + [None] * 2
        assert time.monotonic() - start < 15
        assert reward(captions(6)) == [0.85] * 6
        assert server.asked() == {0: 1, 1: 1, 2: 1, 3: 1, 4: 2, 5: 2}


def test_trees_by_a_judge_are_compared_and_a_tree_that_is_none_is_missing(make_judge, captions, make_completion):
    woman = says('{"label": "video", "children": [{"label": "person: woman", "children": []}]}')
    with JudgeServer({0: [TREE], 1: [woman], 2: [says("no tree here")]}, otherwise=TREE) as server:
        reward = TreeOverlapReward(make_judge(server).settings)
        completions = [*captions(3, "fine"), make_completion("fine", "", REFERENCE)]
        rewards = reward(completions)
        assert len(server.requests) == 4  # one of the reference
    man = AffectiveTree.from_compact("video(person: man)")
    assert rewards == [pair_f1(man, man), 0.0, None, 0.0]
    assert reward.reasons.total() == 1
