"""An export, loaded by plain transformers, is the model that was trained: same logits, same answer."""

import json
import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import bitsandbytes as bnb
import lightning as L
import pytest
import torch
import torch.distributed.checkpoint as dcp
from huggingface_hub import ModelCard
from peft import PeftModel
from ranks import free_port
from safetensors import safe_open
from transformers import AutoTokenizer, GenerationConfig, Qwen2_5_VLForConditionalGeneration

from callbacks import Export
from videmo.aside import written_aside
from videmo.benchmark import BenchmarkResult
from videmo.cli import main
from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.export import command, folder
from videmo.export.card import card
from videmo.export.checkpoint import read_checkpoint
from videmo.export.command import export_checkpoint
from videmo.export.folder import check_destination, write_json
from videmo.export.model import whole_model
from videmo.models.adapters import Lora
from videmo.models.backbone import Backbone
from videmo.models.scopes import Scope
from videmo.models.vision import speed_up
from videmo.training import SFTModule
from videmo.training.checkpoints import content_hash, last_checkpoint
from videmo.training.trained import trained_names

ROOT = Path(__file__).resolve().parent.parent
SMALL = VideoSettings(fps=1.5, max_frames=4, min_pixels=56 * 56, max_pixels=84 * 84, decode_timeout=7.0)


def plain(folder) -> Qwen2_5_VLForConditionalGeneration:
    return Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()


def trained_like(base, seed=1) -> Qwen2_5_VLForConditionalGeneration:
    """The base with other weights, as a training leaves it."""
    model = plain(base)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * p.std() * torch.randn(p.shape, generator=generator))
    return model


def rest_of(base, **more) -> dict:
    """What a checkpoint holds besides weights and optimizer."""
    rest = {"hyper_parameters": {"checkpoint": str(base)}, "EmoCFGDataModule": {"video": asdict(SMALL)}}
    return {**rest, "outline": {"base": ""}, **more}


def weights_of(model) -> dict[str, torch.Tensor]:
    return {f"backbone.model.{name}": weight for name, weight in model.state_dict().items()}


def saved(model, base, file: Path) -> Path:
    torch.save({"state_dict": weights_of(model), "global_step": 3, **rest_of(base)}, file)
    return file


def inputs(model) -> dict[str, torch.Tensor]:
    """A clip of 2 x 4 x 6 patches and a few words."""
    pad = model.config.video_token_id
    input_ids = torch.tensor([[5, 6, 7, *[pad] * 12, 8, 9, 10]])
    patches = torch.randn(48, 3 * 2 * 14 * 14, generator=torch.Generator().manual_seed(0))
    return {
        "input_ids": input_ids,
        "attention_mask": torch.ones_like(input_ids),
        "mm_token_type_ids": 2 * (input_ids == pad).int(),
        "pixel_values_videos": patches,
        "video_grid_thw": torch.tensor([[2, 4, 6]]),
        "second_per_grid_ts": torch.tensor([1.25]),
    }


@torch.inference_mode()
def assert_same_model(found, expected) -> None:
    given = inputs(expected)
    difference = (found(**given).logits - expected(**given).logits).abs().max().item()
    assert difference < 1e-5
    greedy = GenerationConfig(do_sample=False, max_new_tokens=12, eos_token_id=-1, pad_token_id=0)
    assert torch.equal(
        found.generate(**given, generation_config=greedy), expected.generate(**given, generation_config=greedy)
    )


@pytest.fixture(scope="module")
def untied(checkpoint, tmp_path_factory) -> Path:
    """A model with an output head of its own, as the 7B has."""
    folder = tmp_path_factory.mktemp("untied")
    config = plain(checkpoint).config
    config.tie_word_embeddings = config.text_config.tie_word_embeddings = False
    Qwen2_5_VLForConditionalGeneration(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(checkpoint).save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_a_run_exports_what_it_trained(world, world_checkpoint, tmp_path):
    """A real fit; the callback at its end and the command afterwards write the same model."""
    data = EmoCFGDataModule(str(world), str(world_checkpoint), video=SMALL, num_workers=0, batch_size=8)
    module = SFTModule(str(world_checkpoint), learning_rate=1e-2)
    trainer = L.Trainer(
        default_root_dir=tmp_path,
        accelerator="cpu",
        devices=1,
        max_steps=2,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        callbacks=[Export()],
    )
    trainer.fit(module, data)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    expected = plain(world_checkpoint)
    before = {name: weight.clone() for name, weight in expected.state_dict().items()}
    expected.load_state_dict(module.backbone.model.state_dict())
    assert any(not torch.equal(before[name], weight) for name, weight in expected.state_dict().items())
    assert_same_model(plain(tmp_path / "export"), expected)
    said = (tmp_path / "export" / "README.md").read_text()
    assert "SFT, 2 optimizer steps in all, on the data folder `data`." in said and "drawn faces alone" in said
    assert not list(tmp_path.glob(".export*")), "something of the callback's was left behind"

    command = [sys.executable, "-m", "videmo.cli", "export", "--ckpt", "last.ckpt", "--out", "model", "--merge"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    assert "a whole model in float32, from step 2 of last.ckpt" in done.stdout
    assert_same_model(plain(tmp_path / "model"), expected)
    assert read_checkpoint(tmp_path / "last.ckpt").video == SMALL


@pytest.mark.parametrize("tied", [True, False])
def test_embeddings_stay_tied_or_apart_as_in_the_base(tied, checkpoint, untied, tmp_path):
    base = checkpoint if tied else untied
    expected = trained_like(base)
    export_checkpoint(saved(expected, base, tmp_path / "a.ckpt"), tmp_path / "out")
    found = plain(tmp_path / "out")
    assert_same_model(found, expected)
    head, embeddings = found.lm_head.weight, found.get_input_embeddings().weight
    assert (head.data_ptr() == embeddings.data_ptr()) == tied
    assert torch.equal(head, expected.lm_head.weight)


def test_names_config_and_tokenizer_are_those_of_the_base(checkpoint, tmp_path):
    export_checkpoint(saved(trained_like(checkpoint), checkpoint, tmp_path / "a.ckpt"), tmp_path / "out")
    with (
        safe_open(checkpoint / "model.safetensors", "pt") as base,
        safe_open(tmp_path / "out" / "model.safetensors", "pt") as ours,
    ):
        assert set(ours.keys()) == set(base.keys())
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"):
        assert (tmp_path / "out" / name).read_bytes() == (checkpoint / name).read_bytes()
    ours, base = (json.loads((folder / "config.json").read_text()) for folder in (tmp_path / "out", checkpoint))
    assert ours == base


HUB = "Qwen/Qwen2.5-VL-3B-Instruct"
STAGES = [
    {"name": "first", "mix": {"attribute": 1.0, "emotion_single": 0.5}, "epochs": 2, "steps": 40, "replay": 0.1}
    | {"learning_rate": None}
]


@pytest.fixture
def licensed(checkpoint, tmp_path) -> Path:
    """A base whose card names its licence, as the published ones do."""
    folder = Path(shutil.copytree(checkpoint, tmp_path / "base"))
    (folder / "README.md").write_text("---\nlicense: other\nlicense_name: qwen-research\n---\n# A base\n---\n")
    return folder


def said_of(ckpt: Path, base: str, files: Path, dtype: str | None = "float32") -> ModelCard:
    return ModelCard(card(Path("models/mine"), base, files, read_checkpoint(ckpt), dtype))


def test_a_whole_models_card_loads_it_and_says_what_it_is(licensed, tmp_path, monkeypatch):
    rest = rest_of(licensed, curriculum=STAGES)
    rest["EmoCFGDataModule"] |= {"name": "interviews", "drawn": False}
    torch.save({"state_dict": weights_of(trained_like(licensed)), "global_step": 40, **rest}, tmp_path / "a.ckpt")
    export_checkpoint(tmp_path / "a.ckpt", tmp_path / "out")
    found = ModelCard((tmp_path / "out" / "README.md").read_text())
    assert found.data.to_dict() == {
        "library_name": "transformers",
        "pipeline_tag": "video-text-to-text",
        "license": "other",
        "license_name": "qwen-research",
        "tags": ["videmo", "emotion", "affective-computing", "qwen2_5_vl", "sft"],
    }
    assert "SFT, 40 optimizer steps in all, on the data folder `interviews`." in found.text
    assert "| first | attribute 1, emotion_single 0.5 | 2 | 40 | 2e-05 | 0.1 |" in found.text
    assert "None are known" in found.text and "(AI Act, Article 5(1)(f))" in found.text
    assert "drawn faces" not in found.text
    names = {}
    monkeypatch.chdir(tmp_path)
    exec(found.text.split("```python\n")[1].split("```")[0], names)
    assert_same_model(names["model"].eval(), trained_like(licensed))


def test_a_card_names_a_base_that_a_hub_knows_also_through_an_export_of_it(licensed, tmp_path):
    ckpt = saved(plain(licensed), licensed, tmp_path / "a.ckpt")
    whole, adapter = said_of(ckpt, HUB, licensed).data, said_of(ckpt, HUB, licensed, None).data
    assert (whole.base_model, whole.base_model_relation, whole.license) == (HUB, "finetune", "other")
    assert (adapter.base_model, adapter.base_model_relation, adapter.library_name) == (HUB, "adapter", "peft")
    (licensed / "README.md").write_text(str(said_of(ckpt, HUB, licensed)))
    assert said_of(ckpt, str(licensed), licensed).data.base_model is None  # a folder that anybody may have written
    (licensed / "videmo.json").write_text("{}")
    again = said_of(ckpt, str(licensed), licensed).data
    assert (again.base_model, again.license_name) == (HUB, "qwen-research")
    (licensed / "README.md").write_text("no head")
    assert said_of(ckpt, str(licensed), licensed).data.license == "unknown"


def test_a_card_has_the_scores_of_its_own_checkpoint_and_of_no_other(checkpoint, tmp_path):
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    ckpt = saved(plain(checkpoint), checkpoint, tmp_path / "run" / "checkpoints" / "last.ckpt")
    for place, hashed, score in (("run", content_hash(ckpt), 71.25), ("run", "another", 99.0), ("", "another", 98.0)):
        folder = tmp_path / place / "results" / hashed
        folder.mkdir(parents=True)
        result = BenchmarkResult("mine", {"emotion_single": score}, {"emotion_single": [66.0, 76.8]})
        result.blind["emotion_single"], result.generation["checkpoint"] = 20.2, hashed
        result.counts["emotion_single"] = {"judged": 120}
        result.data.update(name="interviews", content="0123")
        (folder / "benchmark.json").write_text(json.dumps(asdict(result)))
    text = said_of(ckpt, HUB, checkpoint).text
    assert "The test split of interviews (0123), judged by rules." in text
    assert "| emotion_single | 120 | 20.2 | 71.2 | 66.0 to 76.8 |" in text and "99.0" not in text and "98.0" not in text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_run_that_diverged_is_not_exported(value, checkpoint, tmp_path):
    model = plain(checkpoint)
    with torch.no_grad():
        model.model.language_model.layers[1].mlp.up_proj.weight[3, 5] = value
    spoilt = r"a\.ckpt holds NaN or infinite values in model\.model\.language_model\.layers\.1\.mlp\.up_proj\.weight"
    with pytest.raises(InputError, match=spoilt):
        export_checkpoint(saved(model, checkpoint, tmp_path / "a.ckpt"), tmp_path / "out")


def test_another_dtype_stands_in_weights_and_config(checkpoint, tmp_path):
    ckpt = saved(trained_like(checkpoint), checkpoint, tmp_path / "a.ckpt")
    export_checkpoint(ckpt, tmp_path / "out", dtype="bfloat16")
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(tmp_path / "out")
    assert model.dtype == torch.bfloat16
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == "bfloat16"


def test_video_settings_of_the_training_go_along(checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(checkpoint.parent)
    export_checkpoint(saved(trained_like(checkpoint), checkpoint.name, tmp_path / "a.ckpt"), tmp_path / "out")
    video = json.loads((tmp_path / "out" / "video_preprocessor_config.json").read_text())
    assert (video["fps"], video["min_frames"], video["max_frames"]) == (1.5, 4, 4)
    assert video["size"] == {"shortest_edge": 56 * 56, "longest_edge": 84 * 84}
    assert json.loads((tmp_path / "out" / "preprocessor_config.json").read_text())["patch_size"] == 14
    ours = json.loads((tmp_path / "out" / "videmo.json").read_text())
    assert ours["qwen_vl_utils"]["max_pixels"] == 84 * 84
    assert ours["base"] == checkpoint.name and ours["step"] == 3  # as it was given: a path of one machine is no name
    assert "decode_timeout" not in ours["video"]


def test_the_release_settings_are_the_processors_defaults_but_for_frames(checkpoint, tmp_path):
    """Bounds of a clip whose share is small, against the video processor's own arithmetic in its source."""
    from videmo.export.processor import largest_frame, video_config

    release = VideoSettings()
    config = video_config(release)
    assert config["max_video_tokens"] == 128000
    for num_frames in (2, 4, 16, 768):
        share = int(config["max_video_tokens"] * 28 * 28 * 0.9) * 2 // num_frames
        theirs = max(min(config["size"]["longest_edge"], share), int(config["size"]["shortest_edge"] * 1.05))
        assert theirs == int(release.frame_pixel_limit(num_frames))
    assert largest_frame(release) == 105369


LORA, FROZEN, FULL = Scope("lora"), Scope("frozen"), Scope("full")
ADAPTED = {
    "language": ({"vision": FROZEN, "merger": FROZEN, "language": LORA}, Lora(rank=4, alpha=6)),
    "rslora": ({"vision": FROZEN, "merger": FROZEN, "language": LORA}, Lora(rank=4, alpha=3, rslora=True)),
    "dora": ({"vision": FROZEN, "merger": FROZEN, "language": LORA}, Lora(rank=4, alpha=6, dora=True)),
    "all": ({"vision": LORA, "merger": LORA, "language": LORA}, Lora(rank=2, alpha=3)),
    "full merger": ({"vision": FROZEN, "merger": FULL, "language": LORA}, Lora(rank=2, alpha=3)),
}


def adapted(base, file: Path, scopes, lora, quantization=None, keep_frozen=False, dtype="float32") -> Backbone:
    """A model with adapters that have learnt something, saved as its run would; by FSDP 1 with all its weights."""
    backbone = Backbone.load(str(base), **scopes, lora=lora, quantization=quantization, dtype=dtype)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for p in backbone.parameters():
            if p.requires_grad:
                p.add_(0.1 * torch.randn(p.shape, generator=generator))
    state, kept = backbone.state_dict(), trained_names(backbone)
    rest = rest_of(base, outline={"base": backbone.base}, global_step=7)
    rest["hyper_parameters"] |= {name: asdict(scope) for name, scope in scopes.items()}
    rest["hyper_parameters"] |= {"lora": asdict(lora), "quantization": quantization, "dtype": dtype}
    kept = state.keys() if keep_frozen else kept
    torch.save({"state_dict": {f"backbone.{n}": state[n] for n in state if n in kept}, **rest}, file)
    return backbone.eval()


@pytest.mark.parametrize("case", ADAPTED)
def test_adapters_load_in_peft_and_merged_in_transformers(case, checkpoint, tmp_path):
    expected = adapted(checkpoint, tmp_path / "a.ckpt", *ADAPTED[case]).model
    assert "a peft adapter" in export_checkpoint(tmp_path / "a.ckpt", tmp_path / "adapter")
    names = {path.name for path in (tmp_path / "adapter").iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "chat_template.jinja"} <= names
    assert not {"config.json", "model.safetensors"} & names
    stated = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert stated["base_model_name_or_path"] == str(checkpoint)
    assert_same_model(PeftModel.from_pretrained(plain(checkpoint), tmp_path / "adapter").eval(), expected)

    export_checkpoint(tmp_path / "a.ckpt", tmp_path / "merged", merge=True)
    merged = plain(tmp_path / "merged")
    assert type(merged.model.language_model.layers[0].self_attn.q_proj) is torch.nn.Linear
    assert_same_model(merged, expected)


@torch.inference_mode()
def logits_of(backbone: Backbone) -> torch.Tensor:
    """As training computes them."""
    given = inputs(backbone.model)
    patches = given.pop("pixel_values_videos")
    position_ids, _ = backbone.model.model.get_rope_index(**given)
    places = torch.arange(given["input_ids"].shape[1])
    return backbone(
        given["input_ids"],
        position_ids,
        (places[:, None] >= places)[None],
        (torch.zeros_like(places), places),
        pixel_values_videos=patches,
        video_grid_thw=given["video_grid_thw"],
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("quantization", [None, "nf4"])
@pytest.mark.parametrize("case", ["language", "all", "full merger"])
def test_the_readme_of_an_adapter_loads_what_trained(case, quantization, dtype, checkpoint, tmp_path, monkeypatch):
    """Run as it stands, from another folder than the one where the base's relative path means something."""
    monkeypatch.chdir(checkpoint.parent)
    backbone = adapted(checkpoint.name, tmp_path / "a.ckpt", *ADAPTED[case], quantization=quantization, dtype=dtype)
    said = export_checkpoint(tmp_path / "a.ckpt", tmp_path / "adapter")
    kind = f"{'4 bits (nf4) and ' if quantization else ''}{dtype}"
    assert f"it needs that model's weights in {kind}, as {tmp_path}/adapter/README.md loads them" in said
    monkeypatch.chdir(tmp_path)
    stated = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert stated["base_model_name_or_path"] == str(checkpoint)

    (tmp_path / checkpoint.name).symlink_to(checkpoint)
    names = {}
    exec((tmp_path / "adapter" / "README.md").read_text().split("```python\n")[1].split("```")[0], names)
    model = names["model"]
    for module in model.modules():
        if isinstance(module, bnb.nn.Linear4bit):
            module.support_avx512bf16_for_cpu = False  # a kernel for inference on CPUs, that rounds to bfloat16
    given = inputs(model)
    with torch.inference_mode():
        plain_tower = model(**given).logits[0]
        speed_up(model.get_base_model().model.visual)  # in bfloat16 another order of operations rounds otherwise
        found = model(**given).logits[0]
    assert (found - logits_of(backbone)).abs().max() < 1e-5
    assert (plain_tower - found).abs().max() < (1e-5 if dtype == "float32" else 0.02 * found.abs().max())
    greedy = GenerationConfig(do_sample=False, max_new_tokens=3, eos_token_id=-1, pad_token_id=0)
    assert model.generate(**given, generation_config=greedy).shape[1] == given["input_ids"].shape[1] + 3


@pytest.mark.parametrize("quantization", [None, "nf4"])
def test_a_merged_model_keeps_the_rounding_of_training_and_says_so(quantization, checkpoint, tmp_path):
    case = ADAPTED["language"]
    backbone = adapted(checkpoint, tmp_path / "a.ckpt", *case, quantization=quantization, dtype="bfloat16")
    said = export_checkpoint(tmp_path / "a.ckpt", tmp_path / "merged", merge=True)
    kind = "4 bits (nf4) and bfloat16" if quantization else "bfloat16"
    assert said.endswith(f"; what did not train is as training had it, in {kind}")
    found, base = plain(tmp_path / "merged"), plain(checkpoint)
    expected = base.model.visual.bfloat16().float().state_dict()
    assert all(torch.equal(weight, expected[name]) for name, weight in found.model.visual.state_dict().items())
    if not quantization:
        assert_same_model(found, backbone.float().model)
        said = export_checkpoint(tmp_path / "a.ckpt", tmp_path / "merged", merge=True, dtype="bfloat16")
        assert said.endswith("a.ckpt")


@pytest.mark.parametrize("merge", [False, True])
def test_frozen_weights_beside_adapters_are_left_to_the_base(merge, checkpoint, tmp_path):
    expected = adapted(checkpoint, tmp_path / "a.ckpt", *ADAPTED["language"], keep_frozen=True).model
    export_checkpoint(tmp_path / "a.ckpt", tmp_path / "out", merge=merge)
    found = plain(tmp_path / "out") if merge else PeftModel.from_pretrained(plain(checkpoint), tmp_path / "out").eval()
    assert_same_model(found, expected)


def test_a_merged_qlora_run_is_the_model_of_4_bits_that_trained(checkpoint, tmp_path):
    scopes, lora = ADAPTED["language"]
    expected = adapted(checkpoint, tmp_path / "a.ckpt", scopes, lora, quantization="nf4").model
    expected.train()  # in eval() bitsandbytes computes in bfloat16 on CPUs that can, in training it does not
    export_checkpoint(tmp_path / "a.ckpt", tmp_path / "merged", merge=True)
    assert_same_model(plain(tmp_path / "merged"), expected)
    assert "a peft adapter" in export_checkpoint(tmp_path / "a.ckpt", tmp_path / "adapter")


def test_a_dtype_is_for_whole_models_and_refused_before_a_run(checkpoint, tmp_path):
    scopes, lora = ADAPTED["language"]
    adapted(checkpoint, tmp_path / "a.ckpt", scopes, lora)
    with pytest.raises(InputError, match="dtype float16 is for the weights of a whole model"):
        export_checkpoint(tmp_path / "a.ckpt", tmp_path / "out", dtype="float16")
    export_checkpoint(tmp_path / "a.ckpt", tmp_path / "out", dtype="float16", merge=True)
    assert Qwen2_5_VLForConditionalGeneration.from_pretrained(tmp_path / "out").dtype == torch.float16

    module = SFTModule(str(checkpoint), **scopes, lora=lora)
    trainer = L.Trainer(default_root_dir=tmp_path, logger=False, enable_checkpointing=False, accelerator="cpu")
    with pytest.raises(InputError, match="dtype float16 is for the weights of a whole model"):
        Export(dtype="float16").setup(trainer, module, "fit")
    Export(dtype="float16", merge=True).setup(trainer, module, "fit")


def test_adapters_beside_a_scope_that_trained_fully_need_merging(checkpoint, tmp_path):
    scopes = {"vision": FULL, "merger": FULL, "language": LORA}
    expected = adapted(checkpoint, tmp_path / "a.ckpt", scopes, Lora(rank=2, alpha=3)).model
    with pytest.raises(InputError, match=r"trained the vision scope fully beside adapters.*--merge"):
        export_checkpoint(tmp_path / "a.ckpt", tmp_path / "adapter")
    export_checkpoint(tmp_path / "a.ckpt", tmp_path / "merged", merge=True)
    assert_same_model(plain(tmp_path / "merged"), expected)


def test_adapters_are_refused_on_another_base(checkpoint, tmp_path):
    adapted(checkpoint, tmp_path / "a.ckpt", *ADAPTED["language"])
    trained_like(checkpoint).save_pretrained(tmp_path / "other")
    for merge in (False, True):
        with pytest.raises(InputError, match=f"was trained on {checkpoint} .*{tmp_path}/other is another model"):
            export_checkpoint(tmp_path / "a.ckpt", tmp_path / "out", merge=merge, base=str(tmp_path / "other"))


def shard(rank: int, folder: str, file: str, port: int) -> None:
    """One of two processes that save a model in halves, as FSDP2 does."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Shard, distribute_tensor

    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), RANK=str(rank), WORLD_SIZE="2")
    torch.distributed.init_process_group("gloo", rank=rank, world_size=2)
    mesh = init_device_mesh("cpu", (2,))
    weights = torch.load(file, weights_only=True)
    sharded = {name: distribute_tensor(weight, mesh, [Shard(0)]) for name, weight in weights.items()}
    state = {"state_dict": sharded, "optimizer_0": {"state": {"a": torch.ones(3)}, "param_groups": [{"lr": 0.1}]}}
    dcp.save(state, checkpoint_id=folder)
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_shards_of_two_processes_are_one_model(checkpoint, tmp_path):
    expected = trained_like(checkpoint)
    torch.save(weights_of(expected), tmp_path / "weights.pt")
    folder = tmp_path / "last.ckpt"
    with free_port() as port:
        given = str(folder), str(tmp_path / "weights.pt"), port
        torch.multiprocessing.start_processes(shard, given, nprocs=2, daemon=True, start_method="forkserver")
    torch.save(rest_of(checkpoint, global_step=5), folder / "meta.pt")
    assert len(list(folder.glob("*.distcp"))) == 2
    assert "step 5" in export_checkpoint(folder, tmp_path / "out")
    assert_same_model(plain(tmp_path / "out"), expected)


@pytest.fixture
def sharded(checkpoint, tmp_path) -> Path:
    """A folder as FSDP's strategies write it, of one process."""
    folder = tmp_path / "sharded.ckpt"
    dcp.save({"state_dict": weights_of(plain(checkpoint))}, checkpoint_id=folder, no_dist=True)
    torch.save(rest_of(checkpoint, global_step=5), folder / "meta.pt")
    return folder


class Evil:
    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def __reduce__(self):
        return os.mkdir, (self.file,)


def test_no_checkpoint_runs_code(checkpoint, sharded, tmp_path):
    ran = tmp_path / "ran"
    torch.save({"state_dict": Evil(ran), **rest_of(checkpoint)}, tmp_path / "evil.ckpt")
    with pytest.raises(InputError, match=r"evil\.ckpt holds more than tensors and plain values"):
        read_checkpoint(tmp_path / "evil.ckpt")
    (sharded / ".metadata").write_bytes(pickle.dumps(Evil(ran)))
    with pytest.raises(InputError, match=r"not whole.*mkdir, which could run code"):
        read_checkpoint(sharded)
    assert not ran.exists()


def test_shards_that_are_missing_are_said(sharded):
    next(sharded.glob("*.distcp")).unlink()
    with pytest.raises(InputError, match=r"the shards in .*sharded.ckpt are not whole"):
        read_checkpoint(sharded)


def test_zero_checkpoints_need_deepspeed(checkpoint, tmp_path):
    if find_spec("deepspeed"):
        pytest.skip("DeepSpeed is installed")
    (tmp_path / "zero.ckpt").mkdir()
    (tmp_path / "zero.ckpt" / "latest").write_text("checkpoint")
    with pytest.raises(InputError, match="only its own converter reads"):
        read_checkpoint(tmp_path / "zero.ckpt")


def zero_folder(folder: Path, base, stage: int, trained: dict, frozen: dict) -> Path:
    """A folder as two ranks of DeepSpeed write it: flat parts of what trains, and what rank 0 says of all of it."""
    parts = folder / "checkpoint"
    parts.mkdir(parents=True)
    (folder / "latest").write_text("checkpoint")
    weights = trained.values()
    if stage == 2:  # all weights in one row, which the ranks share
        flat = torch.cat([weight.reshape(-1) for weight in weights])
        shares = torch.nn.functional.pad(flat, (0, -len(flat) % 4)).chunk(2)
    else:  # a share of every weight
        rows = [weight.reshape(-1) for weight in weights]
        halves = [torch.nn.functional.pad(row, (0, len(row) % 2)).chunk(2) for row in rows]
        shares = [torch.cat(half) for half in zip(*halves, strict=True)]
    for rank, share in enumerate(shares):
        states = {"zero_stage": stage, "partition_count": 2, "ds_version": "0.19.8"}
        states |= {"single_partition_of_fp32_groups": [share]} if stage == 2 else {"fp32_flat_groups": [share]}
        torch.save({"optimizer_state_dict": states}, parts / f"zero_pp_rank_{rank}_mp_rank_00_optim_states.pt")
        pieces = frozen
        if stage == 3:
            rows = {name: torch.nn.functional.pad(w.reshape(-1), (0, w.numel() % 2)) for name, w in frozen.items()}
            pieces = {name: row.chunk(2)[rank].clone() for name, row in rows.items()}
        said = {
            "module": {},
            "buffer_names": [],
            "param_shapes": [{name: weight.shape for name, weight in trained.items()}],
            "shared_params": {},
            "frozen_param_shapes": {name: weight.shape for name, weight in frozen.items()} or None,
            "frozen_param_fragments": pieces or None,
            "ds_version": "0.19.8",
            "global_step": 5,
        }
        name = "mp_rank_00_model_states.pt" if stage == 2 else f"zero_pp_rank_{rank}_mp_rank_00_model_states.pt"
        torch.save({**rest_of(base), **said}, parts / name)
    return folder


@pytest.mark.parametrize("stage", [2, 3])
@pytest.mark.parametrize("freeze", [False, True])
def test_deepspeeds_parts_are_one_model(stage, freeze, checkpoint, tmp_path):
    pytest.importorskip("deepspeed")
    expected = trained_like(checkpoint)
    names = {f"backbone.model.{name}": p for name, p in expected.named_parameters()}
    tower = {name for name in names if freeze and ".visual." in name}
    base = {f"backbone.model.{name}": p for name, p in plain(checkpoint).named_parameters()}
    parts = [{n: p.detach() for n, p in names.items() if n not in tower}, {n: base[n].detach() for n in tower}]
    folder = zero_folder(tmp_path / "last.ckpt", checkpoint, stage, *parts)
    if freeze:
        expected.model.visual.load_state_dict(plain(checkpoint).model.visual.state_dict())
    assert "step 5" in export_checkpoint(folder, tmp_path / "out")
    assert_same_model(plain(tmp_path / "out"), expected)


def test_unreadable_checkpoints_are_named(checkpoint, tmp_path):
    whole = saved(plain(checkpoint), checkpoint, tmp_path / "a.ckpt")
    (tmp_path / "cut.ckpt").write_bytes(whole.read_bytes()[:5000])
    (tmp_path / "folder.ckpt").mkdir()
    torch.save([1], tmp_path / "list.ckpt")
    torch.save({"state_dict": {"head.weight": torch.ones(2)}, **rest_of(checkpoint)}, tmp_path / "other.ckpt")
    bare = {"state_dict": weights_of(plain(checkpoint)), "hyper_parameters": {"checkpoint": str(checkpoint)}}
    torch.save(bare, tmp_path / "old.ckpt")
    held = torch.load(whole)
    del held["outline"]
    torch.save(held, tmp_path / "bare.ckpt")
    for name, says in {
        "none.ckpt": "no checkpoint .*none.ckpt",
        "cut.ckpt": "cut.ckpt is not a torch checkpoint, or was cut short",
        "folder.ckpt": "folder.ckpt holds no model: a run's has checkpoints/last.ckpt",
        "list.ckpt": "list.ckpt is a torch file, but no checkpoint of a run: it holds a list",
        "other.ckpt": "other.ckpt was not saved by videmo",
        "old.ckpt": "does not say how its videos were sampled",
        "bare.ckpt": "bare.ckpt does not say which base its weights fit .*resume the run for a step",
    }.items():
        with pytest.raises(InputError, match=says):
            read_checkpoint(tmp_path / name)
    with pytest.raises(InputError, match="is a Hugging Face folder already"):
        read_checkpoint(checkpoint)
    (tmp_path / "adapter_config.json").touch()
    with pytest.raises(InputError, match="is a peft adapter, without the weights of its base"):
        read_checkpoint(tmp_path)
    last = last_checkpoint(tmp_path)
    last.parent.mkdir()
    whole.rename(last)
    assert read_checkpoint(tmp_path).path == last  # a run's folder is its last checkpoint


def test_a_checkpoint_that_does_not_fit_its_base_is_refused_naming_both(checkpoint, world_checkpoint, untied, tmp_path):
    model = trained_like(world_checkpoint)
    cases = {}
    cases["a.ckpt"] = (weights_of(model), f"of shape .*, in {checkpoint} it is")
    more = {**weights_of(plain(checkpoint)), "backbone.model.model.language_model.layers.9.x": torch.ones(1)}
    cases["b.ckpt"] = (more, f"b.ckpt holds model.model.language_model.layers.9.x, for which {checkpoint} has no place")
    fewer = {n: w for n, w in weights_of(plain(checkpoint)).items() if "layers.1." not in n}
    cases["c.ckpt"] = (fewer, f"c.ckpt lacks model.model.language_model.layers.1.*more, which .*{checkpoint} has")
    cases["d.ckpt"] = (weights_of(trained_like(untied)), f"with different values, and {checkpoint} ties the two")
    for name, (weights, says) in cases.items():
        torch.save({"state_dict": weights, **rest_of(checkpoint)}, tmp_path / name)
        with pytest.raises(InputError, match=says):
            export_checkpoint(tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))


def test_only_an_earlier_export_is_replaced(checkpoint, tmp_path, capsys):
    ckpt, out = saved(plain(checkpoint), checkpoint, tmp_path / "a.ckpt"), tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("years")
    assert main(["export", f"--ckpt={ckpt}", f"--out={out}"]) == 1
    assert "holds something that is no export" in capsys.readouterr().err
    (out / "thesis.tex").rename(tmp_path / "thesis.tex")
    assert main(["export", f"--ckpt={ckpt}", f"--out={out}"]) == 0
    (out / "stale.safetensors").write_text("")
    listed = json.loads((out / "videmo.json").read_text())
    (out / "videmo.json").write_text(json.dumps({**listed, "files": [*listed["files"], "stale.safetensors"]}))
    assert main(["export", f"--ckpt={ckpt}", f"--out={out}"]) == 0
    assert not (out / "stale.safetensors").exists() and (out / "config.json").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"a.ckpt", "out", "thesis.tex"}


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_what_no_export_wrote_is_not_deleted(when, checkpoint, tmp_path, monkeypatch):
    ckpt, out = saved(plain(checkpoint), checkpoint, tmp_path / "a.ckpt"), tmp_path / "out"
    export_checkpoint(ckpt, out)
    (out / "epoch 2").mkdir()
    export_checkpoint(ckpt, out / "epoch 2" / "model")
    if when == "meanwhile":
        (out / "epoch 2").rename(tmp_path / "epoch 2")

        def slow_model(*given):
            (tmp_path / "epoch 2").rename(out / "epoch 2")
            return whole_model(*given)

        monkeypatch.setattr("videmo.export.command.whole_model", slow_model)
    with pytest.raises(InputError, match=r"out holds epoch 2, which no export wrote .*; move it away, or name a new"):
        export_checkpoint(ckpt, out)
    assert (out / "epoch 2" / "model" / "config.json").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"a.ckpt", "out"}


def export_and_die(ckpt: Path, out: Path, place: str) -> None:
    """An export in a process of its own, which ends at some place as by the kernel's out-of-memory killer."""

    def die(*given):
        os.kill(os.getpid(), signal.SIGKILL)

    if place == "before the last file":
        command.write_files = die
    else:  # between the two moves
        replace = os.replace
        folder.os.replace = lambda old, new: die() if new == out else replace(old, new)
    export_checkpoint(ckpt, out)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["before the last file", "between the two moves"])
def test_a_killed_export_leaves_nothing_to_the_next_one(place, checkpoint, tmp_path):
    ckpt, out = saved(plain(checkpoint), checkpoint, tmp_path / "a.ckpt"), tmp_path / "out"
    export_checkpoint(ckpt, out)
    export = multiprocessing.get_context("forkserver").Process(target=export_and_die, args=(ckpt, out, place))
    export.start()
    export.join(250)
    assert export.exitcode == -signal.SIGKILL
    (left,) = tmp_path.glob(".out*")
    assert out.exists() == (place == "before the last file")
    (tmp_path / ".out-settings").mkdir()  # the user's own

    with written_aside(out, "export", check_destination) as first:
        assert (out / "config.json").is_file() and not left.exists()
        (other,) = tmp_path.glob(".out.videmo*")
        with written_aside(out, "export", check_destination) as second:  # one that still runs is no leftover
            assert other.is_dir() and first.is_dir()
            write_json(second / "videmo.json", {})
        write_json(first / "videmo.json", {"files": []})
    assert {path.name for path in tmp_path.iterdir()} == {"a.ckpt", "out", ".out-settings"}


def test_a_base_that_moved_is_named_or_given(checkpoint, tmp_path):
    ckpt = saved(trained_like(checkpoint), tmp_path / "moved", tmp_path / "a.ckpt")
    with pytest.raises(InputError, match=r"no model at .*moved"):
        export_checkpoint(ckpt, tmp_path / "out")
    assert "step 3" in export_checkpoint(ckpt, tmp_path / "out", base=str(checkpoint))
