"""A contact sheet of a drawn world: one row an emotion, one column a head pose, each face at its apex.

python tools/contact_sheet.py ROOT sheet.png
"""

import argparse
import json
from pathlib import Path

import av
from PIL import Image, ImageDraw

from videmo.tasks import label_set

MARGIN, HEADER, CELL, SHOWN_FRAME = 70, 22, 160, 10


def contact_sheet(root: Path) -> Image.Image:
    """The sheet of one world; a cell stays empty where no clip has that emotion and pose.

    Args:
        root: A folder that `videmo synth` made.
    """
    lines = [line for file in sorted((root / "truth").glob("*.jsonl")) for line in file.read_text().splitlines()]
    clips = {}
    for clip in map(json.loads, lines):
        clips.setdefault((clip["emotion"], clip["pose"]), clip)
    emotions, poses = label_set("dfew7"), label_set("head_pose7")
    sheet = Image.new("RGB", (MARGIN + CELL * len(poses), HEADER + CELL * len(emotions)), "white")
    pen = ImageDraw.Draw(sheet)
    for column, pose in enumerate(poses):
        pen.text((MARGIN + CELL * column + 6, 5), pose, fill="black")
    for row, emotion in enumerate(emotions):
        pen.text((6, HEADER + CELL * row + CELL // 2 - 6), emotion, fill="black")
        for column, pose in enumerate(poses):
            clip = clips.get((emotion, pose))
            if clip is None:
                continue
            place = (MARGIN + CELL * column, HEADER + CELL * row)
            sheet.paste(_frame(root / "videos" / clip["path"]).resize((CELL, CELL), Image.Resampling.LANCZOS), place)
            pen.rectangle([place[0], place[1] + CELL - 12, place[0] + CELL, place[1] + CELL], fill="white")
            pen.text((place[0] + 3, place[1] + CELL - 12), " ".join(clip["aus"]) or "-", fill="black")
    return sheet


def _frame(file: Path) -> Image.Image:
    with av.open(str(file)) as container:
        return [frame.to_image() for frame in container.decode(video=0)][SHOWN_FRAME]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, help="a folder that `videmo synth` made")
    parser.add_argument("out", type=Path, help="the picture to write")
    arguments = parser.parse_args()
    contact_sheet(arguments.root).save(arguments.out)
    print(arguments.out)


if __name__ == "__main__":
    main()
