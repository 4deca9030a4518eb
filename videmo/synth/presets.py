"""Frozen worlds: what a result on ``demo-v1`` was measured on can be drawn again by anyone, and stays what it is.

A preset's `content` is the hash of every record and every clip's latent state, by split; a test recomputes it. Whoever
changes a question, a label or the sampling must give the changed world a new name (``demo-v2``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from videmo.errors import InputError
from videmo.synth.world import CLEAR, HARD, Look

LOOKS: dict[str, Look] = {"clear": CLEAR, "hard": HARD}


@dataclass(frozen=True)
class Plan:
    """What a drawn world is made from.

    Attributes:
        videos: Clips over all splits.
        seed: Of everything.
        look: ``clear``, or ``hard``: fainter expressions, camera noise, things in front of the face.
        preset: Its name, where it is a frozen one.
        content: For a frozen one, the hash of the records of each split, and of the ``truth``.
    """

    videos: int
    seed: int = 0
    look: str = "clear"
    preset: str | None = None
    content: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.look not in LOOKS:
            raise InputError(f"look {self.look!r} is none of {', '.join(LOOKS)}")


PRESETS: dict[str, Plan] = {
    str(plan.preset): plan
    for plan in (
        Plan(
            3000,
            1,
            "clear",
            "demo-v1",
            {
                "train": "504e3412a2578e3c",
                "val": "5a7ff751b4be87c6",
                "test": "3a9becaaf88c1320",
                "truth": "6a81fece7af76952",
            },
        ),
        Plan(
            4000,
            2,
            "hard",
            "bench-v1",
            {
                "train": "c0142874cae87d16",
                "val": "41567f0ae2ef5e6d",
                "test": "4a29c20cbcfd5e67",
                "truth": "dec234a419c003b0",
            },
        ),
    )
}


def find_preset(name: str) -> Plan:
    """The frozen world of a name.

    Raises:
        InputError: If there is none; the message lists those that exist.
    """
    if name not in PRESETS:
        raise InputError(f"no preset {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]
