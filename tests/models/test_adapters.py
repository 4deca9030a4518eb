"""LoRA against peft on plain transformers; what is frozen stays as it was."""

import pytest
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from transformers import Qwen2_5_VLForConditionalGeneration

from videmo.data.chat import encode_record
from videmo.data.trees import Sample, build_trees
from videmo.errors import InputError
from videmo.losses.sft import sft_loss
from videmo.models.adapters import Lora
from videmo.models.backbone import Backbone
from videmo.models.generation import generate
from videmo.models.scopes import Scope, scope_of
from videmo.token_tree import flatten

LORA = {name: Scope("lora") for name in ("vision", "merger", "language")}
LANGUAGE = {"vision": Scope("frozen"), "merger": Scope("frozen"), "language": Scope("lora")}


@pytest.fixture
def video(make_video):
    return make_video(3, 4, 6, seed=1, second_per_grid=1.25)


@pytest.fixture
def batch(make_record, tokenizer, layout, video):
    sample = Sample(encode_record(make_record("<video>What emotion?", "Happy"), tokenizer), (video,), ("a.mp4",))
    return flatten(build_trees([sample], layout.video_token_id), layout)


def learn_something(backbone: Backbone) -> None:
    """Random adapters: new ones have B = 0 and change nothing."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, p in backbone.named_parameters():
            if "lora_" in name and "magnitude" not in name:
                p.copy_(0.1 * torch.randn(p.shape, generator=generator))


def loss_of(backbone: Backbone, batch) -> torch.Tensor:
    return sft_loss(backbone.score(batch).logps, batch.num_items_in_batch)


@pytest.mark.parametrize("kind", [{}, {"rslora": True}, {"dora": True}], ids=["lora", "rslora", "dora"])
def test_the_loss_is_that_of_peft_on_plain_transformers(kind, checkpoint, batch, video, layout):
    backbone = Backbone.load(str(checkpoint), **LORA, lora=Lora(rank=4, alpha=12, **kind))
    learn_something(backbone)
    ours = loss_of(backbone, batch)

    plain = Qwen2_5_VLForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32)
    linears = [n for n, m in plain.named_modules() if isinstance(m, torch.nn.Linear) and n != "lm_head"]
    config = LoraConfig(
        r=4,
        lora_alpha=12,
        target_modules=linears,
        use_rslora=kind.get("rslora", False),
        use_dora=kind.get("dora", False),
    )
    theirs = get_peft_model(plain, config)
    adapters = get_peft_model_state_dict(theirs)
    own = get_peft_model_state_dict(backbone.model)
    assert {f"base_model.model.{name}" for name in own} == adapters.keys()
    wrong = set_peft_model_state_dict(theirs, {f"base_model.model.{name}": value for name, value in own.items()})
    assert not wrong.unexpected_keys
    expected = theirs(
        input_ids=batch.input_ids,
        labels=batch.labels,
        pixel_values_videos=batch.pixel_values_videos,
        video_grid_thw=batch.video_grid_thw,
        second_per_grid_ts=torch.tensor([video.second_per_grid]),
        mm_token_type_ids=2 * (batch.input_ids == layout.video_token_id).int(),
    ).loss
    assert ours.item() == pytest.approx(expected.item(), abs=1e-6)
    with torch.no_grad():
        without = loss_of(Backbone.load(str(checkpoint)), batch)
    assert abs(ours.item() - without.item()) > 1e-3  # the adapters matter


def test_new_adapters_change_nothing(checkpoint, batch, backbone):
    assert loss_of(Backbone.load(str(checkpoint), **LORA), batch).item() == pytest.approx(
        loss_of(backbone, batch).item(), abs=1e-6
    )


@pytest.mark.parametrize(
    "trained",
    [
        {"language": Scope("lora")},
        {"vision": Scope("lora")},
        {"merger": Scope("full")},
        {"vision": Scope("full"), "language": Scope("lora")},
        {"language": Scope("full")},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_frozen_scope_has_no_gradient_and_keeps_its_bytes(trained, dtype, checkpoint, batch):
    frozen = {name: Scope("frozen") for name in ("vision", "merger", "language")}
    backbone = Backbone.load(str(checkpoint), dtype=dtype, **(frozen | trained))
    before = {name: p.detach().clone() for name, p in backbone.named_parameters()}
    optimizer = torch.optim.AdamW([p for p in backbone.parameters() if p.requires_grad], lr=1e-2, weight_decay=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        loss_of(backbone, batch).backward()
        optimizer.step()
    changed = {name for name, p in backbone.named_parameters() if not torch.equal(p, before[name])}
    assert {scope_of(name) for name in changed} == trained.keys()
    for name, p in backbone.named_parameters():
        scope = trained.get(scope_of(name), Scope("frozen"))
        learns = scope.mode == "full" or (scope.mode == "lora" and "lora_" in name)
        assert p.requires_grad == learns and (p.grad is not None) == learns, name
        assert p.dtype == torch.float32 if learns else name not in changed, name


def test_frozen_weights_are_held_in_bfloat16_and_what_trains_in_float32(checkpoint):
    backbone = Backbone.load(str(checkpoint), dtype="bfloat16", **LANGUAGE)
    assert all(p.dtype == (torch.float32 if "lora_" in n else torch.bfloat16) for n, p in backbone.named_parameters())


def test_dropout_is_in_training_alone(checkpoint, batch):
    backbone = Backbone.load(str(checkpoint), **LANGUAGE, lora=Lora(dropout=0.5))
    learn_something(backbone)
    losses = {loss_of(backbone, batch).item() for _ in range(3)}
    assert len(losses) == 3
    assert len({loss_of(backbone.eval(), batch).item() for _ in range(3)}) == 1


def test_adapters_generate(checkpoint, make_record, tokenizer, layout, video):
    sample = Sample(
        encode_record(make_record("<video>Sad?", "Yes"), tokenizer, with_answer=False), (video,), ("a.mp4",)
    )
    prompt = flatten(build_trees([sample], layout.video_token_id), layout)
    backbone = Backbone.load(str(checkpoint), dtype="bfloat16", **LORA).eval()
    learn_something(backbone)
    (answer,) = generate(backbone, prompt, max_new_tokens=3, eos_token_id=-1)
    assert len(answer.tokens) == 3


def test_targets_are_layers_of_their_scope(checkpoint):
    lora = Lora(language_targets=["q_proj"], vision_targets=["proj"])
    backbone = Backbone.load(str(checkpoint), vision=Scope("lora"), language=Scope("lora"), lora=lora)
    adapted = {name.split(".lora_")[0].split(".", 1)[1] for name, _ in backbone.named_parameters() if "lora_" in name}
    blocks = {f"model.visual.blocks.{n}.attn.proj" for n in (0, 1)}  # and not the embedding of patches, also a `proj`
    assert adapted == blocks | {f"model.language_model.layers.{n}.self_attn.q_proj" for n in (0, 1)}


def test_settings_that_mean_nothing_are_refused(checkpoint):
    for targets, named in ((["qproj"], "'qproj'"), (["input_layernorm"], "'input_layernorm'"), ([], "an empty list")):
        says = rf"lora\.language_targets: {named} names no linear layer of the language scope; there are q_proj, "
        with pytest.raises(InputError, match=says):
            Backbone.load(str(checkpoint), **LANGUAGE, lora=Lora(language_targets=targets))
    with pytest.raises(InputError, match=r"lora\.rank must be at least 1, got 0"):
        Lora(rank=0)
    with pytest.raises(InputError, match=r"lora\.dropout is a share"):
        Lora(dropout=1.0)
