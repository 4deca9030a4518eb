"""The chat template's text of a conversation, in pieces: a prompt, an answer, a prompt, an answer ...

Rendering a template takes longer than tokenizing what it says. Most templates put contents between fixed texts, so each
sequence of roles is rendered once, with marks for contents; other conversations fill the marks. Whether a template does
so is tried out: with space around the marks (does it trim?), and with each text that the template itself names (does it
look for ``</think>``?). Contents on which filling would differ from rendering are rendered.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from jinja2 import Environment, TemplateError, nodes

from videmo.errors import InputError

Pieces = list[tuple[str, bool]]
"""(text, is answer) in order."""

_MARK = re.compile(r"«Turn(\d+)»")
_ODD = "\\ \"'<&>{{ }}\n\té \u3000"  # what a template that escapes would change


class TemplateText:
    """What a tokenizer's chat template makes of roles and contents.

    Args:
        tokenizer: With a chat template.
    """

    def __init__(self, tokenizer) -> None:
        self._tokenizer = tokenizer
        self._forms: dict[tuple, _Form | None] = {}

    def pieces(self, roles: Sequence[str], contents: Sequence[str], with_answer: bool = True) -> Pieces:
        """The template's text; without the last answer it ends with the generation prompt.

        Raises:
            InputError: If the template does not end answers with the stop token, or rewrites earlier turns.
            jinja2.TemplateError: If the template refuses such roles or contents.
        """
        key = (*roles, with_answer)
        if key not in self._forms:
            self._forms[key] = self._form(roles, with_answer)
        form = self._forms[key]
        if form is not None and form.takes(contents):
            return form.fill(contents)
        return self.render(roles, contents, with_answer)

    def render(self, roles: Sequence[str], contents: Sequence[str], with_answer: bool = True) -> Pieces:
        """The same, by the template alone."""
        turns = [{"role": role, "content": content} for role, content in zip(roles, contents, strict=True)]
        answers = [i for i, role in enumerate(roles) if role == "assistant"]
        stop_token = self._tokenizer.eos_token
        pieces: Pieces = []
        done = ""
        for i in answers:
            prompt = self._render(turns[:i], generation=True)
            pieces.append((_after(prompt, done), False))
            if i == answers[-1] and not with_answer:
                break
            full = self._render(turns[: i + 1], generation=False)
            answer = _after(full, prompt)
            stop = answer.find(stop_token)
            if stop < 0:
                raise InputError(f"the chat template does not end an answer with {stop_token!r}, the stop token")
            answer = answer[: stop + len(stop_token)]
            pieces.append((answer, True))
            done = prompt + answer
        return pieces

    def _render(self, turns: list[dict[str, str]], generation: bool) -> str:
        return self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=generation)

    def _form(self, roles: Sequence[str], with_answer: bool) -> "_Form | None":
        """The form of these roles, with what it cannot take; None if such conversations must be rendered."""
        try:
            pieces = self.render(roles, [f"«Turn{i}»" for i in range(len(roles))], with_answer)
        except (InputError, TemplateError):
            return None
        parts = [(tuple(_MARK.split(text)), is_answer) for text, is_answer in pieces]
        form = _Form(tuple((part[::2], tuple(map(int, part[1::2])), is_answer) for part, is_answer in parts))

        def alike(*contents: str) -> bool:
            """Whether each of the contents, in every turn, is filled in as it is rendered."""
            for content in contents:
                same = [content] * len(roles)
                try:
                    if form.fill(same) != self.render(roles, same, with_answer):
                        return False
                except (InputError, TemplateError):
                    return False
            return True

        if not alike("plain", f"Some{_ODD}text"):
            return None
        named = [text for text in self._named if not alike(text, f"{text} x", f"x {text}", f"x{text}x")]
        return _Form(form.parts, tuple(named), takes_space=alike(" x", "x ", "\nx\n", "\tx\u3000"))

    @cached_property
    def _named(self) -> tuple[str, ...]:
        """The texts that the template names in its expressions."""
        template = self._tokenizer.get_chat_template()
        found = Environment(extensions=["jinja2.ext.loopcontrols"]).parse(template).find_all(nodes.Const)
        return tuple(sorted({const.value for const in found if isinstance(const.value, str) and const.value.strip()}))


@dataclass(frozen=True)
class _Form:
    """The pieces of conversations with the same roles.

    Attributes:
        parts: For each piece the fixed texts, the numbers of the contents between them, and whether it is an answer.
        named: Contents that hold one of these texts cannot be filled in.
        takes_space: Whether contents may begin or end with space.
    """

    parts: tuple[tuple[tuple[str, ...], tuple[int, ...], bool], ...]
    named: tuple[str, ...] = ()
    takes_space: bool = True

    def takes(self, contents: Sequence[str]) -> bool:
        """Whether filling these contents in gives what rendering gives."""
        for content in contents:
            if not content or (not self.takes_space and content.strip() != content):
                return False
            if any(text in content for text in self.named):
                return False
        return True

    def fill(self, contents: Sequence[str]) -> Pieces:
        pieces = []
        for fixed, places, is_answer in self.parts:
            text = fixed[0]
            for place, after in zip(places, fixed[1:], strict=True):
                text += contents[place] + after
            pieces.append((text, is_answer))
        return pieces


def _after(text: str, prefix: str) -> str:
    if not text.startswith(prefix):
        raise InputError(
            "the chat template rewrites earlier turns when a later one is added; a plain template is needed"
        )
    return text[len(prefix) :]
