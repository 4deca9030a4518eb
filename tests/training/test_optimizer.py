import copy

import torch
from torch import nn

from videmo.training.optimizer import make_optimizer


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(5, 8)
        self.hidden = nn.Linear(8, 8)
        self.frozen = nn.Linear(8, 8).requires_grad_(False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.frozen(self.hidden(self.embed_tokens(ids))).square().mean()


def _train(model: Model, optimizer: torch.optim.Optimizer, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.arange(5)).backward()
        optimizer.step()


def test_muon_takes_hidden_matrices_and_adamw_the_rest():
    model = Model()
    optimizer = make_optimizer(model.named_parameters(), "muon", lr=0.1, weight_decay=0.0, beta2=0.98)
    muon, adamw = optimizer.parts
    assert [p.shape for p in muon.param_groups[0]["params"]] == [model.hidden.weight.shape]
    assert {id(p) for p in adamw.param_groups[0]["params"]} == {id(model.embed_tokens.weight), id(model.hidden.bias)}
    assert adamw.param_groups[0]["betas"] == (0.9, 0.98)


def test_adamw_is_plain_adamw_of_what_trains():
    model = Model()
    optimizer = make_optimizer(model.named_parameters(), "adamw", lr=0.1, weight_decay=0.0, beta2=0.999)
    assert type(optimizer) is torch.optim.AdamW
    assert len(optimizer.param_groups[0]["params"]) == 3


def test_a_scheduler_reaches_both_parts_also_after_loading():
    model = Model()
    optimizer = make_optimizer(model.named_parameters(), "muon", lr=0.1, weight_decay=0.0, beta2=0.999)
    optimizer.load_state_dict(optimizer.state_dict())
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5)
    assert [part.param_groups[0]["lr"] for part in optimizer.parts] == [0.05, 0.05]


def test_a_resumed_run_goes_on_as_if_it_had_not_stopped():
    torch.manual_seed(0)
    whole = Model()
    halves = copy.deepcopy(whole)
    settings = {"name": "muon", "lr": 0.01, "weight_decay": 0.0, "beta2": 0.98}
    _train(whole, make_optimizer(whole.named_parameters(), **settings), 6)

    first = make_optimizer(halves.named_parameters(), **settings)
    _train(halves, first, 3)
    second = make_optimizer(halves.named_parameters(), **settings)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    _train(halves, second, 3)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), halves.parameters(), strict=True))
