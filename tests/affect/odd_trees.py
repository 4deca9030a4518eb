"""Random trees of all shapes, and the edit distances that others give."""

import random
from functools import cache

import apted
import zss

from videmo.affect import AffectiveTree, EditCosts

LABELS = [f"{aspect}: {item}" for aspect in ("mouth", "brows", "gaze", "hair") for item in ("one", "two", "three")]
SHAPES = ("chain", "star", "comb", "flat", "any")


def random_tree(rng: random.Random, size: int, shape: str) -> AffectiveTree:
    """A tree with random labels, of a shape: chain, star, comb (a chain with a leaf at each node), flat (at most five
    levels, as captions have), or any."""
    depth, children = [0], [[] for _ in range(size)]
    for node in range(1, size):
        if shape == "any":
            parent = rng.randrange(node)
        elif shape == "flat":
            parent = rng.choice([other for other in range(node) if depth[other] < 4])
        else:
            parent = {"chain": node - 1, "star": 0, "comb": (node - 1) // 2 * 2}[shape]
        children[parent].append(node)
        depth.append(depth[parent] + 1)
    trees: dict[int, AffectiveTree] = {}
    for node in reversed(range(size)):
        trees[node] = AffectiveTree(rng.choice(LABELS), tuple(trees.pop(child) for child in children[node]))
    return trees[0]


def random_pairs(seed: int, num_pairs: int, largest: int) -> tuple[list[AffectiveTree], list[AffectiveTree]]:
    """Pairs of such trees; every twentieth tree is held against itself."""
    rng = random.Random(seed)
    preds = [random_tree(rng, rng.randint(1, largest), rng.choice(SHAPES)) for _ in range(num_pairs)]
    targets = [random_tree(rng, rng.randint(1, largest), rng.choice(SHAPES)) for _ in range(num_pairs)]
    return preds, [pred if number % 20 == 0 else targets[number] for number, pred in enumerate(preds)]


def substitution(node: AffectiveTree, other: AffectiveTree, costs: EditCosts) -> float:
    if node.label == other.label:
        return 0.0
    return costs.substitute_item if node.label.split(":")[0] == other.label.split(":")[0] else costs.substitute


def by_zss(pred: AffectiveTree, target: AffectiveTree, costs: EditCosts) -> float:
    return zss.distance(
        pred,
        target,
        get_children=lambda node: node.children,
        insert_cost=lambda node: costs.insert,
        remove_cost=lambda node: costs.delete,
        update_cost=lambda node, other: substitution(node, other, costs),
    )


class _UnitCosts(apted.Config):
    def rename(self, node1, node2):
        return int(node1.label != node2.label)


def by_apted(pred: AffectiveTree, target: AffectiveTree) -> float:
    """With unit costs only: with others apted 1.0.3 departs from the definition, on trees of two nodes already."""
    return apted.APTED(pred, target, _UnitCosts()).compute_edit_distance()


def by_definition(pred: AffectiveTree, target: AffectiveTree, costs: EditCosts) -> float:
    """The recursion over forests from their last trees on, without any table; for small trees."""

    @cache
    def distance(forest: tuple[AffectiveTree, ...], other: tuple[AffectiveTree, ...]) -> float:
        if not forest or not other:
            return costs.delete * sum(tree.size for tree in forest) + costs.insert * sum(tree.size for tree in other)
        last, other_last = forest[-1], other[-1]
        return min(
            distance(forest[:-1] + last.children, other) + costs.delete,
            distance(forest, other[:-1] + other_last.children) + costs.insert,
            distance(forest[:-1], other[:-1])
            + distance(last.children, other_last.children)
            + substitution(last, other_last, costs),
        )

    return distance((pred,), (target,))
