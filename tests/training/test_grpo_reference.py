"""The reference is the SFT model and stays it: after LoRA, 4 bits or full training, under autocast, resumed."""

import shutil

import pytest
import torch
from grpo_runs import LORA, fit, policy, records, watched
from peft.tuners.tuners_utils import BaseTunerLayer

from videmo.errors import InputError
from videmo.models.adapters import Lora
from videmo.models.scopes import Scope
from videmo.rewards import LengthReward, QAReward
from videmo.training import GRPOModule, SFTModule
from videmo.training.rollouts import answering

TRAINS = {"lora": LORA, "nf4": {**LORA, "quantization": "nf4"}, "full": {}}


@pytest.fixture(scope="module")
def fine_tuned(world, world_checkpoint, tmp_path_factory):
    """A function from what trains to an SFT checkpoint of three steps."""
    made = {}

    def train(name: str):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            module = SFTModule(str(world_checkpoint), learning_rate=1e-2, warmup_ratio=0.0, **TRAINS[name])
            made[name] = folder / "sft.ckpt"
            fit(module, records(world, world_checkpoint), folder, max_steps=3).save_checkpoint(made[name])
        return made[name]

    return train


def reference_logps(module, batch):
    """Of the tokens of a batch."""
    with answering(module.backbone), module._reference.in_place():
        return module.backbone.score(batch, module._distribution).logps


@pytest.mark.parametrize("trains", TRAINS)
def test_the_reference_is_what_rl_starts_from_to_the_bit(trains, fine_tuned, world, world_checkpoint, tmp_path):
    first = {}

    class Policy(GRPOModule):
        def _roll_out(self, prompts):
            rollouts = super()._roll_out(prompts)
            first.setdefault("rollout", rollouts[0])
            return rollouts

    module = policy(world_checkpoint, kind=Policy, start_from=str(fine_tuned(trains)), **TRAINS[trains])
    with watched() as turns:
        fit(module, records(world, world_checkpoint), tmp_path, max_steps=4)
    assert torch.equal(turns[0].ref_logps, turns[0].logps) and not turns[0].terms.kl.any()
    assert (turns[0].ratio == 1).all()
    assert turns[-1].terms.kl.mean() > 1e-4 and (turns[-1].ratio == 1).all()

    weights = {name: weight.clone() for name, weight in module.state_dict().items()}
    assert torch.equal(reference_logps(module, first["rollout"].batch), turns[0].ref_logps)
    assert all(torch.equal(weight, weights[name]) for name, weight in module.state_dict().items())
    if "lora" in TRAINS[trains]:  # the model without its adapters is another one
        for layer in module.modules():
            if isinstance(layer, BaseTunerLayer):
                layer.enable_adapters(False)
        with torch.no_grad():
            base = module.backbone.score(first["rollout"].batch, module._distribution).logps
        assert (base - turns[0].ref_logps).abs().max() > 1e-2


def test_dropout_does_not_tell_the_policy_from_itself(fine_tuned, world, world_checkpoint, tmp_path):
    lora = {**LORA, "lora": Lora(rank=4, dropout=0.5)}
    module = policy(world_checkpoint, start_from=str(fine_tuned("lora")), steps_per_generation=2, **lora)
    with watched() as turns:
        fit(module, records(world, world_checkpoint), tmp_path, max_steps=2)
    assert not turns[0].terms.kl.any() and (turns[0].ratio == 1).all()


def test_a_start_that_was_overwritten_is_noticed_and_one_that_was_moved_is_not(
    fine_tuned, world, world_checkpoint, tmp_path
):
    start, elsewhere = tmp_path / "start.ckpt", tmp_path / "moved.ckpt"
    shutil.copy(fine_tuned("lora"), start)
    data = records(world, world_checkpoint)
    run = fit(policy(world_checkpoint, start_from=str(start), **LORA), data, tmp_path)
    run.save_checkpoint(tmp_path / "rl.ckpt")
    start.rename(elsewhere)
    run.save_checkpoint(start)  # the same weights' names, other values
    more = {"ckpt": tmp_path / "rl.ckpt", "max_steps": 3}
    fit(policy(world_checkpoint, start_from=str(elsewhere), **LORA), records(world, world_checkpoint), tmp_path, **more)
    with pytest.raises(InputError, match="resume with that file as it was"):
        fit(policy(world_checkpoint, start_from=str(start), **LORA), records(world, world_checkpoint), tmp_path, **more)


@pytest.mark.parametrize("trains", ["lora", "full"])
def test_a_resumed_run_keeps_the_sft_models_reference(trains, fine_tuned, world, world_checkpoint, tmp_path):
    start = str(fine_tuned(trains))
    module = policy(world_checkpoint, start_from=start, **TRAINS[trains])
    fit(module, records(world, world_checkpoint), tmp_path, max_steps=2).save_checkpoint(tmp_path / "rl.ckpt")
    again = policy(world_checkpoint, start_from=start, **TRAINS[trains])
    fit(again, records(world, world_checkpoint), tmp_path, ckpt=tmp_path / "rl.ckpt", max_steps=3)
    kept = [run._reference._weights for run in (module, again)]
    assert len(kept[0]) == len(kept[1]) and all(map(torch.equal, *kept))
    sft = torch.load(start, weights_only=True)["state_dict"]
    trained = [name for name, p in again.named_parameters() if p.requires_grad]
    assert all(torch.equal(sft[name], weight) for name, weight in zip(trained, kept[1], strict=True))
    assert not all(torch.equal(sft[name], again.state_dict()[name]) for name in trained)


def test_without_a_penalty_there_is_no_copy(world, world_checkpoint, tmp_path):
    module = policy(world_checkpoint, beta=0.0, **LORA)
    with watched() as turns:
        fit(module, records(world, world_checkpoint), tmp_path)
    assert module._reference is None and turns[0].ref_logps is None


@pytest.mark.parametrize(("trains", "beta"), [("lora", 0.04), ("full", 0.04), ("full", 0.0)])
def test_under_autocast_all_that_trains_has_a_gradient(trains, beta, fine_tuned, world, world_checkpoint, tmp_path):
    """Casts that autocast kept of the rollouts would have none, and kept of the policy stand for the reference."""
    gradients = {}

    class Policy(GRPOModule):
        def on_before_optimizer_step(self, optimizer) -> None:
            trained = {name: p.grad for name, p in self.named_parameters() if p.requires_grad}
            gradients.setdefault(
                "first", {name: None if grad is None else grad.clone() for name, grad in trained.items()}
            )

    start = {"start_from": str(fine_tuned(trains)), "beta": beta}
    module = policy(world_checkpoint, kind=Policy, **start, **TRAINS[trains])
    with watched() as turns:
        fit(module, records(world, world_checkpoint), tmp_path, precision="bf16-mixed", max_steps=2)
    assert not turns[0].terms.kl.any() and turns[1].terms.kl.any() == (beta > 0)
    without = [n for n, g in gradients["first"].items() if g is None or not g.any()]
    assert not [n for n in without if not n.endswith("k_proj.bias")], without  # softmax does not see a key's bias


@pytest.mark.parametrize(
    ("make", "options", "says"),
    [
        (lambda folder: folder / "none.ckpt", LORA, r"no checkpoint .*none.ckpt; `videmo fit` writes"),
        (lambda folder: folder, LORA, r"is a folder, of a strategy that shards or of a model; `videmo export` it"),
        (None, {**LORA, "lora": Lora(rank=8)}, r"model\.lora\.rank=4, this one has 8"),
        (None, {**LORA, "merger": Scope("lora")}, r"model\.merger\.mode=frozen, this one has lora"),
        (None, {}, r"mode=frozen, this one has full"),
        (None, {**LORA, "quantization": "nf4"}, r"model\.quantization=none, this one has nf4"),
    ],
    ids=["missing", "folder", "rank", "scopes", "full", "quantization"],
)
def test_a_start_that_does_not_fit_is_refused_in_a_sentence(
    make, options, says, fine_tuned, world, world_checkpoint, tmp_path
):
    start = make(tmp_path) if make else fine_tuned("lora")
    with pytest.raises(InputError, match=says) as refused:
        fit(policy(world_checkpoint, start_from=str(start), **options), records(world, world_checkpoint), tmp_path)
    assert "\n" not in str(refused.value)


def test_a_start_from_another_model_is_refused(fine_tuned, world, checkpoint, tmp_path):
    with pytest.raises(InputError, match=r"another tokenizer or chat template|config\.json says"):
        fit(policy(checkpoint, start_from=str(fine_tuned("lora")), **LORA), records(world, checkpoint), tmp_path)


def test_an_sft_checkpoint_is_no_run_to_resume(fine_tuned, world, world_checkpoint, tmp_path):
    with pytest.raises(InputError, match=r"the checkpoint is not of GRPO, .*start_from"):
        fit(policy(world_checkpoint, **LORA), records(world, world_checkpoint), tmp_path, ckpt=fine_tuned("lora"))


def test_a_run_is_not_resumed_with_another_reference_or_other_rounds(fine_tuned, world, world_checkpoint, tmp_path):
    given = {"start_from": str(fine_tuned("lora")), **LORA}
    run = fit(policy(world_checkpoint, **given), records(world, world_checkpoint), tmp_path)
    run.save_checkpoint(tmp_path / "rl.ckpt")
    for other, says in (
        ({"start_from": None}, r"start_from .*sft.ckpt .* and this one has None"),
        ({"num_iterations": 2}, "num_iterations 1, this one has 2"),
        ({"steps_per_generation": 2}, "steps_per_generation 1, this one has 2"),
    ):
        with pytest.raises(InputError, match=says):
            module = policy(world_checkpoint, **{**given, **other})
            fit(module, records(world, world_checkpoint), tmp_path, ckpt=tmp_path / "rl.ckpt", max_steps=4)


def test_a_run_that_is_resumed_with_other_rewards_says_so(fine_tuned, world, world_checkpoint, tmp_path, caplog):
    given = {"start_from": str(fine_tuned("lora")), **LORA}
    data = records(world, world_checkpoint)
    fit(policy(world_checkpoint, QAReward(), **given), data, tmp_path).save_checkpoint(tmp_path / "rl.ckpt")
    for reward, said in ((QAReward(), []), (LengthReward(9, 3), ["the run goes on with the rewards length"])):
        caplog.clear()
        again = policy(world_checkpoint, reward, **given)
        fit(again, records(world, world_checkpoint), tmp_path, ckpt=tmp_path / "rl.ckpt", max_steps=2)
        lines = [line for line in caplog.messages if "the rewards" in line]
        assert [line[: len(part)] for line, part in zip(lines, said, strict=True)] == said
        assert not lines or "after qa (weight 1; its own tasks)" in lines[0]
