"""What a misspelt option, value or config comes to: one line, with the place and what may have been meant."""

import pytest

from videmo.cli import main
from videmo.training.checkpoints import last_checkpoint

SFT = "--config=configs/sft.yaml"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            [SFT, "--model.init_args.learningrate=1"],
            "no option learningrate of SFTModule (did you mean learning_rate",
        ),
        ([SFT, "--model.init_args.vision.mode=lor"], "vision.mode: expected one of 'full', 'lora', 'frozen', got lor"),
        ([SFT, "--data.curriculum=[{name: a, epoch: 3}]"], "data.curriculum: no option epoch of Stage (did you mean "),
        ([SFT, "--model=foo"], "model: expected a class by its module and name, got foo"),
        (["--config=configs/own.yaml"], "required: --model; configs/sft.yaml and configs/grpo.yaml give a --model"),
    ],
)
def test_a_wrong_option_is_refused_in_a_line(options, says, capsys):
    assert main(["fit", *options]) == 2
    first, *others = capsys.readouterr().err.splitlines()
    assert says in first and others == ["`videmo fit --help` lists the options"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("trainer:\n  max_steps: 3\ndata:\n  curiculum: []\n", ":4: no option data.curiculum (did you mean data.curri"),
        ("data:\n  root: [a\n  seed: 3\n", ":3: no YAML: expected ',' or ']', but got ':'"),
    ],
)
def test_a_wrong_config_is_named_with_its_line(text, says, tmp_path, capsys):
    own = tmp_path / "own.yaml"
    own.write_text(text)
    assert main(["fit", SFT, "--config", str(own)]) == 2
    assert f"{own}{says}" in capsys.readouterr().err


def test_what_lightning_refuses_is_a_sentence(world, world_checkpoint, capsys):
    given = [f"--data.root={world}", f"--model.init_args.checkpoint={world_checkpoint}"]
    assert main(["fit", SFT, *given, "--trainer.strategy=ddpp"]) == 1
    assert "the trainer cannot be made: You selected an invalid strategy name" in capsys.readouterr().err


def test_a_scorer_is_one_of_those_that_there_are(capsys):
    assert main(["reason", "clip.mp4", "--ckpt=x", "--scorers", "likelyhood"]) == 1
    assert "no scorer likelyhood; there are consensus, likelihood, oracle" in capsys.readouterr().err


def test_where_a_run_lies_a_test_of_other_weights_says_so(tmp_path, caplog):
    last_checkpoint(tmp_path).parent.mkdir()
    last_checkpoint(tmp_path).touch()
    assert main(["test", SFT, f"--trainer.default_root_dir={tmp_path}", f"--data.root={tmp_path}/no"]) == 1
    assert f"and not those of the run {tmp_path}, which --ckpt_path=last takes" in caplog.text
