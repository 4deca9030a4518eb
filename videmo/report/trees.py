"""Two affective trees side by side: which nodes of the truth the answer has, and which it made up.

Nodes are paired from the root down. Below a pair, children of the same label pair first; then those of the same aspect
(``person``), in order, so that one wrong word near the root does not unmark everything beneath it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

MATCHED, CHANGED, ALONE = "matched", "changed", "alone"


@dataclass
class Node:
    """A node as it is drawn: `mark` says whether the other tree has it, has another item there, or has nothing."""

    label: str
    children: list["Node"] = field(default_factory=list)
    mark: str = ALONE

    @property
    def aspect(self) -> str:
        return self.label.partition(":")[0].strip() if ":" in self.label else ""

    @property
    def item(self) -> str:
        return self.label.partition(":")[2].strip() if ":" in self.label else self.label

    @property
    def is_placeholder(self) -> bool:
        """Whether it stands for a level about which nothing was said."""
        return self.item == "-"

    def count(self, mark: str | None = None) -> int:
        """Nodes beneath this one that say something, or those of them with a mark."""
        says = [child for child in self.children if not child.is_placeholder and mark in (None, child.mark)]
        return len(says) + sum(child.count(mark) for child in self.children)


def read_tree(value: object, depth: int = 0) -> Node | None:
    """The tree of a JSON value ``{"label", "children"}``; None if it is none, or deeper than a caption can be."""
    if not isinstance(value, dict) or not isinstance(value.get("label"), str) or depth > 20:
        return None
    children = value.get("children")
    nodes = [read_tree(child, depth + 1) for child in (children if isinstance(children, list) else [])]
    return Node(value["label"], [node for node in nodes if node is not None])


def pair_trees(truth: Node, answer: Node) -> None:
    """Mark the nodes of both trees.

    Example:
        >>> truth = read_tree({"label": "video", "children": [{"label": "emotion: sadness"}, {"label": "hair: long"}]})
        >>> answer = read_tree({"label": "video", "children": [{"label": "emotion: joy"}, {"label": "gaze: down"}]})
        >>> pair_trees(truth, answer)
        >>> [child.mark for child in truth.children], [child.mark for child in answer.children]
        (['changed', 'alone'], ['changed', 'alone'])
    """
    truth.mark = answer.mark = MATCHED if truth.label == answer.label else CHANGED
    for same in (lambda node: node.label, lambda node: node.aspect):
        for node in truth.children:
            partner = _partner(node, answer.children, same)
            if partner is not None:
                pair_trees(node, partner)


def _partner(node: Node, others: Sequence[Node], same) -> Node | None:
    if node.mark != ALONE or not same(node):
        return None
    return next((other for other in others if other.mark == ALONE and same(other) == same(node)), None)
