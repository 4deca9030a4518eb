"""``TreeOverlapReward``: what two captions have in common without a tree's structure (paper, table 9)."""

from collections.abc import Sequence

from videmo.affect import AffectiveTree, pair_f1
from videmo.rewards.caption_trees import CaptionTreesReward


class TreeOverlapReward(CaptionTreesReward):
    """F1 of the aspect-item pairs wherever they hang, 0 to 1: the ablation beside `TreeReward`."""

    name = "tree_overlap"

    def compare(self, preds: Sequence[AffectiveTree], targets: Sequence[AffectiveTree]) -> list[float]:
        return [pair_f1(*both) for both in zip(preds, targets, strict=True)]
