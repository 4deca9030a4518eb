"""Two processes (gloo) with parts of any size give the numbers of one, to the last count."""

from pathlib import Path

import pytest
import torch
from ranks import meet, run_ranks
from sklearn.metrics import accuracy_score, f1_score, recall_score
from torch.testing import assert_close

from videmo.metrics import UNPARSED, CaptionRougeL, LabelConfusion, LabelF1, MultilabelSampleF1, TaskScore
from videmo.metrics import confusion_figures as figures_of
from videmo.tasks import find_task

N, C, L = 31, 5, 6
SPLITS = {"uneven": 20, "one rank has nothing": N}  # how many of the samples the first rank has
EMOTION, UNITS, CAPTION = map(
    find_task,
    ("DFEW_Single-Label-Emotion-Recognition", "AffWild2_Action_Unit_Detection", "CelebV-Text_Emotion-Caption"),
)


def data() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    preds, target = torch.randint(C, (2, N), generator=generator)
    pred_sets, target_sets = torch.rand(2, N, L, generator=generator) < 0.3
    parsed = torch.rand(N, generator=generator) < 0.8
    preds = preds.masked_fill(~parsed, UNPARSED)
    return {"preds": preds, "target": target, "pred_sets": pred_sets, "target_sets": target_sets, "parsed": parsed}


def texts(task, preds: list, target: list) -> tuple[list[str], list[str], list[str]]:
    """Responses, references and questions that name labels by their places; None cannot be read."""

    def name(places) -> str:
        places = [places] if isinstance(places, int) else places
        return ", ".join(task.labels[place] for place in places) or "none"

    responses = ["who knows" if places is None else name(places) for places in preds]
    return responses, [name(places) for places in target], ["Which?"] * len(preds)


def computed(part: slice) -> dict[str, object]:
    """What every module says of a part of the data, which may be empty."""
    given = {name: values[part] for name, values in data().items()}
    parsed = given["parsed"].tolist()
    sets = [[row.nonzero()[:, 0].tolist() for row in given[name]] for name in ("pred_sets", "target_sets")]
    sets[0] = [row if read else None for row, read in zip(sets[0], parsed, strict=True)]
    labels = [None if p == UNPARSED else p for p in given["preds"].tolist()], given["target"].tolist()
    captions = [f"She is {'very ' * place}sad." for place in given["target"].tolist()]
    updates = {
        "confusion": (LabelConfusion(C), (given["preds"], given["target"])),
        "label_f1": (LabelF1(L), (given["pred_sets"], given["target_sets"], given["parsed"])),
        "sample_f1": (MultilabelSampleF1(), (given["pred_sets"], given["target_sets"])),
        "rouge": (CaptionRougeL(), (captions, ["She is sad."] * len(captions))),
        "emotion": (TaskScore(EMOTION), texts(EMOTION, *labels)),
        "units": (TaskScore(UNITS), texts(UNITS, *sets)),
        "caption": (TaskScore(CAPTION), (captions, captions, captions)),
    }
    for metric, batch in updates.values():
        if len(batch[0]):
            metric.update(*batch)
    return {name: metric.compute() for name, (metric, _) in updates.items()}


def _compute(rank: int, folder: Path) -> None:
    meet(rank, folder)
    parts = {name: slice(0, first) if rank == 0 else slice(first, N) for name, first in SPLITS.items()}
    torch.save({name: computed(part) for name, part in parts.items()}, folder / f"{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_ranks_say_what_one_says_and_scikit_learn(tmp_path):
    run_ranks(_compute, [(tmp_path,)] * 2)
    expected = computed(slice(0, N))
    for rank in (0, 1):
        found = torch.load(tmp_path / f"{rank}.pt")
        for split in SPLITS:
            assert_close(found[split], expected, equal_nan=True, msg=lambda text, at=(rank, split): f"{at}: {text}")
            for name in ("confusion", "emotion", "units", "label_f1"):  # from counts: not a bit differs
                assert_close(found[split][name], expected[name], equal_nan=True, rtol=0, atol=0)

    given = data()
    truth, answers = given["target"].tolist(), [C if p == UNPARSED else p for p in given["preds"].tolist()]
    figures = figures_of(expected["confusion"])
    assert figures["war"].item() == pytest.approx(accuracy_score(truth, answers))
    recall = recall_score(truth, answers, labels=sorted(set(truth)), average="macro")
    assert figures["uar"].item() == expected["emotion"]["uar"].item() == pytest.approx(recall)
    sets = given["target_sets"].numpy(), (given["pred_sets"] & given["parsed"][:, None]).numpy()
    for average in ("macro", "micro"):
        f1 = f1_score(*sets, average=average, zero_division=0)
        assert expected["label_f1"][f"{average}_f1"].item() == pytest.approx(f1, abs=1e-6)
    assert expected["units"]["micro_f1"].item() == pytest.approx(f1, abs=1e-6)
