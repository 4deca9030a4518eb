"""JSON schemas of replies, for servers that can be held to one (``response_format`` of type ``json_schema``).

Only what the strict mode of all servers knows: every property required, nothing besides, no bounds on numbers. What a
schema cannot say, `videmo.judge.replies` checks.
"""

from collections.abc import Mapping

from videmo.judge.prompt import Prompt
from videmo.judge.question import SCORES, Question


def response_format(prompt: Prompt, question: Question) -> dict:
    """The ``response_format`` of a request.

    Example:
        >>> from videmo.judge.prompt import load_prompts
        >>> question = Question("labels", {"task_labels": "Happy, Sad", "question": "", "response": "joyful"})
        >>> schema = response_format(load_prompts()["labels"], question)["json_schema"]["schema"]
        >>> schema["properties"]["labels"]["items"]
        {'type': 'string', 'enum': ['Happy', 'Sad']}
    """
    schema = _SCHEMAS.get(prompt.reply) or _labels(question)
    return {"type": "json_schema", "json_schema": {"name": prompt.name, "strict": True, "schema": schema}}


def _object(properties: Mapping[str, dict]) -> dict:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [*properties],
        "additionalProperties": False,
    }


def _labels(question: Question) -> dict:
    label = {"type": "string", "enum": [*question.listed_labels]}
    return _object({"labels": {"type": "array", "items": label}})


_NODE = _object({"label": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}})
_SCHEMAS = {
    "yes_no": _object({"answer": {"type": "string", "enum": ["yes", "no"]}}),
    "score": _object({"score": {"type": "number"}}),
    "scores": _object({name: {"type": "number"} for name in SCORES}),
    "tree": {**_NODE, "$defs": {"node": _NODE}},
}
