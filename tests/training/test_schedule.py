import pytest
import torch
from transformers import get_cosine_schedule_with_warmup

from videmo.training.schedule import Span, learning_rate


def test_one_span_is_the_usual_warm_up_and_cosine_a_step_earlier_in_the_warm_up():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    reference = get_cosine_schedule_with_warmup(optimizer, 10, 100)
    for step in range(100):
        ours = learning_rate(step, [Span(100, 2.0)], 0.1)
        theirs = optimizer.param_groups[0]["lr"]
        assert ours == pytest.approx(
            theirs + (0.2 if step < 10 else 0.0)
        )  # they begin at 0, a step that learns nothing
        optimizer.step()
        reference.step()


def test_each_span_starts_anew_with_its_own_peak():
    spans = [Span(10, 1.0), Span(20, 0.5)]
    rates = [learning_rate(step, spans, 0.0) for step in range(31)]
    assert rates[0] == 1.0
    assert rates[10] == 0.5
    assert rates[9] < 0.05
    assert rates[30] == 0.0
