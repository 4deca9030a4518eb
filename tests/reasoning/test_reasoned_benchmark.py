"""`videmo test --reasoning.n` and `videmo predict`: the same columns, what they cost, and two processes as one."""

import json
import os
from functools import partial
from pathlib import Path

import lightning as L
import pytest
import torch
from lightning.pytorch.strategies import DDPStrategy
from ranks import free_port, run_ranks

from videmo.cli import main
from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.sampling import VideoSettings
from videmo.reasoning import SearchSettings
from videmo.training import SFTModule
from videmo.training.strategies import FSDP2

STRATEGIES = {"ddp": partial(DDPStrategy, process_group_backend="gloo"), "fsdp2": FSDP2}
SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)
FILES = [f"jsons/test/*/full/{name}.json" for name in ("DFEW_*", "AffWild2*", "MEAD_ID", "QA_test_sampling_all_Hair")]
LENGTH = 6


@pytest.fixture
def command(world, world_checkpoint, tmp_path):
    """A function that runs `test` or `predict` under a name, and returns the folder of what it wrote."""

    def run(command: str, name: str, *args: str) -> Path:
        options = [
            "--config=configs/demo/sft.yaml",
            f"--trainer.default_root_dir={tmp_path}",
            f"--model.init_args.checkpoint={world_checkpoint}",
            f"--model.init_args.max_new_tokens={LENGTH}",
            f"--model.init_args.method={name}",
            f"--data.root={world}",
            f"--data.test={json.dumps(FILES)}",
            "--data.video.min_pixels=3136",
            "--data.video.max_pixels=3136",
            "--data.num_workers=0",
        ]
        assert main([command, *options, *args]) == 0
        return tmp_path / "results" / name

    return run


def answers_in(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.glob("*.json") if file.name != "benchmark.json"}


def test_a_test_that_reasons_fills_the_same_columns_and_says_what_it_cost(command, capsys):
    greedy = command("test", "greedy")
    reasoned = command("test", "reasoned", "--reasoning.n=2", "--reasoning.seed=5")
    said = capsys.readouterr().out
    assert "Answers found by tree search, n = 2, chosen by consensus:" in said.replace("\n", " ")
    before, after = (json.loads((folder / "benchmark.json").read_text()) for folder in (greedy, reasoned))
    assert before["columns"].keys() == after["columns"].keys() and before["counts"].keys() == after["counts"].keys()
    about = after["generation"]
    assert about["n"] == 2 and about["method"] == "tree" and about["seed"] == 5
    assert about["levels"].keys() == {"attribute", "expression"} and about["seconds_per_question"] > 0
    lines = [json.loads(line) for line in (reasoned / "reasoning.jsonl").read_text().splitlines()]
    assert len(lines) == sum(text.count("\n") for text in answers_in(reasoned).values())
    said = {one["answer"] for one in lines}
    assert said == {
        json.loads(line)["response"] for text in answers_in(reasoned).values() for line in text.splitlines()
    }
    steps = {json.dumps([one["videos"], step]): step for one in lines for step in one["steps"]}.values()
    drawn = sum(candidate["tokens"] for step in steps for candidate in step["candidates"])
    assert about["drawn_tokens_per_question"] == pytest.approx(drawn / len(lines))  # shared levels are counted once
    assert before["generation"]["drawn_tokens_per_question"] < about["drawn_tokens_per_question"]
    assert {*answers_in(reasoned)} == {*answers_in(greedy)} and not (greedy / "reasoning.jsonl").exists()


def test_predict_answers_as_the_test_does_and_scores_nothing(command, capsys):
    greedy, tested = command("predict", "greedy"), command("test", "tested")
    assert answers_in(greedy) == answers_in(tested)
    assert not (greedy / "benchmark.json").exists()
    assert "predictions of " in capsys.readouterr().out
    flat = command("predict", "flat", "--reasoning.n=1", "--reasoning.method=flat")
    assert [*map(without_logprobs, answers_in(flat).values())] == [*map(without_logprobs, answers_in(greedy).values())]
    reasoned, again = command("predict", "reasoned", "--reasoning.n=2"), command("test", "again", "--reasoning.n=2")
    assert answers_in(reasoned) == answers_in(again)
    assert (again / "benchmark.json").is_file()
    command("predict", "again")
    assert not (again / "benchmark.json").exists() and not (again / "scores.jsonl").exists()


def without_logprobs(text: str) -> list[dict]:
    return [{**json.loads(line), "logprobs": None} for line in text.splitlines()]


def test_a_setting_of_the_search_that_makes_no_sense_ends_in_a_sentence(command, capsys):
    for option, says in (("--reasoning.n=0", "n, the candidates"), ("--reasoning.beam=9", "beam, the candidates")):
        with pytest.raises(AssertionError):
            command("test", "odd", option)
        assert says in capsys.readouterr().err


def answer(folder: Path, world: Path, checkpoint: Path, **options) -> None:
    L.seed_everything(0, verbose=False)
    data = EmoCFGDataModule(
        str(world), str(checkpoint), test=FILES, video=SMALL, num_workers=0, eval_batch_size=7, val=[]
    )
    module = SFTModule(str(checkpoint), max_new_tokens=LENGTH, results_dir=str(folder))
    module.reasoning = SearchSettings(n=2)
    trainer = L.Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        **options,
    )
    trainer.test(module, data, verbose=False)


def one_rank(rank: int, port: int, strategy: str, *given) -> None:
    os.environ |= {"LOCAL_RANK": str(rank), "MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    answer(*given, devices=2, strategy=STRATEGIES[strategy]())


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_two_processes_answer_as_one(strategy, world, world_checkpoint, tmp_path):
    """Also where the model is cut, and one has fewer questions, or none that ask beyond attributes."""
    answer(tmp_path / "alone", world, world_checkpoint)
    with free_port() as port:
        run_ranks(one_rank, [(port, strategy, tmp_path / "two", world, world_checkpoint)] * 2)
    alone, two = (tmp_path / name / "videmo" for name in ("alone", "two"))
    assert [*map(without_logprobs, answers_in(two).values())] == [*map(without_logprobs, answers_in(alone).values())]
    columns = [json.loads((folder / "benchmark.json").read_text())["columns"] for folder in (alone, two)]
    assert columns[0] == columns[1]
    assert len((two / "reasoning.jsonl").read_text().splitlines()) == len(
        (alone / "reasoning.jsonl").read_text().splitlines()
    )
