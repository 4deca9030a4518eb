"""A contact sheet of a drawn world: emotions by strength and pose on the left, everything else on the right.

python tools/contact_sheet.py ROOT sheet.jpg
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import av
from PIL import Image, ImageDraw, ImageFont

from videmo.synth.face import EMOTIONS

CELL, CAPTION, GAP, LEFT, RIGHT, HEAD = 106, 15, 2, 112, 88, 26  # pixels
LEFT_COLUMNS, RIGHT_COLUMNS = 6, 5
SHOWN_FRAME = 10
PAPER, TEXT, FAINT = (250, 248, 244), (44, 40, 48), (226, 222, 216)
HIDING = {"mask": 3, "sunglasses": 3, "hat": 1}  # what makes a clip a poor example of something else
Cell = tuple[str, dict | None, int]  # caption, clip, frame


def contact_sheet(root: Path) -> Image.Image:
    """The sheet of one world; a cell stays empty where no clip shows what it asks for.

    Args:
        root: A folder that `videmo synth` made.
    """
    lines = [line for file in sorted((root / "truth").glob("*.jsonl")) for line in file.read_text().splitlines()]
    choose = Chooser([json.loads(line) for line in lines])
    blocks = (emotion_rows(choose), LEFT, LEFT_COLUMNS), (other_rows(choose), RIGHT, RIGHT_COLUMNS)
    widths = [margin + columns * (CELL + GAP) for _, margin, columns in blocks]
    height = HEAD + max(len(rows) for rows, _, _ in blocks) * (CELL + CAPTION)
    sheet = Image.new("RGB", (sum(widths) + 12, height + 6), PAPER)
    left = 0
    for (rows, margin, _), width in zip(blocks, widths, strict=True):
        for number, (title, cells) in enumerate(rows):
            top = HEAD + number * (CELL + CAPTION)
            _write(sheet, title, (left + 8, top + CELL // 2 - 8), 14)
            for column, cell in enumerate(cells):
                _put(sheet, root, cell, (left + margin + column * (CELL + GAP), top))
        left += width + 6
    _write(sheet, "one emotion, weak to strong, and turned", (LEFT, 5), 13)
    _write(sheet, "what else a clip can show", (widths[0] + 6 + RIGHT, 5), 13)
    return sheet


class Chooser:
    """Finds clips that show something plainly, each clip once if possible.

    Args:
        clips: The truth of a world, as `Clip.as_dict` gives it.
    """

    def __init__(self, clips: list[dict]):
        self.clips = sorted(clips, key=_clutter)
        self.shown: set[str] = set()

    def __call__(self, caption: str, wanted: Callable[[dict], bool], frame: int = SHOWN_FRAME) -> Cell:
        found = [clip for clip in self.clips if wanted(clip)]
        found.sort(key=lambda clip: clip["path"] in self.shown)
        if not found:
            return caption, None, frame
        self.shown.add(found[0]["path"])
        return caption, found[0], frame


def emotion_rows(choose: Chooser) -> list[tuple[str, list[Cell]]]:
    """A row an emotion: three strengths of a front view, then three poses."""
    rows = []
    for emotion in EMOTIONS:
        alone = [clip["path"] for clip in choose.clips if clip["kind"] == "single" and clip["emotion"] == emotion]
        row = [
            choose(intensity, lambda clip, v=intensity, a=alone: clip["path"] in a and clip["intensity"] == v)
            for intensity in ("weak", "medium", "strong")
        ]
        for pose in ("Right 60 degrees", "Left 30 degrees", "Up"):
            cell = choose(pose, lambda clip, v=pose, a=alone: clip["path"] in a and clip["pose"] == v)
            if cell[1] is None:  # a small world: any other one
                cell = choose("", lambda clip, a=alone: clip["path"] in a and clip["pose"] != "Front")
                cell = (cell[1]["pose"] if cell[1] else pose, *cell[1:])
            row.append(cell)
        rows.append((emotion, row))
    return rows


def other_rows(choose: Chooser) -> list[tuple[str, list[Cell]]]:
    """Rows of accessories, actions, ages, two emotions, two people, and strips of frames of what passes."""

    def each(field: str, values: tuple[str, ...]) -> list[Cell]:
        return [
            choose(
                value.replace("_", " "),
                lambda clip, v=value: clip[field] == v and (clip["kind"] == "single" or field == "relation"),
                0 if value == "talk" else SHOWN_FRAME,  # the first frame has open lips
            )
            for value in values
        ]

    def worn(names: tuple[str, ...]) -> list[Cell]:
        return [
            choose(name, lambda clip, n=name: n in clip["accessories"] and clip["kind"] != "pair") for name in names
        ]

    def person(*wanted: tuple[str, str]) -> list[Cell]:
        return [
            choose(value, lambda clip, f=field, v=value: _calm(clip) and clip["identity"][f] == v)
            for field, value in wanted
        ]

    def strip(kind: str, field: str, frames: tuple[int, ...]) -> list[Cell]:
        shown = {"micro": ("Surprise", "Happiness", "Disgust"), "change": ("Happy", "Sad", "Surprise")}[kind]
        _, clip, _ = choose("", lambda clip: clip["kind"] == kind and clip[field] in shown and _lasts(clip, frames[2]))
        if clip is None:
            return []
        told = [f"frame {frame}" for frame in frames]
        told[0] += f": {clip[field]}"
        return [(text, clip, frame) for text, frame in zip(told, frames, strict=True)]

    pairs = (("Happy", "Surprise"), ("Sad", "Fear"), ("Sad", "Angry"), ("Fear", "Surprise"), ("Angry", "Disgust"))
    compounds = [
        choose(
            " + ".join(pair),
            lambda clip, pair=pair: clip["kind"] == "compound" and (clip["emotion"], clip["second"]) == pair,
        )
        for pair in pairs
    ]
    ages = (("age", "young"), ("age", "middle-aged"), ("age", "elderly"), ("beard", "goatee"), ("mark", "freckles"))
    rows = [
        ("people", person(*ages)),
        ("worn", worn(("eyeglasses", "sunglasses", "hat", "mask", "makeup"))),
        ("", worn(("earrings", "necklace", "necktie", "lipstick", "blush"))),
        ("body", each("body_action", ("drink", "read", "listen_to_music", "sing", "smoke"))),
        ("face", each("face_action", ("talk", "wink", "close_eyes", "yawn", "kiss"))),
        ("head", each("head_action", ("nod", "shake_head", "head_wagging", "turn"))),
        ("pairs", each("relation", ("Intimate", "Mild", "Neutral", "Tense", "Hostile"))),
        ("compound", compounds),
        ("change", strip("change", "second", (0, 5, 7, 10, 15))),
        ("micro", strip("micro", "micro", (0, 5, 8, 10, 15))),
        ("camera", each("occluder", ("hand", "leaf", "bar"))),
    ]
    return [(name, cells) for name, cells in rows if any(clip for _, clip, _ in cells)]


def _calm(clip: dict) -> bool:
    """Whether nothing distracts from who is shown."""
    return clip["kind"] in ("single", "micro") and clip["emotion"] in ("Neutral", "Happy") and clip["pose"] == "Front"


def _lasts(clip: dict, frame: int) -> bool:
    """Whether a micro-expression is plain in a frame and gone in the first and last; true of every other clip."""
    bare = clip["identity"]["beard"] == "none" and clip["identity"]["age"] == "young"
    return clip["kind"] != "micro" or (bare and frame - 3 <= clip["onset"] <= frame - 1)


def _clutter(clip: dict) -> tuple[float, str]:
    """How much else there is in a clip; the path makes the order of equals stable."""
    score = sum(HIDING.get(name, 0) for name in clip["accessories"]) + (clip["noise"] > 0)
    score += (clip["pose"] != "Front") + ("60" in clip["pose"]) + 3 * (clip["occluder"] != "none")
    score += sum(clip[action] != "none" for action in ("head_action", "face_action", "body_action"))
    return score + (clip["kind"] not in ("single", "pair")), clip["path"]


def _put(sheet: Image.Image, root: Path, cell: Cell, place: tuple[int, int]) -> None:
    caption, clip, frame = cell
    if clip is None:
        picture = Image.new("RGB", (CELL, CELL), FAINT)
    else:
        picture = _frame(root / "videos" / clip["path"], frame).resize((CELL, CELL), Image.Resampling.LANCZOS)
    mask = Image.new("L", (CELL, CELL))
    ImageDraw.Draw(mask).rounded_rectangle([0, 0, CELL - 1, CELL - 1], 8, fill=255)
    sheet.paste(picture, place, mask)
    _write(sheet, caption, (place[0] + 3, place[1] + CELL - 1), 10)


def _write(sheet: Image.Image, text: str, place: tuple[int, int], size: int) -> None:
    ImageDraw.Draw(sheet).text(place, text, fill=TEXT, font=ImageFont.load_default(size))


def _frame(file: Path, number: int) -> Image.Image:
    with av.open(str(file)) as container:
        return [frame.to_image() for frame in container.decode(video=0)][number]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, help="a folder that `videmo synth` made")
    parser.add_argument("out", type=Path, help="the picture to write")
    arguments = parser.parse_args()
    contact_sheet(arguments.root).save(arguments.out, quality=88)
    print(arguments.out)


if __name__ == "__main__":
    main()
