"""Two processes (gloo), one without a video or with fewer: nobody waits for ever, and the numbers are one process's."""

from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from ranks import meet, run_ranks
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.nn.parallel import DistributedDataParallel

from videmo.data.chat import encode_record
from videmo.data.trees import Sample, build_trees
from videmo.losses.sft import sft_loss
from videmo.models.backbone import Backbone
from videmo.models.scopes import Scope
from videmo.models.sharding import shard
from videmo.token_tree import flatten

QUESTIONS = {
    "videos": [("<video><video>Yes?", ("a", "b")), ("Sad?<video>", ("b",))],
    "one video": [("<video>What emotion?", ("a",))],
    "text": [("What?", ()), ("Sad?", ())],
}


def tower(freeze: bool) -> dict[str, Scope]:
    scope = Scope("frozen" if freeze else "full")
    return {"vision": scope, "merger": scope}


class Loss(nn.Module):
    """What a LightningModule is to DDP: the root whose forward computes the loss."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, batch):
        return sft_loss(self.backbone.score(batch).logps, batch.num_items_in_batch)


@pytest.fixture
def make_batch(make_record, make_video, tokenizer, layout):
    videos = {"a": make_video(2, 4, 6, seed=1), "b": make_video(3, 4, 4, seed=2)}

    def make(name):
        samples = [
            Sample(encode_record(make_record(question, "Yes", names), tokenizer), tuple(map(videos.get, names)), names)
            for question, names in QUESTIONS[name]
        ]
        return flatten(build_trees(samples, layout.video_token_id, 8), layout)

    return make


def gradients_of(module: nn.Module) -> dict[str, torch.Tensor]:
    """Whole gradients by name; gathering sharded ones is collective."""
    found = {}
    for name, p in module.named_parameters():
        if p.requires_grad:
            grad = p.grad if p.grad is not None else torch.zeros_like(p)
            grad = grad.full_tensor() if hasattr(grad, "full_tensor") else grad
            found[name.removeprefix("module.").removeprefix("backbone.")] = grad.detach()
    return found


def _train(rank: int, strategy: str, checkpoint: str, freeze: bool, batch, folder: Path) -> None:
    meet(rank, folder)
    unread = strategy == "fsdp2" and rank > 0
    with torch.device("meta") if unread else nullcontext():
        backbone = Backbone.load(checkpoint, **tower(freeze))
    if strategy == "ddp":
        module = DistributedDataParallel(Loss(backbone))
    else:
        shard(backbone, init_device_mesh("cpu", (2,)), "32-true")
        module = Loss(backbone)
    for _ in range(2):  # DDP finds parameters that nobody used when the second step begins
        module.zero_grad()
        loss = module(batch)
        loss.backward()
    hashed = backbone.vision_fingerprint()
    torch.save((loss.item(), gradients_of(module), hashed), folder / f"{rank}.pt")
    torch.distributed.destroy_process_group()


def train_two(strategy, checkpoint, freeze, batches, folder):
    """Loss, gradients and tower hash of both ranks."""
    run_ranks(_train, [(strategy, str(checkpoint), freeze, batch, folder) for batch in batches])
    return [torch.load(folder / f"{rank}.pt") for rank in (0, 1)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "freeze", "shares"),
    [
        ("ddp", False, ("videos", "text")),
        ("ddp", True, ("text", "videos")),
        ("fsdp2", False, ("text", "videos")),
        ("fsdp2", True, ("videos", "text")),
        ("fsdp2", True, ("one video", "videos")),
    ],
)
def test_a_rank_with_fewer_videos_keeps_step(strategy, freeze, shares, checkpoint, make_batch, tmp_path):
    batches = [make_batch(share) for share in shares]
    one = Loss(Backbone.load(str(checkpoint), **tower(freeze)))
    losses = [one(batch) for batch in batches]
    (sum(losses) / 2).backward()
    expected = gradients_of(one)

    for rank, (loss, gradients, hashed) in enumerate(train_two(strategy, checkpoint, freeze, batches, tmp_path)):
        assert loss == pytest.approx(losses[rank].item(), rel=1e-5)
        assert hashed == one.backbone.vision_fingerprint()
        assert gradients.keys() == expected.keys()
        assert any(".visual." in name for name in gradients) == (not freeze)
        for name, grad in expected.items():
            largest = grad.abs().max()
            if largest > 1e-7:
                assert (gradients[name] - grad).abs().max() / largest < 1e-4, name
