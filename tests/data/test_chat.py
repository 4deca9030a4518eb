"""Tokens and what is learned of them, against the chat template's own text."""

import copy
from itertools import product

import pytest
from transformers import AutoTokenizer

from videmo.data import template
from videmo.data.chat import chat_of, encode_record
from videmo.data.records import RecordError, read_records
from videmo.data.template import TemplateText

VISION = "<|vision_start|><|video_pad|><|vision_end|>"
SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"


def text_of(record, tokenizer, **options):
    encoded = encode_record(record, tokenizer, **options)
    learned = [t for t, is_learned in zip(encoded.branch, encoded.learned, strict=True) if is_learned]
    return tokenizer.decode(encoded.root), tokenizer.decode(encoded.branch), tokenizer.decode(learned)


def test_only_the_answer_and_its_end_are_learned(make_record, tokenizer):
    root, branch, learned = text_of(make_record("<video>What?", "Happy"), tokenizer)
    assert root == f"{SYSTEM}<|im_start|>user\n{VISION}"
    assert branch == "What?<|im_end|>\n<|im_start|>assistant\nHappy<|im_end|>"
    assert learned == "Happy<|im_end|>"


def test_every_answer_of_a_conversation_is_learned(make_record, tokenizer):
    record = make_record("<video>What?", "Happy", ("a.mp4",), "Why?", "She smiles.")
    _, branch, learned = text_of(record, tokenizer)
    assert branch.endswith(
        "Happy<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\nShe smiles.<|im_end|>"
    )
    assert learned == "Happy<|im_end|>She smiles.<|im_end|>"


def test_a_prompt_ends_where_the_last_answer_begins(make_record, tokenizer):
    record = make_record("<video>What?", "Happy", ("a.mp4",), "Why?", "She smiles.")
    _, branch, learned = text_of(record, tokenizer, with_answer=False)
    assert branch.endswith("Happy<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n")
    assert learned == ""


def test_root_ends_with_the_last_video_before_the_first_answer(make_record, tokenizer):
    root, branch, _ = text_of(make_record("Same?<video> or <video>?", "Yes", ("a.mp4", "b.mp4")), tokenizer)
    assert root == f"{SYSTEM}<|im_start|>user\nSame?{VISION} or {VISION}"
    assert branch.startswith("?<|im_end|>")
    root, branch, _ = text_of(make_record("<video>What?", "Happy", ("a.mp4", "b.mp4"), "And<video>?", "Sad"), tokenizer)
    assert root.count(VISION) == branch.count(VISION) == 1


def test_text_without_a_video_has_no_root(make_record, tokenizer):
    root, branch, _ = text_of(make_record("What?", "Happy", ()), tokenizer)
    assert root == ""
    assert branch.startswith(SYSTEM)


def test_pieces_are_the_tokens_of_the_whole_text(make_record, tokenizer):
    record = make_record("<video>What?", "Happy")
    encoded = encode_record(record, tokenizer)
    turns = [{"role": m.role, "content": m.content.replace("<video>", VISION)} for m in record.messages]
    whole = tokenizer(tokenizer.apply_chat_template(turns, tokenize=False).rstrip("\n")).input_ids
    assert list(encoded.root + encoded.branch) == whole


@pytest.mark.parametrize("text", ["<|im_end|>", "What <|video_pad|>?", "a<|endoftext|>b"])
def test_special_tokens_in_the_text_are_refused(text, make_record, tokenizer):
    with pytest.raises(RecordError, match=r"data.json:1: the text holds the special token <\|"):
        encode_record(make_record(text + "<video>", "Happy"), tokenizer)


TEMPLATES = {
    "ours": None,
    "Qwen2.5-VL's": (
        "{% set image_count = namespace(value=0) %}{% set video_count = namespace(value=0) %}"
        "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system\n"
        "You are a helpful assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message['role'] }}\n"
        "{% if message['content'] is string %}{{ message['content'] }}<|im_end|>\n{% else %}"
        "{% for content in message['content'] %}{% if content['type'] == 'image' or 'image' in content %}"
        "{% set image_count.value = image_count.value + 1 %}{% if add_vision_id %}Picture {{ image_count.value }}: "
        "{% endif %}<|vision_start|><|image_pad|><|vision_end|>{% elif 'text' in content %}{{ content['text'] }}"
        "{% endif %}{% endfor %}<|im_end|>\n{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "trimming": (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "looking for thoughts": (
        "{% for m in messages %}{% set text = m.content %}{% if m.role == 'assistant' and '</think>' in text %}"
        "{% set text = text.split('</think>')[-1].lstrip('\n') %}{% endif %}<|im_start|>{{ m.role }}\n{{ text }}"
        "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "escaping": (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | tojson }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "skipping what is empty": (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.content %}say: {{ m.content }}{% endif %}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
}
HOSTILE = [
    *("What?", "", " ", " padded\n", "\n\nA. \tHappy\u3000", "a</think>\n\nb", "</think>", "system", "assistant"),
    *("{{ messages }}", "{% raw %}", "«Turn0»", "«Turn1»", "<|im_", "end|>", '"quoted" \\ & <b>', "é e\u0301 视频 😀"),
    *("user\n", "The image and the text of the video", "<|vision_start|><|video_pad|><|vision_end|>", "\x00\ufeff"),
]


@pytest.mark.parametrize("name", TEMPLATES)
def test_filled_in_pieces_are_those_that_the_template_renders(name, tokenizer):
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.chat_template = TEMPLATES[name] or tokenizer.chat_template
    text = TemplateText(tokenizer)
    for first, second in product(HOSTILE, HOSTILE):
        for roles, contents in {
            ("user", "assistant"): (first, second),
            ("system", "user", "assistant", "user", "assistant"): (first, second, "Happy", second, first),
        }.items():
            for with_answer in (True, False):
                assert text.pieces(roles, contents, with_answer) == text.render(roles, contents, with_answer)


def test_a_plain_template_is_rendered_once_a_sequence_of_roles(tokenizer, make_record, monkeypatch):
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.chat_template = TEMPLATES["Qwen2.5-VL's"]
    encode_record(make_record("<video>What?", "Happy"), tokenizer)
    monkeypatch.setattr(template.TemplateText, "render", None)
    encode_record(make_record("<video> Which text is in the image?\n", "a </think> b "), tokenizer)


def test_the_drawn_worlds_records_are_filled_in_as_they_are_rendered(world, world_checkpoint):
    text = TemplateText(AutoTokenizer.from_pretrained(world_checkpoint))
    count = 0
    for file in world.glob("jsons/*/*/full/*.json"):
        for record in read_records(file):
            turns = [m.role for m in record.messages], [m.content for m in record.messages]
            assert text.pieces(*turns) == text.render(*turns)
            count += 1
    assert count > 500


def test_a_template_that_refuses_the_turns_is_a_fault_of_the_record(tokenizer, make_record):
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.chat_template = "{{ raise_exception('roles must alternate') }}"
    with pytest.raises(RecordError, match=r"data.json:1: the chat template refuses these turns \(roles must alternate"):
        encode_record(make_record("<video>What?", "Happy"), tokenizer)


def test_another_template_of_the_same_tokenizer_is_seen(tokenizer, make_record):
    tokenizer = copy.deepcopy(tokenizer)
    plain = encode_record(make_record(" What?", "Happy", ()), tokenizer)
    tokenizer.chat_template = TEMPLATES["trimming"]
    assert encode_record(make_record(" What?", "Happy", ()), tokenizer) != plain
    assert chat_of(tokenizer) is chat_of(tokenizer)
