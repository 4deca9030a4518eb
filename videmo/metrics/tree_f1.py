"""F1 of the affective trees of two captions: what a rule-based reading of them has in common.

It stands in for the judge where there is none, and says what a judge's score would not: which facts were stated.
"""

from videmo.affect import caption_tree, tree_f1


def caption_tree_f1(preds: str, target: str) -> float:
    """F1 of the nodes of both captions' trees, 0 to 1.

    Args:
        preds: The model's caption.
        target: The reference.
    """
    return tree_f1(caption_tree(preds), caption_tree(target))
