"""Pictures of affective trees: root on the left, a column for each level; and of the edits from one tree to another."""

import itertools
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFont

from videmo.affect.edit_distance import UNIT_COSTS, EditCosts, edit_distance
from videmo.affect.edit_script import map_nodes
from videmo.affect.tree import AffectiveTree

LEVELS = ("video", "person", "emotion", "expression", "attribute")
FONT = ImageFont.load_default(14)
assert isinstance(FONT, ImageFont.FreeTypeFont)
LINE = sum(FONT.getmetrics())
LONGEST = 30  # characters of a line; the rest is wrapped
PADDING = (8, 3)  # between a box's outline and its text
GAP = (34, 7)  # between columns, in which the edges run, and between siblings
MARGIN = 12
EDGE = "#94a3b8"


@dataclass(frozen=True)
class Look:
    """Colours of a box: its area, its outline and its text; and whether the text is struck through."""

    fill: str
    outline: str
    ink: str
    struck: bool = False


BY_LEVEL = (
    Look("#e2e8f0", "#94a3b8", "#334155"),
    Look("#dbeafe", "#60a5fa", "#1e40af"),
    Look("#ede9fe", "#a78bfa", "#5b21b6"),
    Look("#ccfbf1", "#2dd4bf", "#115e59"),
    Look("#ffedd5", "#fdba74", "#7c2d12"),
)
SCENE = Look("#f1f5f9", "#cbd5e1", "#334155")
UNSAID = Look("#ffffff", "#e2e8f0", "#94a3b8")
BY_EDIT = {
    "kept": Look("#ffffff", "#cbd5e1", "#1f2937"),
    "substituted": Look("#fef3c7", "#d97706", "#92400e"),
    "deleted": Look("#fee2e2", "#b42318", "#b42318", struck=True),
    "inserted": Look("#dcfce7", "#1a7f37", "#14532d"),
}
CHANGED = [look for edit, look in BY_EDIT.items() if edit != "kept"]  # their edges have their colour


@dataclass(eq=False)
class Box:
    """A node as it is drawn: what it says, how it looks, and (once laid out) where it stands."""

    text: str
    look: Look
    children: list["Box"] = field(default_factory=list)
    left: int = 0
    top: int = 0

    @property
    def lines(self) -> list[str]:
        return [line for part in self.text.split("\n") for line in textwrap.wrap(part, LONGEST)]

    @property
    def width(self) -> int:
        return round(max(map(FONT.getlength, self.lines))) + 2 * PADDING[0]

    @property
    def height(self) -> int:
        return len(self.lines) * LINE + 2 * PADDING[1]

    @property
    def middle(self) -> int:
        return self.top + self.height // 2

    def walk(self, column: int = 0) -> Iterator[tuple[int, "Box"]]:
        """The box and all to the right of it, each with its column."""
        yield column, self
        for child in self.children:
            yield from child.walk(column + 1)


@dataclass(frozen=True)
class Drawing:
    """Trees that are laid out, and not yet painted.

    Attributes:
        size: Width and height, in pixels.
        edges: Corners of a line, and its colour.
        boxes: Over the ends of the edges.
        texts: Upper left corner, text and colour of what stands in no box.
    """

    size: tuple[int, int]
    edges: list[tuple[list[tuple[int, int]], str]]
    boxes: list[Box]
    texts: list[tuple[tuple[int, int], str, str]]

    def paint(self, pen: ImageDraw.ImageDraw) -> None:
        """Paint it with Pillow's pen, or with what has its ``line``, ``rounded_rectangle`` and ``text``."""
        for corners, colour in self.edges:
            pen.line(corners, colour)
        for box in self.boxes:
            _paint(pen, box)
        for corner, text, ink in self.texts:
            pen.text(corner, text, ink, FONT)

    def image(self) -> Image.Image:
        """The picture in pixels, on white."""
        picture = Image.new("RGB", self.size, "white")
        self.paint(ImageDraw.Draw(picture))
        return picture


def draw_tree(tree: AffectiveTree, before: AffectiveTree | None = None) -> Image.Image:
    """A picture of a tree, coloured by level, at the size that its text needs; "not stated" is a placeholder.

    Args:
        tree: The tree.
        before: What it grew from, by the cheapest edits: only what has come since is coloured then.
    """
    return lay_out_tree(tree, before).image()


def draw_edit(pred: AffectiveTree, target: AffectiveTree, costs: EditCosts = UNIT_COSTS) -> Image.Image:
    """A picture of the cheapest edits that turn the prediction into the target: what is kept, and in colours the rest.

    It shows the target's tree with what is deleted added where the prediction had it. A kept node whose parent is
    deleted stands where the target has it.
    """
    return lay_out_edit(pred, target, costs).image()


def lay_out_tree(tree: AffectiveTree, before: AffectiveTree | None = None) -> Drawing:
    """`draw_tree`'s picture, for any pen."""
    places = itertools.count()
    old = _unchanged(before, tree) if before else frozenset()

    def box(node: AffectiveTree, level: int, in_scene: bool) -> Box:
        in_scene = in_scene or node.label == "scene"
        look = SCENE if in_scene else BY_LEVEL[min(level, len(BY_LEVEL) - 1)]
        known = next(places) in old
        look = UNSAID if node.is_placeholder else BY_EDIT["kept"] if known else look
        return Box(_wording(node), look, [box(child, level + 1, in_scene) for child in node.children])

    return _lay_out([box(tree, _level(tree), False)], _level(tree))


def lay_out_edit(pred: AffectiveTree, target: AffectiveTree, costs: EditCosts = UNIT_COSTS) -> Drawing:
    """`draw_edit`'s picture, for any pen."""
    partners = dict(map_nodes(pred, target, costs))
    goals = list(target.walk())
    boxes = [Box(_wording(goal), BY_EDIT["inserted"]) for goal in goals]
    for box, parent in zip(boxes[1:], _parents(target)[1:], strict=True):
        boxes[parent].children.append(box)
    counts = Counter(inserted=len(goals) - len(partners))
    roots, drawn, parents = [boxes[0]], [], _parents(pred)
    for place, node in enumerate(pred.walk()):
        if place in partners:
            box, goal = boxes[partners[place]], goals[partners[place]]
            edit = "kept" if node.label == goal.label else "substituted"
            if edit == "substituted":
                box.text = _substitution(node, goal)
        else:
            box, edit = Box(_wording(node), BY_EDIT["deleted"]), "deleted"
            siblings = drawn[parents[place]].children if place else roots
            earlier = [drawn[other] for other in range(place) if parents[other] == parents[place]]
            siblings.insert(1 + max((siblings.index(one) for one in earlier if one in siblings), default=-1), box)
        box.look = BY_EDIT[edit]
        counts[edit] += 1
        drawn.append(box)
    legend = [Box(f"{counts[edit]} {edit}", look) for edit, look in BY_EDIT.items() if counts[edit]]
    return _lay_out(roots, _level(target), f"edit distance {edit_distance(pred, target, costs):.6g}:", legend)


def _unchanged(before: AffectiveTree, tree: AffectiveTree) -> frozenset[int]:
    """Which nodes of a tree, by their places in reading order, the one before it had."""
    ours, theirs = [*before.walk()], [*tree.walk()]
    return frozenset(place for other, place in map_nodes(before, tree) if ours[other].label == theirs[place].label)


def _level(root: AffectiveTree) -> int:
    """The level of a root: a tree may be one person's only, or an emotion's."""
    return LEVELS.index(root.aspect) if root.aspect in LEVELS else 1 if root.label == "scene" else 3


def _parents(tree: AffectiveTree) -> list[int]:
    """The place of each node's parent in reading order; of the root -1."""
    found, path = [], []
    for place, node in enumerate(tree.walk()):
        while path and path[-1][1] <= place:
            path.pop()
        found.append(path[-1][0] if path else -1)
        path.append((place, place + node.size))
    return found


def _wording(node: AffectiveTree) -> str:
    """What a box says: the column's heading says already that it is a person or an emotion."""
    if node.is_placeholder:
        return "not stated"
    return node.item if node.aspect in ("person", "emotion") else node.label


def _substitution(node: AffectiveTree, goal: AffectiveTree) -> str:
    """Both nodes in one box: on two lines where they are long."""
    if node.aspect == goal.aspect:
        before, after = _wording(node), "not stated" if goal.is_placeholder else goal.item
    else:  # they may be of different levels, too
        before, after = (_wording(one) if one.is_placeholder else one.label for one in (node, goal))
    return f"{before} ->{' ' if len(before + after) < LONGEST - 3 else chr(10)}{after}"


def _lay_out(roots: list[Box], level: int, caption: str = "", legend: Sequence[Box] = ()) -> Drawing:
    """Lay out trees, the first column of which is of a level; below them a caption and a legend."""
    placed = [pair for root in roots for pair in root.walk()]
    columns: dict[int, list[Box]] = {}
    for column, box in placed:
        columns.setdefault(column, []).append(box)
    headings = LEVELS[level : level + len(columns)]
    left, lefts = MARGIN, []
    for column, boxes in sorted(columns.items()):
        lefts.append(left)
        heading = FONT.getlength(headings[column]) if column < len(headings) else 0
        for box in boxes:
            box.left = left
        left += max(round(heading), *(box.width for box in boxes)) + GAP[0]
    bottom = MARGIN + LINE + MARGIN
    for root in roots:
        bottom = _place(root, bottom) + GAP[1]
    if caption:
        bottom += MARGIN
        right = MARGIN + round(FONT.getlength(caption)) + MARGIN
        for box in legend:
            box.left, box.top = right, bottom
            right += box.width + GAP[1]
        left, bottom = max(left, right + GAP[0]), bottom + LINE + 2 * PADDING[1] + GAP[1]
    texts = [
        ((lefts[column], MARGIN), heading, BY_LEVEL[level + column].ink)
        for column, heading in enumerate(headings)
        if heading != "video"
    ]
    if caption:
        texts.append(((MARGIN, legend[0].top + PADDING[1]), caption, "#1f2937"))
    edges = []
    for column, box in placed:
        for child in box.children:
            bend = lefts[column + 1] - GAP[0] // 2
            corners = [(box.left + box.width, box.middle), (bend, box.middle), (bend, child.middle)]
            colour = child.look.outline if child.look in CHANGED else EDGE
            edges += [(corners, EDGE), ([corners[-1], (child.left, child.middle)], colour)]
    size = (left - GAP[0] + MARGIN, bottom - GAP[1] + MARGIN)
    return Drawing(size, edges, [*(box for _, box in placed), *legend], texts)


def _place(box: Box, top: int) -> int:
    """Put a box beside the middle of its children, all below a line, and return where they end."""
    bottom = top
    for child in box.children:
        bottom = _place(child, bottom) + GAP[1]
    bottom -= GAP[1] if box.children else 0
    spare = box.height - (bottom - top)
    if spare > 0:  # a tall box with few children: they stand beside its middle
        for _, beneath in box.walk():
            beneath.top += spare // 2
        bottom += spare
    middle = (box.children[0].middle + box.children[-1].middle) // 2 if box.children else 0
    box.top = min(max(middle - box.height // 2, top), bottom - box.height)
    return bottom


def _paint(pen: ImageDraw.ImageDraw, box: Box) -> None:
    right, bottom = box.left + box.width, box.top + box.height
    pen.rounded_rectangle((box.left, box.top, right, bottom), 5, box.look.fill, box.look.outline)
    for number, line in enumerate(box.lines):
        x, y = box.left + PADDING[0], box.top + PADDING[1] + number * LINE
        pen.text((x, y), line, box.look.ink, FONT)
        if box.look.struck:
            pen.line([(x - 2, y + LINE // 2 + 1), (x + FONT.getlength(line) + 2, y + LINE // 2 + 1)], box.look.ink)
