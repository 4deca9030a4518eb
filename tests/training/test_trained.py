"""Checkpoints of adapters and scopes, through the trainer: what they hold, that they resume, and what refuses them."""

import json
import shutil

import lightning as L
import pytest
import torch
from safetensors.torch import load_file, save_file

from videmo.data.curriculum import Stage
from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.models.adapters import Lora
from videmo.models.scopes import Scope
from videmo.training import SFTModule

SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)
FROZEN = Scope("frozen")
LORA = {"vision": FROZEN, "merger": FROZEN, "language": Scope("lora"), "lora": Lora(rank=4, dropout=0.1)}
FILES = {
    "train": ["jsons/train/attribute/full/MEAD_Head-Pose.json"],
    "val": ["jsons/val/attribute/full/MEAD_Head-Pose.json"],
}


class StopAt(L.Callback):
    def __init__(self, step: int | None, path) -> None:
        self.step, self.path = step, path

    def on_train_batch_end(self, trainer, *args) -> None:
        if trainer.global_step == self.step:
            trainer.save_checkpoint(self.path)
            trainer.should_stop = True


@pytest.fixture(scope="module")
def run(world, world_checkpoint, quiet, tmp_path_factory):
    """A function that trains for some steps and returns the module and where it was saved."""

    def run(
        module=None, stop=None, ckpt=None, fn="fit", callbacks=(), video=SMALL, max_steps=6, curriculum=None, **options
    ):
        L.seed_everything(0)
        module = module or SFTModule(str(world_checkpoint), learning_rate=1e-2, **options)
        folder = tmp_path_factory.mktemp("run")
        path = folder / "saved.ckpt"
        trainer = L.Trainer(
            **quiet,
            default_root_dir=folder,
            max_steps=max_steps,
            limit_val_batches=0 if fn == "fit" else 1,
            callbacks=[StopAt(stop, path), *callbacks],
        )
        given = {"video": video, "batch_size": 4, "num_workers": 0, "curriculum": curriculum, **FILES}
        data = EmoCFGDataModule(str(world), str(world_checkpoint), **given)
        getattr(trainer, fn)(module, datamodule=data, ckpt_path=ckpt, weights_only=True)
        return module, path

    return run


@pytest.fixture(scope="module")
def adapted(run):
    """A module whose adapters have had a step, and where it was saved."""
    return run(stop=1, **LORA)


@pytest.mark.parametrize(
    "options",
    [
        LORA,
        # Rank 32 makes matrices of 4096 numbers, from which on the optimizer's state has 8 bits.
        {**LORA, "lora": Lora(rank=32), "quantization": "nf4", "dtype": "bfloat16", "optimizer": "adamw_8bit"},
        {"vision": FROZEN, "merger": Scope("full", 1e-3), "language": Scope("lora")},
    ],
    ids=["lora", "qlora", "merger"],
)
def test_a_checkpoint_holds_what_trains_and_resumes_to_the_bit(options, run):
    whole, _ = run(**options)
    _, path = run(stop=3, **options)
    checkpoint = torch.load(path, weights_only=True)
    trained = {name: p for name, p in whole.named_parameters() if p.requires_grad}
    assert checkpoint["state_dict"].keys() == trained.keys()
    assert sum(len(group["params"]) for group in checkpoint["optimizer_states"][0]["param_groups"]) == len(trained)
    resumed, _ = run(ckpt=path, **options)
    for name, p in whole.state_dict().items():
        assert torch.equal(p, resumed.state_dict()[name]), name


def test_whole_fine_tuning_saves_the_whole_model(run):
    module, path = run(stop=1)
    saved = torch.load(path, weights_only=True)["state_dict"]
    assert saved.keys() == {f"backbone.model.{name}" for name in module.backbone.model.state_dict()}
    assert "backbone.model.lm_head.weight" in saved


def test_every_scope_has_its_rate_and_the_schedule_scales_it(run):
    class Watch(L.Callback):
        rates: list = []  # noqa: RUF012

        def on_train_batch_start(self, trainer, *args) -> None:
            self.rates.append({g["name"]: g["lr"] for g in trainer.optimizers[0].param_groups})

    scopes = {"vision": FROZEN, "merger": Scope("full", 5e-2), "language": Scope("lora")}
    run(callbacks=[Watch()], warmup_ratio=0.34, **scopes)
    assert Watch.rates[0] == pytest.approx({"merger": 2.5e-2, "language": 5e-3})
    assert all(rates["merger"] == pytest.approx(5 * rates["language"]) for rates in Watch.rates)
    assert Watch.rates[-1]["language"] < 5e-3


def test_the_start_says_what_trains(run, capsys):
    run(stop=1, **LORA)
    said = capsys.readouterr().err
    assert said.count("what trains") == 1 and "lora" in said and "frozen" in said


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"lora": Lora(rank=8)}, r"model\.lora\.rank=4, this one has 8"),
        ({"lora": Lora(rank=4, rslora=True)}, r"model\.lora\.rslora=False, this one has True"),
        (
            {"lora": Lora(rank=4, language_targets=["q_proj"])},
            r"model\.lora\.language_targets=\[q_proj,.*\], this one has \[q_proj\]",
        ),
        ({"merger": Scope("full")}, r"model\.merger\.mode=frozen, this one has full"),
        ({"language": Scope("full")}, r"model\.language\.mode=lora, this one has full.*`videmo export`"),
        ({"quantization": "nf4"}, r"model\.quantization=none, this one has nf4"),
    ],
    ids=["rank", "rslora", "targets", "merger", "language", "quantization"],
)
def test_a_checkpoint_of_other_adapters_is_refused_by_both_names(other, says, run, adapted):
    with pytest.raises(InputError, match=says):
        run(ckpt=adapted[1], **{**LORA, **other})


def test_a_checkpoint_of_another_base_is_refused_by_both_names(run, adapted, world_checkpoint, tmp_path):
    _, path = adapted
    other = tmp_path / "other"
    shutil.copytree(world_checkpoint, other)
    weights = load_file(other / "model.safetensors")
    save_file({name: 1.01 * weight for name, weight in weights.items()}, other / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=rf"the base {world_checkpoint} \(.*\), and this run's base is {other} \("):
        run(SFTModule(str(other), **LORA), ckpt=path, fn="validate")
    same = tmp_path / "same"
    shutil.copytree(world_checkpoint, same)
    run(SFTModule(str(same), **LORA), ckpt=path, fn="validate")  # where it lies does not matter


def test_a_checkpoint_of_another_config_or_tokenizer_is_refused_by_what_differs(run, world_checkpoint, tmp_path):
    _, path = run(stop=1)
    other = tmp_path / "other"
    shutil.copytree(world_checkpoint, other)
    template = (other / "chat_template.jinja").read_text()
    (other / "chat_template.jinja").write_text(template.replace("helpful", "terse"))
    with pytest.raises(InputError, match=rf"another tokenizer or chat template \(.*\) than {other} has"):
        run(SFTModule(str(other)), ckpt=path, fn="validate")
    config = json.loads((other / "config.json").read_text())
    config["text_config"]["rope_parameters"]["rope_theta"] = 5e5
    (other / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        InputError, match=r"config.json says text_config.rope_parameters .*, and that of .* says .*500000"
    ):
        run(SFTModule(str(other)), ckpt=path, fn="validate")


def test_a_base_whose_weights_are_not_whole_is_refused(run, world_checkpoint, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(world_checkpoint, broken)
    weights = load_file(broken / "model.safetensors")
    del weights[next(name for name in weights if "q_proj.weight" in name)]
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=rf"{broken} lacks 1 weights of its model, such as .*q_proj.weight"):
        run(SFTModule(str(broken), **LORA))
    whole = (world_checkpoint / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=rf"the weights of {broken} cannot be read \(.*\); get its files again"):
        run(SFTModule(str(broken), **LORA))


def test_adapters_of_a_4_bit_base_are_tested_on_a_whole_one(run):
    _, path = run(stop=1, **LORA, quantization="nf4")
    run(ckpt=path, fn="validate", **LORA)


def test_a_run_goes_on_with_its_videos_and_a_test_says_that_its_own_are_others(run, caplog):
    _, path = run(stop=2, **LORA)
    larger = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=84 * 84, decode_timeout=30)
    says = "the checkpoint was saved in a run with data.video.max_pixels 3136, this one has 7056"
    with pytest.raises(InputError, match=f"{says}; resume with that"):
        run(ckpt=path, video=larger, **LORA)
    run(ckpt=path, video=larger, fn="validate", **LORA)
    assert caplog.messages.count(says) == 1
    with pytest.raises(InputError, match=r"is at step 2, beyond trainer.max_steps 1"):
        run(ckpt=path, max_steps=1, **LORA)


def test_a_run_of_another_curriculum_or_none_is_not_resumed(run):
    _, path = run(stop=2, curriculum=[Stage("one", epochs=2)], **LORA)
    with pytest.raises(InputError, match=r"another curriculum: it had one, now there is none\. Resume with that"):
        run(ckpt=path, **LORA)
    with pytest.raises(InputError, match="another curriculum: stage 'one' had epochs 2, now 3"):
        run(ckpt=path, curriculum=[Stage("one", epochs=3)], **LORA)
    run(ckpt=path, fn="validate", **LORA)


def test_lightning_rebuilds_the_module_from_a_checkpoint_alone(adapted):
    _, path = adapted
    again = SFTModule.load_from_checkpoint(path, weights_only=True)
    saved = torch.load(path, weights_only=True)["state_dict"]
    assert again.backbone.lora == LORA["lora"] and again.backbone.scopes["language"] == LORA["language"]
    assert all(torch.equal(again.state_dict()[name], weight) for name, weight in saved.items())


def test_weights_without_an_outline_are_held_against_the_models(adapted):
    module, _ = adapted
    state = module.state_dict()
    name = next(iter(state))
    with pytest.raises(InputError, match=r"is \[3, 64\] there and \[4, 64\] in this run"):
        module.load_state_dict({**state, name: state[name][:3]})
    with pytest.raises(InputError, match=r"it holds 1 weights that this run's model lacks, such as other"):
        module.load_state_dict({**state, "other": state[name]})
    with pytest.raises(InputError, match=rf"this run trains 1 weights that it lacks, such as {name}"):
        module.load_state_dict({key: value for key, value in state.items() if key != name})
