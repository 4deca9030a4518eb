"""What people type, as jsonargparse takes it: options that stand alone, several values after one, words without any."""

import json
from collections.abc import Sequence
from itertools import takewhile

from videmo.data.controls import CONTROLS
from videmo.errors import InputError

NAMED = ("export", "doctor", "tables", "reason", "app")
"""Commands whose arguments all have names, here at the latest; those of others may stand without."""
_FLAGS = {
    "export": {"--merge": "--merge=true"},
    "score": {"--dry-run": "--dry_run=true", "--retry-missing": "--judge.retry_missing=true"},
    "curate": {"--copy": "--copy=true", "--dry-run": "--dry_run=true", "--retry-missing": "--retry_missing=true"},
    "test": {"--controls": f"--data.controls={json.dumps(CONTROLS)}"},
}
"""Options that may stand alone, by command, and what they mean then; their _ may be written as -, too."""
_LISTS = {"doctor": {"--video": "--video"}, "test": {"--controls": "--data.controls"}}
"""Options that several values may follow, by command, and what they are called."""
_SCORER_OPTIONS = ("--scorers", "--reasoning.scorers")
_SCORERS = {name: f"videmo.reasoning.{name.capitalize()}Scorer" for name in ("consensus", "likelihood", "oracle")}
"""What scorers may be called that need no arguments."""
_MODELS = ("--models", "--author")
"""What models may be called by their names."""
_WORDS = {"tables": "results", "reason": "videos"}
"""What words are that belong to no option, by command."""


def spelled_out(command: str, args: Sequence[str]) -> list[str]:
    """The arguments of a command, every value with its option.

    Raises:
        InputError: If --judge is given what is none, or a key, or --scorers a name that is none's.

    Example:
        >>> spelled_out("doctor", ["--video", "a.mp4", "b.mp4", "--ckpt=x"])
        ['--video=["a.mp4", "b.mp4"]', '--ckpt=x']
        >>> spelled_out("test", ["--controls=blank,swapped", "--data.root=x"])
        ['--data.controls=["blank", "swapped"]', '--data.root=x']
        >>> spelled_out("reason", ["a.mp4", "--scorers", "likelihood"])[0]
        '--scorers=[{"scorer": {"class_path": "videmo.reasoning.LikelihoodScorer"}}]'
        >>> spelled_out("curate", ["--models", "a", "b", "--author=c"])
        ['--models=[{"model": "a"}, {"model": "b"}]', '--author={"model": "c"}']
        >>> spelled_out("tables", ["a", "--table", "1", "b", "--out=x.md"])
        ['--table', '1', '--out=x.md', '--results=["a", "b"]']
    """
    flags, lists = _FLAGS.get(command, {}), _LISTS.get(command, {})
    found, rest = [], list(args)
    while rest:
        arg = rest.pop(0)
        name, given, value = arg.partition("=")
        follow = list(takewhile(lambda word: not word.startswith("--"), rest))
        words = value.split(",") if given else follow
        first = value if given else "".join(follow[:1])
        if name in lists and words:
            if not given:
                del rest[: len(follow)]
            arg = f"{lists[name]}={_as_json(words)}"
        elif (flag := arg.replace("_", "-")) in flags and first not in ("true", "false"):
            arg = flags[flag]
        elif command == "curate" and name.startswith("--models.") and name != "--models.help":
            raise InputError(
                f"{name} is a single model's: give it in a YAML file, `models: [{{model: a, ...}}, ...]`, by --config"
            )
        elif command == "curate" and name in _MODELS and not first.startswith(("{", "[")):
            if not given:
                del rest[: len(follow)]
            named = [{"model": word} for word in words]
            arg = f"{name}={json.dumps(named if name == '--models' else (named or [None])[0])}"
        elif name in _SCORER_OPTIONS and {*first.split(",")} <= {*_SCORERS}:
            if not given:
                del rest[0]
            arg = f"{name}={json.dumps([{'scorer': {'class_path': _SCORERS[word]}} for word in first.split(',')])}"
        elif name in _SCORER_OPTIONS and first.replace(",", "").isalpha() and first != "null":
            raise InputError(
                f"no scorer {first}; there are {', '.join(_SCORERS)}, several with commas between, and one with "
                "arguments, or of your own, in YAML"
            )
        elif command == "score" and name in ("--judge.api_key", "--judge.key", "--judge.token"):
            raise InputError(f"there is no {name}: the judge's key is read from the environment (OPENAI_API_KEY) only")
        elif command == "score" and name == "--judge":
            _check_judge(first)
        found.append(arg)
    return _gathered(found, _WORDS[command]) if command in _WORDS else found


def _check_judge(given: str) -> None:
    """jsonargparse would take a name for a class to import."""
    if given not in ("rules", "null") and not given.startswith("{"):
        raise InputError(
            f"--judge is rules, or a judge is named by --judge.base_url and --judge.model; got {given or 'nothing'}"
        )


def _gathered(args: Sequence[str], name: str) -> list[str]:
    """Words that belong to no option as one list, an option of that name."""
    found, words, rest = [], [], list(args)
    while rest:
        arg = rest.pop(0)
        if not arg.startswith("-"):
            words.append(arg)
            continue
        found.append(arg)
        if "=" not in arg and rest and not rest[0].startswith("-"):
            found.append(rest.pop(0))
    return [*found, f"--{name}={_as_json(words)}"] if words else found


def _as_json(words: Sequence[str]) -> str:
    """As YAML reads it, too, which takes no escaped surrogates."""
    return json.dumps(words, ensure_ascii=False)
