"""Callbacks for the trainer's YAML (``class_path: callbacks.SampleLogger``): they watch or schedule."""

from callbacks.completions import CompletionLogger
from callbacks.diagnosis import Diagnosis
from callbacks.export import Export
from callbacks.last import LastCheckpoint
from callbacks.samples import SampleLogger
from callbacks.stages import StageCheckpoint, StageProgressBar
from callbacks.throughput import Throughput

__all__ = [
    "CompletionLogger",
    "Diagnosis",
    "Export",
    "LastCheckpoint",
    "SampleLogger",
    "StageCheckpoint",
    "StageProgressBar",
    "Throughput",
]
