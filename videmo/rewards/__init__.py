"""The rewards of GRPO: how good a sampled answer is, by rules, a judge, its affective tree, or a class of your own."""

from videmo.rewards.caption import CaptionReward
from videmo.rewards.format import FormatReward
from videmo.rewards.length import LengthReward
from videmo.rewards.mixture import RewardMixture, Rewards, RewardTerm
from videmo.rewards.qa import QAReward
from videmo.rewards.reward import Completion, Reward
from videmo.rewards.tree import TreeReward
from videmo.rewards.tree_overlap import TreeOverlapReward

__all__ = [
    "CaptionReward",
    "Completion",
    "FormatReward",
    "LengthReward",
    "QAReward",
    "Reward",
    "RewardMixture",
    "RewardTerm",
    "Rewards",
    "TreeOverlapReward",
    "TreeReward",
]
