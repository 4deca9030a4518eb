"""The affective tree: who feels what, which expressions show it and which attributes these rest on.

``video`` -> persons in order of mention (and one ``scene``) -> emotion -> expression that shows it -> attribute that it
rests on. A node is ``aspect: item`` in canonical words (`videmo.affect.lexicon`); an item without a stated
rationale hangs under a ``-`` node of the missing level. Trees are values: frozen, hashable, equal if they say the same.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from videmo.errors import InputError

_LABEL = re.compile(r"video|scene|[a-z][a-z ]*: [^\s,:()](?:[^,:()\n]*[^\s,:()])?")
_COMPACT_TOKEN = re.compile(r"\s*([(),]|[^(),]+)")


@dataclass(frozen=True, order=True)
class AffectiveTree:
    """A node with all beneath it. The children are put in order: persons as mentioned, then by label, ``scene`` last.

    Attributes:
        label: ``aspect: item``, or ``video`` or ``scene``.
        children: The nodes beneath.

    Raises:
        InputError: If the label is none.

    Example:
        >>> text = "video(person: woman(emotion: sadness(mouth: downturned corners(lips: narrow), brows: furrowed)))"
        >>> tree = AffectiveTree.from_compact(text)
        >>> tree.size, str(tree.children[0].children[0])
        (6, 'emotion: sadness(brows: furrowed, mouth: downturned corners(lips: narrow))')
    """

    label: str
    children: tuple["AffectiveTree", ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.label, str) or not _LABEL.fullmatch(self.label):
            raise InputError(f"{self.label!r} is no label of a tree: write 'aspect: item', 'video' or 'scene'")
        object.__setattr__(self, "children", tuple(sorted(self.children, key=_place)))

    def __str__(self) -> str:
        """The compact notation: ``label(child, child(grandchild))``, on one line."""
        return f"{self.label}({', '.join(map(str, self.children))})" if self.children else self.label

    @property
    def aspect(self) -> str:
        """What the node is about: ``mouth``, ``hair``, ``emotion``; the whole label of ``video`` and ``scene``."""
        return self.label.partition(": ")[0]

    @property
    def item(self) -> str:
        """What is said of the aspect; empty for ``video`` and ``scene``."""
        return self.label.partition(": ")[2]

    @property
    def is_placeholder(self) -> bool:
        """Whether the node stands for a level about which nothing was said."""
        return self.item == "-"

    @property
    def size(self) -> int:
        """Number of nodes, this one included."""
        return 1 + sum(child.size for child in self.children)

    def walk(self) -> Iterator["AffectiveTree"]:
        """The node and all beneath, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def pairs(self) -> Counter[str]:
        """How often each ``aspect: item`` is said anywhere; ``video``, ``scene`` and placeholders say nothing.

        Example:
            >>> AffectiveTree.from_compact("video(person: man(emotion: -(expression: -(hair: bald))))").pairs()
            Counter({'person: man': 1, 'hair: bald': 1})
        """
        return Counter(node.label for node in self.walk() if node.item and not node.is_placeholder)

    @cached_property
    def _edges(self) -> Counter[tuple[str, str]]:
        """Labels of parent and child, of every child that says something."""
        return Counter(
            (node.label, child.label)
            for node in self.walk()
            for child in node.children
            if child.item and not child.is_placeholder
        )

    def to_json(self) -> dict:
        """JSON-ready data: ``{"label": ..., "children": [...]}``."""
        return {"label": self.label, "children": [child.to_json() for child in self.children]}

    @classmethod
    def from_json(cls, data: Mapping | str) -> "AffectiveTree":
        """The tree of `to_json`'s data, or of its text.

        Raises:
            InputError: If it is no JSON, or a node lacks its label or has children that are no list.

        Example:
            >>> str(AffectiveTree.from_json('{"label": "video", "children": [{"label": "person: man"}]}'))
            'video(person: man)'
        """
        if isinstance(data, str):
            try:
                data = json.loads(data)
            except json.JSONDecodeError as error:
                raise InputError(f"a tree's text is no JSON: {error}") from error
        if not isinstance(data, Mapping) or "label" not in data or not isinstance(data.get("children", []), list):
            raise InputError(f'a node of a tree is {{"label": text, "children": [nodes]}}, not {str(data)[:80]!r}')
        return cls(data["label"], tuple(cls.from_json(_not_text(child)) for child in data.get("children", [])))

    def to_text(self) -> str:
        """One node a line, two spaces deeper for each level."""
        beneath = "\n".join(child.to_text() for child in self.children)
        return "\n  ".join([self.label, *beneath.splitlines()])

    @classmethod
    def from_compact(cls, text: str) -> "AffectiveTree":
        """The tree of ``label(child, child(grandchild))``; line breaks and spaces do not matter.

        Raises:
            InputError: If a parenthesis or a label is missing; the message says where.

        Example:
            >>> tree = AffectiveTree.from_compact('''
            ...     video(person: woman(emotion: sadness(mouth: downturned corners(lips: narrow), brows: furrowed),
            ...                         emotion: -(expression: -(hair: black, hair: long))), scene(lighting: dim))''')
            >>> tree.size, tree == AffectiveTree.from_compact(str(tree))
            (12, True)
        """
        tokens = [(" ".join(match[1].split()), match.start(1)) for match in _COMPACT_TOKEN.finditer(text.strip())]
        tokens = [token for token in tokens if token[0]]
        root, after = _read_compact(tokens, 0)
        if after != len(tokens):
            raise _malformed(tokens, after, "the end")
        return _freeze(root)


def tree_f1(prediction: AffectiveTree, truth: AffectiveTree) -> float:
    """F1 of the nodes, each known by its label and its parent's label; 1 where neither tree says anything.

    The parent's label, because an edge is a rationale, and each rationale is to be right on its own. By the whole path,
    one wrong emotion would cost everything beneath it; by the label alone, a right expression given as the reason for
    the wrong emotion would cost nothing (that is `pair_f1`). Placeholders and ``scene`` count as parents, not as nodes.

    Example:
        >>> truth = AffectiveTree.from_compact("video(person: man(emotion: fear(eyes: widened)))")
        >>> guess = AffectiveTree.from_compact("video(person: man(emotion: surprise(eyes: widened)))")
        >>> round(tree_f1(guess, truth), 3), round(pair_f1(guess, truth), 3)
        (0.333, 0.667)
    """
    return _f1(prediction._edges, truth._edges)


def pair_f1(prediction: AffectiveTree, truth: AffectiveTree) -> float:
    """F1 of the labels wherever they hang, as multisets (`AffectiveTree.pairs`); 1 where neither tree says anything.

    Example:
        >>> one, other = (AffectiveTree.from_compact(f"video(person: {who})") for who in ("man", "woman"))
        >>> pair_f1(one, one), pair_f1(one, other)
        (1.0, 0.0)
    """
    return _f1(prediction.pairs(), truth.pairs())


def _f1(preds: Counter, target: Counter) -> float:
    total = preds.total() + target.total()
    return 2 * (preds & target).total() / total if total else 1.0


def _place(node: AffectiveTree) -> tuple:
    if node.aspect == "person":
        return (0,)  # equal for all persons: sorting is stable, so that they keep the order of mention
    return (2 if node.label == "scene" else 1, node.is_placeholder, node.label, node.children)


def _not_text(node: Any) -> Mapping:
    if isinstance(node, str):
        raise InputError(f'a child of a tree is {{"label": text, "children": [nodes]}}, not the text {node[:80]!r}')
    return node


def _freeze(node: tuple[str, list]) -> AffectiveTree:
    return AffectiveTree(node[0], tuple(map(_freeze, node[1])))


def _read_compact(tokens: list[tuple[str, int]], place: int) -> tuple[tuple[str, list], int]:
    """The node that starts at a token, and the place after it."""
    if place >= len(tokens) or tokens[place][0] in "(),":
        raise _malformed(tokens, place, "a label")
    node: tuple[str, list] = (tokens[place][0], [])
    place += 1
    if place < len(tokens) and tokens[place][0] == "(":
        separator = ","
        while separator == ",":
            child, place = _read_compact(tokens, place + 1)
            node[1].append(child)
            separator = tokens[place][0] if place < len(tokens) else ""
        if separator != ")":
            raise _malformed(tokens, place, "',' or ')'")
        place += 1
    return node, place


def _malformed(tokens: list[tuple[str, int]], place: int, expected: str) -> InputError:
    found = f"{tokens[place][0]!r} at character {tokens[place][1]}" if place < len(tokens) else "the end"
    return InputError(f"a tree in compact notation has {found} where {expected} is expected; see AffectiveTree")
