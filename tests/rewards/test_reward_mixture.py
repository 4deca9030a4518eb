"""Facts about the mixture: whose rewards a completion gets, what their mean is, and what is masked; by hand."""

import math

import pytest
import torch

from videmo.errors import InputError
from videmo.rewards import CaptionReward, FormatReward, QAReward, Reward, RewardMixture, RewardTerm, TreeOverlapReward
from videmo.tasks import find_task, training_tasks

NAN = math.nan


class Scripted(Reward):
    """Says what it was told to, in order."""

    def __init__(self, name: str, *values: object, reason: str | None = None) -> None:
        self.name, self.values, self.reason = name, values, reason

    def __call__(self, completions):
        values = list(self.values[: len(completions)])
        return [self.missing(self.reason) if v is None and self.reason else v for v in values]


@pytest.fixture
def happy(make_completion):
    """Six answers to one question."""
    return [make_completion("emotion", "Happy", "Happy")] * 6


def mixed(completions, num_generations, *terms):
    return RewardMixture([RewardTerm(*term) if isinstance(term, tuple) else term for term in terms])(
        completions, num_generations
    )


def equal(values: torch.Tensor, *expected: float) -> bool:
    return torch.allclose(values, torch.tensor(expected, dtype=torch.float32), equal_nan=True)


def test_the_total_is_the_weighted_mean(happy):
    rewards = mixed(happy[:2], 2, (Scripted("a", 1.0, 0.0), 3.0), (Scripted("b", 0.5, 1.0), 1.0))
    assert equal(rewards.totals, (3 * 1 + 0.5) / 4, (0 + 1) / 4)
    assert equal(rewards.parts["a"], 1, 0) and equal(rewards.parts["b"], 0.5, 1)
    assert not rewards.missing["a"] and not rewards.missing["b"]


def test_one_who_lacks_what_others_of_the_group_have_is_masked(happy):
    a, b = Scripted("a", 1, 1, 1, 1, 1, 1), Scripted("b", 0, None, 0.5, None, 1, 0, reason="down")
    rewards = mixed(happy, 3, (a,), (b,))
    assert equal(rewards.totals, 0.5, NAN, 0.75, NAN, 1, 0.5)
    assert equal(rewards.parts["b"], 0, NAN, 0.5, NAN, 1, 0) and equal(rewards.parts["a"], *[1] * 6)
    assert rewards.missing == {"a": {}, "b": {"down": 2}}


def test_what_a_whole_group_lacks_is_left_out_for_it_alone(happy):
    a, b = Scripted("a", 1, 0, 1, 1, 0, 0), Scripted("b", None, None, None, 0, 0, 1)
    rewards = mixed(happy, 3, (a, 1.0), (b, 3.0))
    assert equal(rewards.totals, 1, 0, 1, 1 / 4, 0, 3 / 4)
    assert rewards.missing["b"] == {"it returned None": 3}


def test_a_group_of_which_nothing_is_known_is_masked_and_the_other_is_not(happy):
    rewards = mixed(happy, 3, (Scripted("a", None, None, None, 0, 1, 0, reason="no reply"),))
    assert equal(rewards.totals, NAN, NAN, NAN, 0, 1, 0)
    assert rewards.missing["a"] == {"no reply": 3}


def test_nothing_left_after_two_masks_is_masked(happy):
    a, b = Scripted("a", 1, None), Scripted("b", None, 1)
    assert equal(mixed(happy[:2], 2, (a,), (b,)).totals, NAN, NAN)


def test_groups_of_different_tasks_get_the_rewards_of_their_tasks(make_completion):
    said = "A man looks sad."
    answers = [make_completion("emotion", text, "Sad") for text in ("Sad", "Happy")]
    captions = [make_completion("fine", text, said) for text in (said, "A woman looks sad.")]
    rewards = mixed(
        [*answers, *captions], 2, (QAReward(),), (TreeOverlapReward(),), (FormatReward(), 1, ["emotion_dfew"])
    )
    assert equal(rewards.parts["qa"], 1, 0, NAN, NAN)
    assert equal(rewards.parts["tree_overlap"], NAN, NAN, 1, 0.5)  # one of two nodes is the same
    assert equal(rewards.parts["format"], 1, 1, NAN, NAN)
    assert equal(rewards.totals, 1, 0.5, 1, 0.5)
    assert set(rewards.seconds) == {"qa", "tree_overlap", "format"} and min(rewards.seconds.values()) > 0


def test_unparsed_are_answers_without_a_label_and_captions_without_a_node(make_completion):
    completions = [
        make_completion("emotion", "Well, who knows?", "Sad"),
        make_completion("emotion", "Happy", "Sad"),
        make_completion("units", "none", "AU1"),  # an empty set is an answer
        make_completion("fine", "Zebras.", "A man looks sad."),
        make_completion("fine", "A man.", "A man looks sad."),
        make_completion("short", "", "A man looks sad."),
    ]
    rewards = mixed(completions, 1, (FormatReward(),))
    assert rewards.unparsed.tolist() == [True, False, False, True, False, True]


def test_no_completions_get_no_rewards():
    rewards = mixed([], 8, (QAReward(),))
    assert rewards.totals.shape == rewards.unparsed.shape == (0,)


@pytest.mark.parametrize("tasks", [["emotion_dfew"], ["emotion_single"], ["expression"], ["all"], ["hair", "all"]])
def test_a_term_is_for_the_tasks_that_its_names_mean(tasks):
    term = RewardTerm(QAReward(), tasks=tasks)
    assert term.applies(find_task("DFEW_Single-Label-Emotion-Recognition"))
    assert term.applies(find_task("CelebV-Text_Emotion-Caption")) == (
        tasks in (["expression"], ["all"], ["hair", "all"])
    )


def test_without_names_each_kind_of_task_has_the_reward_of_the_paper(make_judge):
    caption = CaptionReward(make_judge("http://127.0.0.1:9/v1").settings)
    mixture = RewardMixture([RewardTerm(QAReward()), RewardTerm(caption), RewardTerm(TreeOverlapReward())])
    routed = {}
    for task in training_tasks():
        names = {term.reward.name for term in mixture.terms if term.applies(task)}
        routed.setdefault(frozenset(names), set()).add(task.name)
    assert routed.pop(frozenset({"caption"})) == {"appearance_cap", "action_cap", "emotion_cap"}
    assert routed.pop(frozenset({"tree_overlap"})) == {"caption"}
    assert routed.pop(frozenset()) == {"rationale", "reasoning", "text"}
    assert routed.popitem()[0] == {"qa"} and not routed


def test_a_task_that_no_term_is_for_is_named_with_a_term_that_would_be(make_completion):
    caption = make_completion("short", "A man.", "A man.")
    with pytest.raises(InputError, match=r"task 'emotion_cap'.*TreeReward}, tasks: \[emotion_cap\]"):
        mixed([caption], 1, (QAReward(),))
    with pytest.raises(InputError, match=r"task 'qa_hair'.*videmo\.rewards\.QAReward"):
        mixed([make_completion("hair", "black", "black")], 1, (TreeOverlapReward(),))


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ([], "there are no rewards"),
        ([RewardTerm(QAReward(), weight=0)], "weight of the reward 'qa' must be above 0, got 0"),
        ([RewardTerm(QAReward(), weight=NAN)], "weight of the reward 'qa' must be above 0"),
        ([RewardTerm(QAReward(), tasks=[])], "the reward 'qa' is for no task"),
        ([RewardTerm(QAReward(), tasks=["emotion_dfev"])], "'qa' have 'emotion_dfev', which is none; did you mean"),
        ([RewardTerm(FormatReward()), RewardTerm(FormatReward("x"), tasks=["hair"])], "two rewards named 'format'"),
        ([RewardTerm(Scripted(""))], "the reward Scripted has no name"),
    ],
)
def test_terms_that_cannot_work_are_refused(terms, says):
    with pytest.raises(InputError, match=says):
        RewardMixture(terms)


def test_one_reward_may_have_two_weights_for_different_tasks(make_completion):
    terms = [RewardTerm(FormatReward(), 1, ["hair"]), RewardTerm(FormatReward("x"), 2, ["emotion_single"])]
    completions = [make_completion("hair", "black", "black"), make_completion("emotion", "y", "Sad")]
    assert equal(RewardMixture(terms)(completions, 1).parts["format"], 1, 0)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ((1.0,), "'bad' returned 1 values for 2 completions"),
        ((1.0, "0.5"), "'bad' returned '0.5' for a completion of data.json:1; return a finite number, or None"),
        ((NAN, 1.0), "'bad' returned nan"),
        ((1.0, math.inf), "'bad' returned inf"),
        ((torch.tensor(1.0), 1.0), r"'bad' returned tensor\(1\.\)"),
    ],
)
def test_a_reward_that_returns_something_else_is_named(happy, values, says):
    with pytest.raises(InputError, match=says):
        mixed(happy[:2], 2, (Scripted("bad", *values),))


def test_a_reward_that_returns_no_list_is_named(happy):
    class Whole(Reward):
        name = "whole"

        def __call__(self, completions):
            return torch.ones(len(completions))

    with pytest.raises(InputError, match="'whole' returned a Tensor for 2 completions; return a list"):
        mixed(happy[:2], 2, (Whole(),))
