"""Pretrains the vision tower of a random tiny model on the closed-set labels of a data folder's training clips.

Published Qwen2.5-VL has seen billions of images before anyone fine-tunes it; a tower of random weights has not, and
through an equally random language model it learns three times slower than under a linear head (`docs/log.md`). So
``videmo tiny`` gives its tower a minute of that: every label from the mean of the tower's tokens. The head is
thrown away afterwards, the language model stays random, and nothing but training records is read.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from videmo.data.records import Record
from videmo.data.sampling import VideoSettings
from videmo.data.video import Video, load_video
from videmo.models.backbone import Backbone
from videmo.models.encoding import encode
from videmo.tasks import Task, find_task
from videmo.terminal import watch
from videmo.training.optimizer import Group, make_optimizer
from videmo.training.schedule import Span, learning_rate

MULTI_LABEL_WEIGHT = 0.1
"""Of one label of a set, against a single choice: sets have 12 to 40 of them."""
DROPOUT = 0.2
BATCH_SIZE = 16  # clips
PEAK = 3e-3  # of the learning rate, after the warm-up; it falls to 0


def closed_labels(records: Iterable[Record]) -> dict[str, dict[str, str]]:
    """Path of a clip -> what its training answers say: question -> label.

    Of single choices, of the vocabulary groups of an open attribute from which the answer has one word, and yes or no
    for each label of a set. Captions, and records of several clips, say nothing here.
    """
    found: dict[str, dict[str, str]] = {}
    for record in records:
        task = find_task(record.source, record.file)
        if len(record.videos) == 1:
            found.setdefault(record.videos[0], {}).update(_labels_of(task, record.answer))
    return {path: labels for path, labels in found.items() if labels}


def _labels_of(task: Task, answer: str) -> dict[str, str]:
    said = None if task.kind == "caption" else task.parse(answer)
    if said is None:
        return {}
    if isinstance(said, str):
        return {task.name: said}
    if task.kind == "multi_label":
        return {f"{task.name}: {label}?": "yes" if label in said else "no" for label in task.labels}
    words = {f"{task.name}: {group}": said & set(members) for group, members in task.groups.items()}
    return {question: word for question, (word, *others) in ((q, [*w]) for q, w in words.items() if w) if not others}


def pretrain_tower(
    checkpoint: str | Path,
    records: Sequence[Record],
    video_root: Path,
    settings: VideoSettings,
    *,
    epochs: int = 8,
    seed: int = 0,
) -> float:
    """Train the tower of a saved model, and save the model again.

    Args:
        checkpoint: Hugging Face folder, changed in place.
        records: Training records.
        video_root: What their videos' paths are relative to.
        settings: How frames are sampled and sized.
        epochs: Passes over the clips.
        seed: Of the head and the order.

    Returns:
        The share of single choices that the head got right in the last step.
    """
    labels = closed_labels(records)
    paths = sorted(labels)
    values: dict[str, list[str]] = {}
    for question, label in sorted({pair for said in labels.values() for pair in said.items()}):
        values.setdefault(question, []).append(label)
    questions = list(values)
    choices = max(map(len, values.values()))
    padding = torch.tensor([[n >= len(given) for n in range(choices)] for given in values.values()])  # [Q, choices]
    weight = torch.tensor([MULTI_LABEL_WEIGHT if question.endswith("?") else 1.0 for question in questions])  # [Q]
    target = torch.tensor(
        [
            [values[question].index(said[question]) if question in said else -1 for question in questions]
            for said in (labels[path] for path in paths)
        ]
    )  # [clips, Q]; -1 where nothing is said
    with ThreadPoolExecutor() as pool:  # decoding leaves Python's lock
        videos = list(pool.map(lambda path: load_video(video_root / path, settings), paths))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = Backbone.load(str(checkpoint))
        tower = backbone.tower
        learner = nn.ModuleDict({"tower": tower, "head": nn.Linear(tower.config.out_hidden_size, padding.numel())})
        group = Group("tower", PEAK, list(learner.named_parameters()))
        optimizer = make_optimizer([group], "muon", weight_decay=0.0, beta2=0.98)
        batches = [batch for _ in range(epochs) for batch in torch.randperm(len(paths)).split(BATCH_SIZE)]
        span = Span(len(batches), PEAK)
        for step, batch in enumerate(watch("pretraining the vision tower", len(batches), batches)):
            pooled = _pooled(tower, [videos[row] for row in batch.tolist()])  # [B, hidden]
            pooled = nn.functional.dropout(pooled, DROPOUT)  # people are few, and soon known by heart
            logits = learner["head"](pooled).unflatten(1, padding.shape)  # [B, Q, choices]
            logits = logits.masked_fill(padding, -torch.inf)
            losses = nn.functional.cross_entropy(
                logits.transpose(1, 2), target[batch], ignore_index=-1, reduction="none"
            )  # [B, Q]
            loss = (losses * weight).sum() / len(batch)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, [span], 0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    backbone.model.save_pretrained(checkpoint)
    right = (logits.argmax(-1) == target[batch])[:, weight == 1.0]
    return float(right.sum() / (target[batch][:, weight == 1.0] >= 0).sum())


def _pooled(tower: Any, videos: Sequence[Video]) -> Tensor:
    """The mean of each video's tokens.  # [B, hidden]"""
    patches = torch.cat([video.patches for video in videos])
    grids = [list(video.grid_thw) for video in videos]
    return torch.stack([tokens.mean(0) for tokens in encode(tower, patches, grids)])
