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
    label = {"type": "string", "enum": [*question.listed_labels]}
    labels = object_schema({"labels": {"type": "array", "items": label}})
    return schema_format(prompt.name, _SCHEMAS.get(prompt.reply, labels))


def schema_format(name: str, schema: Mapping) -> dict:
    """The ``response_format`` that holds a server to a schema."""
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}


def object_schema(properties: Mapping[str, dict]) -> dict:
    """An object that has all of the properties, and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [*properties],
        "additionalProperties": False,
    }


_NODE = object_schema({"label": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}})
_SCHEMAS = {
    "yes_no": object_schema({"answer": {"type": "string", "enum": ["yes", "no"]}}),
    "score": object_schema({"score": {"type": "number"}}),
    "scores": object_schema({name: {"type": "number"} for name in SCORES}),
    "tree": {**_NODE, "$defs": {"node": _NODE}},
}
