"""What jsonargparse refuses, in a line: where, what was expected, what was given, and what may have been meant."""

import inspect
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import yaml

_KEY = re.compile(r'Parser key "(.+?)":')
_CLASS = re.compile(r"Problem with given class_path '(.+?)':")
_OPTION = re.compile(r"Option '(.+?)' is not accepted")
_EXPECTED = re.compile(r"Expected an? (?!path but)(.+?)(?:\. Got value: (.*))?$")
_GIVEN = re.compile(r"Given value: ?(.*)")
_NOT_THERE = re.compile(r"does not accept option '(.+?)'")


def or_meant(message: str, options: Iterable[str]) -> str:
    """What is said of an option or a command that there is not, with the one that is spelled most alike.

    >>> or_meant("unrecognized arguments: --dta=x", ["--data", "--out"])
    'unrecognized arguments: --dta=x (did you mean --data?)'
    """
    if not message.startswith(("unrecognized arguments: -", "no command ")) or message.endswith("?)"):  # it was said
        return message
    return message + _meant(message.split()[2].partition("=")[0], options)


def in_brief(message: str) -> str:
    """What a parser says of a value that fits none of its types, without its ways to find out.

    >>> in_brief('''Parser key "data.batch_size":
    ...   Does not validate against any of the Union subtypes
    ...   Errors:
    ...     - Expected a <class 'int'>
    ...     - Expected a <class 'NoneType'>
    ...   Given value: x''')
    'data.batch_size: expected int, got x'
    """
    keys, expected, given, owner = [], [], None, ""
    for line in (line.strip().removeprefix("- ") for line in message.splitlines()):
        if found := _KEY.match(line):
            keys.append(found[1])
        elif found := _CLASS.match(line):
            owner, expected = found[1], []  # what else the key could have been is not what was meant
        elif found := _OPTION.match(line):
            return f"{': '.join(keys)}: no option {found[1]} of {_last(owner)}{_meant(found[1], _arguments(owner))}"
        elif (found := _EXPECTED.match(line)) and found[1] != "<class 'NoneType'>" and given is None:
            expected.append(_type(found[1]))
            given = found[2]
        elif (found := _GIVEN.match(line)) and given is None:
            given = found[1]
    if not (keys and expected) or given is None:
        return message
    return f"{': '.join(keys)}: expected {' or '.join(dict.fromkeys(expected))}, got {given or 'nothing'}"


def in_config(message: str, configs: Sequence[str], options: Iterable[str]) -> str:
    """The same of configs, with the file and the line where it stands.

    Args:
        message: Of the parser.
        configs: YAML files, in the order in which they were given.
        options: Which there are, as they are typed.
    """
    unknown = _NOT_THERE.search(message)
    for path in configs:
        try:
            node = yaml.compose(Path(path).read_text(encoding="utf-8"))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            return f"{path}:{mark.line + 1 if mark else 1}: no YAML: {error.problem}"
        except (OSError, ValueError):
            continue
        if unknown and (line := _line_of(node, unknown[1].split("."))):
            known = (option.removeprefix("--") for option in options)
            return f"{path}:{line}: no option {unknown[1]}{_meant(unknown[1], known)}"
    return message


def _line_of(node: yaml.Node | None, key: Sequence[str]) -> int | None:
    """Where a key stands in a file, counted from 1."""
    line = None
    for part in key:
        entries = node.value if isinstance(node, yaml.MappingNode) else []
        found = next(((name, value) for name, value in entries if name.value == part), None)
        if found is None:
            return None
        line, node = found[0].start_mark.line + 1, found[1]
    return line


def _meant(name: str, options: Iterable[str]) -> str:
    near = get_close_matches(name, options, 1)
    return f" (did you mean {near[0]}?)" if near else ""


def _arguments(path: str) -> set[str]:
    """Of a class, with those that it hands on."""
    module, _, name = path.rpartition(".")
    bases = inspect.getmro(getattr(import_module(module), name))
    return {argument for base in bases for argument in inspect.signature(base.__init__).parameters} - {"self"}


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _type(name: str) -> str:
    """
    >>> _type("typing.Literal['tree', 'flat']"), _type("<class 'int'>")
    ("one of 'tree', 'flat'", 'int')
    """
    if name.startswith("dot import path"):
        return "a class by its module and name"
    if found := re.fullmatch(r"typing\.Literal\[(.*)\]", name):
        return f"one of {found[1]}"
    return _last(name.removeprefix("<class '").removesuffix("'>")) if name.startswith("<class") else name
