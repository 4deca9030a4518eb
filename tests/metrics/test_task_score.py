"""TaskScore, alone and on two gloo processes."""

import os
import tempfile

import pytest
import torch
import torch.distributed
import torch.multiprocessing

from videmo.metrics import MultilabelSampleF1, SingleLabelAccuracy, TaskScore
from videmo.tasks import find_task

UNITS = "AffWild2_Action_Unit_Detection"
RESPONSES = ["AU1, AU4", "none", "no idea", "", "AU12"]
REFERENCES = ["AU1", "none", "AU1", "AU2", "AU12"]
QUESTIONS = ["List the action units."] * 5
# By hand: 2/3, then 1 natively and 0 in the release, then two unread, then 1.
EXPECTED = {"native": 8 / 15, "release": 1 / 3, "asked": 5, "answered": 4, "unparsed": 2, "unscorable": 0}


def _values(metric: TaskScore) -> dict[str, float]:
    return {name: value.item() for name, value in metric.compute().items()}


def test_scores_and_denominators_worked_by_hand():
    metric = TaskScore(find_task(UNITS))
    metric.update(RESPONSES[:2], REFERENCES[:2], QUESTIONS[:2])
    metric.update(RESPONSES[2:], REFERENCES[2:], QUESTIONS[2:])
    assert _values(metric) == pytest.approx(EXPECTED)


def test_what_no_rule_can_score_leaves_the_mean_and_is_counted():
    metric = TaskScore(find_task("QA_Hair"))
    metric.update(["short", "short"], ["She has short hair.", "She has nice hair."], ["Describe it."] * 2)
    values = _values(metric)
    assert (values["native"], values["asked"], values["unscorable"]) == (1.0, 2, 1)


def test_without_samples_there_is_no_score():
    with pytest.warns(UserWarning):
        values = _values(TaskScore(find_task(UNITS)))
    assert values["asked"] == 0 and values["native"] != values["native"]


def _on_rank(rank: int, folder: str) -> None:
    torch.distributed.init_process_group("gloo", f"file://{folder}/store", world_size=2, rank=rank)
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (2, 31), generator=generator)
    sets = torch.rand(2, 31, 4, generator=generator) < 0.3
    part = slice(0, 20) if rank == 0 else slice(20, 31)
    accuracy, f1 = SingleLabelAccuracy(), MultilabelSampleF1()
    accuracy.update(labels[0, part], labels[1, part])
    f1.update(sets[0, part], sets[1, part])

    metric, lopsided = TaskScore(find_task(UNITS)), TaskScore(find_task(UNITS))
    mine = slice(0, 3) if rank == 0 else slice(3, 5)
    metric.update(RESPONSES[mine], REFERENCES[mine], QUESTIONS[mine])
    if rank == 0:  # the other rank has nothing
        lopsided.update(RESPONSES, REFERENCES, QUESTIONS)
    values = {
        "task": _values(metric),
        "lopsided": _values(lopsided),
        "accuracy": accuracy.compute().item(),
        "f1": f1.compute().item(),
        "expected_accuracy": (labels[0] == labels[1]).float().mean().item(),
        "expected_f1": MultilabelSampleF1(sync_on_compute=False)(*sets).item(),
    }
    torch.save(values, os.path.join(folder, f"{rank}.pt"))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


@pytest.mark.filterwarnings("ignore")
def test_two_processes_give_the_numbers_of_one():
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.start_processes(_on_rank, (folder,), nprocs=2, start_method="forkserver")
        for rank in range(2):
            values = torch.load(os.path.join(folder, f"{rank}.pt"), weights_only=True)
            assert values["task"] == pytest.approx(EXPECTED)
            assert values["lopsided"] == pytest.approx(EXPECTED)
            assert values["accuracy"] == pytest.approx(values["expected_accuracy"])
            assert values["f1"] == pytest.approx(values["expected_f1"])
