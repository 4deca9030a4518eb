import copy

import pytest
import torch
from torch import nn

from videmo.errors import InputError
from videmo.training.optimizer import Group, make_optimizer


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(5, 8)
        self.hidden = nn.Linear(8, 8)
        self.frozen = nn.Linear(8, 8).requires_grad_(False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.frozen(self.hidden(self.embed_tokens(ids))).square().mean()


def groups(model: Model) -> list[Group]:
    return [Group("language", 0.1, list(model.named_parameters()))]


def _train(model: Model, optimizer: torch.optim.Optimizer, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.arange(5)).backward()
        optimizer.step()


def test_muon_takes_hidden_matrices_and_adamw_the_rest():
    model = Model()
    optimizer = make_optimizer(groups(model), "muon", weight_decay=0.0, beta2=0.98)
    muon, adamw = optimizer.parts
    assert [p.shape for p in muon.param_groups[0]["params"]] == [model.hidden.weight.shape]
    assert {id(p) for p in adamw.param_groups[0]["params"]} == {id(model.embed_tokens.weight), id(model.hidden.bias)}
    assert adamw.param_groups[0]["betas"] == (0.9, 0.98)


def test_muon_alone_takes_a_model_of_matrices():
    model = nn.Linear(8, 8, bias=False)
    optimizer = make_optimizer(
        [Group("language", 0.1, list(model.named_parameters()))], "muon", weight_decay=0.0, beta2=0.98
    )
    assert type(optimizer) is torch.optim.Muon and optimizer.param_groups[0]["name"] == "language"


def test_adamw_is_plain_adamw_of_what_trains():
    model = Model()
    optimizer = make_optimizer(groups(model), "adamw", weight_decay=0.0, beta2=0.999)
    assert type(optimizer) is torch.optim.AdamW
    assert len(optimizer.param_groups[0]["params"]) == 3


def test_every_group_has_its_rate_and_name_and_none_is_empty():
    model = Model()
    own = [("hidden", 0.1), ("embed", 0.2), ("frozen", 0.3)]
    of = [Group(part, rate, [(n, p) for n, p in model.named_parameters() if part in n]) for part, rate in own]
    plain = make_optimizer(of, "adamw", weight_decay=0.0, beta2=0.999)
    assert [(g["name"], g["lr"]) for g in plain.param_groups] == own[:2]
    joined = make_optimizer(of, "muon", weight_decay=0.0, beta2=0.999)
    names = [(g["name"], g["lr"]) for g in joined.param_groups]
    assert names == [("muon/hidden", 0.1), ("adamw/hidden", 0.1), ("adamw/embed", 0.2)]
    model.requires_grad_(False)
    with pytest.raises(InputError, match=r"nothing trains: set one of model\.vision"):
        make_optimizer(of, "adamw", weight_decay=0.0, beta2=0.999)


def test_8_bit_adamw_is_near_adamw_and_paged_ones_need_a_gpu():
    finals = []
    for name in ("adamw", "adamw_8bit"):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(64, 128), nn.Linear(128, 64))  # weights of 4096 and more are kept in 8 bits
        group = Group("language", 1e-2, list(model.named_parameters()))
        optimizer = make_optimizer([group], name, weight_decay=0.0, beta2=0.999)
        for _ in range(5):
            optimizer.zero_grad()
            model(torch.ones(4, 64).tril()).square().mean().backward()
            optimizer.step()
        finals.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert optimizer.state[model[0].weight]["state1"].dtype == torch.uint8
    assert (finals[0] - finals[1]).abs().mean() < 2e-3
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="there is no GPU; use adamw_8bit"):
            make_optimizer([group], "paged_adamw_8bit", weight_decay=0.0, beta2=0.999)


def test_a_scheduler_reaches_both_parts_also_after_loading():
    model = Model()
    optimizer = make_optimizer(groups(model), "muon", weight_decay=0.0, beta2=0.999)
    optimizer.load_state_dict(optimizer.state_dict())
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5)
    assert [part.param_groups[0]["lr"] for part in optimizer.parts] == [0.05, 0.05]


def test_a_resumed_run_goes_on_as_if_it_had_not_stopped():
    torch.manual_seed(0)
    whole = Model()
    halves = copy.deepcopy(whole)
    settings = {"name": "muon", "weight_decay": 0.0, "beta2": 0.98}
    _train(whole, make_optimizer(groups(whole), **settings), 6)

    first = make_optimizer(groups(halves), **settings)
    _train(halves, first, 3)
    second = make_optimizer(groups(halves), **settings)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    _train(halves, second, 3)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), halves.parameters(), strict=True))


def test_a_scaler_divides_before_fused_adamw_steps():
    weights = []
    for scale in (None, 1024.0):
        torch.manual_seed(0)
        model = Model()
        optimizer = make_optimizer(groups(model), "adamw", weight_decay=0.0, beta2=0.999)
        scaler = torch.amp.GradScaler("cpu", init_scale=scale or 1.0, enabled=scale is not None)
        for _ in range(3):
            optimizer.zero_grad()
            scaler.scale(model(torch.arange(5))).backward()
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1e-3)
            scaler.step(optimizer)
            scaler.update()
        weights.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    torch.testing.assert_close(weights[1], weights[0], rtol=0, atol=1e-6)
