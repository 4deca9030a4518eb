"""The best answer without looking: what the training answers and the question's words alone can score.

A model that does not beat it has shown nothing about video. For each task (and for questions with and without listed
options apart) simple rules are fitted by counting: the most frequent answer, letter or option; the option most often
right where it is offered; the label set of the best mean F1; the training answer most like the others; and each of
these once more for every question text that training repeats. Cross-validation on the training answers picks one.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch

from videmo.data.records import Record
from videmo.errors import InputError
from videmo.metrics import multi_hot, rouge_l, sample_f1_scores
from videmo.tasks import Answer, Task, find_task, question_options
from videmo.tasks.options import without_options

NUM_FOLDS = 5
MAX_TRAINING = 10_000  # training answers of one task that rules are counted on
MIN_REPEATS = 8  # training answers that a question text or an option set needs before it gets a rule of its own
MAX_SCORED = 1500  # training answers that a candidate rule is scored on
MAX_CANDIDATES = 24  # answers that may become the representative one ...
MAX_JUDGES = 150  # ... and the answers that it must resemble

Rule = Callable[[str], str]
"""From a question to an answer's text."""
CaptionMetric = Callable[[str, str], float]
"""From a caption and its reference to a score in 0..1."""


class Sample(NamedTuple):
    """A training answer: its question, the question without its options, the text, and the labels read from it."""

    question: str
    stem: str
    answer: str
    label: Answer | None


Fitter = Callable[[Task, Sequence[Sample]], Rule]


class BlindBaseline:
    """Answers questions from the training answers' statistics; no pixel, no network, the same every time.

    Attributes:
        skipped: Training records of no task, counted by source.
        chosen: Which rule was picked, by task and form of question; filled as questions are answered.
    """

    def __init__(self, answers: dict[Task, list[tuple[str, str]]], skipped: Counter[str]) -> None:
        self.skipped = skipped
        self.chosen: dict[str, str] = {}
        self._answers = answers
        self._rules: dict[tuple[Task, bool, CaptionMetric], Rule | None] = {}

    @classmethod
    def fit(cls, records: Iterable[Record]) -> "BlindBaseline":
        """Collect the answers of the training records; rules are counted when a task is first asked about."""
        answers: dict[Task, list[tuple[str, str]]] = defaultdict(list)
        skipped: Counter[str] = Counter()
        for record in records:
            try:
                task = find_task(record.source, record.file)
            except ValueError:
                skipped[record.source] += 1
                continue
            answers[task].append((record.question, record.answer))
        return cls(dict(answers), skipped)

    def knows(self, record: Record) -> bool:
        """Whether training had answers to questions of this record's task and form."""
        return self._rule(record) is not None

    def answer(self, record: Record, caption_metric: CaptionMetric = rouge_l) -> str:
        """The answer to a record's question; a caption is the best by `caption_metric`.

        Raises:
            InputError: If training had no answer for its task (see `knows`), or its task is unknown.
        """
        rule = self._rule(record, caption_metric)
        if rule is None:
            raise InputError(f"{record.where}: no training answer for {record.source!r}; fit on records that have some")
        return rule(record.question)

    def _rule(self, record: Record, caption_metric: CaptionMetric = rouge_l) -> Rule | None:
        task, has_options = find_task(record.source, record.file), bool(question_options(record.question))
        key = (task, has_options, caption_metric)
        if key not in self._rules:
            pairs = [pair for pair in self._training_of(task) if bool(question_options(pair[0])) == has_options]
            self._rules[key] = None
            if pairs:
                random.Random(0).shuffle(pairs)  # files are often periodic, and so would folds of every fifth be
                samples = [Sample(q, question_stem(q), a, task.parse(a, q)) for q, a in _spread(pairs, MAX_TRAINING)]
                name, self._rules[key] = choose_rule(task, samples, has_options, caption_metric)
                self.chosen[f"{task.name} ({'choice' if has_options else 'open'})"] = name
        return self._rules[key]

    def _training_of(self, task: Task) -> list[tuple[str, str]]:
        """(Question, answer) of the task's own training records; else of its column's files with the same labels."""
        if task in self._answers:
            return self._answers[task]
        siblings = [t for t in self._answers if (t.column, t.labels) == (task.column, task.labels)]
        return [pair for sibling in siblings for pair in self._answers[sibling]]


@lru_cache(maxsize=MAX_TRAINING)
def question_stem(question: str) -> str:
    """A question without its listed options, in lower case and single spaces: what makes two questions the same.

    Example:
        >>> question_stem("How does  she feel?\\nA. Sad\\nB. Happy")
        'how does she feel?'
    """
    return " ".join(without_options(question).lower().split())


def choose_rule(
    task: Task, samples: Sequence[Sample], has_options: bool, caption_metric: CaptionMetric
) -> tuple[str, Rule]:
    """A rule that does best on training answers held out from it, fitted on all of them.

    Of the rules within one standard error of the best, the first in order, so that chance picks no elaborate one.
    """
    if task.kind == "multi_label":
        fitters = (best_label_set, most_frequent_answer)
    elif task.kind == "single_choice" or has_options:
        fitters = (most_frequent_option, likeliest_option, most_frequent_letter, most_frequent_answer)
    elif task.kind == "yes_no":
        fitters = (most_frequent_answer,)
    else:
        fitters = (representative_answer(caption_metric), most_frequent_answer)
    named = {fitter.__name__: fitter for fitter in fitters}
    named |= {f"{name} by question": by_question(fitter) for name, fitter in named.items()}
    held_out = {name: held_out_scores(task, samples, fitter, caption_metric).double() for name, fitter in named.items()}
    best = max(held_out.values(), key=torch.mean)
    enough = best.mean() - best.std(correction=0) / len(best) ** 0.5
    name = next(name for name, scores in held_out.items() if scores.mean() >= enough)
    return name, named[name](task, samples)


def held_out_scores(
    task: Task, samples: Sequence[Sample], fitter: Fitter, caption_metric: CaptionMetric
) -> torch.Tensor:
    """The score of every sample [N] under a rule fitted without its fold; 0 where no rule can score a sample."""
    scores = []
    for fold in range(min(NUM_FOLDS, len(samples))):
        kept = [sample for i, sample in enumerate(samples) if i % NUM_FOLDS != fold]
        rule = fitter(task, kept or samples)
        held_out = _spread(samples[fold::NUM_FOLDS], MAX_SCORED // NUM_FOLDS)
        scores += [answer_score(task, rule(sample.question), sample, caption_metric) or 0.0 for sample in held_out]
    return torch.tensor(scores)


def answer_score(task: Task, answer: str, sample: Sample, caption_metric: CaptionMetric) -> float | None:
    """What the published columns give an answer; for captions, the given metric."""
    if task.kind == "caption":
        return caption_metric(answer, sample.answer)
    return task.grade(answer, sample.answer, sample.question).release


def by_question(fitter: Fitter) -> Fitter:
    """The same rule for each question text that training repeats, and the overall one for the rest."""

    def fit(task: Task, samples: Sequence[Sample]) -> Rule:
        overall = fitter(task, samples)
        groups = defaultdict(list)
        for sample in samples:
            groups[sample.stem].append(sample)
        rules = {stem: fitter(task, group) for stem, group in groups.items() if len(group) >= MIN_REPEATS}
        return lambda question: rules.get(question_stem(question), overall)(question)

    return fit


def most_frequent_answer(task: Task, samples: Sequence[Sample]) -> Rule:
    answer = _most_frequent(sample.answer for sample in samples)
    return lambda question: answer


def most_frequent_letter(task: Task, samples: Sequence[Sample]) -> Rule:
    """The letter most often right: finds out whether options were left unshuffled."""
    letters = [letter for s in samples for letter, label in task.options(s.question).items() if label == s.label]
    letter = _most_frequent(letters) if letters else "A"
    return lambda question: letter


def most_frequent_option(task: Task, samples: Sequence[Sample]) -> Rule:
    """Of the offered options the one most often right: among questions with the same options, else among all."""
    overall = Counter(s.label for s in samples if s.label is not None)
    by_offer: dict[frozenset[str], Counter] = defaultdict(Counter)
    for sample in samples:
        if sample.label is not None:
            by_offer[frozenset(task.options(sample.question).values())][sample.label] += 1

    def rule(question: str) -> str:
        offer = frozenset(task.options(question).values())
        counts = by_offer.get(offer, Counter())
        return _best_offered(task, question, counts if counts.total() >= MIN_REPEATS else overall)

    return rule


def likeliest_option(task: Task, samples: Sequence[Sample]) -> Rule:
    """Of the offered options the one most often right where it is offered: for options drawn anew every question."""
    right = Counter(s.label for s in samples if s.label is not None)
    offered = Counter(label for s in samples for label in task.options(s.question).values())
    # Two more offers than seen, half of one right: a label seen once does not outweigh one seen often.
    rates = {label: (right[label] + 0.5) / (offered[label] + 2) for label in offered}
    return lambda question: _best_offered(task, question, rates)


def _best_offered(task: Task, question: str, values: Mapping[Any, float]) -> str:
    labels = sorted(task.options(question).values())
    return task.phrase(max(labels, key=lambda label: values.get(label, 0)), question) if labels else "A"


def best_label_set(task: Task, samples: Sequence[Sample]) -> Rule:
    """One fixed set of labels, the best in mean F1 (empty against empty is 0, as in the published columns)."""
    targets = multi_hot([s.label for s in samples if s.label is not None], task.labels)
    chosen = maximise_sample_f1(targets) if len(targets) else torch.zeros(len(task.labels), dtype=torch.bool)
    answer = task.phrase(frozenset(label for label, on in zip(task.labels, chosen.tolist(), strict=True) if on))
    return lambda question: answer


def maximise_sample_f1(targets: torch.Tensor) -> torch.Tensor:
    """The label set [L] that, given to every sample, has a high mean F1: the best so many most frequent labels, then
    labels switched on and off while that helps.

    Args:
        targets: Multi-hot [N, L].
    """

    def score(label_set: torch.Tensor) -> float:
        return sample_f1_scores(label_set.expand_as(targets), targets, empty_score=0.0).double().mean().item()

    by_frequency = targets.sum(0).argsort(descending=True, stable=True)  # [L]
    ranks = by_frequency.argsort()
    best = max((ranks < size for size in range(1, len(ranks) + 1)), key=score)
    best_score, improved = score(best), True
    while improved:
        improved = False
        for label in by_frequency:
            other = best.clone()
            other[label] = ~other[label]
            if (other_score := score(other)) > best_score + 1e-9:
                best, best_score, improved = other, other_score, True
    return best


def representative_answer(caption_metric: CaptionMetric) -> Fitter:
    """The training answer that scores best against the others, among the frequent ones and a spread of the rest."""

    def fit(task: Task, samples: Sequence[Sample]) -> Rule:
        texts = defaultdict(list)
        for sample in samples:
            texts[sample.answer if task.kind == "caption" else sample.label].append(sample.answer)
        ranked = [_most_frequent(same) for same in sorted(texts.values(), key=lambda same: (-len(same), min(same)))]
        half = MAX_CANDIDATES // 2
        candidates = ranked[:half] + _spread(ranked[half:], half)
        judges = _spread(samples, MAX_JUDGES)

        def total(answer: str) -> float:
            return sum(answer_score(task, answer, judge, caption_metric) or 0.0 for judge in judges)

        answer = max(candidates, key=total)
        return lambda question: answer

    fit.__name__ = "representative_answer"
    return fit


def _most_frequent(texts: Iterable[str]) -> str:
    """The most frequent text; of equals the first in the alphabet, so that the order of files does not matter."""
    counts = Counter(texts)
    return min(counts, key=lambda text: (-counts[text], text))


def _spread(items: Sequence, size: int) -> list:
    """At most `size` items at even distances."""
    if len(items) <= size:
        return list(items)
    return [items[i * len(items) // size] for i in range(size)]
