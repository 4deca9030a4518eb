"""The commands of the README and of docs/, as a shell would see them, and the files that stand beside them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from torch.distributed.run import get_args_parser

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(page for page in DOCS.glob("*.md") if page.name != "log.md")]
SHELLS = ("bash", "sh", "console")
_BLOCK = re.compile(r"^(?:`([^`\n]+)`:\n\n)?( *)(`{3,})([\w-]*)[^\n]*\n(.*?)^\2\3$", flags=re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"(^|\s)#\s.*")
_SETTING = re.compile(r"\w+=.*")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and the name that stands above it where it is a file."""

    page: Path
    line: int
    kind: str
    text: str
    file: str | None = None

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A program with its arguments, without what starts it (srun, torchrun, env) and what takes its output."""

    block: Block
    words: tuple[str, ...]

    @property
    def program(self) -> str:
        return self.words[0]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page; ``line`` is the first line of a block's text."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text[: found.start(5)].count("\n") + 1, found[4], dedent(found[5]), found[1])
        for found in _BLOCK.finditer(text)
    ]


def texts(page: Path, kind: str) -> list[str]:
    """What the blocks of a kind say, in order."""
    return [block.text for block in blocks(page) if block.kind == kind]


def commands(page: Path) -> Iterator[Command]:
    """What the shell blocks of a page run, and the first lines of its YAML blocks that say what launches them."""
    for block in blocks(page):
        if block.kind in SHELLS:
            lines = block.text.replace("\\\n", " ").splitlines()
            if block.kind == "console":
                lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
            for line in lines:
                yield from (Command(block, tuple(words)) for words in in_line(line))
        elif launched := launch_line(block):
            yield from (Command(block, tuple(words)) for words in in_line(launched))


def launch_line(block: Block) -> str | None:
    """The command in the first line of a YAML block, ``# videmo reason --config search.yaml``."""
    first = block.text.split("\n", 1)[0]
    return first.removeprefix("# ") if block.kind == "yaml" and first.startswith("# videmo ") else None


def write_files(page: Path, folder: Path) -> None:
    """Write each block that is a file: by the name above it, or YAML by the end of the line that launches it."""
    for block in blocks(page):
        if name := block.file or (launch_line(block) or "").rpartition(" ")[2]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(block.text, encoding="utf-8")


def in_line(line: str) -> Iterator[list[str]]:
    """The commands of one line of a shell, each as words.

    Example:
        >>> list(in_line("cd x && CUDA_VISIBLE_DEVICES=0 videmo fit --data.root='a b' > log.txt  # a comment"))
        [['cd', 'x'], ['videmo', 'fit', '--data.root=a b']]
        >>> list(in_line("srun --nodes=2 torchrun --nproc-per-node 8 -m videmo fit"))
        [['videmo', 'fit']]
        >>> list(in_line(".venv/bin/python tools/bench_ted.py --pairs 6 | tail"))
        [['tools/bench_ted.py', '--pairs', '6'], ['tail']]
    """
    lexer = shlex.shlex(_COMMENT.sub("", line), posix=True, punctuation_chars="&|;<>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word in ("&&", "||", "|", ";", "&"):
            if started := _started(words):
                yield started
            words = []
        else:
            words.append(word)


def _started(words: list[str]) -> list[str]:
    """The command that words start in the end."""
    for place, word in enumerate(words):
        if set(word) <= {"<", ">", "&"}:
            words = words[:place]
            break
    while words and _SETTING.fullmatch(words[0]):
        words = words[1:]
    if not words:
        return []
    program, *rest = [words[0].removeprefix(".venv/bin/"), *words[1:]]
    if program == "srun":
        while rest and rest[0].startswith("-"):
            rest = rest[1:]
        return _started(rest)
    if program == "torchrun":
        given = get_args_parser().parse_args(rest)
        return [given.training_script, *given.training_script_args]
    if program in ("python", "python3") and rest[:1] == ["-m"] and rest[1:2] == ["videmo"]:
        return rest[1:]
    if program in ("python", "python3") and rest and rest[0].startswith("tools/"):
        return rest
    return [program, *rest]
