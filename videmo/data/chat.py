"""From a record to tokens: the chat template's text, cut where sharing and learning begin.

The text is the template's own, so any checkpoint keeps its form. It is tokenized in pieces, cut where inference cuts
too (before each answer) and at special tokens, where byte-level BPE cuts by itself. Only answers are learned, each
with the end-of-turn token that stops generation.
"""

from dataclasses import dataclass

from videmo.data.records import VIDEO_PLACEHOLDER, Record, RecordError
from videmo.errors import InputError

VISION_END = "<|vision_end|>"
VIDEO_BLOCK = "<|vision_start|><|video_pad|>" + VISION_END


@dataclass(frozen=True)
class EncodedRecord:
    """Tokens of a record with one ``<|video_pad|>`` a video, not yet as many as the video has tokens.

    Attributes:
        root: From the start to the end of the last video before the first answer: what records on one video share.
            Empty without a video.
        branch: The rest.
        learned: For each token of the branch, whether it is an answer's.
    """

    root: tuple[int, ...]
    branch: tuple[int, ...]
    learned: tuple[bool, ...]


def encode_record(record: Record, tokenizer, *, with_answer: bool = True) -> EncodedRecord:
    """Tokenize a record with the tokenizer's chat template.

    Args:
        record: The conversation.
        tokenizer: A Hugging Face tokenizer with a chat template.
        with_answer: False leaves the last answer out and ends with the generation prompt, as a test asks; nothing is
            learned then.

    Raises:
        RecordError: If the text holds one of the tokenizer's special tokens, which would be read as structure.
    """
    pieces = _pieces(record, tokenizer, with_answer)
    prompt = pieces[0][0]
    cut = prompt.rfind(VISION_END) + len(VISION_END) if VISION_END in prompt else 0

    def ids(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False).input_ids if text else []

    branch: list[int] = ids(prompt[cut:])
    learned = [False] * len(branch)
    for text, is_answer in pieces[1:]:
        tokens = ids(text)
        branch += tokens
        learned += [is_answer and with_answer] * len(tokens)
    return EncodedRecord(tuple(ids(prompt[:cut])), tuple(branch), tuple(learned))


def _pieces(record: Record, tokenizer, with_answer: bool) -> list[tuple[str, bool]]:
    """The template's text as (text, is answer): a prompt, an answer, a prompt, an answer ..."""
    turns = []
    for message in record.messages:
        special = next((t for t in tokenizer.all_special_tokens if t in message.content), None)
        if special is not None:
            raise RecordError(f"{record.where}: the text holds the special token {special}; remove or rewrite it")
        turns.append({"role": message.role, "content": message.content.replace(VIDEO_PLACEHOLDER, VIDEO_BLOCK)})

    answers = [i for i, turn in enumerate(turns) if turn["role"] == "assistant"]
    pieces: list[tuple[str, bool]] = []
    done = ""
    for i in answers:
        prompt = _render(tokenizer, turns[:i], generation=True)
        pieces.append((_after(prompt, done), False))
        if i == answers[-1] and not with_answer:
            break
        full = _render(tokenizer, turns[: i + 1], generation=False)
        answer = _after(full, prompt)
        stop = answer.find(tokenizer.eos_token)
        if stop < 0:
            raise InputError(f"the chat template does not end an answer with {tokenizer.eos_token!r}, the stop token")
        answer = answer[: stop + len(tokenizer.eos_token)]
        pieces.append((answer, True))
        done = prompt + answer
    return pieces


def _render(tokenizer, turns: list[dict[str, str]], generation: bool) -> str:
    return tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=generation)


def _after(text: str, prefix: str) -> str:
    if not text.startswith(prefix):
        raise InputError(
            "the chat template rewrites earlier turns when a later one is added; a plain template is needed"
        )
    return text[len(prefix) :]
