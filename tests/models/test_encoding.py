"""A frozen tower's features: the same bits alone or beside others, given or computed; nothing of it trains."""

import pytest
import torch

from videmo.data.chat import encode_record
from videmo.data.trees import Sample, build_trees
from videmo.data.video import Video
from videmo.losses.sft import sft_loss
from videmo.models.backbone import Backbone
from videmo.models.encoding import weights_hash
from videmo.models.generation import generate
from videmo.models.scopes import Scope
from videmo.token_tree import flatten

FROZEN_TOWER = {"vision": Scope("frozen"), "merger": Scope("frozen")}
QUESTIONS = [
    ("<video>What emotion?", ("a",)),
    ("<video>What hair does the woman have?", ("a",)),
    ("<video><video>Yes?", ("c", "b")),
    ("Sad?<video>", ("b",)),
    ("What?", ()),
    ("<video>AU1?", ("c",)),
]


@pytest.fixture
def videos(make_video):
    shapes = {"a": (2, 4, 6), "b": (3, 4, 4), "c": (1, 10, 6)}
    return {
        name: Video(make_video(*shape, seed=seed).pixel_values, shape, 1.25, path=name, key=name)
        for seed, (name, shape) in enumerate(shapes.items())
    }


@pytest.fixture
def frozen(checkpoint) -> Backbone:
    return Backbone.load(str(checkpoint), **FROZEN_TOWER)


@pytest.fixture
def make_batch(make_record, tokenizer, layout):
    def make(videos, questions=QUESTIONS, with_answer=True, max_branches=8):
        samples = [
            Sample(
                encode_record(make_record(question, "Yes", names), tokenizer, with_answer=with_answer),
                tuple(videos[name] for name in names),
                names,
            )
            for question, names in questions
        ]
        return flatten(build_trees(samples, layout.video_token_id, max_branches), layout)

    return make


def kept(backbone, batch) -> dict[str, torch.Tensor]:
    found = {}
    backbone.keep_features = lambda key, features: found.setdefault(key, features)
    backbone.score(batch)
    backbone.keep_features = None
    return found


def known(videos, features, names):
    """The videos, some as their features alone."""
    return {
        name: Video(None, video.grid_thw, video.second_per_grid, features=features[name], path=name, key=name)
        if name in names
        else video
        for name, video in videos.items()
    }


def loss_and_gradients(backbone, batch):
    backbone.zero_grad()
    loss = sft_loss(backbone.score(batch).logps, batch.num_items_in_batch)
    loss.backward()
    return loss.item(), {name: p.grad.clone() for name, p in backbone.named_parameters() if p.grad is not None}


def test_features_of_a_video_are_the_same_bits_whatever_is_in_the_batch(frozen, videos, make_batch):
    together = kept(frozen, make_batch(videos))
    assert together.keys() == videos.keys()
    for name in videos:
        alone = kept(frozen, make_batch(videos, [("<video>What?", (name,))]))
        assert torch.equal(alone[name], together[name])


@pytest.mark.parametrize("names", ["a", "b", "ac", "abc"])
def test_given_features_leave_loss_and_gradients_as_they_are_to_the_bit(names, frozen, videos, make_batch):
    features = kept(frozen, make_batch(videos))
    loss, gradients = loss_and_gradients(frozen, make_batch(videos))
    batch = make_batch(known(videos, features, names))
    assert (batch.pixel_values_videos is None) == (names == "abc")
    given_loss, given = loss_and_gradients(frozen, batch)
    assert given_loss == loss
    assert given.keys() == gradients.keys()
    assert all(torch.equal(given[name], gradients[name]) for name in gradients)


def test_the_frozen_tower_gives_the_loss_of_one_that_trains(frozen, backbone, videos, make_batch):
    batch = make_batch(videos)
    assert frozen.score(batch).logps.sum().item() == pytest.approx(backbone.score(batch).logps.sum().item(), rel=1e-5)


def test_nothing_of_a_frozen_tower_trains(frozen, videos, make_batch):
    frozen.train()
    assert frozen.training and not any(module.training for module in frozen.tower.modules())
    _, gradients = loss_and_gradients(frozen, make_batch(videos))
    assert not any(".visual." in name for name in gradients)
    assert all(name in gradients for name, _ in frozen.named_parameters() if ".visual." not in name)
    assert not any(p.requires_grad for p in frozen.tower.parameters())


@pytest.mark.parametrize("names", ["b", "abc"])
def test_generation_from_given_features_says_the_same(names, frozen, videos, make_batch):
    frozen.eval()
    with torch.no_grad():
        for p in frozen.parameters():
            p.mul_(3.0 if p.ndim > 1 else 1.0)  # a random model repeats one token
    features = kept(frozen, make_batch(videos))
    answers = [
        generate(frozen, make_batch(given, with_answer=False), max_new_tokens=8, eos_token_id=-1)
        for given in (videos, known(videos, features, names))
    ]
    for seen, given in zip(*answers, strict=True):
        assert torch.equal(seen.tokens, given.tokens) and torch.equal(seen.logps, given.logps)


@pytest.mark.parametrize("tower", [FROZEN_TOWER, {}], ids=["frozen", "trained"])
def test_a_batch_of_text_needs_no_video(tower, checkpoint, make_batch):
    """A tower that trains has gradients of 0 then, and not none: other ranks reduce theirs with them."""
    model = Backbone.load(str(checkpoint), **tower)
    batch = make_batch({}, [("What?", ()), ("Sad?", ())])
    assert batch.video_grid_thw is None and batch.videos == ()
    loss, gradients = loss_and_gradients(model, batch)
    of_tower = {name for name, p in model.named_parameters() if ".visual." in name and p.requires_grad}
    assert loss > 0 and bool(of_tower) == (not tower)
    assert {name for name in gradients if ".visual." in name} == of_tower
    assert not any(gradients[name].any() for name in of_tower)
    generate(model.eval(), make_batch({}, [("What?", ())], with_answer=False), max_new_tokens=2, eos_token_id=-1)


def test_the_hash_of_a_tower_is_that_of_its_weights(frozen, checkpoint):
    again = Backbone.load(str(checkpoint))
    assert frozen.vision_fingerprint() == again.vision_fingerprint()
    with torch.no_grad():
        again.tower.merger.mlp[2].bias[3] += 1e-6
    assert frozen.vision_fingerprint() != again.vision_fingerprint()
    assert weights_hash(frozen.tower.to(torch.bfloat16)) != again.vision_fingerprint()
