"""Callbacks for the trainer's YAML (``class_path: callbacks.SampleLogger``): they watch or schedule."""

from callbacks.samples import SampleLogger

__all__ = ["SampleLogger"]
