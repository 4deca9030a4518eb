"""Facts about rewards as YAML states them: shipped classes, a user's own, and what is wrong in words."""

import textwrap

import pytest
import yaml
from jsonargparse import ArgumentError, ArgumentParser

from videmo.errors import InputError
from videmo.rewards import FormatReward, RewardMixture, RewardTerm

OWN = """
    from videmo.rewards import Reward

    class Brevity(Reward):
        '''Few words.'''

        name = "brevity"

        def __init__(self, max_words: int = 3):
            self.max_words = max_words

        def __call__(self, completions):
            return [1.0 if len(c.text.split()) <= self.max_words else 0.0 for c in completions]

    class Short(Brevity):
        name = "short"

        def __call__(self, completions):
            return super().__call__(completions)[1:]

    class Words(Brevity):
        name = "words"

        def __call__(self, completions):
            return ["good" for _ in completions]

    class Nameless(Reward):
        def __call__(self, completions):
            return [1.0 for _ in completions]
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A user's own rewards, in a file on the path."""
    (tmp_path / "own_rewards.py").write_text(textwrap.dedent(OWN))
    monkeypatch.syspath_prepend(tmp_path)


def built(text: str) -> RewardMixture:
    """The mixture of a config's terms."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--rewards", type=list[RewardTerm])
    config = parser.parse_object({"rewards": yaml.safe_load(textwrap.dedent(text))})
    return RewardMixture(parser.instantiate_classes(config).rewards)


def test_every_shipped_reward_is_built_from_yaml():
    mixture = built("""
        - reward: {class_path: videmo.rewards.QAReward}
        - reward: {class_path: videmo.rewards.TreeReward, init_args: {edit_lambda: 0.2, normalize: true}}
          weight: 2
          tasks: [caption]
        - reward:
            class_path: videmo.rewards.CaptionReward
            init_args: {judge: {base_url: "http://localhost:8000/v1", model: judge-1, timeout: 20}, max_wait: 30}
        - reward:
            class_path: videmo.rewards.TreeOverlapReward
            init_args: {judge: {base_url: "http://localhost:8000/v1", model: judge-1}}
        - reward: {class_path: videmo.rewards.FormatReward, init_args: {pattern: "[A-Z]+"}}
          weight: 0.1
        - reward: {class_path: videmo.rewards.LengthReward, init_args: {max_tokens: 128, buffer: 32}}
    """)
    assert [term.reward.name for term in mixture.terms] == ["qa", "tree", "caption", "tree_overlap", "format", "length"]
    assert [term.weight for term in mixture.terms] == [1, 2, 1, 1, 0.1, 1] and mixture.terms[1].tasks == ["caption"]


def test_a_users_own_reward_is_named_by_its_class_path(own, make_completion):
    mixture = built("""
        - reward: {class_path: videmo.rewards.QAReward}
        - reward: {class_path: own_rewards.Brevity, init_args: {max_words: 2}}
          weight: 0.5
          tasks: [expression]
    """)
    texts = ("Happy", "She is happy")
    rewards = mixture([make_completion("emotion", text, "Happy") for text in texts], num_generations=2)
    assert rewards.parts["brevity"].tolist() == [1, 0]
    assert rewards.totals.tolist() == pytest.approx([1, 1 / 1.5])


@pytest.mark.parametrize(
    ("class_path", "says"),
    [
        ("videmo.rewards.TreeRewards", "TreeRewards"),
        ("no_such_module.Reward", "no_such_module"),
        ("videmo.judge.Judge", "videmo.judge.Judge"),
    ],
)
def test_a_wrong_class_path_is_named(class_path, says):
    with pytest.raises(ArgumentError, match=says):
        built(f"- reward: {{class_path: {class_path}}}")


@pytest.mark.parametrize(
    ("term", "says"),
    [
        ("{reward: {class_path: videmo.rewards.TreeReward, init_args: {lambda: 0.1}}}", "lambda"),
        ("{reward: {class_path: videmo.rewards.TreeReward, init_args: {edit_lambda: steep}}}", "edit_lambda"),
    ],
)
def test_a_wrong_argument_is_named(term, says):
    with pytest.raises(ArgumentError, match=says):
        built(f"- {term}")


def test_an_argument_that_cannot_work_is_refused_in_a_sentence():
    with pytest.raises(InputError, match="edit_lambda must be above 0, got -1"):
        built("- reward: {class_path: videmo.rewards.TreeReward, init_args: {edit_lambda: -1}}")
    with pytest.raises(InputError, match=r"a judge needs judge\.base_url"):
        built("- reward: {class_path: videmo.rewards.CaptionReward}")
    with pytest.raises(InputError, match=r"a judge needs judge\.model"):
        built(
            "- reward: {class_path: videmo.rewards.CaptionReward, init_args: {judge: {base_url: 'http://localhost/v1'}}}"
        )


@pytest.mark.parametrize(
    ("name", "says"),
    [("Short", "'short' returned 1 values for 2 completions"), ("Words", "'words' returned 'good' for a completion")],
)
def test_a_users_reward_that_returns_something_else_is_named(own, make_completion, name, says):
    mixture = built(f"- reward: {{class_path: own_rewards.{name}}}")
    with pytest.raises(InputError, match=says):
        mixture([make_completion("emotion", "Happy", "Happy")] * 2, num_generations=2)


def test_a_users_reward_without_a_name_is_refused(own):
    with pytest.raises(InputError, match="the reward Nameless has no name"):
        built("- reward: {class_path: own_rewards.Nameless}")


def test_a_term_has_weight_1_and_the_rewards_own_tasks_by_default():
    term = built("- reward: {class_path: videmo.rewards.FormatReward}").terms[0]
    assert isinstance(term.reward, FormatReward) and (term.weight, term.tasks) == (1.0, None)
