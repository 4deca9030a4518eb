import json
from dataclasses import replace

import pytest

from videmo.benchmark import BenchmarkResult
from videmo.benchmark.blind import BlindBaseline
from videmo.benchmark.method import grade_method
from videmo.benchmark.predictions import Prediction
from videmo.benchmark.results import with_controls
from videmo.benchmark.scoring import summarise
from videmo.data.records import Message, Record

UNITS = "AffWild2_Action_Unit_Detection"
CAPTION = "caption_test_sampling_v2_all_example"
SENTIMENT = "Single-Label-Sentiment-Recognition"


def _prediction(source: str, response: str, reference: str, line: int, question: str = "What?") -> Prediction:
    turns = (Message("user", f"<video>{question}"), Message("assistant", reference))
    return Prediction(Record(turns, ("a.mp4",), source, f"{source}.json", line), response)


def _several(source: str, *pairs: tuple[str, str]) -> list[Prediction]:
    return [_prediction(source, response, reference, line) for line, (response, reference) in enumerate(pairs, 1)]


def scored(answers: list[Prediction], blind: BlindBaseline | None = None, method: str = "videmo", **about):
    """What answers come to by rules."""
    graded, guessed = grade_method({"none": answers}, blind)
    return summarise(graded["none"], guessed, method, **about)


def test_a_column_of_two_files_averages_the_files_first():
    mosei = _several(f"MOSEI_{SENTIMENT}", ("Neutral", "Neutral"))
    mosi = _several(f"MOSI_{SENTIMENT}", *[("Neutral", "Positive")] * 3)
    result = scored(mosei + mosi)
    assert result.columns == {"sentiment_single": 50.0}
    assert {name: entry["scores"] for name, entry in result.files.items()} == {
        f"MOSEI_{SENTIMENT}": {"sentiment_single": 100.0},
        f"MOSI_{SENTIMENT}": {"sentiment_single": 0.0},
    }
    assert result.counts["sentiment_single"]["asked"] == 4


def test_columns_are_the_releases_variant_and_native_stands_beside():
    result = scored(_several(UNITS, ("none", "none"), ("AU1", "AU1")))
    assert result.columns["action_unit"] == 50.0
    assert result.native["action_unit"] == 100.0


def test_every_denominator_is_counted():
    pairs = [("Black.", "Black hair."), ("", "Red hair."), ("Lovely.", "Red hair."), ("Short.", "Lovely hair.")]
    result = scored(_several("QA_Hair", *pairs))
    assert result.counts["hair"] == {"asked": 4, "answered": 3, "judged": 3, "unparsed": 2}
    assert result.unparsed["hair"] == 50.0
    assert result.columns["hair"] == 33.33
    assert "not by a judge" in result.notes["hair"]


def test_captions_get_rouge_beside_the_columns_never_in_them():
    result = scored(_several(CAPTION, ("A sad man. He has black hair.", "A sad woman. She has black hair.")))
    assert result.columns == result.native == {}
    assert result.extra["caption_rouge_l"]["score"] == 71.43
    assert 0 < result.extra["caption_tree_f1"]["score"] < 100
    assert "not a judge's" in result.notes["caption_tree_f1"]
    assert result.counts["caption_rouge_l"]["judged"] == 1


def test_blind_answers_the_same_questions():
    train = _several("MEAD_ID", ("", "No"), ("", "No"), ("", "Yes")) + _several(CAPTION, ("", "a man"))
    test = _several("MEAD_ID", ("Yes", "Yes"), ("Yes", "No"), ("Yes", "Yes"), ("Yes", "Yes"))
    test += _several(CAPTION, ("a sad man", "a man")) + _several(UNITS, ("AU1", "AU1"))
    result = scored(test, BlindBaseline.fit(p.record for p in train))
    assert result.blind == {"identity": 25.0}  # training has no action units: no blind score for them
    assert result.columns == {"identity": 75.0, "action_unit": 100.0}
    assert result.extra["caption_rouge_l"]["blind"] == result.extra["caption_tree_f1"]["blind"] == 100.0


def test_an_interval_holds_its_score():
    result = scored(_several("MEAD_ID", *[("Yes", "Yes")] * 30, *[("Yes", "No")] * 10))
    low, high = result.intervals["identity"]
    assert 55 < low < 75 == result.columns["identity"] < high < 90


def test_a_record_answered_twice_counts_once():
    predictions = _several("MEAD_ID", ("Yes", "Yes"), ("Yes", "No"))
    assert scored(predictions + predictions[:1]).columns["identity"] == 50.0


def test_columns_that_no_rule_can_score_are_left_out_but_counted():
    result = scored(_several("QA_Hair", ("Nice.", "Lovely.")))
    assert result.columns == {} and result.counts["hair"]["judged"] == 0
    json.loads(result.to_json())


def test_the_file_holds_the_result(tmp_path):
    ours = _several("MEAD_ID", ("Yes", "Yes")) + _several(CAPTION, ("a man", "a man"))
    blank = _several("MEAD_ID", ("No", "Yes")) + _several(CAPTION, ("", "a man"))
    result = scored(ours, method="ours", data={"name": "demo-v1", "content": "12ab"})
    result = with_controls(result, {"blank": scored(blank)})
    result.save(tmp_path / "new" / "benchmark.json")
    assert BenchmarkResult.load(tmp_path / "new" / "benchmark.json") == result
    fields = json.loads((tmp_path / "new" / "benchmark.json").read_text())
    assert fields["method"] == "ours" and fields["data"] == {"name": "demo-v1", "content": "12ab"}
    assert fields["controls"] == {"blank": {"identity": 0.0, "caption_rouge_l": 0.0, "caption_tree_f1": 0.0}}


def test_no_predictions_and_unknown_sources_are_refused():
    with pytest.raises(ValueError, match="no predictions"):
        scored([])
    with pytest.raises(ValueError, match="no task for source 'QA_Hiar'"):
        scored(_several("QA_Hiar", ("Black.", "Black.")))


def test_sources_of_one_file_have_scores_of_their_own():
    pairs = [("Disgust", "Disgust"), ("", "Others"), ("Others", "Disgust")]
    answers = _several("CAS_Single-Label-Micro-Expression-Recognition", *pairs)
    videos = ["CASME2/s01/1.mp4", "CASME/1.mp4", "CASME2/s02/1.mp4"]
    answers = [replace(p, record=replace(p.record, videos=(v,))) for p, v in zip(answers, videos, strict=True)]
    (file,) = scored(answers).files.values()
    assert file["sources"] == {"CASME": 0.0, "CASME2": 50.0}
