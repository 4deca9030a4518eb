"""F1 of the affective trees of two captions: what a rule-based reading of them has in common.

It stands in for the judge where there is none, and says what a judge's score would not: which facts were stated.
"""

from functools import lru_cache

from videmo.affect import AffectiveTree, parse_caption, tree_f1


@lru_cache(maxsize=8192)
def _tree(caption: str) -> AffectiveTree:
    return parse_caption(caption).tree


def caption_tree_f1(preds: str, target: str) -> float:
    """F1 of the nodes of both captions' trees, 0 to 1.

    Args:
        preds: The model's caption.
        target: The reference.
    """
    return tree_f1(_tree(preds), _tree(target))
