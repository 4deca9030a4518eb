"""The command ``videmo synth``."""

from typing import Any, Literal

from videmo.errors import InputError
from videmo.synth import Plan, find_preset, synthesize
from videmo.synth.dialogues import NUM_EMPTY


def synth(
    out: str,
    preset: str | None = None,
    videos: int | None = None,
    seed: int | None = None,
    look: Literal["clear", "hard"] | None = None,
    workers: int | None = None,
) -> None:
    """Draw a world of moving faces in the release's layout: mp4 files, questions, answers.

    Args:
        out: Folder to write; it must be empty, or hold the same world.
        preset: A frozen world, demo-v1 or bench-v1 (harder: fainter expressions, noise, things before the face), whose
            name and content hash stand in every result. demo-v1 where nothing else is given.
        videos: For a world of your own, clips over all splits; 1800 by default.
        seed: Seed of everything that is drawn in a world of your own; 0 by default.
        look: clear or hard, for a world of your own; clear by default.
        workers: Processes that draw; all cores by default.
    """
    given = {"videos": videos, "seed": seed, "look": look}
    own = {name: value for name, value in given.items() if value is not None}
    if preset is not None and own:
        raise InputError(f"a preset is frozen: give --preset or --{' --'.join(own)}, not both")
    if workers is not None and workers < 1:
        raise InputError(f"--workers must be at least 1, got {workers}")
    whole: dict[str, Any] = {"videos": 1800, **own}
    plan = Plan(**whole) if own else find_preset(preset or "demo-v1")
    summary = synthesize(out, plan, workers)
    splits = ", ".join(f"{count} {split}" for split, count in summary.videos.items())
    named = f"{plan.preset}, " if plan.preset else ""
    of = f"{plan.videos} clips ({named}{splits}; test set {summary.content['test']}), and {NUM_EMPTY} without anybody,"
    print(f"a drawn world of {of} is in {out}")
