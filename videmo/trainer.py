"""Lightning's fit, validate, test and predict on YAML configs, and the plan of a fit.

videmo fit --config configs/demo/sft.yaml --trainer.max_steps=5
"""

import logging
import warnings
from argparse import ArgumentError
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.cli import LightningCLI, SaveConfigCallback

import videmo
from videmo.benchmark.table import results_table
from videmo.data.datamodule import EmoCFGDataModule
from videmo.errors import InputError, check_positive
from videmo.reasoning import SearchSettings
from videmo.refusals import in_config, or_meant
from videmo.tasks import use_tasks_of
from videmo.terminal import output
from videmo.training import VidEmoModule
from videmo.training.checkpoints import check_checkpoint, check_kind, hold, kept, last_checkpoint

# Lightning advertises a hosted service at every start; and of an interruption the command line speaks at the end.
logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(
    lambda line: not any(part in line.getMessage() for part in ("litlogger", "attempting graceful shutdown"))
)
warnings.filterwarnings(
    "ignore",
    message=".*(flops_per_batch|LeafSpec|does not have many workers|eval mode at the start|predict returned None).*",
)
# Metrics are gathered before they are logged; to reduce each once more would be a collective a task.
warnings.filterwarnings("ignore", message=".*when logging on epoch level in distributed setting.*")
# Holds configs/, in the repository and where a wheel is installed.
SHIPPED = Path(videmo.__file__).resolve().parent.parent
COMMANDS = ("fit", "validate", "test", "predict")
ANSWERING = ("test", "predict")
log = logging.getLogger(__name__)


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
        return {name: known[name] for name in COMMANDS}

    def parse_arguments(self, parser, args) -> None:
        try:
            self.config = parser.parse_args(args)
        except ArgumentError as error:
            command, options = args[0], self._subcommand_parsers[args[0]]._option_string_actions
            said = in_config(or_meant(error.message, options), [path for *_, path in _configs(args)], options)
            if said.startswith("the following arguments are required"):
                said = said.replace(f"{command}.", "--") + "; configs/sft.yaml and configs/grpo.yaml give a --model"
            error.message = said
            raise

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
                    f"{run} holds a run already: resume it with --ckpt_path=last, or give another "
                    "--trainer.default_root_dir"
                )
            if (run / "curriculum.json").exists():
                raise InputError(
                    f"{run} holds the best weights of a run's stages (curriculum.json), though not its last.ckpt: give "
                    "another --trainer.default_root_dir, or remove what is there"
                )
        if self.trainer.is_global_zero:
            self._held = hold(run)  # as long as this object lives

    def fit(self, **given) -> None:
        """Lightning's; an interrupted one says how it goes on."""
        try:
            self.trainer.fit(**given)
        except (KeyboardInterrupt, SystemExit) as ending:
            last = last_checkpoint(self.trainer.default_root_dir)
            if self.trainer.is_global_zero and kept(last).exists():
                ending.add_note(f"{last} is saved, and the same command with --ckpt_path=last goes on from it")
            raise

    def instantiate_classes(self) -> None:
        super().instantiate_classes()
        if self.subcommand in ANSWERING and (search := self.config_init[str(self.subcommand)].reasoning):
            search.check()
            self.model.reasoning = search
        check_kind(self.config[str(self.subcommand)].ckpt_path, self.trainer.strategy)

    def instantiate_trainer(self, **kwargs) -> L.Trainer:
        try:
            return super().instantiate_trainer(**kwargs)
        except InputError:
            raise
        except (TypeError, ValueError) as error:  # Lightning's, of names that it does not know
            raise InputError(f"the trainer cannot be made: {error}") from None

    def _parse_ckpt_path(self) -> None:
        """Configs and options say what is built; Lightning would let a checkpoint's old arguments override them."""

    def before_instantiate_classes(self) -> None:
        settings = self.config[str(self.subcommand)]
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
        last = last_checkpoint(settings.trainer.default_root_dir or ".")
        if self.subcommand != "fit" and settings.ckpt_path is None and kept(last).exists():
            log.warning(
                "no --ckpt_path: the weights are %s's, and not those of the run %s, which --ckpt_path=last takes",
                settings.model.init_args.checkpoint,
                last.parent.parent,
            )
        if settings.ckpt_path == "last":
            settings.ckpt_path = str(last)
        if "deepspeed" in str(settings.trainer.strategy).lower() and find_spec("deepspeed") is None:
            raise InputError("trainer.strategy is DeepSpeed's, which is not installed: `pip install deepspeed`")
        for name in ("accumulate_grad_batches", "val_check_interval"):  # Lightning would divide by 0
            if isinstance(value := settings.trainer[name], int | float):
                check_positive(f"trainer.{name}", value)
        check_checkpoint(settings.ckpt_path, settings.weights_only, resuming=self.subcommand == "fit")


class ReadOptions(VidEmoCLI):
    """The options of a run, as values; nothing is built."""

    def _run_subcommand(self, subcommand: str = "") -> None:
        pass

    _set_seed = before_instantiate_classes = instantiate_classes = _run_subcommand


class SaveConfig(SaveConfigCallback):
    """Lightning's, only later: a run that a checkpoint refuses leaves the config of the run that it would resume."""

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        pass

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        super().setup(trainer, pl_module, "fit")


def run_trainer(args: Sequence[str], cli: type[VidEmoCLI] = VidEmoCLI) -> VidEmoCLI:
    """Run one of `COMMANDS` with the arguments of the command line, and return its objects.

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
    for place, before, path in _configs(args):
        if not Path(path).is_file() and (SHIPPED / path).is_file():
            found[place] = f"{before}{SHIPPED / path}"
    return found


def _configs(args: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """The config files among arguments: the place of each, what stands there before its path, and the path."""
    for place, arg in enumerate(args):
        option, given, path = arg.partition("=")
        if option in ("--config", "-c") and path:
            yield place, option + given, path
        elif place and args[place - 1] in ("--config", "-c"):
            yield place, "", arg


def run(command: str, args: Sequence[str]) -> int:
    """Run one of `COMMANDS`, or ``plan``, and print what it came to; returns the exit status."""
    if command == "plan":
        from videmo.plan.command import plan

        return plan(args, lambda given: run_trainer(["fit", *given], ReadOptions).config.fit.as_dict(), output())
    cli = run_trainer([command, *args])
    if not cli.trainer.is_global_zero:
        return 0
    if command in ANSWERING:
        if command == "test":
            output().print(results_table(cli.model.result))
        scores = " and benchmark.json" if command == "test" else ""
        of = cli.config[command].ckpt_path or cli.model.hparams.checkpoint
        print(f"predictions{scores} of {of} are in {cli.model.results_folder}")
    elif command == "fit" and kept(last := last_checkpoint(cli.trainer.default_root_dir)).exists():
        print(f"the weights are in {last}: --ckpt_path=last takes them in `videmo test`, --ckpt in `videmo export`")
    return 0
