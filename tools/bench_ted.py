"""The edit distance of a batch of affective trees against zss and apted pair by pair: milliseconds, and do all agree?

    python tools/bench_ted.py

Trees are random, of the levels that captions have, with labels of the lexicon; no two pairs are equal, so that nothing
is computed once for several. Ours scores a whole batch with one call, as a training step does; zss and apted are called
in a loop, as they are used. The three take turns, and times are medians over turns, in CPU seconds of the process: all
threads count, and others on the machine do not. The last line is JSON:

    speedup_zss, speedup_apted    their time over ours, for the same pairs of 31 nodes
    different                     how many of their distances, the curve's too, are not exactly ours
    curve                         milliseconds a pair by number of nodes; there, zss and apted get the first pairs only
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from statistics import median

import apted
import zss

from videmo.affect import AffectiveTree, edit_distances, load_lexicon

SIZES = (5, 10, 20, 31, 60, 120)
LEVELS = ("person", "emotion", "expression", "attribute")
# Of a node at each depth, how likely it gets the next child: few persons, with much said of each.
WEIGHTS = (0.2, 1.0, 2.0, 1.0, 0.0)

Trees = list[AffectiveTree]


def labels_by_level() -> list[list[str]]:
    """The lexicon's labels of each level."""
    lexicon = load_lexicon()
    entries = {entry for phrases in lexicon.phrases.values() for _, found in phrases for entry in found}
    entries |= set(lexicon.combinations.values())
    prefix = {"person": "person: "}
    return [sorted(prefix.get(level, "") + entry.value for entry in entries if entry.kind == level) for level in LEVELS]


def random_tree(rng: random.Random, size: int, labels: list[list[str]]) -> AffectiveTree:
    """A tree of so many nodes."""
    depths, children = [0], [[] for _ in range(size)]
    for node in range(1, size):
        (parent,) = rng.choices(range(node), [WEIGHTS[depth] for depth in depths])
        children[parent].append(node)
        depths.append(depths[parent] + 1)
    trees: dict[int, AffectiveTree] = {}
    for node in reversed(range(size)):
        label = rng.choice(labels[depths[node] - 1]) if node else "video"
        trees[node] = AffectiveTree(label, tuple(trees.pop(child) for child in children[node]))
    return trees[0]


class UnitCosts(apted.Config):
    def rename(self, node1: AffectiveTree, node2: AffectiveTree) -> int:
        return int(node1.label != node2.label)


def by_zss(preds: Trees, targets: Trees) -> list[float]:
    return [
        zss.simple_distance(
            pred, target, lambda node: node.children, lambda node: node.label, lambda one, other: int(one != other)
        )
        for pred, target in zip(preds, targets, strict=True)
    ]


def by_apted(preds: Trees, targets: Trees) -> list[float]:
    pairs = zip(preds, targets, strict=True)
    return [apted.APTED(pred, target, UnitCosts()).compute_edit_distance() for pred, target in pairs]


WAYS: dict[str, Callable[[Trees, Trees], list[float]]] = {"ours": edit_distances, "zss": by_zss, "apted": by_apted}


def compare(preds: Trees, targets: Trees, turns: int, theirs: int) -> tuple[dict[str, float], int]:
    """Milliseconds a pair of each way, and how many distances of zss and apted, which get the first pairs, differ."""
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(turns):
        found = {}
        for way, distances in WAYS.items():
            count = len(preds) if way == "ours" else theirs
            began = time.process_time()
            found[way] = distances(preds[:count], targets[:count])
            seconds[way].append((time.process_time() - began) / count)
    different = sum(
        float(distance) != ours
        for way in ("zss", "apted")
        for distance, ours in zip(found[way], found["ours"], strict=False)
    )
    return {way: 1000 * median(values) for way, values in seconds.items()}, different


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1024)
    parser.add_argument("--nodes", type=int, default=31)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--curve_pairs", type=int, default=16, help="that zss and apted get at each size (default 16)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng, labels = random.Random(given.seed), labels_by_level()

    def draw(nodes: int) -> Trees:
        return [random_tree(rng, nodes, labels) for _ in range(given.pairs)]

    edit_distances(draw(5), draw(5))  # what is only done once is not measured
    whole, different = compare(draw(given.nodes), draw(given.nodes), given.turns, given.pairs)
    curve: dict[str, dict[int, float]] = {way: {} for way in WAYS}
    for nodes in SIZES:
        found, parted = compare(draw(nodes), draw(nodes), given.turns, min(given.curve_pairs, given.pairs))
        different += parted
        for way, milliseconds in found.items():
            curve[way][nodes] = round(milliseconds, 4)
    result = {
        "speedup_zss": round(whole["zss"] / whole["ours"], 2),
        "speedup_apted": round(whole["apted"] / whole["ours"], 2),
        "different": different,
        "ms_per_pair": {way: round(milliseconds, 4) for way, milliseconds in whole.items()},
        "curve": curve,
        **vars(given),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
