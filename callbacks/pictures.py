"""Pictures of frames and text for TensorBoard."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from videmo.affect.picture import FONT
from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.decode import read_frames
from videmo.data.records import Record

GREY, BLACK, GREEN, RED, AMBER = "#555555", "#000000", "#1a7f37", "#b42318", "#9a6700"
FRAME_HEIGHT = 120
WIDTH = 780
_GAP, _MARGIN, _LINE_HEIGHT = 4, 6, 20


class Sheet:
    """A white picture that is filled from top to bottom, and as high as what it was given.

    Args:
        width: Of text and rows of frames, in pixels; a wider picture widens the sheet.
    """

    def __init__(self, width: int = WIDTH) -> None:
        self.width = width
        self._pieces: list[tuple[int, int, Image.Image]] = []  # left, top
        self._top = 0

    def frames(self, videos: Iterable[np.ndarray]) -> None:
        """Add the frames of each video, [T, H, W, 3], in rows of its own."""
        for video in videos:
            self.pictures([_scaled(frame) for frame in np.asarray(video)])

    def pictures(self, pictures: Iterable[Image.Image]) -> None:
        """Add pictures side by side, in as many rows as they need."""
        left, bottom = 0, self._top
        for picture in pictures:
            if left and left + picture.width > self.width:
                left, self._top = 0, bottom
            self._pieces.append((left, self._top, picture))
            left, bottom = left + picture.width + _GAP, max(bottom, self._top + picture.height + _GAP)
        self._top = bottom

    def text(self, text: str, colour: str = BLACK, left: int = _MARGIN, right: int | None = None) -> None:
        """Add a text between two edges; its own lines stay lines, and long ones are broken."""
        lines = wrap(text, (right or self.width) - left - _MARGIN)
        self._pieces.append((left, self._top, _written(lines, colour)))
        self._top += len(lines) * _LINE_HEIGHT

    def row(self, cells: Sequence[tuple[int, str, str]]) -> None:
        """Add texts side by side: the left edge of each, the text, and its colour."""
        top, bottoms = self._top, []
        for (left, text, colour), right in zip(cells, [*(cell[0] for cell in cells[1:]), None], strict=True):
            self._top = top
            self.text(text, colour, left, right)
            bottoms.append(self._top)
        self._top = max(bottoms)

    def line(self) -> None:
        """Add a thin line from side to side."""
        line = Image.new("RGB", (self.width - 2 * _MARGIN, 1), "#d0d7de")
        self._pieces.append((_MARGIN, self._top + _GAP, line))
        self._top += 2 * _GAP + 1

    def space(self) -> None:
        """Add a little room."""
        self._top += _GAP

    def draw(self) -> Image.Image:
        """The picture."""
        width = max([self.width, *(left + piece.width for left, _, piece in self._pieces)])
        whole = Image.new("RGB", (width, self._top + 2 * _GAP), "white")
        for left, top, piece in self._pieces:
            whole.paste(piece, (left, top))
        return whole


def shown_frames(record: Record, data: EmoCFGDataModule) -> list[np.ndarray]:
    """The frames of a record's videos as the model sees them, each [T, H, W, 3]."""
    return [read_frames(data.video_root / video, data.video)[0] for video in record.videos]


def wrap(text: str, width: int) -> list[str]:
    """The lines of a text, broken between words, or inside one that is wider than a line of so many pixels.

    >>> wrap("one two\\nthree", 60), wrap("", 60)
    (['one two', 'three'], [''])
    """
    lines = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in paragraph.split():
            joined = f"{line} {word}" if line else word
            if FONT.getlength(joined) <= width:
                line = joined
                continue
            if line:
                lines.append(line)
            while FONT.getlength(word) > width and len(word) > 1:
                fits = max(
                    1, bisect_right(range(1, len(word)), width, key=lambda n, word=word: FONT.getlength(word[:n]))
                )
                lines.append(word[:fits])
                word = word[fits:]
            line = word
        lines.append(line)
    return lines


def _written(lines: Sequence[str], colour: str) -> Image.Image:
    width = max(int(FONT.getlength(line)) + 2 for line in lines)
    picture = Image.new("RGB", (width, len(lines) * _LINE_HEIGHT), "white")
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        pen.text((0, number * _LINE_HEIGHT + 2), line, fill=colour, font=FONT)
    return picture


def _scaled(pixels: np.ndarray) -> Image.Image:
    image = Image.fromarray(pixels)
    return image.resize((max(1, round(image.width * FRAME_HEIGHT / image.height)), FRAME_HEIGHT))
