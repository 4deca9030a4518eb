"""F1 of labels over all samples, against scikit-learn with an unread answer as an empty one."""

import pytest
import torch
from sklearn.metrics import f1_score, precision_recall_fscore_support

from videmo.metrics import LabelF1, label_counts, label_figures


def random_sets(seed: int, num_samples: int, num_labels: int):
    """Sparse sets; the last label is in no truth, and the last but one in no answer either where there are many."""
    generator = torch.Generator().manual_seed(seed)
    preds, target = torch.rand(2, num_samples, num_labels, generator=generator) < 0.2
    target[:, -1] = False
    if num_labels > 4:
        preds[:, -2] = target[:, -2] = False
    parsed = torch.rand(num_samples, generator=generator) < 0.8
    return preds, target, parsed


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("num_samples", "num_labels"), [(1, 3), (30, 2), (87, 12), (300, 40)])
def test_all_figures_are_scikit_learns(seed, num_samples, num_labels):
    preds, target, parsed = random_sets(seed, num_samples, num_labels)
    figures = label_figures(label_counts(preds, target, parsed))
    truth, answers = target.numpy(), (preds & parsed[:, None]).numpy()
    for average in ("macro", "micro"):
        expected = f1_score(truth, answers, average=average, zero_division=0)
        assert figures[f"{average}_f1"].item() == pytest.approx(expected, abs=1e-6)
    of_labels = precision_recall_fscore_support(truth, answers, average=None, zero_division=0)
    for name, expected in zip(("precision", "recall", "f1", "support"), of_labels, strict=True):
        assert figures[name].tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_an_unread_answer_predicts_nothing_and_is_counted():
    metric = LabelF1(2)
    target = torch.tensor([[1, 0], [1, 0]])
    metric.update(torch.ones(2, 2), target, parsed=torch.tensor([True, False]))
    values = metric.compute()
    assert values["recall"].tolist() == [0.5, 0.0]
    assert values["precision"].tolist() == [1.0, 0.0]
    assert values["unparsed"] == 1


def test_the_module_accumulates_to_what_the_functions_say_and_leaves_earlier_results_alone():
    preds, target, parsed = random_sets(0, 30, 6)
    metric = LabelF1(6)
    metric.update(preds[:10], target[:10], parsed[:10])
    first = metric.compute()
    metric.update(preds[10:], target[10:], parsed[10:])
    for name, value in label_figures(label_counts(preds, target, parsed)).items():
        assert torch.equal(metric.compute()[name], value), name
    assert (first["unparsed"], metric.compute()["unparsed"]) == ((~parsed[:10]).sum(), (~parsed).sum())


def test_without_samples_there_is_no_figure_and_with_nothing_to_find_it_is_zero():
    nothing = label_figures(label_counts(torch.zeros(0, 3), torch.zeros(0, 3)))
    assert nothing["macro_f1"].isnan() and nothing["micro_f1"].isnan() and nothing["recall"].isnan().all()
    empty_sets = label_figures(label_counts(torch.zeros(2, 3), torch.zeros(2, 3)))
    assert (empty_sets["macro_f1"], empty_sets["micro_f1"]) == (0, 0)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [(((2, 3), (2, 4), (2,)), r"\[2, 3\] and \[2, 4\]"), (((2, 3), (2, 3), (3,)), r"shape \[2\].* got \[3\]")],
)
def test_shapes_that_do_not_fit_are_refused(shapes, message):
    with pytest.raises(ValueError, match=message):
        label_counts(*map(torch.zeros, shapes))
