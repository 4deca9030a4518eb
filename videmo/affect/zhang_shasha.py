"""The best mapping between ordered trees (Zhang & Shasha 1989), of many pairs of trees at once.

A mapping pairs nodes of two trees so that ancestors stay ancestors and left stays left; nodes without a partner are
deleted or inserted. What we look for is not the least cost, but the most that a mapping saves over deleting one tree
and inserting the other. Deletions and insertions are then free and all borders of a table 0, and a cell is the largest
of the one above it, the one to its left and one that maps a pair: a row is a running maximum.

A table compares the forests beneath two keyroots (nodes with a sibling to the left, and the root). It needs only those
of keyroots beneath its own: all tables of two ranks, of all pairs of trees, are filled together, row by row. Arrays are
marked with R and C, a table's rows and columns, and T, the tables, which stand last; with P, the pairs of trees; and
with N and M, the nodes of the largest tree on each side.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from videmo.affect.tree import AffectiveTree

_BLOCK_CELLS = 1 << 17  # of tables that are filled together: their megabyte stays in the cache


class Keyroots(NamedTuple):
    """The keyroots of one rank.

    Attributes:
        nodes: Those of all trees, one tree after the other.
        starts: Where each tree's begin, and the end.
    """

    nodes: np.ndarray
    starts: np.ndarray


@dataclass(frozen=True)
class Packed:
    """Trees in postorder, one a row.

    Attributes:
        nodes: The nodes of each, children first.
        first: The first node of each node's subtree (its leftmost leaf); rows are padded with 0, [trees, N].
        ranks: The keyroots by rank; all that lie beneath one are of lower rank.
    """

    nodes: list[list[AffectiveTree]]
    first: np.ndarray
    ranks: list[Keyroots]

    @property
    def sizes(self) -> np.ndarray:
        """Number of nodes of each tree."""
        return np.array([len(nodes) for nodes in self.nodes])

    def numbers(self, number: Callable[[AffectiveTree], int]) -> np.ndarray:
        """A number for each node, [trees, N]."""
        return _pad([[number(node) for node in nodes] for nodes in self.nodes])


def pack(trees: Sequence[AffectiveTree]) -> Packed:
    """Put trees in postorder."""
    nodes, first, ranks = zip(*map(_postorder, trees), strict=True)
    keyroots = []
    for rank in range(1 + max(map(max, ranks))):
        found = [[node for node, its in enumerate(row) if its == rank] for row in ranks]
        flat = np.array([node for row in found for node in row], dtype=np.intp)
        keyroots.append(Keyroots(flat, np.cumsum([0, *map(len, found)])))
    return Packed(list(nodes), _pad(first), keyroots)


def best_savings(preds: Packed, targets: Packed, pairs: np.ndarray, savings: np.ndarray) -> np.ndarray:
    """The most that a mapping saves, between each two subtrees.

    Args:
        preds, targets: The trees.
        pairs: Which two rows of them are compared, [P, 2].
        savings: What is saved by mapping one node to one other, [P, N, M]. Complex numbers are told apart by their real
            part, and where that is equal by the imaginary one.

    Returns:
        For the subtrees beneath each two nodes, [P, N, M].
    """
    # What a node pair saves is needed until the table of both its keyroots is filled, what its subtrees save from then.
    best = savings.copy()
    for upper in preds.ranks:
        for lower in targets.ranks:
            for block in _blocks(preds, targets, pairs, _tables(upper, lower, pairs)):
                fill_tables(preds, targets, pairs, block, best)
    return best


def fill_tables(preds: Packed, targets: Packed, pairs: np.ndarray, tables: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Fill the tables of two nodes each.

    Args:
        preds, targets, pairs: As for `best_savings`.
        tables: Row of `pairs`, node of the one and node of the other tree, [3, T].
        best: As `best_savings` returns it, but for two nodes on the leftmost paths of a table what the two alone save;
            these places then get what their subtrees save.

    Returns:
        What the forests save that end with a row's and a column's node, [R + 1, C + 1, T].
    """
    pair, root, other_root = tables
    row, other_row = pairs[pair].T
    _, n, m = best.shape
    begin, other_begin = preds.first[row, root], targets.first[other_row, other_root]
    ends, other_ends = root - begin, other_root - other_begin
    num_rows, num_columns, num_tables = int(ends.max()) + 1, int(other_ends.max()) + 1, len(pair)
    rows, columns = np.arange(num_rows)[:, None], np.arange(num_columns)[:, None]
    # Beyond the end of a smaller table stands something that no cell within it looks at.
    x, y = np.minimum(rows + begin, n - 1), np.minimum(columns + other_begin, m - 1)  # [R, T], [C, T]
    before, other_before = preds.first[row, x] - begin, targets.first[other_row, y] - other_begin
    leftmost = (before == 0) & (rows <= ends)
    other_leftmost = (other_before == 0) & (columns <= other_ends)
    place = pair * (n * m) + x * m  # [R, T]
    before *= (num_columns + 1) * num_tables
    before += np.arange(num_tables)
    other_before *= num_tables
    diagonal = columns * num_tables

    forests = np.zeros((num_rows + 1, num_columns + 1, num_tables), dtype=best.dtype)
    cells, known = forests.reshape(-1), best.reshape(-1)
    for r in range(num_rows):
        trees = leftmost[r] & other_leftmost  # [C, T]: the forests are whole trees
        node_pairs = place[r] + y
        # Two trees: their roots are mapped, after all that lies before these. Else the last trees of the two forests
        # are, after the forests to the left of them.
        after = before[r] + other_before
        after += trees * (diagonal + r * (num_columns + 1) * num_tables)
        line = forests[r + 1, 1:]
        np.take(cells, after, out=line, mode="clip")
        line += known[node_pairs]
        np.maximum(line, forests[r, 1:], out=line)
        step = 1
        while step < num_columns:  # a running maximum, in log2(C) steps over all tables
            np.maximum(line[step:], line[:-step], out=line[step:])
            step *= 2
        known[node_pairs[trees]] = line[trees]
    return forests


def _postorder(tree: AffectiveTree) -> tuple[list[AffectiveTree], list[int], list[int]]:
    """The nodes, the first node of the subtree of each, and the rank of each as a keyroot; -1 where it is none."""
    nodes: list[AffectiveTree] = []
    first: list[int] = []
    ranks: list[int] = []

    def visit(node: AffectiveTree, is_leftmost: bool) -> int:
        begin, rank = len(nodes), 0
        for number, child in enumerate(node.children):
            rank = max(rank, visit(child, number == 0) + (number > 0))
        nodes.append(node)
        first.append(begin)
        ranks.append(-1 if is_leftmost else rank)
        return rank

    visit(tree, is_leftmost=False)
    return nodes, first, ranks


def _pad(rows: Sequence[Sequence[int]]) -> np.ndarray:
    padded = np.zeros((len(rows), max(map(len, rows))), dtype=np.intp)
    for line, values in zip(padded, rows, strict=True):
        line[: len(values)] = values
    return padded


def _tables(upper: Keyroots, lower: Keyroots, pairs: np.ndarray) -> np.ndarray:
    """The tables of all keyroots of two ranks: row of `pairs` and the two nodes, [3, T]."""
    row, other_row = pairs.T
    width = lower.starts[other_row + 1] - lower.starts[other_row]
    counts = (upper.starts[row + 1] - upper.starts[row]) * width
    pair = np.repeat(np.arange(len(pairs)), counts)
    number = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
    here, there = np.divmod(number, width[pair])
    roots = upper.nodes[upper.starts[row[pair]] + here]
    other_roots = lower.nodes[lower.starts[other_row[pair]] + there]
    return np.stack([pair, roots, other_roots])


def _blocks(preds: Packed, targets: Packed, pairs: np.ndarray, tables: np.ndarray) -> Iterator[np.ndarray]:
    """The tables in blocks of similar size, the largest first."""
    pair, root, other_root = tables
    rows = root - preds.first[pairs[pair, 0], root] + 1
    columns = other_root - targets.first[pairs[pair, 1], other_root] + 1
    order = np.lexsort((columns, rows))[::-1]
    start = 0
    while start < len(order):
        largest = int(rows[order[start]] + 1) * int(columns.max() + 1)
        end = start + max(1, _BLOCK_CELLS // largest)
        yield tables[:, order[start:end]]
        start = end
