"""The tiny checkpoint: a real folder, read by the code that reads a published one."""

import json

import pytest
from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration, Qwen2Tokenizer

from videmo.cli import main
from videmo.errors import InputError
from videmo.models.backbone import Backbone
from videmo.models.tiny import make_tiny, train_tokenizer
from videmo.tiny import tiny


def test_the_demo_model_has_one_to_three_million_parameters(world, tmp_path):
    texts = [file.read_text() for file in world.glob("jsons/train/*/full/*.json")]
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(make_tiny(texts, tmp_path))
    assert 1e6 < sum(p.numel() for p in model.parameters()) < 3e6


def test_the_tokenizer_is_qwens_and_any_text_survives_it(checkpoint):
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    assert isinstance(tokenizer, Qwen2Tokenizer)
    for text in ("She has short black hair.", "Überraschung: 12 😀\n\n  多", "A. Left 60 degrees"):
        assert tokenizer.decode(tokenizer(text).input_ids) == text
    assert tokenizer.eos_token == "<|im_end|>"
    assert len(tokenizer("<|video_pad|>").input_ids) == 1


def test_the_chat_template_reads_parts_like_text_with_placeholders(checkpoint):
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    parts = [{"role": "user", "content": [{"type": "video"}, {"type": "text", "text": "What?"}]}]
    text = [{"role": "user", "content": "<|vision_start|><|video_pad|><|vision_end|>What?"}]
    rendered = [tokenizer.apply_chat_template(m, tokenize=False, add_generation_prompt=True) for m in (parts, text)]
    assert rendered[0] == rendered[1]
    assert rendered[0].startswith("<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n")
    system = [{"role": "system", "content": "Be brief."}, *text]
    assert "helpful" not in tokenizer.apply_chat_template(system, tokenize=False)


def test_the_same_seed_gives_the_same_weights(tmp_path):
    files = [make_tiny(["a b"], tmp_path / str(i), hidden_size=64, seed=seed) for i, seed in enumerate((1, 1, 2))]
    one, same, other = ((f / "model.safetensors").read_bytes() for f in files)
    assert one == same != other


def test_merges_are_learned_from_the_text():
    text = "What emotion does the person show?"
    assert len(train_tokenizer([text] * 20)(text).input_ids) < len(train_tokenizer(["nothing alike"])(text).input_ids)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match=f"no model at {tmp_path}.*videmo tiny"):
        Backbone.load(str(tmp_path))


def test_a_tiny_model_leaves_out_what_a_check_found(world, tmp_path):
    data = tmp_path / "data"
    (data / "videos").mkdir(parents=True)
    (data / "jsons/train/qa/full").mkdir(parents=True)
    records = json.loads((world / "jsons/train/qa/full/QA_Gender.json").read_text())[:4]
    (data / "jsons/train/qa/full/QA_Gender.json").write_text(json.dumps(records))
    clips = [record["videos"][0] for record in records]
    for clip in clips:
        (data / "videos" / clip).parent.mkdir(parents=True, exist_ok=True)
        (data / "videos" / clip).write_bytes((world / "videos" / clip).read_bytes())
    (data / "videos" / clips[0]).write_bytes(b"no video")
    with pytest.raises(InputError, match="cannot be opened as a video"):
        tiny(str(data), str(tmp_path / "model"), hidden_size=64, pretrain_epochs=1)
    main(["check", str(data)])
    tiny(str(data), str(tmp_path / "model"), hidden_size=64, pretrain_epochs=1)
    (data / "videos" / clips[1]).unlink()
    with pytest.raises(InputError, match=r"no video .*; or `videmo check .*data`, and what that finds is left out"):
        tiny(str(data), str(tmp_path / "other"), hidden_size=64, pretrain_epochs=1)


def test_another_kind_of_model_is_refused(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen2", "vocab_size": 100}))
    with pytest.raises(InputError, match="is a qwen2 model"):
        Backbone.load(str(tmp_path))


def test_the_command_writes_over_nothing(tmp_path):
    (tmp_path / "config.json").touch()
    with pytest.raises(InputError, match=f"{tmp_path} holds something already; name a new folder"):
        tiny(str(tmp_path), str(tmp_path))
