"""Training curves from TensorBoard's event files, grouped into panels that share an axis."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

MAX_POINTS = 500  # a curve is as wide as a screen
IGNORED = ("epoch", "hp_metric", "stage")
COUNTED = ("time", "batches", "samples", "lengths")  # what ThroughputMonitor counts, in every loop
THROUGHPUT = {"samples_per_sec": "samples a second", "mfu": "share of the peak FLOP/s (MFU)"}
PLACES = {  # panel and curve of single tags
    "train/token_accuracy": ("tokens predicted right", "train"),
    "train/kl": ("KL to the reference, a token", "train"),
    "train/clip_ratio/region_mean": ("share of tokens clipped", "train"),
    "train/entropy": ("entropy, a token", "train"),
    "completions/mean_length": ("tokens a completion", "mean"),
    "completions/clipped_ratio": ("share of completions", "cut"),
    "completions/unparsed_ratio": ("share of completions", "unread"),
    "train/frac_reward_missing": ("share of completions", "without a reward"),
    "train/frac_reward_zero_std": ("share of completions", "as good as the rest of their group"),
    "throughput/completions_per_sec": ("completions a second", "all devices"),
}
EVENT_FOLDERS = ("tensorboard", "lightning_logs")


@dataclass(frozen=True)
class Scalars:
    """One logged scalar: its steps in order, the value last written at each, and how many values were not finite."""

    steps: list[int]
    values: list[float]
    dropped: int = 0


def read_scalars(run: Path) -> dict[str, Scalars]:
    """Every scalar in the event files of a run, by its tag; empty where there are none."""
    files = [file for name in EVENT_FOLDERS for file in (run / name).rglob("events.out.tfevents.*")]
    files += run.glob("events.out.tfevents.*")
    logged: dict[str, list] = {}
    for folder in sorted({file.parent for file in files}):
        events = EventAccumulator(str(folder), size_guidance={SCALARS: 0})
        events.Reload()
        tags: dict[str, Any] = events.Tags()
        for tag in tags[SCALARS]:
            logged.setdefault(tag, []).extend(events.Scalars(tag))
    return {tag: _scalars(events) for tag, events in logged.items()}


def _scalars(events: list) -> Scalars:
    """A resumed run writes steps again: what was written last counts."""
    by_step = {event.step: event.value for event in sorted(events, key=lambda event: event.wall_time)}
    points = [(step, value) for step, value in sorted(by_step.items()) if math.isfinite(value)]
    return Scalars([step for step, _ in points], [value for _, value in points], len(by_step) - len(points))


def panel_and_series(tag: str) -> tuple[str, str] | None:
    """The panel that a tag is drawn in, and the name of its curve; None for bookkeeping that is not drawn.

    Example:
        >>> panel_and_series("val/head_pose_exact"), panel_and_series("train/loss"), panel_and_series("epoch")
        (('answers exactly right', 'head_pose'), ('loss', 'train'), None)
    """
    group, _, name = tag.rpartition("/")
    if tag in IGNORED or group.endswith("device") or (group in ("train", "validate", "test") and name in COUNTED):
        return None
    if tag in PLACES:
        return PLACES[tag]
    if group == "time":
        return "seconds a step", name
    if group.startswith("rewards/") and name == "mean":
        return "rewards in training", group.removeprefix("rewards/")
    if "/" in group or group == "completions" or name in ("reward_std", "frac_reward_missing"):
        return None  # of a round's many figures the rest stands in TensorBoard
    if tag.startswith("lr-"):
        return "learning rate", tag.removeprefix("lr-")
    if group == "throughput":
        return (THROUGHPUT[name], "all devices") if name in THROUGHPUT else None
    for ending, panel in (("loss", "loss"), ("exact", "answers exactly right"), ("reward", "reward")):
        if name == ending:
            return panel, {"val": "mean of the tasks"}.get(group, group)
        if name.endswith(f"_{ending}"):
            return panel + (", by stage" if group == "val_stage" else ""), name.removesuffix(f"_{ending}")
    return group or "other", name


def curve_panels(scalars: dict[str, Scalars]) -> list[dict]:
    """Panels with their curves for the page: ``{"name", "series": [{"name", "tag", "steps", "values"}]}``."""
    panels: dict[str, list[dict]] = {"loss": [], "reward": [], "answers exactly right": []}
    means = ("val/loss", "val/exact", "val/reward")
    for tag in sorted(scalars, key=lambda tag: (not tag.startswith("train/"), tag not in means, tag)):
        place = panel_and_series(tag)
        if place is None or not scalars[tag].steps:
            continue
        steps, values = _thinned(scalars[tag])
        drawn = panels.setdefault(place[0], [])
        if place[0] == "learning rate" and any((steps, values) == (s["steps"], s["values"]) for s in drawn):
            continue  # one schedule for several groups of parameters
        drawn.append({"name": place[1], "tag": tag, "steps": steps, "values": values})
    return [{"name": name, "series": series} for name, series in panels.items() if series]


def _thinned(scalars: Scalars) -> tuple[list[int], list[float]]:
    """At most `MAX_POINTS` points, the last one among them."""
    stride = math.ceil(len(scalars.steps) / MAX_POINTS)
    kept = range(len(scalars.steps) - 1, -1, -stride)
    return [scalars.steps[i] for i in reversed(kept)], [float(f"{scalars.values[i]:.5g}") for i in reversed(kept)]
