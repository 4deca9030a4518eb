"""The confusion matrix and what is derived from it, against scikit-learn with unread answers as one more label."""

import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from videmo.metrics import UNPARSED, LabelConfusion, class_f1, confusion_figures, label_confusion, uar, war


def random_answers(seed: int, num_labels: int, num_samples: int, occurring: int, unread: float):
    """Answers to random truths; labels from `occurring` on are never the truth."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(occurring, (num_samples,), generator=generator)
    preds = torch.randint(num_labels, (num_samples,), generator=generator)
    right = torch.rand(num_samples, generator=generator) < 0.4
    unread_ones = torch.rand(num_samples, generator=generator) < unread
    preds = torch.where(right, target, preds).masked_fill(unread_ones, UNPARSED)
    return preds, target


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("num_labels", "num_samples", "occurring", "unread"),
    [(2, 1, 1, 0.0), (2, 50, 2, 0.3), (7, 300, 7, 0.0), (7, 300, 5, 0.1), (22, 40, 11, 0.2), (5, 20, 5, 1.0)],
)
def test_all_figures_are_scikit_learns(seed, num_labels, num_samples, occurring, unread):
    preds, target = random_answers(seed, num_labels, num_samples, occurring, unread)
    labels, extra = list(range(num_labels)), num_labels
    truth, answers = target.tolist(), [extra if p == UNPARSED else p for p in preds.tolist()]
    seen = sorted(set(truth))
    named = sorted({*truth, *answers} - {extra})

    figures = confusion_figures(label_confusion(preds, target, num_labels))
    expected = confusion_matrix(truth, answers, labels=[*labels, extra])[:-1]
    assert figures["confusion"].tolist() == expected.tolist()
    assert figures["war"].item() == pytest.approx(accuracy_score(truth, answers))
    recalls = recall_score(truth, answers, labels=seen, average=None)
    assert figures["recall"][seen].tolist() == pytest.approx(recalls.tolist())
    assert figures["uar"].item() == pytest.approx(recalls.mean())
    assert figures["recall"].isnan().sum() == num_labels - len(seen)
    f1 = {"labels": named, "zero_division": 0}
    assert figures["macro_f1"].item() == pytest.approx(f1_score(truth, answers, average="macro", **f1))
    assert figures["micro_f1"].item() == pytest.approx(f1_score(truth, answers, average="micro", **f1))
    by_class = class_f1(figures["confusion"])[named].tolist()
    assert by_class == pytest.approx(f1_score(truth, answers, average=None, **f1).tolist())


def test_an_unread_answer_is_a_miss_of_its_class_in_every_figure():
    # Two of class 0, one right; two of class 1, one right and one unread. Class 2 is answered once and never the truth.
    confusion = label_confusion(torch.tensor([0, 2, 1, UNPARSED]), torch.tensor([0, 0, 1, 1]), 3)
    assert confusion.tolist() == [[1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 0, 0]]
    figures = confusion_figures(confusion)
    assert (figures["war"], figures["uar"]) == (0.5, 0.5)
    assert figures["macro_f1"].item() == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert figures["micro_f1"].item() == pytest.approx(2 * 2 / (4 + 3))  # 4 samples, 3 answers that could be read


def test_micro_f1_is_the_accuracy_where_every_answer_was_read():
    preds, target = random_answers(0, 7, 100, 7, unread=0.0)
    figures = confusion_figures(label_confusion(preds, target, 7))
    assert figures["micro_f1"] == figures["war"] == (preds == target).float().mean()


def test_uar_weighs_classes_and_war_samples():
    confusion = torch.tensor([[90, 0, 0], [10, 0, 0]])
    assert (war(confusion), uar(confusion)) == (0.9, 0.5)


def test_without_samples_there_is_a_matrix_and_no_figure():
    nothing = torch.zeros(0, dtype=torch.long)
    figures = confusion_figures(label_confusion(nothing, nothing, 3))
    assert figures.pop("confusion").tolist() == [[0] * 4] * 3
    assert all(figure.isnan().all() for figure in figures.values())


def test_the_module_accumulates_to_what_the_function_says_and_leaves_earlier_results_alone():
    preds, target = random_answers(0, 5, 30, 5, unread=0.2)
    metric = LabelConfusion(5)
    metric.update(preds[:10], target[:10])
    first = metric.compute()
    metric.update(preds[10:], target[10:])
    assert torch.equal(metric.compute(), label_confusion(preds, target, 5))
    assert torch.equal(first, label_confusion(preds[:10], target[:10], 5))
    metric.reset()
    assert torch.equal(metric(preds, target), label_confusion(preds, target, 5))


@pytest.mark.parametrize(
    ("preds", "target", "message"),
    [
        ([0, 1], [0, 1, 1], r"\[2\] and \[3\]"),
        ([0, 3], [0, 1], "preds from -1 to 2 for 3 labels, got 0 to 3"),
        ([0, -2], [0, 1], "preds from -1 to 2 for 3 labels, got -2 to 0"),
        ([0, 1], [0, UNPARSED], "target from 0 to 2 for 3 labels, got -1 to 0"),
    ],
)
def test_what_is_no_label_is_refused(preds, target, message):
    with pytest.raises(ValueError, match=message):
        label_confusion(torch.tensor(preds), torch.tensor(target), 3)
