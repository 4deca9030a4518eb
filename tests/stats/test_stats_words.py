"""What is said: shares that a sample does not bend, bars that are compared fairly, and names that stay apart."""

import json
import warnings

import numpy as np
import pytest
from written_records import emotion, turns, write_records

from videmo.stats import ink
from videmo.stats.balance import NONE, Balance
from videmo.stats.charts import log_ticks
from videmo.stats.command import stats
from videmo.stats.perplexity import Estimate, verdict
from videmo.stats.sheet import fitted_apart, text_width
from videmo.tasks import find_task

CAPTIONS = "train/caption/full/caption_test_sampling_v2_all_example.json"


def told(answer: str) -> dict:
    return {"messages": turns("<video>Describe.", answer), "videos": ["DFEW/1.mp4"]}


def numbers(folder) -> dict:
    return json.loads((folder / "stats.json").read_text())


def test_shares_from_a_sample_weigh_a_task_by_its_records(tmp_path):
    root = tmp_path / "two"
    write_records(root, CAPTIONS, [told("He looks sad zebra.")] * 40)
    write_records(root, "train/rationale/full/rationale.json", [told("She looks happy.")] * 2)
    for sample in (2, 100):  # a few of each, and all
        stats(str(root), sample=sample)
        words = numbers(root / "stats")["figures"]["words"]
        assert words["levels"]["emotion"] == {"silent": 0, "items": {"sadness": 40, "happiness": 2}}
        assert words["levels"]["attribute"]["silent"] == 42
        assert words["other_words"] == {"zebra": 40}
        assert "95.2%" in (root / "stats" / "stats.html").read_text()


class Answer:
    def __init__(self, answer: str) -> None:
        self.answer, self.question = answer, ""


def counted(answers: dict[str, list[str]]) -> Balance:
    balance = Balance()
    for name, texts in answers.items():
        balance.count(find_task(name), [Answer(text) for text in texts], len(texts))
    return balance


def test_the_least_balanced_has_one_label_an_answer_and_is_compared_with_how_many_labels_there_are():
    answers = {
        "MEAD_ID": ["Yes"] * 11 + ["No"] * 9,  # 55%, of two labels
        "DFEW_Single-Label-Emotion-Recognition": ["Happy"] * 10 + ["Sad"] * 10,  # 50%, of seven
        "CelebV-HQ_Appearance-Recognition": ["male"] * 20,  # 100%, of labels of which an answer may name several
    }
    found = counted(answers).section("train")
    assert "The least balanced of the tasks of one label: emotion_dfew, 50.0% of 20 answers Happy" in found.lead
    assert found.numbers["emotion_dfew"]["evenness"] == pytest.approx(np.log(2) / np.log(7))
    assert found.numbers["identity"]["evenness"] > 0.99 and found.numbers["appearance_cls"]["evenness"] is None


def test_answers_that_no_label_is_there_have_a_bar_and_a_row():
    found = counted({"CelebV-HQ_Appearance-Recognition": ["none"] * 3 + ["male"]}).section("train")
    assert (found.numbers["appearance_cls"]["none"], found.numbers["appearance_cls"]["several"]) == (3, 0)
    assert ("appearance_cls", NONE, 3, "75.0%") in found.tables[1].rows
    assert len(found.tables[1].rows) == 41  # the labels that nobody names, too


def test_a_perplexity_s_order_is_certain_only_where_every_resample_has_it():
    classes = {name: Estimate(value, value, value, 1, 1.0, 1) for name, value in (("attribute", 1.0), ("emotion", 2.0))}
    said = [verdict(list(classes), list(classes), classes, share) for share in (0.9995, 0.995, 1.0)]
    for text, share in zip(said, (">99.9%", "99.5%", "100%"), strict=True):
        assert f"; {share} of the resamples" in text


@pytest.mark.parametrize("low", [0.9, 1.0, 1.7, 6.0, 19.0])
@pytest.mark.parametrize("ratio", [1.08, 1.3, 2, 5, 11, 40, 300, 1e5])
def test_a_logarithmic_axis_has_a_number_at_three_places(low, ratio):
    ticks = log_ticks(low, low * ratio)
    assert 3 <= len(ticks) <= 7 and ticks == sorted(ticks)
    assert low <= ticks[0] and ticks[-1] <= low * ratio


def test_names_that_are_cut_stay_apart():
    names = [f"{'very_' * 30}long_{number}" for number in range(12)] + ["fear"]
    cut = fitted_apart(names, 80)
    assert len(set(cut)) == len(names) and cut[-1] == "fear"
    assert max(text_width(name) for name in cut) <= 80.1


def test_letters_that_no_font_has_are_said_once_and_warn_of_nothing(small, monkeypatch, capsys):
    monkeypatch.setattr(ink, "_families", lambda: ["DejaVu Sans"])
    write_records(small, "train/qa/full/QA_Hair.json", [emotion("会会/1.mp4", "Happy")])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        stats(str(small))
    page, printed = (small / "stats" / "stats.html").read_text(), " ".join(capsys.readouterr().out.split())
    assert page.count("o font here has the letters 会:") == 1
    assert "no font here has the letters 会:" in printed


def test_fonts_of_chinese_japanese_and_korean_that_are_here_stand_behind_matplotlib_s_own(monkeypatch):
    names = ["Arial", "Noto Serif CJK SC", "Noto Sans CJK JP", "DejaVu Sans", "WenQuanYi Zen Hei"]
    monkeypatch.setattr(ink.font_manager, "get_font_names", lambda: names)
    found = ink._families.__wrapped__()
    assert found == ["DejaVu Sans", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "Noto Serif CJK SC"]
