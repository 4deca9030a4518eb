"""Tokens and what is learned of them, against the chat template's own text."""

import pytest

from videmo.data.chat import encode_record
from videmo.data.records import RecordError

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
