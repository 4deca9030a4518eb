"""What made-up run folders are filled with: results, predictions, curves, a curriculum, clips."""

import json
from pathlib import Path

import av
import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from videmo.tasks import find_task

EMOTION = find_task("DFEW_Single-Label-Emotion-Recognition").name
QUESTION = "<video>How does the person feel?\nA. Happy\nB. Sad\nC. Neutral\nD. Angry"


def write_answers(path: Path, rows: list[dict]) -> None:
    """Rows of ``response``, ``labels``, and what else a prediction file holds."""
    lines = []
    for number, row in enumerate(rows):
        question = row.pop("question", QUESTION)
        video = [f"clips/{number}.mp4"] * question.count("<video>")
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": row["response"]}]
        lines.append(json.dumps({"logprobs": -0.1 * (number + 1), "messages": turns, "videos": video} | row))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def write_scalars(folder: Path, scalars: dict[str, list[tuple[int, float]]]) -> None:
    writer = EventFileWriter(str(folder))
    for tag, points in scalars.items():
        for step, value in points:
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            writer.add_event(Event(wall_time=step, step=step, summary=summary))
    writer.close()


def write_clip(path: Path, shade: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(16):
            pixels = np.full((48, 64, 3), (shade * 20 % 255, number * 15, 120), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def benchmark(**changed) -> dict:
    """A benchmark.json of three columns and a caption score."""
    counts = {"asked": 40, "answered": 40, "judged": 40, "unparsed": 2}
    return {
        "method": "after",
        "columns": {"head_pose": 80.0, "emotion_single": 30.0, "identity": 40.0},
        "intervals": {"head_pose": [70.0, 88.0], "emotion_single": [20.0, 41.0], "identity": [35.0, 45.0]},
        "counts": dict.fromkeys(("head_pose", "emotion_single", "identity", "caption_rouge_l"), counts),
        "unparsed": {"head_pose": 5.0},
        "blind": {"head_pose": 14.0, "emotion_single": 25.0, "identity": 50.0},
        "native": {"head_pose": 80.0},
        "extra": {"caption_rouge_l": {"score": 61.0, "interval": [60.0, 62.0], "blind": 50.0}},
        "files": {},
        "controls": {"blank": {"head_pose": 15.0}},
        "notes": {},
    } | changed


def stages() -> list[dict]:
    first = {"attribute": {"loss": 0.5, "exact": 0.6}, "emotion": {"loss": 2.0, "exact": 0.1}}
    second = {"attribute": {"loss": 0.7, "exact": 0.48}, "emotion": {"loss": 0.4, "exact": 0.7}}
    return [
        {"name": "attribute", "epochs": 4, "first_step": 0, "steps": 50, "best_epoch": 3, "val": first},
        {"name": "emotion", "epochs": 4, "first_step": 50, "steps": 50, "best_epoch": 7, "val": second},
    ]
