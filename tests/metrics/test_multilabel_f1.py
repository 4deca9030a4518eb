import pytest
import torch
from sklearn.metrics import f1_score

from videmo.metrics import MultilabelSampleF1, multi_hot, multilabel_sample_f1, sample_f1_scores
from videmo.tasks import sample_f1


@pytest.fixture
def random_labels():
    """Sparse, so that some samples are empty in one or both."""
    return torch.rand(2, 300, 6, generator=torch.Generator().manual_seed(0)) < 0.15


@pytest.mark.parametrize("empty_score", [0.0, 1.0])
def test_equals_scikit_learn_on_random_label_sets(random_labels, empty_score):
    preds, target = random_labels
    assert ((preds.sum(1) + target.sum(1)) == 0).any()
    expected = f1_score(target.numpy(), preds.numpy(), average="samples", zero_division=empty_score)
    assert multilabel_sample_f1(preds, target, empty_score).item() == pytest.approx(expected, abs=1e-6)


def test_agrees_with_the_score_of_the_tasks(random_labels):
    preds, target = random_labels
    names = "abcdef"
    sets = [[{n for n, on in zip(names, row, strict=True) if on} for row in side.tolist()] for side in (preds, target)]
    by_task = [sample_f1(p, t, 0.0) for p, t in zip(*sets, strict=True)]
    assert sample_f1_scores(preds, target, 0.0).tolist() == pytest.approx(by_task)
    assert torch.equal(multi_hot(sets[0], names), preds)


def test_the_module_accumulates_to_what_the_function_says(random_labels):
    preds, target = random_labels
    metric = MultilabelSampleF1(empty_score=0.0)
    for part in (slice(0, 10), slice(10, 300)):
        metric.update(preds[part], target[part])
    assert metric.compute().item() == pytest.approx(multilabel_sample_f1(preds, target, 0.0).item())


def test_no_label_sets_make_an_empty_tensor():
    assert multi_hot([], "abc").shape == (0, 3)
