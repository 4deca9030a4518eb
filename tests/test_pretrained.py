"""Where a checkpoint's config and tokenizer come from, and what tells two of one size apart."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from videmo.errors import InputError
from videmo.pretrained import SPECIAL_TOKENS, base_fingerprint, load_config, load_tokenizer


def test_published_sizes_are_those_of_the_paper():
    small, large = load_config("random:3b"), load_config("random:7b")
    assert (small.text_config.hidden_size, small.text_config.num_hidden_layers) == (2048, 36)
    assert (large.text_config.hidden_size, large.text_config.num_hidden_layers) == (3584, 28)
    assert (small.tie_word_embeddings, large.tie_word_embeddings) == (True, False)
    assert small.vision_config.out_hidden_size == 2048 and small.vision_config.tokens_per_second == 2
    with pytest.raises(InputError, match="random:4b: random weights come in the sizes 3b, 7b"):
        load_config("random:4b")


def test_the_byte_tokenizer_has_the_published_special_tokens():
    tokenizer = load_tokenizer("random:3b")
    assert {name: tokenizer.convert_tokens_to_ids(name) for name in SPECIAL_TOKENS} == SPECIAL_TOKENS
    assert (tokenizer.eos_token_id, tokenizer.pad_token_id) == (151645, 151643)
    text = "Sie lächelt: 😀\n"
    ids = tokenizer(text).input_ids
    assert tokenizer.decode(ids) == text and len(ids) == len(text.encode())
    chat = tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False)
    assert chat.endswith("<|im_start|>user\nHi<|im_end|>\n")


def test_a_base_is_known_by_its_weights_and_not_by_its_files(checkpoint, tmp_path):
    for name in ("same", "bfloat16", "sharded", "other"):
        shutil.copytree(checkpoint, tmp_path / name)
    weights = load_file(checkpoint / "model.safetensors")
    halves = list(weights)[::2], list(weights)[1::2]
    for number, names in enumerate(halves):
        save_file({name: weights[name] for name in names}, tmp_path / "sharded" / f"model-{number}.safetensors")
    (tmp_path / "sharded" / "model.safetensors").unlink()
    rounded = {name: weight.bfloat16() for name, weight in weights.items()}
    save_file(rounded, tmp_path / "bfloat16" / "model.safetensors")
    name = next(name for name in weights if "down_proj" in name)
    weights[name] = weights[name] + 0.01 * torch.randn(weights[name].shape)
    save_file(weights, tmp_path / "other" / "model.safetensors")
    known = base_fingerprint(str(checkpoint))
    found = {kind: base_fingerprint(str(tmp_path / kind)) for kind in ("same", "bfloat16", "sharded", "other")}
    assert found["same"] == found["bfloat16"] == found["sharded"] == known
    assert found["other"] != known
    weights = load_file(checkpoint / "model.safetensors")
    weights[name] = torch.cat([weights[name][:1], weights[name][1:] + 0.01])  # all but the first row
    save_file(weights, tmp_path / "other" / "model.safetensors")
    assert base_fingerprint(str(tmp_path / "other")) != known
    config = json.loads((checkpoint / "config.json").read_text())
    config["text_config"]["rope_parameters"]["rope_theta"] = 5e5
    (tmp_path / "same" / "config.json").write_text(json.dumps(config))
    assert base_fingerprint(str(tmp_path / "same")) != known


def test_what_is_no_model_is_named(tmp_path):
    with pytest.raises(InputError, match=f"no model at {tmp_path}"):
        load_config(str(tmp_path))
    with pytest.raises(InputError, match=r"no model at nobody/nothing at revision v2: .* was not downloaded before"):
        load_config("nobody/nothing", revision="v2", local_files_only=True)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match=rf"the config.json of {tmp_path} is none of a model \(.* not a valid JSON"):
        load_config(str(tmp_path))
    for text_config in ({"num_hidden_layers": 3, "layer_types": ["full_attention"]}, "none"):
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen2_5_vl", "text_config": text_config}))
        with pytest.raises(InputError, match=rf"the config.json of {tmp_path} is none of a model \("):
            load_config(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(InputError, match=r"is a llama model; videmo trains Qwen2\.5-VL"):
        load_config(str(tmp_path))


@pytest.mark.parametrize("kept", [["config.json"], ["config.json", "tokenizer_config.json", "chat_template.jinja"]])
def test_a_checkpoint_without_a_tokenizer_is_named(kept, checkpoint, tmp_path):
    for name in kept:
        shutil.copy(checkpoint / name, tmp_path)
    with pytest.raises(InputError, match=rf"{tmp_path} has no tokenizer with a chat template; copy tokenizer.json"):
        load_tokenizer(str(tmp_path))
