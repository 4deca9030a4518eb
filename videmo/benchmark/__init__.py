"""The Emo-CFG benchmark: answers on disk, what they scored, the blind baseline, the paper's columns and their table.

A name is loaded when it is asked for: tables of results need no torch, which scores do.
"""

from importlib import import_module
from typing import Any

_MODULES = {
    "RESULT_FILE": "results",
    "SCORES_FILE": "graded",
    "BenchmarkResult": "results",
    "BlindBaseline": "blind",
    "Graded": "graded",
    "Prediction": "predictions",
    "columns_above_blind": "table",
    "grade_method": "method",
    "read_answers": "method",
    "read_predictions": "predictions",
    "read_scores": "graded",
    "results_table": "table",
    "score_method": "method",
    "score_predictions": "scoring",
    "with_controls": "results",
    "write_predictions": "predictions",
    "write_searches": "predictions",
    "write_tasks": "predictions",
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
