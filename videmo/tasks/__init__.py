"""The unit of the domain: a task is its label set, its kind of answer, its parser and its score."""

from videmo.tasks.labels import label_meanings, label_set, label_set_names
from videmo.tasks.levels import FEELING, LEVEL_QUESTIONS, LEVELS, PRESENCE, WHY
from videmo.tasks.options import question_options
from videmo.tasks.scoring import Grade, sample_f1
from videmo.tasks.spec import (
    ALL,
    TEXT_TASK,
    Answer,
    Task,
    all_tasks,
    find_task,
    is_task,
    training_tasks,
    unknown_selector,
)

__all__ = [
    "ALL",
    "FEELING",
    "LEVELS",
    "LEVEL_QUESTIONS",
    "PRESENCE",
    "TEXT_TASK",
    "WHY",
    "Answer",
    "Grade",
    "Task",
    "all_tasks",
    "find_task",
    "is_task",
    "label_meanings",
    "label_set",
    "label_set_names",
    "question_options",
    "sample_f1",
    "training_tasks",
    "unknown_selector",
]
