"""What vision models are asked about a clip, and how their replies are read.

Each use has a prompt in ``prompts/``. Replies are JSON, fenced or in prose or plain, or a text; what has no one meaning
is unreadable with a sentence why (`videmo.judge.json_values`), and never guessed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from videmo.data.records import special_tokens
from videmo.judge.json_values import UnreadableReply, json_in, short
from videmo.judge.question import Use
from videmo.judge.replies import what_was_said
from videmo.judge.schemas import object_schema, schema_format
from videmo.tasks import Task, benchmark_tasks

ATTRIBUTES = {source[3:]: task for task in benchmark_tasks() for source in task.sources if source.startswith("QA_")}
"""The 15 open attributes of the benchmark: the name by which models are asked -> the task."""
ACTIONS = ("Facial_actions", "Head_actions", "Body_actions")
"""Those that the second level asks for; all others belong to the first."""
LOOKS = tuple(name for name in ATTRIBUTES if name not in ACTIONS)
UNITS = next(task for task in benchmark_tasks() if task.name == "action_unit")
SENTIMENTS = ("Positive", "Neutral", "Negative")
USES = {
    "attributes": Use(("vocabulary",), frozenset({"vocabulary"}), "attributes"),
    "expressions": Use(("observed", "vocabulary", "action_units"), frozenset({"observed"}), "expressions"),
    "emotion": Use(("observed", "emotions"), frozenset({"observed", "emotions"}), "emotion"),
    "describe": Use(("observed",), frozenset({"observed"}), "text"),
    "rationale": Use(("observed", "emotion"), frozenset({"observed", "emotion"}), "text"),
    "vote": Use(("samples",), frozenset({"samples"}), "votes"),
    "rewrite": Use(("samples",), frozenset({"samples"}), "answers"),
}
PROMPTS = "videmo.committee.prompts"
_LONGEST = 300  # characters of a phrase; what is longer is no phrase
_NOTHING = re.compile(
    r"(?:null|none|n/?a|unknown|unclear|(?:not|in)\s?visible|can(?:no|')t (?:be seen|tell)|hidden|not shown)\.?",
    re.IGNORECASE,
)
_DECLINED = re.compile(
    r"(?:i'?m |i am )?(?:sorry|(?:i|we) (?:can(?:no|')?t|am (?:un|not )able|won'?t)|as an ai\b|unable to)",
    re.IGNORECASE,
)


class Expressions(NamedTuple):
    """What the second level found: actions by the attribute's name, action units, and sentences."""

    actions: dict[str, str]
    units: tuple[str, ...]
    text: str


class Feeling(NamedTuple):
    """What the third level found; None where it cannot be told."""

    emotion: str | None
    sentiment: str | None
    because: str


class Vote(NamedTuple):
    """Whether a sample is right, and what is wrong where it is not; None for no vote, and why there is none."""

    right: bool | None
    wrong: str


def vocabulary(names: Sequence[str]) -> str:
    """The words that the benchmark knows of attributes, a line each."""
    return "\n".join(
        f"{name}: {', '.join(word for group in ATTRIBUTES[name].groups.values() for word in group)}" for name in names
    )


def units() -> str:
    """The action units by code, with what they are."""
    return "\n".join(f"{unit}: {UNITS.aliases[unit][0]}" for unit in UNITS.labels)


def read_attributes(text: str) -> dict[str, str]:
    """Those that can be seen.

    >>> read_attributes('Sure: {"eyes": "brown", "Nose": null, "Hair": "not visible"}')
    {'Eyes': 'brown'}
    """
    return _phrases(_object(text), LOOKS)


def read_expressions(text: str) -> Expressions:
    """Actions, units and sentences."""
    data = _object(text)
    named = data.get("action_units") or []
    if isinstance(named, str):
        named = re.split(r"[,;\s]+", named)
    if not isinstance(named, list) or not all(isinstance(unit, str) for unit in named):
        raise UnreadableReply(f"the reply's action_units are no list of codes: {short(str(named))}")
    found = {unit.upper().replace(" ", "").split(":")[0] for unit in named if unit.strip()}
    # A unit outside the list is right perhaps, and none that the benchmark asks for.
    known = tuple(unit for unit in UNITS.labels if unit in found)
    return Expressions(_phrases(data, ACTIONS), known, _phrase("expressions", data.get("expressions"), 2000) or "")


def emotion_reader(task: Task) -> Callable[[str], Feeling]:
    """Reads the third level's reply, with the labels of a task."""

    def read(text: str) -> Feeling:
        data = _object(text)
        if "emotion" not in data:
            raise UnreadableReply(f"the reply's JSON has no emotion: {short(text)}")
        said, label = _phrase("emotion", data["emotion"]), None
        if said is not None:
            label = task.parse(said)
            if not isinstance(label, str):
                raise UnreadableReply(f"the reply names {said!r}, which is none of {', '.join(task.labels)}")
        mood = _phrase("sentiment", data.get("sentiment"))
        if mood is not None and (mood := mood.strip(" .").capitalize()) not in SENTIMENTS:
            raise UnreadableReply(f"the reply's sentiment is {mood!r}, not one of {', '.join(SENTIMENTS)}")
        return Feeling(label, mood, _phrase("because", data.get("because"), 2000) or "")

    return read


def read_text(text: str) -> str:
    """Prose, maybe fenced or as the one value of a JSON object.

    >>> read_text('{"description": "A man in a blue shirt smiles."}')
    'A man in a blue shirt smiles.'
    """
    text = what_was_said(text)
    data = json_in(text)
    if isinstance(data, dict):
        if len(data) != 1 or not isinstance(data := next(iter(data.values())), str):
            raise UnreadableReply(f"the reply is JSON where a text was asked for: {short(text)}")
        text = data
    text = _clean(re.sub(r"^```\w*\s*|\s*```$", "", text.strip()))
    if _DECLINED.match(text):
        raise UnreadableReply(f"the model declined: {short(text)}")
    if len(text) < 15:
        raise UnreadableReply(f"the reply is no sentence: {short(text)}")
    return text


def vote_reader(count: int) -> Callable[[str], dict[int, Vote]]:
    """Reads votes on so many samples; one that the reply leaves out has none.

    >>> vote_reader(2)('{"votes": [{"sample": 2, "right": "no", "wrong": "The hair is black."}]}')
    {2: Vote(right=False, wrong='The hair is black.')}
    """
    return lambda text: {
        number: Vote(_truth(one.get("right")), _phrase("wrong", one.get("wrong"), 2000) or "")
        for number, one in _numbered(text, "votes", count).items()
    }


def answer_reader(count: int) -> Callable[[str], dict[int, str | None]]:
    """Reads answers to so many samples; None where the frames do not tell."""
    return lambda text: {
        number: _phrase("answer", one.get("answer"), 4000) for number, one in _numbered(text, "answers", count).items()
    }


def _object(text: str) -> dict:
    text = what_was_said(text)
    data = json_in(text)
    if data is None and _DECLINED.match(text):
        raise UnreadableReply(f"the model declined: {short(text)}")
    if not isinstance(data, dict):
        raise UnreadableReply(f"the reply is no JSON object: {short(text)}")
    return data


def _numbered(text: str, name: str, count: int) -> dict[int, dict]:
    """The entries of a list in the reply by their number of the sample."""
    data = json_in(text := what_was_said(text))
    if data is None and _DECLINED.match(text):
        raise UnreadableReply(f"the model declined: {short(text)}")
    entries = data.get(name) if isinstance(data, dict) else data
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UnreadableReply(f"the reply has no list of {name}: {short(text)}")
    found: dict[int, dict] = {}
    for entry in entries:
        number = entry.get("sample")
        number = int(number) if isinstance(number, str) and number.isdigit() else number
        if type(number) is not int or not 1 <= number <= count:
            raise UnreadableReply(f"the reply has {name} on sample {number!r}, and there are 1 to {count}")
        if found.setdefault(number, entry) != entry:
            raise UnreadableReply(f"the reply has two {name} on sample {number}")
    if not found:
        raise UnreadableReply(f"the reply's list of {name} is empty")
    return found


def _phrases(data: Mapping, names: Sequence[str]) -> dict[str, str]:
    given = {re.sub(r"\W+", "_", str(key)).lower(): value for key, value in data.items()}
    if not any(name.lower() in given for name in names):
        raise UnreadableReply(f"the reply's JSON has none of {', '.join(names)}")
    read = {name: _phrase(name, given.get(name.lower())) for name in names}
    return {name: phrase for name, phrase in read.items() if phrase is not None}


def _phrase(name: str, value: object, longest: int = _LONGEST) -> str | None:
    """A text in one line; None for what says that there is nothing to say."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    if value is None:
        return None
    if not isinstance(value, str):
        raise UnreadableReply(f"{name} is no text: {short(str(value))}")
    value = _clean(value)
    if len(value) > longest:
        raise UnreadableReply(f"{name} has {len(value):,} characters where a few words were asked for: {short(value)}")
    return None if not value or _NOTHING.fullmatch(value) else value


def _clean(text: str) -> str:
    """A text in one line; it would go into records, where a placeholder of pictures or a turn's end means itself."""
    if found := special_tokens(text):
        raise UnreadableReply(f"the reply holds {found[0]}, which is no text: {short(text)}")
    return " ".join(text.split())


def _truth(value: object) -> bool:
    said = {"true": True, "yes": True, "right": True, "false": False, "no": False, "wrong": False}
    found = value if isinstance(value, bool) else said.get(str(value).strip(" .").lower())
    if found is None:
        raise UnreadableReply(f"a vote is {short(str(value))}, neither true nor false")
    return found


def _perhaps(kind: dict) -> dict:
    return {"anyOf": [kind, {"type": "null"}]}


def _listed(name: str, fields: Mapping[str, dict]) -> dict:
    entry = object_schema({"sample": {"type": "integer"}, **fields})
    return object_schema({name: {"type": "array", "items": entry}})


_TEXT = {"type": "string"}
_SCHEMAS = {
    "attributes": object_schema({name: _perhaps(_TEXT) for name in LOOKS}),
    "expressions": object_schema(
        {
            **{name: _perhaps(_TEXT) for name in ACTIONS},
            "action_units": {"type": "array", "items": {"type": "string", "enum": [*UNITS.labels]}},
            "expressions": _TEXT,
        }
    ),
    "vote": _listed("votes", {"right": {"type": "boolean"}, "wrong": _TEXT}),
    "rewrite": _listed("answers", {"answer": _perhaps(_TEXT)}),
}


def reply_schema(use: str, emotions: Task) -> dict | None:
    """The ``response_format`` of a use; None for a text."""
    if use == "emotion":
        label, mood = ({"type": "string", "enum": [*names]} for names in (emotions.labels, SENTIMENTS))
        schema = object_schema({"emotion": _perhaps(label), "sentiment": _perhaps(mood), "because": _TEXT})
    elif use in _SCHEMAS:
        schema = _SCHEMAS[use]
    else:
        return None
    return schema_format(use, schema)
