"""All figures of one benchmark task from texts: responses in; scores, denominators and the labels' figures out.

*Release* fills the published columns, *native* stands beside it (`videmo.tasks.scoring`). A sample counts as often as
it is given: whoever feeds a module from a sampler that pads (distributed ones repeat samples) leaves the repeats out.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from videmo.metrics.task_labels import LABEL_KINDS, count_task_labels, task_labels
from videmo.tasks import Task

ScoreTable = dict[str, Tensor]


def task_scores(
    task: Task, responses: Sequence[str], references: Sequence[str], questions: Sequence[str]
) -> ScoreTable:
    """Per-sample results of a task.

    Returns:
        ``native`` and ``release``: scores in 0..1, NaN where no rule can score the sample; ``parsed`` and
        ``answered``: 1 where the response could be read, and where there is any text. All float [N].
    """
    grades = [task.grade(*sample) for sample in zip(responses, references, questions, strict=True)]
    nan = float("nan")
    return {
        "native": torch.tensor([nan if g.native is None else g.native for g in grades]),
        "release": torch.tensor([nan if g.release is None else g.release for g in grades]),
        "parsed": torch.tensor([float(g.parsed) for g in grades]),
        "answered": torch.tensor([float(bool(response.strip())) for response in responses]),
    }


def summarise_scores(scores: ScoreTable) -> ScoreTable:
    """Means and counts of `task_scores`.

    Returns:
        ``native`` and ``release``: means over the samples that can be scored, NaN if there is none; ``asked``: all
        samples; ``answered``: those with any text; ``unparsed``: those that could not be read (an empty one too),
        which are wrong; ``unscorable``: those without a rule, which are left out of the means.
    """
    asked = torch.tensor(scores["native"].numel())
    return {
        "native": scores["native"].nanmean(),
        "release": scores["release"].nanmean(),
        "asked": asked,
        "answered": scores["answered"].sum().long(),
        "unparsed": asked - scores["parsed"].sum().long().to(asked.device),
        "unscorable": scores["native"].isnan().sum(),
    }


class TaskScore(Metric):
    """Module form of `task_scores`, `summarise_scores` and `count_task_labels`.

    Its states are scores by sample and integer counts, so it is exact under DDP however the samples are spread.
    `compute` gives what `summarise_scores` does, and where the task has labels (`labels`, in the order of all tensors)
    what `confusion_figures` or `label_figures` says of them, with ``unlisted``: samples whose reference names a label
    that the task does not list, which these figures leave out.

    Args:
        task: The task that all updates are of.
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False

    native: list[Tensor]
    release: list[Tensor]
    parsed: list[Tensor]
    answered: list[Tensor]
    label_counts: Tensor
    unlisted: Tensor

    STATES = ("native", "release", "parsed", "answered")

    def __init__(self, task: Task, **kwargs) -> None:
        super().__init__(**kwargs)
        self.task = task
        self.labels = task_labels(task)
        for name in self.STATES:
            self.add_state(name, [], dist_reduce_fx="cat")
        nothing = count_task_labels(task, [], [], [])
        self.add_state("label_counts", nothing.counts, dist_reduce_fx="sum")
        self.add_state("unlisted", torch.tensor(nothing.unlisted), dist_reduce_fx="sum")

    def update(self, responses: Sequence[str], references: Sequence[str], questions: Sequence[str]) -> None:
        for name, values in task_scores(self.task, responses, references, questions).items():
            getattr(self, name).append(values.to(self.device))
        found = count_task_labels(self.task, responses, references, questions)
        self.label_counts = self.label_counts + found.counts.to(self.device)  # in place, results change
        self.unlisted = self.unlisted + found.unlisted

    def per_sample(self) -> ScoreTable:
        """The states so far, [N] each; of all ranks where they are synced."""
        states = {name: getattr(self, name) for name in self.STATES}  # synced ones come joined
        nothing = torch.zeros(0, device=self.device)
        return {name: dim_zero_cat(state) if len(state) else nothing for name, state in states.items()}

    def compute(self) -> ScoreTable:
        summary = summarise_scores(self.per_sample())
        if self.task.kind not in LABEL_KINDS:
            return summary
        figures = LABEL_KINDS[self.task.kind].figures(self.label_counts)
        return summary | figures | {"unlisted": self.unlisted}
