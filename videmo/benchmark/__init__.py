"""The Emo-CFG benchmark: answers on disk, what they scored, the blind baseline, the paper's columns and their table."""

from videmo.benchmark.blind import BlindBaseline
from videmo.benchmark.graded import SCORES_FILE, Graded, read_scores
from videmo.benchmark.method import grade_method, read_answers, score_method
from videmo.benchmark.predictions import (
    Prediction,
    read_predictions,
    write_predictions,
    write_searches,
    write_tasks,
)
from videmo.benchmark.results import RESULT_FILE, BenchmarkResult, with_controls
from videmo.benchmark.scoring import score_predictions
from videmo.benchmark.table import columns_above_blind, results_table

__all__ = [
    "RESULT_FILE",
    "SCORES_FILE",
    "BenchmarkResult",
    "BlindBaseline",
    "Graded",
    "Prediction",
    "columns_above_blind",
    "grade_method",
    "read_answers",
    "read_predictions",
    "read_scores",
    "results_table",
    "score_method",
    "score_predictions",
    "with_controls",
    "write_predictions",
    "write_searches",
    "write_tasks",
]
