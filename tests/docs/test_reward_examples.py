"""The rewards of docs/rewards.md: each list of them is a mixture, and the one of a user's own trains by its config."""

import pytest
import yaml
from documented import DOCS, texts, write_files
from jsonargparse import ArgumentParser

from videmo.cli import main
from videmo.rewards import RewardMixture, RewardTerm

LISTS = [found for text in texts(DOCS / "rewards.md", "yaml") if "rewards" in (found := yaml.safe_load(text))]


@pytest.mark.parametrize("number", range(len(LISTS)))
def test_every_list_of_rewards_is_a_mixture(number):
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--rewards", type=list[RewardTerm])
    terms = parser.instantiate_classes(parser.parse_object(LISTS[number])).rewards
    assert len(RewardMixture(terms).terms) == len(LISTS[number]["rewards"]) >= 3


def test_a_reward_of_ones_own_is_named_in_a_config_beside_the_shipped_one(tmp_path, monkeypatch, capsys):
    write_files(DOCS / "rewards.md", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["fit", "--config=configs/grpo.yaml", "--config=my_grpo.yaml", "--print_config"])
    said = capsys.readouterr()
    assert stop.value.code == 0, said.err
    terms = yaml.safe_load(said.out)["model"]["init_args"]["rewards"]
    own = yaml.safe_load((tmp_path / "my_grpo.yaml").read_text())["model"]["init_args"]["rewards"]
    assert [term["reward"]["class_path"] for term in terms] == [term["reward"]["class_path"] for term in own]
    assert terms[2]["reward"]["init_args"] == {"least": 1} and terms[2]["weight"] == 0.25
    assert terms[1]["reward"]["init_args"]["judge"] is None
