"""Every command of the README and of docs/ is one that the programs take: what they name exists, no option is unknown.

They are parsed by the real command line, in this process, and stop before anything is built. What needs GPUs, several
machines or packages that are not here is checked the same way, as options alone ask for none of them.
"""

import argparse
import re
import runpy
import sys
import tomllib

import jsonargparse
import pytest
from documented import PAGES, ROOT, SHELLS, Block, Command, blocks, commands, in_line, write_files

from videmo.arguments import spelled_out
from videmo.cli import COMMANDS, main
from videmo.models.sharding import refuse_what_cannot_be_cut
from videmo.plan.command import plan
from videmo.trainer import COMMANDS as TRAINER_COMMANDS
from videmo.trainer import ReadOptions, run_trainer

FOUND = list({command.words: command for page in PAGES for command in commands(page)}.values())
NOT_OURS = {"cd", "cp", "export", "git", "ls", "mkdir", "python3", "source", "tensorboard", "vllm"}
TARGETS = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


class Parsed(Exception):
    """The arguments were taken, and what would come next is not to."""


class Dry(ReadOptions):
    """The options of a run as values, without defaults. Its parser, which takes a second, is made once."""

    made: list[jsonargparse.ArgumentParser] = []  # noqa: RUF012 (of all runs)

    def setup_parser(self, *args, **kwargs) -> None:
        if not self.made:
            super().setup_parser(*args, **kwargs)
            self.made.append(self.parser)
        (self.parser,) = self.made

    def parse_arguments(self, parser, args) -> None:
        self.config = parser.parse_args(args, defaults=False)


def take_run(command: str, args: list[str]) -> None:
    """Parse the options of a trainer's command, and refuse what no GPU would need to refuse."""
    config = run_trainer([command, *spelled_out(command, args)], Dry).config[command].as_dict()
    strategy = config.get("trainer", {}).get("strategy")
    if isinstance(strategy, dict) and strategy["class_path"].endswith(("FSDP", "FSDP2")):
        model = config["model"]["init_args"]
        dtensor = strategy["class_path"].endswith("FSDP2")
        refuse_what_cannot_be_cut(model.get("quantization"), model.get("optimizer", "adamw"), dtensor)


def take_plan(args: list[str]) -> None:
    def parse(given):
        take_run("fit", list(given))
        raise Parsed

    with pytest.raises(Parsed):
        plan(args, parse, console=None)


def take_videmo(args: tuple[str, ...], capsys) -> None:
    name, *rest = args
    if name in TRAINER_COMMANDS:
        take_run(name, rest)
    elif name == "plan":
        take_plan(rest)
    elif name not in ("--help", "--version"):
        assert name in COMMANDS
        try:
            status = main([name, *rest, "--print_config"])
        except SystemExit as stop:
            status = stop.code
        said = capsys.readouterr()
        assert status == 0 and said.out, said.err


def take_tool(words: tuple[str, ...], monkeypatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tools")
    monkeypatch.setattr(sys, "argv", list(words))
    for parser in (argparse.ArgumentParser, jsonargparse.ArgumentParser):

        def take(self, *args, parse=parser.parse_args, **kwargs):
            parse(self, *args, **kwargs)
            raise Parsed

        monkeypatch.setattr(parser, "parse_args", take)
    with pytest.raises(Parsed):
        runpy.run_path(str(ROOT / words[0]), run_name="__main__")


def of(start: str) -> list:
    """The commands whose program starts so, by the place where each stands first."""
    found = [command for command in FOUND if command.program.startswith(start)]
    return [pytest.param(command, id=f"{command.block.place} {' '.join(command.words)[:50]}") for command in found]


@pytest.mark.parametrize("command", of("videmo"))
def test_every_videmo_command_parses(command: Command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # shipped configs are found from anywhere; others stand on the page
    write_files(command.block.page, tmp_path)
    take_videmo(command.words[1:], capsys)


@pytest.mark.parametrize("command", of("tools/"))
def test_every_tool_takes_its_options(command: Command, monkeypatch):
    take_tool(command.words, monkeypatch)


@pytest.mark.parametrize("command", of("make"))
def test_every_make_target_exists(command: Command):
    assert set(command.words[1:]) <= TARGETS


@pytest.mark.parametrize("command", of("pip"))
def test_what_pip_installs_of_ours_exists(command: Command):
    for extras in re.findall(r"(?:videmo|\.)\[([\w,]+)\]", " ".join(command.words)):
        assert set(extras.split(",")) <= EXTRAS.keys()
    for option, file in zip(command.words, command.words[1:], strict=False):
        assert option != "--constraint" or (ROOT / file).is_file()


def test_no_command_goes_unchecked():
    starts = tuple(NOT_OURS | {"videmo", "make", "pip", "tools/"})
    unknown = [f"{one.block.place}: {one.program}" for one in FOUND if not one.program.startswith(starts)]
    assert not unknown, "no test knows how to check these programs"
    kinds = {block.kind: block.place for page in PAGES for block in blocks(page)}
    for kind in ("shell", "zsh", "shell-session"):
        assert kind not in kinds, f"{kinds[kind]}: {kind} is not checked; write one of {SHELLS}"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("videmo fit --config configs/sft.yaml --data.no_such=1", "no_such"),
        ("videmo fit --config configs/no_such.yaml", "no_such.yaml"),
        ("videmo fit --config configs/sft.yaml --model.init_args.no_such=1", "no_such"),
        ("videmo plan --config configs/sft.yaml --gpu_memories 24", "gpu_memories"),
        ("torchrun --nproc-per-node 8 -m videmo fit --config configs/sft.yaml --trainer.no_such=4", "no_such"),
        (
            "videmo fit --config configs/sft.yaml --config configs/lora.yaml --config configs/qlora.yaml "
            "--config configs/trainer/fsdp2.yaml",
            "4-bit weights cannot be sharded",
        ),
        ("videmo check data --no_such 1", "no_such"),
        ("videmo no_such", "no_such"),
    ],
)
def test_a_wrong_videmo_command_fails(line, reason, capsys):
    ((_, *args),) = in_line(line)
    with pytest.raises(Exception, match=reason):
        take_videmo(tuple(args), capsys)


@pytest.mark.parametrize("tool", ["bench_ted", "kill_and_resume"])
def test_a_wrong_option_of_a_tool_fails(tool, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        take_tool((f"tools/{tool}.py", "--no_such", "1"), monkeypatch)
    assert "no_such" in capsys.readouterr().err


def test_a_files_first_line_is_a_command_of_its_page(tmp_path):
    text = "```yaml\n# videmo reason --config search.yaml\nckpt: model\n```\n"
    page = tmp_path / "page.md"
    page.write_text(text)
    block = Block(page, 2, "yaml", "# videmo reason --config search.yaml\nckpt: model\n")
    assert list(commands(page)) == [Command(block, ("videmo", "reason", "--config", "search.yaml"))]
    write_files(page, tmp_path)
    assert (tmp_path / "search.yaml").read_text() == block.text
