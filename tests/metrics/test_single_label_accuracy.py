import pytest
import torch
from sklearn.metrics import accuracy_score

from videmo.metrics import UNPARSED, SingleLabelAccuracy, single_label_accuracy


def test_equals_scikit_learn_on_random_labels():
    generator = torch.Generator().manual_seed(0)
    preds, target = torch.randint(7, (2, 200), generator=generator)
    assert single_label_accuracy(preds, target).item() == pytest.approx(accuracy_score(target, preds))


def test_an_unparsed_answer_counts_and_is_wrong():
    assert single_label_accuracy(torch.tensor([UNPARSED, 3]), torch.tensor([UNPARSED, 3])) == 0.5


def test_the_module_accumulates_to_what_the_function_says():
    preds, target = torch.tensor([0, 1, 2, 2, 0]), torch.tensor([0, 1, 1, 2, 1])
    metric = SingleLabelAccuracy()
    metric.update(preds[:2], target[:2])
    metric.update(preds[2:], target[2:])
    assert metric.compute() == single_label_accuracy(preds, target) == 0.6


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"\[2\] and \[3\]"):
        single_label_accuracy(torch.zeros(2), torch.zeros(3))
