"""How far an affective tree is from another: the tree edit distance, and the reward made of it (paper, section 3.2).

The distance is what the cheapest edits cost that turn one tree into the other: delete a node (its children move up to
its parent), insert one, substitute its label. Trees are ordered, in their canonical order (`AffectiveTree`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from videmo.affect.tree import AffectiveTree
from videmo.affect.zhang_shasha import Packed, best_savings, pack
from videmo.errors import InputError, check_positive

_CHUNK_CELLS = 1 << 20  # node pairs in memory at once: those of 1024 pairs of trees of 32 nodes


@dataclass(frozen=True)
class EditCosts:
    """What an edit costs.

    Attributes:
        insert: A node that the prediction lacks.
        delete: A node that the prediction has too many.
        substitute: A node for one of another aspect, "gaze: down" for "brows: furrowed".
        substitute_item: A node for another item of its aspect, "hair: black" for "hair: brown".

    Raises:
        InputError: If one is negative or not finite.
    """

    insert: float = 1.0
    delete: float = 1.0
    substitute: float = 1.0
    substitute_item: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            cost = getattr(self, field.name)
            if not 0 <= cost < math.inf:
                raise InputError(f"the edit cost {field.name!r} must be 0 or more, and finite; got {cost}")


UNIT_COSTS = EditCosts()


def edit_distances(
    preds: Sequence[AffectiveTree], targets: Sequence[AffectiveTree], costs: EditCosts = UNIT_COSTS
) -> list[float]:
    """The edit distance of each prediction from its target. Pairs that are equal are computed once.

    Raises:
        InputError: If there are not as many predictions as targets.

    Example:
        >>> trees = [AffectiveTree.from_compact(f"video(person: {who})") for who in ("man(emotion: fear)", "woman")]
        >>> edit_distances(trees, trees[::-1]), edit_distances(trees, trees, EditCosts(delete=3))
        ([2.0, 2.0], [0.0, 0.0])
    """
    if len(preds) != len(targets):
        raise InputError(f"{len(preds)} predicted trees have {len(targets)} targets: give one target for each")
    asked = list(zip(preds, targets, strict=True))
    unequal = [pair for pair in dict.fromkeys(asked) if pair[0] != pair[1]]
    found = dict(zip(unequal, _distances(unequal, costs), strict=True)) if unequal else {}
    return [found.get(pair, 0.0) for pair in asked]


def edit_distance(pred: AffectiveTree, target: AffectiveTree, costs: EditCosts = UNIT_COSTS) -> float:
    """The edit distance of one pair; `edit_distances` is much faster for many.

    Example:
        >>> pred, target = (AffectiveTree.from_compact(f"video(hair: {colour})") for colour in ("black", "brown"))
        >>> edit_distance(pred, target), edit_distance(pred, target, EditCosts(substitute_item=0.5))
        (1.0, 0.5)
    """
    return edit_distances([pred], [target], costs)[0]


def tree_rewards(
    preds: Sequence[AffectiveTree],
    targets: Sequence[AffectiveTree],
    *,
    edit_lambda: float = 0.1,
    normalize: bool = False,
    costs: EditCosts = UNIT_COSTS,
) -> list[float]:
    """The affective-tree reward of each prediction, exp(-lambda * Edit), in (0, 1] (paper, section 3.2).

    Args:
        preds: The trees of the predicted captions.
        targets: The trees of the references, one for each.
        edit_lambda: Lambda, above 0; how fast the reward falls.
        normalize: Divide Edit by what deleting one whole tree and inserting the other costs (with unit costs, by the
            number of nodes of both). It is then in 0 to 1 for all trees, which want a lambda some ten times as large.
            By the larger tree's size it would not be: two trees of other shapes may need more edits than nodes. The
            paper's Edit is not divided.
        costs: What an edit costs.

    Raises:
        InputError: If there are not as many predictions as targets, or lambda is not above 0.

    Example:
        >>> pred, target = (AffectiveTree.from_compact(f"video(person: {who})") for who in ("man", "woman"))
        >>> [round(tree_rewards([pred], [target], normalize=on)[0], 3) for on in (False, True)]
        [0.905, 0.975]
    """
    check_positive("edit_lambda", edit_lambda)
    edits = edit_distances(preds, targets, costs)
    if normalize:
        wholes = [costs.delete * p.size + costs.insert * t.size for p, t in zip(preds, targets, strict=True)]
        edits = [edit / whole if edit else 0.0 for edit, whole in zip(edits, wholes, strict=True)]
    return [math.exp(-edit_lambda * edit) for edit in edits]


def number_labels(preds: Packed, targets: Packed) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The labels of two sides' trees as numbers, each [trees, N]; and the aspect, as a number, of each label."""
    labels: dict[str, int] = {}
    ours, theirs = (side.numbers(lambda node: labels.setdefault(node.label, len(labels))) for side in (preds, targets))
    aspects: dict[str, int] = {}
    return ours, theirs, np.array([aspects.setdefault(label.partition(": ")[0], len(aspects)) for label in labels])


def node_savings(
    ours: np.ndarray, theirs: np.ndarray, aspect_of: np.ndarray, costs: EditCosts
) -> tuple[np.ndarray, np.ndarray]:
    """What mapping a node on a node saves over deleting the one and inserting the other, and how alike the two are.

    Args:
        ours, theirs: The labels of both trees of each pair, [P, N] and [P, M].
        aspect_of: The aspect of each label.
        costs: What an edit costs.

    Returns:
        The savings, and 2 for equal labels, 1 for equal aspects and 0 for others, both [P, N, M].
    """
    ours, theirs = ours[:, :, None], theirs[:, None]
    alike = (ours == theirs).astype(np.int8) + (aspect_of[ours] == aspect_of[theirs])  # [P, N, M]
    cost = np.array([costs.substitute, costs.substitute_item, 0.0])
    return (costs.delete + costs.insert - cost)[alike], alike


def _distances(asked: list[tuple[AffectiveTree, AffectiveTree]], costs: EditCosts) -> list[float]:
    rows: tuple[dict, dict] = ({}, {})
    pairs = np.array(
        [[seen.setdefault(tree, len(seen)) for seen, tree in zip(rows, pair, strict=True)] for pair in asked]
    )
    preds, targets = pack(list(rows[0])), pack(list(rows[1]))
    ours, theirs, aspect_of = number_labels(preds, targets)
    sizes = np.stack([preds.sizes[pairs[:, 0]], targets.sizes[pairs[:, 1]]], axis=1)
    order = np.argsort(-sizes.prod(axis=1), kind="stable")  # pairs of one size together: little is padded
    distances, start = np.empty(len(pairs)), 0
    while start < len(order):
        n, m = sizes[order[start:]].max(axis=0)
        chosen = order[start : start + max(1, _CHUNK_CELLS // int(n * m))]
        savings, _ = node_savings(ours[pairs[chosen, 0], :n], theirs[pairs[chosen, 1], :m], aspect_of, costs)
        best = best_savings(preds, targets, pairs[chosen], savings)
        saved = best[np.arange(len(chosen)), sizes[chosen, 0] - 1, sizes[chosen, 1] - 1]
        distances[chosen] = sizes[chosen] @ [costs.delete, costs.insert] - saved
        start += len(chosen)
    return np.maximum(distances, 0.0).tolist()  # costs such as 0.1 leave -1e-16
