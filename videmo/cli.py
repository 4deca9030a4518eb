"""The command line: which commands there are, and the function of each, loaded when it is asked for.

videmo check runs/demo/data
videmo demo --out runs/demo
"""

import sys
from argparse import ArgumentError
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn

from jsonargparse import ArgumentParser, auto_cli, set_parsing_settings
from rich.console import Console
from rich.table import Table

import videmo
from videmo.arguments import NAMED, spelled_out
from videmo.errors import InputError
from videmo.refusals import in_brief, or_meant

_TRAINER = "videmo.trainer:run"
COMMANDS: dict[str, tuple[str, str]] = {
    "fit": ("train from a YAML config", _TRAINER),
    "validate": ("loss and exact answers on the validation split", _TRAINER),
    "test": ("answer the benchmark, write predictions, scores and the table", _TRAINER),
    "predict": ("answer the benchmark's questions, and score nothing", _TRAINER),
    "plan": ("memory, tokens, steps and time of a fit, before it is launched", _TRAINER),
    "demo": ("the whole path on drawn faces: draw, train, test, table", "videmo.demo:demo"),
    "synth": ("draw a world of faces to train on", "videmo.synth.command:synth"),
    "tiny": ("make a tiny random Qwen2.5-VL", "videmo.tiny:tiny"),
    "curate": (
        "make instruction data from your videos, by labels or by models that vote",
        "videmo.curate.command:curate",
    ),
    "check": ("find every bad record and video of a data folder", "videmo.check.command:check"),
    "score": ("score answers on disk by rules or a judge, no model loaded", "videmo.score.command:score"),
    "compare": ("two methods side by side, and the answers that flipped", "videmo.compare.command:compare"),
    "reason": (
        "why the person in a video looks as they do: search over the affective tree",
        "videmo.reason.command:reason",
    ),
    "app": ("the same as a page on this machine: drop a clip, ask, see the tree grow", "videmo.app.command:app"),
    "export": (
        "a run's checkpoint as a folder for transformers, peft, vLLM, ms-swift",
        "videmo.export.command:export",
    ),
    "doctor": (
        "what this machine has; with --ckpt, whether we compute what transformers does",
        "videmo.doctor.command:doctor",
    ),
    "report": ("one page of a run: scores, curves, samples", "videmo.report.command:report"),
    "stats": ("the pictures of a dataset: tasks, videos, words, labels, perplexity", "videmo.stats.command:stats"),
    "tables": ("the paper's tables with rows of yours, in four formats", "videmo.tables.command:tables"),
}
"""What each command does, in a line, and where its function is: known without loading any."""


class _Parser(ArgumentParser):
    """One that says which option a misspelt one may have been."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        super().error(or_meant(message, self._option_string_actions), ex)


def load(command: str) -> Callable:
    """The function of one of `COMMANDS`, with all that it imports."""
    module, name = COMMANDS[command][1].split(":")
    return getattr(import_module(module), name)


def show_overview() -> None:
    """Print the commands, a line each."""
    table = Table(box=None, show_header=False, padding=(0, 2))
    for name, (line, _) in COMMANDS.items():
        table.add_row(name, line)
    console = Console()
    console.print(f"videmo {videmo.__version__}: emotion-centric video language models\n\nusage: videmo COMMAND ...\n")
    console.print(table)
    console.print("\n`videmo COMMAND --help` shows its options.")


def _sentence(error: Exception, command: str) -> tuple[int, str] | None:
    """Exit status and words for what the user can mend, also where a parser of types buried it; None for a fault of
    ours.
    """
    if isinstance(error, OSError) and error.filename and error.strerror:
        return 1, f"videmo: {error.filename}: {error.strerror}"
    cause: BaseException | None = error
    mendable = _mendable()
    while cause is not None:
        if isinstance(cause, mendable):
            return 1, f"videmo: {cause}"
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    if isinstance(error, ArgumentError):
        return 2, f"videmo {command}: {in_brief(str(error))}\n`videmo {command} --help` lists the options"
    return None


def _mendable() -> tuple[type[Exception], ...]:
    """What is raised of the user's mistakes; Lightning's where it was loaded."""
    if "lightning" not in sys.modules:
        return (InputError,)
    from lightning.pytorch.utilities.exceptions import MisconfigurationException

    return InputError, MisconfigurationException


def _run(command: str, args: Sequence[str]) -> int:
    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    args = spelled_out(command, args)  # first, as it may refuse them
    function = load(command)
    if COMMANDS[command][1] == _TRAINER:
        return function(command, args)
    parser: dict[str, Any] = {"prog": f"videmo {command}", "allow_abbrev": False, "exit_on_error": False}
    status: Any = auto_cli(function, args=args, as_positional=command not in NAMED, parser_class=_Parser, **parser)
    return status or 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of ``videmo``; returns the exit status."""
    argv = list(sys.argv[1:] if argv is None else argv)
    command = argv[0] if argv else "--help"
    try:
        if command in COMMANDS:
            return _run(command, argv[1:])
        if command == "--version":
            print(f"videmo {videmo.__version__}")
        elif command in ("--help", "-h"):
            show_overview()
        else:
            raise InputError(or_meant(f"no command {command}", COMMANDS) + f"; there are {', '.join(COMMANDS)}")
    except Exception as error:
        found = _sentence(error, command)
        if found is None:
            raise
        code, text = found
        print(text, file=sys.stderr)
        return code
    except (KeyboardInterrupt, SystemExit) as ending:  # Lightning ends an interrupted run with status 1
        interrupted = isinstance(ending, KeyboardInterrupt) or isinstance(ending.__context__, KeyboardInterrupt)
        if said := [*(["interrupted"] if interrupted else []), *getattr(ending, "__notes__", ())]:
            print(f"videmo: {'; '.join(said)}", file=sys.stderr)
        if not interrupted:
            raise
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
