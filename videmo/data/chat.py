"""From a record to tokens: the chat template's text, cut where sharing and learning begin.

The text is the template's own, so any checkpoint keeps its form. It is tokenized in pieces, cut where inference cuts
too (before each answer) and at special tokens, where byte-level BPE cuts by itself. Only answers are learned, each
with the end-of-turn token that stops generation.
"""

import re
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from jinja2 import TemplateError

from videmo.data.records import VIDEO_PLACEHOLDER, Record, RecordError
from videmo.data.template import TemplateText

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
        RecordError: If the text holds one of the tokenizer's special tokens, which would be read as structure, or the
            chat template refuses the order of the turns.
    """
    root, *pieces = chat_of(tokenizer).pieces(record, with_answer)

    def ids(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False).input_ids if text else []

    branch: list[int] = []
    learned: list[bool] = []
    for text, is_answer in pieces:
        tokens = ids(text)
        branch += tokens
        learned += [is_answer and with_answer] * len(tokens)
    return EncodedRecord(tuple(ids(root[0])), tuple(branch), tuple(learned))


class Chat:
    """From records to the texts that are tokenized one by one.

    Args:
        tokenizer: A Hugging Face tokenizer with a chat template.
    """

    def __init__(self, tokenizer) -> None:
        self._special = re.compile("|".join(map(re.escape, tokenizer.all_special_tokens)) or "(?!)")
        self._template = TemplateText(tokenizer)

    def pieces(self, record: Record, with_answer: bool = True) -> list[tuple[str, bool]]:
        """(text, is answer) of the root, which may be empty, and of the branch.

        Raises:
            RecordError: As `encode_record` does.
        """
        for message in record.messages:
            if found := self._special.search(message.content):
                raise RecordError(f"{record.where}: the text holds the special token {found[0]}; remove or rewrite it")
        roles = [message.role for message in record.messages]
        contents = [message.content.replace(VIDEO_PLACEHOLDER, VIDEO_BLOCK) for message in record.messages]
        try:
            (prompt, _), *pieces = self._template.pieces(roles, contents, with_answer)
        except TemplateError as error:
            raise RecordError(f"{record.where}: the chat template refuses these turns ({error})") from None
        cut = prompt.rfind(VISION_END) + len(VISION_END) if VISION_END in prompt else 0
        return [(prompt[:cut], False), (prompt[cut:], False), *pieces]


_chats: "WeakKeyDictionary[object, tuple[str, Chat]]" = WeakKeyDictionary()


def chat_of(tokenizer) -> Chat:
    """The tokenizer's `Chat`, which keeps what it learns of the template."""
    template, chat = _chats.get(tokenizer, (None, None))
    if chat is None or template != tokenizer.chat_template:
        chat = Chat(tokenizer)
        _chats[tokenizer] = (tokenizer.chat_template, chat)
    return chat
