"""The drawn world: procedurally drawn moving faces with questions whose answers are known, for demos, tests and CI."""

from videmo.synth.presets import PRESETS, Plan, find_preset
from videmo.synth.write import synthesize

__all__ = ["PRESETS", "Plan", "find_preset", "synthesize"]
