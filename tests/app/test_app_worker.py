"""The thread that computes: what it gives, when it ends."""

import threading
import time

import pytest
import torch
from torch import nn

from videmo.app import worker
from videmo.app.worker import Worker


class Slow(nn.Module):
    """Each of its layers takes a millisecond, and there are many."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Identity() for _ in range(5000))
        self.computed = 0

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
            self.computed += 1
            time.sleep(0.001)
        return x


@pytest.fixture
def model(monkeypatch):
    monkeypatch.setattr(worker, "TICK", 0.02)
    return Slow()


def test_what_an_iterator_gives_is_given_with_signs_of_life_between(model):
    def steps():
        yield "first"
        time.sleep(0.1)
        yield "second"
        raise ValueError("what went wrong")

    seen = []
    with pytest.raises(ValueError, match="what went wrong"):
        for one in Worker(model).run(steps()):
            seen.append(one)
    assert seen[0] == "first" and seen[-1] == "second" and len(seen) > 3 and {*seen[1:-1]} == {None}


def computing(model):
    yield model(torch.zeros(1))


def test_who_is_no_longer_waited_for_ends_before_the_next_layer_and_the_next_is_served(model):
    own = Worker(model)
    found = own.run(computing(model))
    assert next(found) is None
    found.close()
    assert [*own.run(iter(["the next"]))][-1] == "the next"
    assert 0 < model.computed < 2000
    before = model.computed
    time.sleep(0.05)
    assert model.computed == before, "nothing goes on"


def test_the_end_of_the_worker_ends_what_is_computed_and_what_comes(model):
    own, seen = Worker(model), []
    waiting = threading.Thread(target=lambda: seen.append([*own.run(computing(model))]))
    waiting.start()
    while not model.computed:
        time.sleep(0.001)
    own.close()
    waiting.join(5)
    assert set(seen[0]) <= {None} and model.computed < 5000
    assert [*own.run(iter(["later"]))] == []


def test_others_that_use_the_model_are_left_alone(model):
    own = Worker(model)
    own.run(iter([])).close()
    model.layers = model.layers[:3]
    assert model(torch.ones(1)) == 1
