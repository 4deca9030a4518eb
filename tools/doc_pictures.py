"""The pictures of the documentation that our own code makes: a token tree with its mask, an affective tree, its edits.

python tools/doc_pictures.py docs/images

They are SVG on white, for light pages and dark ones, and the same bytes every time:

    token_tree.svg       a video, three questions and four answers as one tree: layout, mask, positions
    token_tree_cost.svg  the same four samples apart and as that tree, at one scale
    affective_tree.svg   what rules read from the reference in docs/rewards.md
    affective_edit.svg   the edits that make the model's caption there the reference
"""

import argparse
from dataclasses import dataclass
from itertools import accumulate, groupby
from pathlib import Path
from xml.sax.saxutils import escape

import torch

from videmo.affect import caption_tree
from videmo.affect.picture import Drawing, lay_out_edit, lay_out_tree
from videmo.data.video import Video
from videmo.models.tree_attention import tree_mask
from videmo.token_tree import IGNORE_INDEX, Segment, TokenLayout, TokenTree, TreeBatch, flatten

REFERENCE = (
    "A woman with long black hair looks sad: her brows are furrowed and the corners of her thin lips turn down. "
    "The lighting is dim."
)
RESPONSE = (
    "A woman with black hair and glasses looks sad: the corners of her mouth turn down and she looks down. "
    "The lighting is dim."
)

INK, SOFT, EDGE, HIDDEN = "#1f2937", "#64748b", "#94a3b8", "#f1f5f9"
CELL = 15  # pixels along a token's side
LEFT = 158  # where the mask begins; names stand left of it
BAR = 24  # from one level of the tree to the next
VIDEO, TEXT = 1, 2  # what stands for the placeholder of a video, and for a token of text
LAYOUT = TokenLayout(VIDEO, pad_token_id=0, tokens_per_second=2, merge_size=2)
CLIP = Video(None, grid_thw=(2, 4, 6), second_per_grid=1.0)
"""Two moments of 2 x 3 tokens: the merger joins 2 x 2 patches."""


@dataclass(frozen=True)
class Node:
    """A segment of the example.

    Attributes:
        name: Beside the mask.
        short: Above it.
        parent: Its number among the nodes; None for the video.
        colour: Of what sees it.
        tokens: How many it has.
        learned: How many of them are learned, its last ones; where there are some, a sample ends.
    """

    name: str
    short: str
    parent: int | None
    colour: str
    tokens: int
    learned: int = 0

    @property
    def path(self) -> list["Node"]:
        """From the video down to it."""
        return [self] if self.parent is None else [*NODES[self.parent].path, self]

    def segment(self, sample: int | None) -> Segment:
        """As a tree takes it; the video's placeholders stand between two tokens of text."""
        ids, labels = torch.full((self.tokens,), TEXT), torch.full((self.tokens,), IGNORE_INDEX)
        labels[self.tokens - self.learned :] = TEXT
        if self.parent is None:
            ids[1:-1] = VIDEO
        return Segment(ids, labels, (CLIP,) if self.parent is None else (), sample)


NODES = (
    Node("video", "video", None, "#94a3b8", 2 + CLIP.num_tokens),
    Node("question 1, its answer", "question 1, answer", 0, "#60a5fa", 7, 3),
    Node("question 2", "question 2", 0, "#a78bfa", 4),
    Node("answer 2a", "2a", 2, "#34d399", 3, 3),
    Node("answer 2b", "2b", 2, "#fbbf24", 4, 4),
    Node("question 3, its answer", "qu. 3, answer", 0, "#fb7185", 6, 2),
)
"""A question with its answer is one branch, as in supervised training; one with two completions, as in GRPO."""
LEAVES = [node for node in NODES if node.learned]


def as_one_tree() -> TreeBatch:
    """The nodes as one tree, laid out by the code that training uses."""
    tree = TokenTree()
    for node in NODES:
        tree.add(node.segment(LEAVES.index(node) if node.learned else None), node.parent)
    return flatten([tree], LAYOUT)


def apart() -> TreeBatch:
    """The same samples as trees of one branch each, in one row."""
    trees = []
    for number, leaf in enumerate(LEAVES):
        tree, parent = TokenTree(), None
        for node in leaf.path:
            parent = tree.add(node.segment(number if node is leaf else None), parent)
        trees.append(tree)
    return flatten(trees, LAYOUT, capacity=sum(tree.num_tokens for tree in trees))


class Svg:
    """An SVG picture on white, and a pen for it, as a `Drawing` wants one.

    Args:
        width: In pixels.
        height: Likewise.
        title: What it shows, for those who do not see it.
    """

    def __init__(self, width: float, height: float, title: str) -> None:
        self._size, self._title = (_number(width), _number(height)), title
        self._parts: list[str] = []

    def __str__(self) -> str:
        width, height = self._size
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            'role="img" font-family="Helvetica, Arial, sans-serif" font-size="14">'
        )
        paper = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
        return "\n".join([head, f"<title>{escape(self._title)}</title>", paper, *self._parts, "</svg>\n"])

    def line(self, xy, fill: str) -> None:
        """Through points, in the middle of pixels."""
        points = " ".join(f"{_number(x + 0.5)},{_number(y + 0.5)}" for x, y in xy)
        self._parts.append(f'<polyline points="{points}" fill="none" stroke="{fill}"/>')

    def rounded_rectangle(self, xy, radius: float, fill: str, outline: str) -> None:
        """Between two corners, both on its outline."""
        left, top, right, bottom = xy
        self.area(left + 0.5, top + 0.5, right - left, bottom - top, fill, rx=radius, stroke=outline)

    def text(self, xy, text: str, fill: str, font) -> None:
        """From its upper left corner on, as wide as the font makes it that it was laid out with."""
        x, y = map(_number, (xy[0], xy[1] + font.getmetrics()[0]))
        width = f'textLength="{_number(font.getlength(text))}" lengthAdjust="spacingAndGlyphs"'
        self._parts.append(f'<text x="{x}" y="{y}" {width} fill="{fill}">{escape(text)}</text>')

    def area(self, x: float, y: float, width: float, height: float, fill: str, **more: object) -> None:
        """A rectangle; more are its other attributes."""
        sides = {name: _number(side) for name, side in (("x", x), ("y", y), ("width", width), ("height", height))}
        given = " ".join(f'{name}="{value}"' for name, value in {**sides, "fill": fill, **more}.items())
        self._parts.append(f"<rect {given}/>")

    def write(self, x: float, y: float, text: object, size: int = 12, fill: str = INK, anchor: str = "start") -> None:
        """Letters whose middle line is y, and whose start, middle or end is x."""
        place = f'x="{_number(x)}" y="{_number(y + 0.35 * size)}" font-size="{size}" text-anchor="{anchor}"'
        self._parts.append(f'<text {place} fill="{fill}">{escape(str(text))}</text>')

    def mask(self, left: float, top: float, cell: float, batch: TreeBatch, colours: list[str]) -> None:
        """Queries by keys, [S, S]: what is seen has the colour of its key."""
        side = len(colours) * cell
        self.area(left, top, side, side, HIDDEN)
        for row, keys in enumerate(tree_mask(batch.subtree_end)[0].tolist()):
            looks = [colour if visible else "" for colour, visible in zip(colours, keys, strict=True)]
            column = 0
            for look, run in groupby(looks):
                width = len(list(run))
                if look:
                    self.area(left + column * cell, top + row * cell, width * cell, cell, look)
                column += width
        for place in range(1, len(colours)):  # the joints between tokens
            self.area(left + place * cell - 0.25, top, 0.5, side, "#ffffff")
            self.area(left, top + place * cell - 0.25, side, 0.5, "#ffffff")


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _tint(colour: str, share: float) -> str:
    """So much of a colour, and white for the rest."""
    parts = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 - share * (255 - part)):02x}" for part in parts)


def token_tree() -> str:
    """The tree above its mask, and below what else each token is given."""
    batch = as_one_tree()
    length = batch.input_ids.shape[1]
    starts = [0, *accumulate(node.tokens for node in NODES)]
    right, first = LEFT + length * CELL, 34
    top = first + 3 * BAR + 8
    bottom = top + length * CELL
    picture = Svg(right + 18, bottom + 134, "A video, three questions, four answers: one token tree and its mask")
    picture.write(LEFT, 17, "keys, in the order in which the tree is laid out", fill=SOFT)
    picture.write(LEFT - 10, first + 1.5 * BAR - 2, "the tree", fill=SOFT, anchor="end")
    for node, start in zip(NODES, starts, strict=False):
        y = first + (len(node.path) - 1) * BAR
        x, own, end = (LEFT + place * CELL for place in (start, start + node.tokens, int(batch.subtree_end[0, start])))
        picture.area(x, y, end - x - 2, BAR - 4, _tint(node.colour, 0.22), rx=3)
        picture.area(x, y, own - x - 2, BAR - 4, node.colour, rx=3)
        picture.write((x + own - 2) / 2, y + BAR / 2 - 2, node.short, 11, INK, "middle")
        middle = top + (start + node.tokens / 2) * CELL
        picture.write(LEFT - 10, middle, node.name, fill=INK, anchor="end")
    picture.mask(LEFT, top, CELL, batch, [node.colour for node in NODES for _ in range(node.tokens)])
    for start in starts[1:-1]:
        picture.area(LEFT - 150, top + start * CELL - 0.5, 150 + length * CELL, 1, EDGE)
        picture.area(LEFT + start * CELL - 0.5, top, 1, length * CELL + 124, EDGE)
    rows = {
        "token": range(length),
        "logits come from": [number if number >= 0 else "-" for number in batch.predecessor[0].tolist()],
        "learned": ["●" if learned else "" for learned in (batch.labels[0] != IGNORE_INDEX).tolist()],
        **dict(zip(("position: time", "height", "width"), batch.position_ids[:, 0].tolist(), strict=True)),
    }
    for place, (name, values) in enumerate(rows.items()):
        y = bottom + 16 + place * 20
        picture.write(LEFT - 10, y, name, fill=SOFT, anchor="end")
        for column, value in enumerate(values):
            picture.write(LEFT + (column + 0.5) * CELL, y, value, 9, INK, "middle")
    return str(picture)


def token_tree_cost() -> str:
    """How much is computed: the samples apart, each with a video of its own, and as a tree."""
    cell, gap, top = 5, 56, 44
    whole, parts = as_one_tree(), apart()
    sizes = [batch.input_ids.shape[1] for batch in (parts, whole)]
    picture = Svg(2 * 16 + sum(sizes) * cell + gap, top + sizes[0] * cell + 16, "The same samples apart, and as a tree")
    looks = [
        [node.colour for leaf in LEAVES for node in leaf.path for _ in range(node.tokens)],
        [node.colour for node in NODES for _ in range(node.tokens)],
    ]
    left = 16
    for name, batch, colours in zip(("apart", "as one tree"), (parts, whole), looks, strict=True):
        pairs = int(tree_mask(batch.subtree_end).sum())
        picture.write(left, 14, name, 13)
        picture.write(left, 31, f"{len(colours)} tokens, {pairs} pairs of them", 12, SOFT)
        picture.mask(left, top, cell, batch, colours)
        left += len(colours) * cell + gap
    return str(picture)


def _painted(drawing: Drawing, title: str) -> str:
    picture = Svg(*drawing.size, title)
    drawing.paint(picture)
    return str(picture)


def pictures() -> dict[str, str]:
    """Name of a file -> what it holds."""
    target, pred = caption_tree(REFERENCE), caption_tree(RESPONSE)
    return {
        "token_tree.svg": token_tree(),
        "token_tree_cost.svg": token_tree_cost(),
        "affective_tree.svg": _painted(lay_out_tree(target), f"The affective tree of: {REFERENCE}"),
        "affective_edit.svg": _painted(lay_out_edit(pred, target), f"What makes it that tree: {RESPONSE}"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="the folder that they are written into")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, text in pictures().items():
        (out / name).write_text(text, encoding="utf-8")
        print(out / name)


if __name__ == "__main__":
    main()
