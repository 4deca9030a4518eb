"""The unit of the domain: a task is its label set, its kind of answer, its parser and its score."""

from videmo.tasks.labels import label_meanings, label_set, label_set_names
from videmo.tasks.levels import FEELING, LEVEL_QUESTIONS, LEVELS, PRESENCE, WHY
from videmo.tasks.options import list_options, question_options
from videmo.tasks.own import OWN_FILE
from videmo.tasks.registry import (
    TEXT_TASK,
    WITHOUT_TASK,
    all_tasks,
    benchmark_tasks,
    find_task,
    is_task,
    own_tasks,
    own_tasks_text,
    training_tasks,
    unknown_selector,
    use_tasks,
    use_tasks_of,
)
from videmo.tasks.scoring import Grade, sample_f1
from videmo.tasks.spec import ALL, Answer, Task, task_labels

__all__ = [
    "ALL",
    "FEELING",
    "LEVELS",
    "LEVEL_QUESTIONS",
    "OWN_FILE",
    "PRESENCE",
    "TEXT_TASK",
    "WHY",
    "WITHOUT_TASK",
    "Answer",
    "Grade",
    "Task",
    "all_tasks",
    "benchmark_tasks",
    "find_task",
    "is_task",
    "label_meanings",
    "label_set",
    "label_set_names",
    "list_options",
    "own_tasks",
    "own_tasks_text",
    "question_options",
    "sample_f1",
    "task_labels",
    "training_tasks",
    "unknown_selector",
    "use_tasks",
    "use_tasks_of",
]
