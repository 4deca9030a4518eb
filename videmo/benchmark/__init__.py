"""The Emo-CFG benchmark: predictions on disk, the blind baseline, the paper's columns and their table."""

from videmo.benchmark.blind import BlindBaseline
from videmo.benchmark.predictions import Prediction, read_predictions, write_predictions
from videmo.benchmark.results import BenchmarkResult, score_predictions, with_controls
from videmo.benchmark.table import columns_above_blind, results_table

__all__ = [
    "BenchmarkResult",
    "BlindBaseline",
    "Prediction",
    "columns_above_blind",
    "read_predictions",
    "results_table",
    "score_predictions",
    "with_controls",
    "write_predictions",
]
