"""GRPO through the real trainer: shared trees, rounds and their turns, the vision pass, and what counts in no sum."""

import math
from dataclasses import replace

import lightning as L
import pytest
import torch
from grpo_runs import FROZEN_TOWER, LORA, FixedEngine, Says, Spelling, figures, fit, policy, records, watched

from callbacks import LastCheckpoint
from videmo.data.cache import CacheRoom
from videmo.data.curriculum import Stage
from videmo.data.trees import build_trees
from videmo.errors import InputError
from videmo.losses.grpo import grpo_loss
from videmo.models.encoding import encode
from videmo.token_tree import IGNORE_INDEX, Segment, flatten
from videmo.training import GRPOModule
from videmo.training.checkpoints import last_checkpoint
from videmo.tree_growth import grow

QUESTIONS = [
    ("<video>What emotion?", ("a",)),
    ("<video>What hair does the woman have?", ("a",)),
    ("<video>AU1?", ("a",)),
    ("<video>Yes?", ("b",)),
    ("What?", ()),
]


@pytest.fixture
def completions():
    """Four for each question, of 1 to 9 tokens."""
    draw = torch.Generator().manual_seed(0)
    sizes = torch.randint(1, 10, (len(QUESTIONS), 4), generator=draw).tolist()
    return [[torch.randint(8, 40, (size,), generator=draw) for size in group] for group in sizes]


def plain_sequences(samples, completions, layout):
    """Each completion as a sequence of its own, with the video and the question once more."""
    for sample, group in zip(samples, completions, strict=True):
        for ids in group:
            (tree,) = build_trees([sample], layout.video_token_id)
            asked = tree.segments[-1]
            tree.segments[-1] = replace(asked, labels=torch.full_like(asked.labels, IGNORE_INDEX), sample=None)
            tree.add(Segment(ids, ids, sample=0), parent=len(tree.segments) - 1)
            yield flatten([tree], layout)


def test_shared_trees_give_the_log_probabilities_and_gradients_of_plain_sequences(
    make_prompts, completions, backbone, layout
):
    samples = make_prompts(QUESTIONS)
    batch = grow(flatten(build_trees(samples, layout.video_token_id, 8), layout), completions)
    place = batch.sample[batch.labels != IGNORE_INDEX]
    draw = torch.Generator().manual_seed(1)
    advantages = torch.randn(20, generator=draw)
    old, ref = (-3 + 0.1 * torch.randn(len(place), generator=draw) for _ in range(2))
    numbers = {"num_sequences": 20, "num_tokens": len(place), "max_completion_length": 9, "beta": 0.04}
    drawn = backbone.drawn(0.7)

    def gradients():
        found = {n: p.grad.clone() for n, p in backbone.named_parameters() if p.grad is not None}
        backbone.zero_grad()
        return found

    logps = backbone.score(batch, drawn).logps
    old = logps.detach() + 0.1 * old
    grpo_loss(logps, old, ref, advantages, place, keep=torch.ones(20, dtype=torch.bool), **numbers).loss.backward()
    shared = gradients()
    for number, alone in enumerate(plain_sequences(samples, completions, layout)):
        own = backbone.score(alone, drawn).logps
        torch.testing.assert_close(own, logps[place == number], rtol=0, atol=1e-5)
        here, keep = torch.zeros(len(own), dtype=torch.long), torch.ones(1, dtype=torch.bool)
        theirs = (old[place == number], ref[place == number], advantages[number : number + 1], here)
        grpo_loss(own, *theirs, keep=keep, **numbers).loss.backward()
    plain = gradients()
    assert shared.keys() == plain.keys()
    for name in plain:
        largest = plain[name].abs().max()
        if largest > 1e-7:
            assert (shared[name] - plain[name]).abs().max() / largest < 1e-4, name


@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_learned_log_probabilities_are_those_of_plain_transformers(
    temperature, make_prompts, completions, backbone, layout
):
    backbone.eval()
    config = backbone.config
    banned = [config.image_token_id, config.video_token_id, config.vision_start_token_id, config.vision_end_token_id]
    samples = make_prompts(QUESTIONS)
    batch = grow(flatten(build_trees(samples, layout.video_token_id, 8), layout), completions)
    place = batch.sample[batch.labels != IGNORE_INDEX]
    with torch.no_grad():
        scores = backbone.score(batch, backbone.drawn(temperature))
        for number, alone in enumerate(plain_sequences(samples, completions, layout)):
            ids = completions[number // 4][number % 4]
            videos = samples[number // 4].videos
            given = {
                "pixel_values_videos": alone.pixel_values_videos,
                "video_grid_thw": alone.video_grid_thw,
                "second_per_grid_ts": torch.tensor([video.second_per_grid for video in videos]),
                "mm_token_type_ids": 2 * (alone.input_ids == layout.video_token_id).int(),
            }
            logits = backbone.model(input_ids=alone.input_ids, **(given if videos else {})).logits
            logits = logits[0, -len(ids) - 1 : -1].double()
            logits[:, banned] = -math.inf
            logps = (logits / temperature).log_softmax(-1)
            own = place == number
            expected = logps.gather(1, ids[:, None])[:, 0]
            torch.testing.assert_close(scores.logps[own].double(), expected, rtol=0, atol=1e-5)
            entropy = -(logps.exp() * logps.clamp(min=-1e9)).sum(-1)
            torch.testing.assert_close(scores.entropy[own].double(), entropy, rtol=1e-4, atol=1e-4)


class Steps(L.Callback):
    """Notes after which batch the weights moved, and at which rate."""

    def __init__(self) -> None:
        self.batches, self.rates, self.between = [], [], []

    def on_before_optimizer_step(self, trainer, pl_module, optimizer) -> None:
        self.batches.append(trainer.fit_loop.epoch_loop.batch_idx)
        self.rates.append(optimizer.param_groups[0]["lr"])

    def on_train_batch_end(self, trainer, pl_module, *args) -> None:
        self.between.append(pl_module.between_rounds)


def test_rounds_are_trained_on_over_and_over_in_whole_steps(world, world_checkpoint, tmp_path):
    """53 questions, 8 a step in 2 micro-batches: 7 steps, drawn together by twos and the last alone, each twice."""
    steps = Steps()
    module = policy(world_checkpoint, num_iterations=2, steps_per_generation=2, **LORA)
    datamodule = records(
        world,
        world_checkpoint,
        train=["jsons/train/qa/full/QA_Gender.json", "jsons/train/qa/full/QA_Body_actions.json"],
        batch_size=4,
        global_batch_size=8,
        curriculum=[Stage("grpo", epochs=1)],
    )
    with watched() as turns:
        trainer = fit(module, datamodule, tmp_path, callbacks=[steps], max_steps=-1)
    count = len(datamodule.records("train"))
    own = math.ceil(count / 8)  # steps of an epoch with one iteration
    assert own % 2 == 1 and count % 8 <= 4  # the last round is short, and its step has one micro-batch with records
    assert trainer.global_step == 2 * own and len(turns) == 4 * own
    assert steps.batches == list(range(1, 4 * own, 2))
    assert steps.between == [(n + 1) % 8 == 0 or n == 4 * own - 1 for n in range(4 * own)]
    half_cosine = [1e-2 * 0.5 * (1 + math.cos(math.pi * step / (2 * own))) for step in range(2 * own)]
    assert steps.rates == pytest.approx(half_cosine)

    for start in range(0, len(turns), 8):
        first, again = turns[start : start + 8][: len(turns[start : start + 8]) // 2], turns[start : start + 8]
        again = again[len(first) :]
        assert len(first) in (2, 4)
        for a, b in zip(first, again, strict=True):  # the same completions, in the same order
            assert torch.equal(a.old_logps, b.old_logps) and torch.equal(a.ref_logps, b.ref_logps)
            assert torch.equal(a.advantages, b.advantages) and a.num_tokens == b.num_tokens
            assert len(b.ratio) == 0 or (b.ratio != 1).any()
        assert all((turn.ratio == 1).all() for turn in first[:2])
        assert all((turn.ratio != 1).any() for turn in first[2:])
        for step in range(0, len(first), 2):  # what a step divides by is that of both its micro-batches
            both = first[step : step + 2]
            assert {turn.num_sequences for turn in both} == {sum(len(turn.keep) for turn in both)}
            assert {turn.num_tokens for turn in both} == {sum(len(turn.sample) for turn in both)}


def test_the_last_checkpoint_is_saved_between_rounds_only(world, world_checkpoint, tmp_path):
    saved = []

    class Noting(LastCheckpoint):
        def _save(self, trainer) -> None:
            super()._save(trainer)
            saved.append((trainer.global_step, trainer.lightning_module.between_rounds))

    module = policy(world_checkpoint, num_iterations=2, steps_per_generation=2, **LORA)
    datamodule = records(world, world_checkpoint, batch_size=8)
    watch = Noting(every_n_train_steps=2)
    fit(module, datamodule, tmp_path, callbacks=[watch], enable_checkpointing=True, max_steps=8)
    assert saved == [(4, True), (8, True), (8, True)]  # once more at the end of the epoch
    state = torch.load(last_checkpoint(tmp_path), weights_only=True)
    assert state["global_step"] == 8


def test_a_checkpoint_from_inside_a_round_is_refused(world, world_checkpoint, tmp_path):
    class Early(L.Callback):
        def on_train_batch_end(self, trainer, *args) -> None:
            if trainer.global_step == 3:
                trainer.save_checkpoint(tmp_path / "inside.ckpt")

    given = {"num_iterations": 2, "steps_per_generation": 2, **LORA}
    datamodule = records(world, world_checkpoint, batch_size=8)
    fit(policy(world_checkpoint, **given), datamodule, tmp_path, callbacks=[Early()], max_steps=4)
    with pytest.raises(InputError, match="inside a round of answers, after micro-batch 3 of the epoch with 4 each"):
        fit(policy(world_checkpoint, **given), datamodule, tmp_path, ckpt=tmp_path / "inside.ckpt", max_steps=8)


@pytest.mark.parametrize(("max_steps", "says"), [(5, "take 4 or 8"), (19, None), (21, "take 19 or 23"), (23, None)])
def test_a_run_does_not_end_inside_a_round(max_steps, says, world, world_checkpoint, tmp_path, monkeypatch):
    """111 questions in steps of 6 have rounds of 4 steps and a last one of 3, in every epoch."""
    module = policy(world_checkpoint, steps_per_generation=4, **LORA)
    module.engine = FixedEngine()
    datamodule = records(world, world_checkpoint, batch_size=6)
    options = {"max_steps": max_steps, "max_epochs": 2, "limit_train_batches": 0}
    if says is None:
        fit(module, datamodule, tmp_path, **options)
        assert math.ceil(len(datamodule.records("train")) / 6) == 19
        return
    with pytest.raises(InputError, match=f"{max_steps} ends inside a round of completions.*; {says}"):
        fit(module, datamodule, tmp_path, **options)


class Calls(L.Callback):
    """Counts what the vision tower is called with in every batch."""

    def setup(self, trainer, pl_module, stage) -> None:
        self.videos, self.encoded = [], []

    def on_fit_start(self, trainer, pl_module) -> None:
        pl_module.backbone.tower.register_forward_hook(self._called, with_kwargs=True)

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        self.videos.append(len(batch.videos))
        self.encoded.append(0)

    def _called(self, tower, args, kwargs, output) -> None:
        self.encoded[-1] += len(kwargs["grid_thw"])


@pytest.mark.parametrize(("retries", "room"), [(2, 0), (0, 64)], ids=["retries", "cache"])
def test_a_round_encodes_its_videos_once(retries, room, world, world_checkpoint, tmp_path):
    calls = Calls()
    module = policy(
        world_checkpoint,
        Says(lambda c: 1.0),
        num_iterations=2,
        steps_per_generation=2,
        zero_std_retries=retries,
        **LORA,
    )
    cache = {"vision_cache": CacheRoom(memory_mb=room)} if room else {}
    datamodule = records(world, world_checkpoint, train=["jsons/train/qa/full/QA_Chin.json"], batch_size=4, **cache)
    fit(module, datamodule, tmp_path, callbacks=[calls], max_epochs=2, max_steps=-1)
    rounds = len(calls.videos) // 2
    assert sum(n > 0 for n in calls.videos[:rounds]) == 2
    assert calls.encoded[:rounds] == calls.videos[:rounds]
    assert calls.encoded[rounds:] == ([0] * rounds if room else calls.videos[rounds:])


@pytest.mark.parametrize("room", [0, 64], ids=["", "cached"])
def test_an_engine_that_encodes_nothing_leaves_that_to_the_policy(room, world, world_checkpoint, tmp_path):
    """Its turns are those of a policy that is given the same completions and encodes everything itself."""
    found = []
    for trains in (
        FROZEN_TOWER,
        {"vision": replace(FROZEN_TOWER["vision"], mode="full"), "merger": FROZEN_TOWER["merger"]},
    ):
        module = policy(world_checkpoint, **trains)
        module.engine = FixedEngine()
        cache = {"vision_cache": CacheRoom(memory_mb=room)} if room and trains is FROZEN_TOWER else {}
        with watched() as turns:
            datamodule = records(world, world_checkpoint, **cache)
            fit(module, datamodule, tmp_path, max_epochs=2, max_steps=3, limit_train_batches=2)
        assert module.engine.asked >= 11
        found.append(turns)
    torch.testing.assert_close(found[0][0].logps, found[1][0].logps, rtol=1e-4, atol=1e-5)


def test_features_of_the_rollout_are_those_that_the_policy_learns_from(world, world_checkpoint, tmp_path):
    kept = []

    class Policy(GRPOModule):
        def _roll_out(self, prompts):
            rollouts = super()._roll_out(prompts)
            kept.extend((prompts, rollout.batch) for rollout in rollouts)
            return rollouts

    module = policy(world_checkpoint, kind=Policy, **LORA)
    fit(module, records(world, world_checkpoint), tmp_path, accumulate_grad_batches=2)
    (prompts, first), (_, second) = kept
    assert first.pixel_values_videos is None and not first.promised
    features = [*first.video_features.values(), *second.video_features.values()]
    pieces = prompts.pixel_values_videos.split([math.prod(grid) for grid in prompts.video_grid_thw.tolist()])
    for feature, piece, grid in zip(features, pieces, prompts.video_grid_thw.tolist(), strict=True):
        assert torch.equal(feature, encode(module.backbone.tower, piece, [grid])[0])


def test_a_tower_that_trains_has_its_gradient(world, world_checkpoint, tmp_path):
    norms = {}

    class Norms(L.Callback):
        def on_before_optimizer_step(self, trainer, pl_module, optimizer) -> None:
            norms.update({n: p.grad.norm().item() for n, p in pl_module.backbone.tower.named_parameters()})

    fit(policy(world_checkpoint), records(world, world_checkpoint), tmp_path, callbacks=[Norms()])
    assert all(math.isfinite(norm) for norm in norms.values())
    assert all(norm > 0 for name, norm in norms.items() if name.endswith("weight"))


def test_what_no_reward_can_be_had_for_teaches_nothing(world, world_checkpoint, tmp_path):
    """A judge that is down: training goes on, and the weights stay."""
    module = policy(world_checkpoint, Says(lambda c: None), **LORA)
    datamodule = records(world, world_checkpoint)
    before = {}

    class Before(L.Callback):
        def on_train_start(self, trainer, pl_module) -> None:
            before.update({name: weight.clone() for name, weight in pl_module.state_dict().items()})

    with watched() as turns:
        trainer = fit(module, datamodule, tmp_path, callbacks=[Before()], max_steps=2)
    assert trainer.global_step == 2
    assert all(turn.terms.loss == 0 and not turn.keep.any() and turn.num_tokens == 0 for turn in turns)
    assert all(torch.equal(weight, before[name]) for name, weight in module.state_dict().items())
    logged = figures(trainer)
    assert logged["train/frac_reward_missing"] == 1 and "train/reward" not in logged
    assert all(math.isfinite(value) for value in logged.values())


def test_a_group_whose_judge_was_down_leaves_the_others_as_they_are(world, world_checkpoint, tmp_path):
    hair = Says(lambda c: None if c.record.source == "QA_Hair" else Spelling()([c])[0])
    module = policy(world_checkpoint, hair, **LORA)
    with watched() as turns:
        fit(module, records(world, world_checkpoint), tmp_path, max_steps=3)
    for turn in turns:
        assert torch.isfinite(turn.terms.loss) and turn.num_sequences == turn.keep.sum()
        assert not turn.advantages[~turn.keep].any()
    assert any(not turn.keep.all() for turn in turns) and any(turn.keep.any() for turn in turns)


def test_only_queries_with_equal_rewards_are_drawn_anew(world, world_checkpoint, tmp_path):
    """Those on hair are equal twice, those on age always, and the others keep their completions."""
    rewarded = []

    class Rewards(Says):
        def __call__(self, completions):
            rewarded.append(completions)
            equal = {"QA_Age": True, "QA_Hair": len(rewarded) < 3}
            return [0.5 if equal.get(c.record.source) else float(n % 3) for n, c in enumerate(completions)]

    asked = []

    class Policy(GRPOModule):
        def _draw(self, prompts, samples=None):
            asked.append(None if samples is None else samples.tolist())
            return super()._draw(prompts, samples)

    module = policy(world_checkpoint, Rewards(None), kind=Policy, zero_std_retries=3, temperature=2.0, **LORA)
    with watched() as turns:
        fit(module, records(world, world_checkpoint, batch_size=12), tmp_path)
    source = [completion.record.source for completion in rewarded[0][::3]]
    assert {"QA_Gender", "QA_Hair", "QA_Age"} == set(source)
    groups = [["".join(c.text for c in given[3 * n : 3 * n + 3]) for n in range(len(source))] for given in rewarded]
    assert len(groups) == 4
    equal = {"QA_Hair": (0, 1), "QA_Age": (0, 1, 2)}
    for turn in range(3):
        drawn = [n for n, name in enumerate(source) if turn in equal.get(name, ())]
        assert asked[1 + turn] == drawn
        assert all(groups[turn][n] == groups[turn + 1][n] for n in range(len(source)) if n not in drawn)
        assert any(groups[turn][n] != groups[turn + 1][n] for n in drawn)
    learned = turns[0].advantages.view(-1, 3).any(1).tolist()
    assert learned == [name != "QA_Age" for name in source]


@pytest.mark.parametrize("loss_type", ["grpo", "dapo"])
def test_completions_that_ended_by_the_limit_are_in_no_denominator(loss_type, world, world_checkpoint, tmp_path):
    module = policy(world_checkpoint, loss_type=loss_type, mask_truncated_completions=True, **LORA)
    module.engine = FixedEngine()
    with watched() as turns:
        fit(module, records(world, world_checkpoint), tmp_path, accumulate_grad_batches=2)
    keep = [turn.keep for turn in turns]
    assert 0 < sum(int(k.sum()) for k in keep) < sum(len(k) for k in keep)
    for turn in turns:
        assert turn.num_sequences == sum(int(k.sum()) for k in keep)
        assert turn.num_tokens == sum(int(t.keep[t.sample].sum()) for t in turns)
        tokens = turn.keep[turn.sample]
        # The policy is still the one that drew, and the reference: the surrogate is the advantage, the KL 0.
        lengths = torch.bincount(turn.sample, minlength=len(turn.keep)).clamp(min=1)
        weight = 1 / turn.num_tokens if loss_type == "dapo" else 1 / (turn.num_sequences * lengths[turn.sample])
        expected = -(tokens * weight * turn.advantages[turn.sample]).sum()
        assert turn.terms.loss.item() == pytest.approx(expected.item(), abs=1e-6)
