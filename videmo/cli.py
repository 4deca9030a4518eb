"""The command line: Lightning's fit, validate and test on YAML configs, and the project's own commands beside them.

videmo fit --config configs/demo/sft.yaml --trainer.max_steps=5
videmo demo --out runs/demo
"""

import logging
import shutil
import sys
import warnings
from argparse import ArgumentError
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import lightning as L
import torch
from jsonargparse import auto_cli, set_parsing_settings
from lightning.pytorch.cli import LightningCLI, SaveConfigCallback
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from rich.console import Console
from rich.table import Table

import videmo
from videmo.app.command import app
from videmo.arguments import NAMED, spelled_out
from videmo.benchmark import results_table
from videmo.check.command import check
from videmo.compare.command import compare
from videmo.curate.command import curate
from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.records import read_records
from videmo.data.sampling import VideoSettings
from videmo.doctor.command import doctor
from videmo.errors import InputError, check_positive
from videmo.export.command import export
from videmo.models.tiny import make_tiny
from videmo.reason.command import reason
from videmo.reasoning import SearchSettings
from videmo.report import write_report
from videmo.score.command import score
from videmo.synth import Plan, find_preset, synthesize
from videmo.tables.command import tables
from videmo.tasks import use_tasks_of
from videmo.training import VidEmoModule
from videmo.training.checkpoints import check_checkpoint, check_kind, hold, kept, last_checkpoint
from videmo.training.tower import pretrain_tower

# Lightning advertises a hosted service at every start; that line says nothing about the run.
logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(lambda line: "litlogger" not in line.getMessage())
warnings.filterwarnings(
    "ignore",
    message=".*(flops_per_batch|LeafSpec|does not have many workers|eval mode at the start|predict returned None).*",
)
# Metrics are gathered before they are logged; to reduce each once more would be a collective a task.
warnings.filterwarnings("ignore", message=".*when logging on epoch level in distributed setting.*")
set_parsing_settings(docstring_parse_attribute_docstrings=True)
# Holds configs/, in the repository and where a wheel is installed.
SHIPPED = Path(videmo.__file__).resolve().parent.parent
TINY_VIDEO = VideoSettings(max_frames=4, min_pixels=84 * 84, max_pixels=84 * 84)  # as configs/demo has it
TRAINER_COMMANDS = {
    "fit": "train from a YAML config",
    "validate": "loss and exact answers on the validation split",
    "test": "answer the benchmark, write predictions, scores and the table",
    "predict": "answer the benchmark's questions, and score nothing",
}
ANSWERING = ("test", "predict")


class VidEmoCLI(LightningCLI):
    """LightningCLI with one checkpoint for model and data, and the benchmark's table after a test."""

    def add_arguments_to_parser(self, parser) -> None:
        for name in ("checkpoint", "revision", "local_files_only"):
            parser.link_arguments(f"model.init_args.{name}", f"data.{name}")
        parser.add_argument(
            "--reasoning",
            type=SearchSettings | None,
            default=None,
            help="In test and predict, search over the affective tree for each answer (--reasoning.n=8).",
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        known = LightningCLI.subcommands()
        return {name: known[name] for name in TRAINER_COMMANDS}

    def parse_arguments(self, parser, args) -> None:
        self.config = parser.parse_args(args)

    def before_fit(self) -> None:
        """A run that does not resume must not write over another, and no two write into one folder at a time.

        Raises:
            InputError: If its folder holds a run, or one is writing into it.
        """
        run = Path(self.trainer.default_root_dir)
        last = kept(last_checkpoint(run))
        if self.config.fit.ckpt_path is None:
            if last.exists():
                raise InputError(
                    f"{run} holds a run already: resume it with --ckpt_path={last}, or give another "
                    "--trainer.default_root_dir"
                )
            if (run / "curriculum.json").exists():
                raise InputError(
                    f"{run} holds the best weights of a run's stages (curriculum.json), though not its last.ckpt: give "
                    "another --trainer.default_root_dir, or remove what is there"
                )
        if self.trainer.is_global_zero:
            self._held = hold(run)  # as long as this object lives

    def instantiate_classes(self) -> None:
        super().instantiate_classes()
        if self.subcommand in ANSWERING and (search := self.config_init[self.subcommand].reasoning):
            search.check()
            self.model.reasoning = search
        check_kind(self.config[self.subcommand].ckpt_path, self.trainer.strategy)

    def _parse_ckpt_path(self) -> None:
        """Configs and options say what is built; Lightning would let a checkpoint's old arguments override them."""

    def before_instantiate_classes(self) -> None:
        settings = self.config[self.subcommand]
        use_tasks_of(settings.data.root)  # before a model whose rewards may name them
        if settings.reasoning and self.subcommand not in ANSWERING:
            raise InputError(
                f"--reasoning is how {' and '.join(ANSWERING)} find answers; {self.subcommand} has no use for it"
            )
        if settings.trainer.precision is None:
            bf16 = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
            settings.trainer.precision = "bf16-mixed" if bf16 else "32-true"
        if settings.weights_only is None:
            settings.weights_only = True  # a checkpoint from elsewhere must not run code
        if settings.data.curriculum and settings.trainer.max_epochs is None:
            settings.trainer.max_epochs = -1  # the curriculum says how many; Lightning would warn of its own default
        if self.subcommand != "fit" and settings.ckpt_path is None:  # what the run would start from
            settings.ckpt_path = settings.model.init_args.get("start_from")
        if settings.ckpt_path == "last":
            settings.ckpt_path = str(last_checkpoint(settings.trainer.default_root_dir or "."))
        if "deepspeed" in str(settings.trainer.strategy).lower() and find_spec("deepspeed") is None:
            raise InputError("trainer.strategy is DeepSpeed's, which is not installed: `pip install deepspeed`")
        for name in ("accumulate_grad_batches", "val_check_interval"):  # Lightning would divide by 0
            if isinstance(value := settings.trainer[name], int | float):
                check_positive(f"trainer.{name}", value)
        check_checkpoint(settings.ckpt_path, settings.weights_only, resuming=self.subcommand == "fit")


class ReadOptions(VidEmoCLI):
    """The options of a run, as values; nothing is built."""

    def _set_seed(self) -> None:
        pass

    def before_instantiate_classes(self) -> None:
        pass

    def instantiate_classes(self) -> None:
        pass

    def _run_subcommand(self, subcommand: str) -> None:
        pass


class SaveConfig(SaveConfigCallback):
    """Lightning's, only later: a run that a checkpoint refuses leaves the config of the run that it would resume."""

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        pass

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        super().setup(trainer, pl_module, "fit")


def results_console() -> Console:
    """A console for tables: as wide as the terminal, and 100 columns where the output is a file or a pipe."""
    return Console() if sys.stdout.isatty() else Console(width=100)


def show_results(cli: VidEmoCLI, command: str) -> None:
    """Print the table of a finished test, and where its files are."""
    if command == "test":
        results_console().print(results_table(cli.model.result))
    scores = " and benchmark.json" if command == "test" else ""
    print(f"predictions{scores} are in {cli.model.results_folder}")


def run_trainer(args: Sequence[str], cli: type[VidEmoCLI] = VidEmoCLI) -> VidEmoCLI:
    """Run one of `TRAINER_COMMANDS` with the arguments of the command line, and return its objects.

    A config path that does not exist is looked up among the shipped ones, so that ``configs/demo/sft.yaml`` works from
    anywhere.
    """
    return cli(
        VidEmoModule,
        EmoCFGDataModule,
        subclass_mode_model=True,
        auto_configure_optimizers=False,
        save_config_callback=SaveConfig if args[0] == "fit" else None,
        save_config_kwargs={"overwrite": True},
        trainer_defaults={"use_distributed_sampler": False},
        parser_kwargs={"parser_mode": "omegaconf+", "exit_on_error": False, "allow_abbrev": False},
        args=_with_shipped_configs(args),
    )


def _with_shipped_configs(args: Sequence[str]) -> list[str]:
    found = list(args)
    for i, arg in enumerate(found):
        option, given, value = arg.partition("=")
        follows = i > 0 and found[i - 1] in ("--config", "-c")
        path = value if option in ("--config", "-c") and given else arg if follows else None
        if path and not Path(path).is_file() and (SHIPPED / path).is_file():
            found[i] = f"{option}={SHIPPED / path}" if given else str(SHIPPED / path)
    return found


def synth(
    out: str,
    preset: str | None = None,
    videos: int | None = None,
    seed: int | None = None,
    look: Literal["clear", "hard"] | None = None,
    workers: int | None = None,
) -> None:
    """Draw a world of moving faces in the release's layout: mp4 files, questions, answers.

    Args:
        out: Folder to write; it must be empty, or hold the same world.
        preset: A frozen world, demo-v1 or bench-v1 (harder: fainter expressions, noise, things before the face), whose
            name and content hash stand in every result. demo-v1 where nothing else is given.
        videos: For a world of your own, clips over all splits; 1800 by default.
        seed: Seed of everything that is drawn in a world of your own; 0 by default.
        look: clear or hard, for a world of your own; clear by default.
        workers: Processes that draw; all cores by default.
    """
    own = {name: value for name, value in (("videos", videos), ("seed", seed), ("look", look)) if value is not None}
    if preset is not None and own:
        raise InputError(f"a preset is frozen: give --preset or --{' --'.join(own)}, not both")
    if workers is not None and workers < 1:
        raise InputError(f"--workers must be at least 1, got {workers}")
    plan = Plan(**{"videos": 1800, **own}) if own else find_preset(preset or "demo-v1")
    summary = synthesize(Path(out), plan, workers)
    splits = ", ".join(f"{count} {split}" for split, count in summary.videos.items())
    named = f"{plan.preset}, " if plan.preset else ""
    print(f"a drawn world of {plan.videos} clips ({named}{splits}; test set {summary.content['test']}) is in {out}")


def tiny(
    data: str,
    out: str,
    hidden_size: int = 128,
    layers: int = 2,
    pretrain_epochs: int = 8,
    video: VideoSettings = TINY_VIDEO,
    seed: int = 0,
) -> None:
    """Make a tiny Qwen2.5-VL for a data folder: its tokenizer and its vision tower have seen the training split.

    Args:
        data: Data folder; the text of its training files makes the tokenizer, their closed answers the tower.
        out: Hugging Face folder to write.
        hidden_size: Width of the language model and the vision tower, a multiple of 32.
        layers: Layers of each.
        pretrain_epochs: Passes over the training clips for the vision tower; 0 leaves it random.
        video: How frames are sampled and sized while it is pretrained.
        seed: Seed of the weights.
    """
    if hidden_size % 32 or hidden_size <= 0:
        raise InputError(f"hidden_size must be a multiple of 32 (the width of a head), got {hidden_size}")
    use_tasks_of(data)
    files = sorted(Path(data).glob("jsons/train/*/full/*.json"))
    if not files:
        raise InputError(f"no training files jsons/train/*/full/*.json in {data}; `videmo synth {data}` makes some")
    records = [record for file in files for record in read_records(file)]
    texts = [message.content for record in records for message in record.messages]
    with TemporaryDirectory(dir=Path(out).parent if Path(out).parent.is_dir() else None) as work:
        folder = make_tiny(texts, Path(work) / "tiny", hidden_size=hidden_size, layers=layers, seed=seed)
        if pretrain_epochs:
            right = pretrain_tower(folder, records, Path(data) / "videos", video, epochs=pretrain_epochs, seed=seed)
            print(f"the vision tower tells {100 * right:.0f}% of the training clips' single choices")
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder, out, dirs_exist_ok=True)
    print(f"a tiny Qwen2.5-VL is in {out}")


def _demo() -> Callable:
    from videmo.demo import demo

    return demo


def _stats() -> Callable:
    from videmo.stats.command import stats  # Matplotlib takes half a second to load

    return stats


def report(run: str, out: str | None = None) -> None:
    """Write report.html, one self-contained page, from a run folder.

    Args:
        run: The folder that `videmo fit` and `videmo test` wrote into (the trainer's default_root_dir).
        out: The page; RUN/report.html by default.
    """
    print(f"the report is {write_report(Path(run), Path(out) if out else None)}")


def run_plan(args: Sequence[str]) -> int:
    """What a run of ``fit`` with these arguments would need."""
    from videmo.plan.command import plan

    return plan(args, lambda given: run_trainer(["fit", *given], ReadOptions).config.fit.as_dict(), results_console())


COMMANDS: dict[str, tuple[str, Callable[[], Callable]]] = {
    "demo": ("the whole path on drawn faces: draw, train, test, table", _demo),
    "synth": ("draw a world of faces to train on", lambda: synth),
    "tiny": ("make a tiny random Qwen2.5-VL", lambda: tiny),
    "curate": ("make instruction data from your videos, by labels or by models that vote", lambda: curate),
    "check": ("find every bad record and video of a data folder", lambda: check),
    "score": ("score answers on disk by rules or a judge, no model loaded", lambda: score),
    "compare": ("two methods side by side, and the answers that flipped", lambda: compare),
    "reason": ("why the person in a video feels what: search over the affective tree", lambda: reason),
    "app": ("the same as a page on this machine: drop a clip, ask, see the tree grow", lambda: app),
    "export": ("a run's checkpoint as a folder for transformers, peft, vLLM, ms-swift", lambda: export),
    "doctor": ("what this machine has; with --ckpt, whether we compute what transformers does", lambda: doctor),
    "report": ("one page of a run: scores, curves, samples", lambda: report),
    "stats": ("the pictures of a dataset: tasks, videos, words, labels, perplexity", _stats),
    "tables": ("the paper's tables with rows of yours, in four formats", lambda: tables),
}


def show_overview() -> None:
    """Print the commands, a line each."""
    table = Table(box=None, show_header=False, padding=(0, 2))
    for name, line in TRAINER_COMMANDS.items():
        table.add_row(name, line)
    table.add_row("plan", "memory, tokens, steps and time of a fit, before it is launched")
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
    while cause is not None:
        if isinstance(cause, (InputError, MisconfigurationException)):
            return 1, f"videmo: {cause}"
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    if isinstance(error, ArgumentError):
        return 2, f"videmo {command}: {error}\n`videmo {command} --help` lists the options"
    return None


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of ``videmo``; returns the exit status."""
    argv = list(sys.argv[1:] if argv is None else argv)
    command = argv[0] if argv else "--help"
    try:
        if command in TRAINER_COMMANDS:
            cli = run_trainer([command, *spelled_out(command, argv[1:])])
            if command in ANSWERING and cli.trainer.is_global_zero:
                show_results(cli, command)
        elif command == "plan":
            return run_plan(argv[1:])
        elif command in COMMANDS:
            function, args = COMMANDS[command][1](), spelled_out(command, argv[1:])
            parser = {"prog": f"videmo {command}", "allow_abbrev": False}
            return auto_cli(function, args=args, as_positional=command not in NAMED, **parser) or 0
        elif command == "--version":
            print(f"videmo {videmo.__version__}")
        elif command in ("--help", "-h"):
            show_overview()
        else:
            known = ", ".join([*TRAINER_COMMANDS, "plan", *COMMANDS])
            raise InputError(f"no command {command!r}; there are {known}")
    except Exception as error:
        found = _sentence(error, command)
        if found is None:
            raise
        code, text = found
        print(text, file=sys.stderr)
        return code
    except (KeyboardInterrupt, SystemExit) as ending:  # Lightning ends an interrupted run with status 1
        if isinstance(ending, SystemExit) and not isinstance(ending.__context__, KeyboardInterrupt):
            raise
        print("videmo: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
