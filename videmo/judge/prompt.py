"""A judge's prompt: a YAML file for each use, shipped or the user's own.

    name: yes_no            # the use, and the file's name
    version: "1"
    reply: yes_no           # how the reply is read: labels, yes_no, score, scores or tree
    scale: [0, 100]         # of a score or scores
    max_tokens: 300         # that a reply may take; 1024 if left out
    structured: true        # hold the server to our JSON schema where it can; leave out for any other form of reply
    system: ...             # may be left out
    user: ... {question} ... {response} ...

A placeholder is a field of the use in braces, or ``{mark}``: a word that is made from the texts themselves and can
therefore stand in none of them. A prompt that puts it around them can say where data begins and ends, whatever the
text under judgement says. All other braces are plain text, so that a prompt may show JSON.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import yaml

from videmo.errors import InputError
from videmo.judge.question import USES, Use

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_KEYS = {"name", "version", "reply", "scale", "max_tokens", "structured", "system", "user"}
_MAX_TOKENS = 1024


@dataclass(frozen=True)
class Prompt:
    """How a judge is asked for one use.

    Attributes:
        name: The use.
        fields: The texts that it asks about.
        version: What its author calls this wording.
        user: The message, with placeholders.
        system: The system message, with placeholders; empty for none.
        reply: How the reply is read.
        scale: Lowest and highest score; None where the reply is no number.
        max_tokens: That a reply may take.
        structured: Whether a server may be held to the JSON schema of the reply (`videmo.judge.schemas`).
    """

    name: str
    fields: tuple[str, ...]
    version: str
    user: str
    system: str
    reply: str
    scale: tuple[float, float] | None = None
    max_tokens: int = _MAX_TOKENS
    structured: bool = False

    @cached_property
    def hash(self) -> str:
        """Of what is sent and how the reply is read: its identity, beside the version that a hand may forget."""
        content = json.dumps([self.name, self.system, self.user, self.reply, self.scale, self.structured])
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def messages(self, given: Mapping[str, str]) -> list[dict[str, str]]:
        """The conversation that asks about the texts: those of `fields`, all of them."""
        joined = "\0".join(given[name] for name in self.fields)
        texts = {**given, "mark": hashlib.sha256(joined.encode("utf-8", errors="replace")).hexdigest()[:10]}
        parts = (("system", self.system), ("user", self.user))
        # One pass, so that braces in a text are never taken for a placeholder.
        filled = [(role, _PLACEHOLDER.sub(lambda found: texts.get(found[1], found[0]), part)) for role, part in parts]
        return [{"role": role, "content": well_formed(text)} for role, text in filled if text]


def well_formed(text: str) -> str:
    """The text with U+FFFD for each half of a broken character, which no JSON or database would take.

    >>> well_formed("sad \\ud83d")
    'sad \ufffd'
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def load_prompts(
    folder: str | Path | None = None, uses: Mapping[str, Use] = USES, shipped: str = "videmo.judge.prompts"
) -> dict[str, Prompt]:
    """The prompt of every use: the shipped one, or that of the same file name in a folder.

    Args:
        folder: Of a user's own prompts.
        uses: What is asked for, by name.
        shipped: Package that has a prompt for each.

    Raises:
        InputError: If the folder is none, has a file that is no use's, or a file is no prompt; the message names it.
    """
    found, names = {}, ", ".join(f"{name}.yaml" for name in uses)
    for name, use in uses.items():
        file = files(shipped) / f"{name}.yaml"
        found[name] = read_prompt(name, file.read_text(encoding="utf-8"), f"{name}.yaml", use)
    if folder is None:
        return found
    if not Path(folder).is_dir():
        raise InputError(f"no folder of prompts {folder}; it has one or more of {names}")
    own = sorted([*Path(folder).glob("*.yaml"), *Path(folder).glob("*.yml")])
    if not own:
        raise InputError(f"{folder} has no prompt; name them {names}")
    for file in own:
        if file.name.removesuffix(".yaml") not in uses:
            raise InputError(f"{file} is the prompt of no use; name it {names}")
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file} cannot be read: {error}; a prompt is a text file in UTF-8") from None
        found[file.stem] = read_prompt(file.stem, text, str(file), uses[file.stem])
    return found


def read_prompt(name: str, text: str, file: str, use: Use | None = None) -> Prompt:
    """The prompt that a YAML text describes.

    Args:
        name: Of the use.
        text: The YAML.
        file: Its name, for messages.
        use: What it asks for; that of `USES` by default.

    Raises:
        InputError: If something is missing, unknown, or no placeholder of the use.

    Example:
        >>> prompt = read_prompt("tree", "{version: 1, reply: tree, user: 'Read as JSON: {caption}'}", "tree.yaml")
        >>> prompt.messages({"caption": "A {sad} man."})
        [{'role': 'user', 'content': 'Read as JSON: A {sad} man.'}]
    """
    use = use or USES[name]
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{file} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, Mapping):
        raise InputError(f"{file} is no prompt: write {', '.join(sorted(_KEYS))}, a line each")
    if unknown := [str(key) for key in data if key not in _KEYS]:
        raise InputError(f"{file} has {', '.join(unknown)}, which a prompt has not; it has {', '.join(sorted(_KEYS))}")
    if absent := [key for key in ("version", "reply", "user") if data.get(key) in (None, "")]:
        raise InputError(f"{file} lacks {', '.join(absent)}")
    if data.get("name", name) != name:
        raise InputError(f"{file} says name: {data['name']}; it must be the file's, {name}")
    if data["reply"] != use.reply:
        raise InputError(f"{file} says reply: {data['reply']}; that of {name} is read as {use.reply}")
    system, user = data.get("system") or "", data["user"]
    if not isinstance(system, str) or not isinstance(user, str):
        raise InputError(f"{file}: system and user are texts; begin them with | and indent what follows")
    _check_placeholders(name, use, {*_PLACEHOLDER.findall(system + user)}, file)
    max_tokens = data.get("max_tokens", _MAX_TOKENS)
    if type(max_tokens) is not int or max_tokens < 1:
        raise InputError(f"{file}: max_tokens must be a number above 0, got {max_tokens!r}")
    structured = data.get("structured", False)
    if type(structured) is not bool:
        raise InputError(f"{file}: structured is true or false, got {structured!r}")
    scale, version = _scale(data, file), str(data["version"])
    return Prompt(name, use.fields, version, user, system, data["reply"], scale, max_tokens, structured)


def _check_placeholders(name: str, use: Use, named: set[str], file: str) -> None:
    if unknown := sorted(named - {*use.fields, "mark"}):
        raise InputError(
            f"{file} has the placeholder {{{unknown[0]}}}, which {name} has not; there are "
            f"{', '.join(f'{{{field}}}' for field in (*use.fields, 'mark'))}"
        )
    if absent := sorted(use.needed - named):
        raise InputError(f"{file} never says {{{absent[0]}}}: put it into user where that text belongs")


def _scale(data: Mapping, file: str) -> tuple[float, float] | None:
    scale = data.get("scale")
    if data["reply"] not in ("score", "scores"):
        if scale is not None:
            raise InputError(f"{file} has a scale, but a reply of {data['reply']} is no number: leave it out")
        return None
    is_pair = isinstance(scale, list) and len(scale) == 2 and all(type(end) in (int, float) for end in scale)
    if not is_pair or not 0 <= scale[0] < scale[1]:
        raise InputError(f"{file}: scale must be the lowest and the highest score, such as [0, 100], got {scale!r}")
    return float(scale[0]), float(scale[1])
