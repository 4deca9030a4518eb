"""A folder of drawn clips with the table of labels that a user would have of them."""

import csv
from collections.abc import Sequence
from pathlib import Path

from videmo.synth.asked import ASKED
from videmo.synth.attributes import ATTRIBUTES
from videmo.synth.draw import draw_clip
from videmo.synth.encode import encode_clip
from videmo.synth.face import Clip
from videmo.synth.world import sample_world

TENSION = "tension: {kind: single_choice, labels: [calm, uneasy, tense], question: 'How tense is the person?'}\n"


def draw_labelled(folder: Path, number: int) -> list[dict]:
    """Draw clips of several people into a folder, and return the rows of a table about them."""
    world = sample_world(max(60, 3 * number), 0)
    clips = [clip for clip in world.clips["train"] if clip.kind == "single"][:number]
    rows = []
    for place, clip in enumerate(clips):
        path = f"person {clip.identity.name}/été {place:02d}.mp4" if place % 3 == 0 else f"{place:02d}.mp4"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        encode_clip(draw_clip(clip), folder / path)
        rows.append({"path": path, **labels_of(clip)})
    return rows


def labels_of(clip: Clip) -> dict[str, str]:
    """The cells of a row; empty where a clip cannot be asked."""
    asked = {
        "emotion": "emotion_mafw",
        "sentiment": "sentiment_mosei",
        "action_units": "action_unit",
        "head_pose": "head_pose",
        "appearance": "appearance_cls",
        "actions": "action_cls",
    }
    said = {column: ASKED[task].answer(clip) if ASKED[task].askable(clip) else "" for column, task in asked.items()}
    hair = [facet.truth(clip) for facet in ATTRIBUTES["Hair"]]
    strength = {"weak": "calm", "medium": "uneasy", "strong": "tense"}
    return {
        **said,
        "hair": ", ".join(word for word in hair if word),
        "tension": strength[clip.intensity],
        "identity": clip.identity.name,
        "comment": "drawn",
    }


def write_csv(file: Path, rows: Sequence[dict], **options) -> Path:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), **options)
        writer.writeheader()
        writer.writerows(rows)
    return file
