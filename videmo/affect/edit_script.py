"""The edits that turn one affective tree into another: what a reader wants to know behind an edit distance."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from videmo.affect.edit_distance import UNIT_COSTS, EditCosts, node_savings, number_labels
from videmo.affect.tree import AffectiveTree
from videmo.affect.zhang_shasha import Packed, best_savings, fill_tables, pack

_ONE_PAIR = np.array([[0, 0]])


@dataclass(frozen=True)
class Edit:
    """One edit; as text it reads "delete lips: narrow beneath mouth: downturned corners".

    Attributes:
        operation: What is done.
        source: Labels from the prediction's root down to its node; empty for an insertion.
        target: Labels from the target's root down to its node; empty for a deletion.
        cost: What it costs.
    """

    operation: Literal["delete", "insert", "substitute"]
    source: tuple[str, ...]
    target: tuple[str, ...]
    cost: float

    def __str__(self) -> str:
        path = self.source or self.target
        by = f" by {self.target[-1]}" if self.operation == "substitute" else ""
        beneath = f" beneath {path[-2]}" if len(path) > 1 else ""
        return f"{self.operation} {path[-1]}{by}{beneath}"


def edit_script(pred: AffectiveTree, target: AffectiveTree, costs: EditCosts = UNIT_COSTS) -> list[Edit]:
    """The cheapest edits that turn the prediction into the target; their costs sum up to the edit distance.

    Of several such scripts it is one that keeps the most labels, where an aspect with another item counts half. First
    come the prediction's nodes in the order of reading, then the insertions in the target's.

    Example:
        >>> pred = AffectiveTree.from_compact("video(person: man(emotion: fear(gaze: down, mouth: open)))")
        >>> target = AffectiveTree.from_compact("video(person: man(emotion: fear(mouth: closed(lips: thin))))")
        >>> for edit in edit_script(pred, target):
        ...     print(edit)
        delete gaze: down beneath emotion: fear
        substitute mouth: open by mouth: closed beneath emotion: fear
        insert lips: thin beneath mouth: closed
    """
    partners = dict(map_nodes(pred, target, costs))
    goals, goal_paths = list(target.walk()), _paths(target)
    edits = []
    for place, (node, path) in enumerate(zip(pred.walk(), _paths(pred), strict=True)):
        if place not in partners:
            edits.append(Edit("delete", path, (), costs.delete))
        elif (goal := goals[partners[place]]).label != node.label:
            cost = costs.substitute_item if goal.aspect == node.aspect else costs.substitute
            edits.append(Edit("substitute", path, goal_paths[partners[place]], cost))
    kept = set(partners.values())
    return edits + [
        Edit("insert", (), path, costs.insert) for place, path in enumerate(goal_paths) if place not in kept
    ]


def map_nodes(pred: AffectiveTree, target: AffectiveTree, costs: EditCosts = UNIT_COSTS) -> list[tuple[int, int]]:
    """The nodes that the cheapest edits keep or substitute, each with its partner, as places in `AffectiveTree.walk`.

    Example:
        >>> pred = AffectiveTree.from_compact("video(hair: bald, mouth: open)")
        >>> target = AffectiveTree.from_compact("video(mouth: open)")
        >>> map_nodes(pred, target)
        [(0, 0), (2, 1)]
    """
    ours, theirs = pack([pred]), pack([target])
    savings, alike = node_savings(*number_labels(ours, theirs), costs)
    own = savings + 1j * alike  # likeness decides between equal savings
    best = best_savings(ours, theirs, _ONE_PAIR, own)
    pairs, open_pairs = [], [(pred.size - 1, target.size - 1)]
    while open_pairs:
        mapped, beneath = _trace(ours, theirs, open_pairs.pop(), own, best)
        pairs += mapped
        open_pairs += beneath
    order, other_order = _reading_order(ours), _reading_order(theirs)
    return sorted((order[x], other_order[y]) for x, y in pairs)


def _trace(
    ours: Packed, theirs: Packed, roots: tuple[int, int], own: np.ndarray, best: np.ndarray
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The mapped nodes of two subtrees' leftmost paths, and the pairs of subtrees beneath that are to be traced."""
    first, other_first = ours.first[0], theirs.first[0]
    begin, other_begin = first[roots[0]], other_first[roots[1]]
    leftmost = (first == begin)[:, None] & (other_first == other_begin)
    tables = np.array([[0], [roots[0]], [roots[1]]])
    forests = fill_tables(ours, theirs, _ONE_PAIR, tables, np.where(leftmost, own, best))[:, :, 0]
    row, column = forests.shape[0] - 1, forests.shape[1] - 1
    mapped, beneath = [], []
    while row and column:
        x, y = begin + row - 1, other_begin + column - 1
        if forests[row, column] == forests[row - 1, column]:
            row -= 1
        elif forests[row, column] == forests[row, column - 1]:
            column -= 1
        elif leftmost[x, y]:
            mapped.append((int(x), int(y)))
            row, column = row - 1, column - 1
        else:
            beneath.append((int(x), int(y)))
            row, column = first[x] - begin, other_first[y] - other_begin
    return mapped, beneath


def _reading_order(packed: Packed) -> dict[int, int]:
    """Of each node in postorder its place when parents come first."""
    first = packed.first[0]
    return {node: place for place, node in enumerate(sorted(range(len(first)), key=lambda node: (first[node], -node)))}


def _paths(tree: AffectiveTree, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The labels from the root down to each node, in the order of `AffectiveTree.walk`."""
    path = (*above, tree.label)
    return [path, *(beneath for child in tree.children for beneath in _paths(child, path))]
