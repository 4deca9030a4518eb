"""``TreeReward``: how few edits make a caption's affective tree the reference's (paper, section 3.2)."""

from collections.abc import Sequence

from videmo.affect import AffectiveTree, tree_rewards
from videmo.errors import check_positive
from videmo.judge import JudgeSettings
from videmo.rewards.caption_trees import CaptionTreesReward
from videmo.rewards.reward import MAX_WAIT


class TreeReward(CaptionTreesReward):
    """``exp(-edit_lambda * Edit)``, above 0 to 1, Edit being the tree edit distance; for the fine-grained captions.

    Args:
        edit_lambda: How fast it falls with each edit; the paper does not publish it.
        normalize: Take edits as a share of both trees' nodes, so that long captions do not lose by their length; such
            a share wants an ``edit_lambda`` some ten times as large.
        judge: Who reads the trees; rules by default.
        max_wait: Seconds after which what a judge has not said of a batch is missing, and training goes on.
    """

    name = "tree"

    def __init__(
        self,
        edit_lambda: float = 0.1,
        normalize: bool = False,
        judge: JudgeSettings | None = None,
        max_wait: float = MAX_WAIT,
    ) -> None:
        super().__init__(judge, max_wait)
        check_positive("edit_lambda", edit_lambda)
        self._edit_lambda, self._normalize = edit_lambda, normalize

    def compare(self, preds: Sequence[AffectiveTree], targets: Sequence[AffectiveTree]) -> list[float]:
        return tree_rewards(preds, targets, edit_lambda=self._edit_lambda, normalize=self._normalize)
