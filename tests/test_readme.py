"""The README is true: its commands parse, its tree names what is there."""

import re
import shlex
from pathlib import Path

import pytest

from videmo.cli import COMMANDS, TRAINER_COMMANDS, main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
COMMAND_LINES = [
    line.split("  #")[0].strip()
    for kind, block in BLOCKS
    if kind == "bash"
    for line in block.replace("\\\n", " ").splitlines()
    if line.strip() and not line.startswith("#")
]
TREE = next(block for kind, block in BLOCKS if kind == "text" and "videmo/" in block)


@pytest.mark.parametrize("line", [line for line in COMMAND_LINES if line.startswith("videmo ")])
def test_every_videmo_command_parses(line, capsys):
    args = shlex.split(line)[1:]
    assert args[0] in {*TRAINER_COMMANDS, *COMMANDS, "plan", "--help"}
    if args[0] == "--help":
        return
    with pytest.raises(SystemExit) as stop:
        main([*args, "--print_config"])
    assert stop.value.code == 0, capsys.readouterr().err


def test_every_make_target_exists():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {line.split()[1] for line in COMMAND_LINES if line.startswith("make ")}
    assert named >= {"demo", "test"}
    assert named <= targets


def test_every_tool_and_file_named_in_a_command_exists():
    for line in COMMAND_LINES:
        for word in shlex.split(line):
            if word.startswith(("tools/", "configs/")):
                assert (ROOT / word).is_file(), line


def tree_paths(text: str) -> list[str]:
    """Paths of an indented tree whose folders end in a slash."""
    found, stack = [], []
    for line in text.splitlines():
        name = line.strip().split("  ")[0]
        if not name:
            continue
        depth = (len(line) - len(line.lstrip())) // 2
        stack = [*stack[:depth], name]
        found.append("".join(stack))
    return found


def test_the_tree_names_every_module_and_nothing_else():
    named = set(tree_paths(TREE))
    for path in named:
        assert (ROOT / path).exists(), f"the README's tree names {path}, which is not there"
    shown = [*ROOT.glob("videmo/**/*.py"), *ROOT.glob("callbacks/*.py"), *ROOT.glob("tools/*.py")]
    for path in shown:
        if path.name != "__init__.py":
            assert str(path.relative_to(ROOT)) in named, f"{path.relative_to(ROOT)} is missing in the README's tree"
