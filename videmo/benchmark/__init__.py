"""The Emo-CFG benchmark: answers on disk, what they scored, the blind baseline, the paper's columns and their table."""

from videmo.benchmark.results import RESULT_FILE, BenchmarkResult

__all__ = ["RESULT_FILE", "BenchmarkResult"]
