"""Columns of a user's own tasks: scored, shown and compared as others, and in none of the paper's figures."""

import io

import pytest
from rich.console import Console

from videmo.benchmark.blind import BlindBaseline
from videmo.benchmark.compare import compare_graded
from videmo.benchmark.method import grade_method, read_answers, score_method
from videmo.benchmark.predictions import Prediction, write_predictions, write_tasks
from videmo.benchmark.table import results_table
from videmo.data.records import parse_record
from videmo.tasks import use_tasks, use_tasks_of

TENSION = 'tension: {kind: single_choice, labels: [calm, tense], question: "How tense?", column: strain}\n'


@pytest.fixture
def tension(tmp_path):
    (tmp_path / "my.yaml").write_text(TENSION)
    use_tasks(tmp_path / "my.yaml")


def asked(number, answer, source="tension", question="How tense?"):
    turns = [{"role": "user", "content": f"<video>{question}"}, {"role": "assistant", "content": answer}]
    return parse_record({"messages": turns, "videos": [f"{number}.mp4"], "source": source}, "data.json", number)


def answers(*said):
    found = [Prediction(asked(n, ("calm", "tense")[n % 2]), text) for n, text in enumerate(said)]
    record = asked(99, "Sad", "DFEW_Single-Label-Emotion-Recognition", "What emotion?")
    return [*found, Prediction(record, "Sad")]


def shown(table):
    console = Console(width=100, file=io.StringIO())
    console.print(table)
    return console.file.getvalue()


def test_an_own_column_is_scored_beside_blind_and_shown_after_the_papers(tension, tmp_path):
    blind = BlindBaseline.fit([asked(n, "tense") for n in range(9)])
    predictions = answers(*["calm", "tense"] * 8)
    result = score_method(*grade_method({"none": predictions}, blind), tmp_path, "mine")
    assert result.columns == {"emotion_single": 100.0, "strain": 100.0}
    assert result.blind == {"strain": 50.0}
    assert result.files["tension"]["confusion"] and result.files["tension"]["uar"] == 100.0
    text = shown(results_table(result))
    assert text.index("emotion_single") < text.index("strain")
    assert "Above blind: 0 of 0 columns of the paper, and 1 of 1 other scores" in " ".join(text.split())


def test_the_mean_of_a_comparison_is_the_papers_columns_alone(tension):
    first, second = (grade_method({"none": answers(said, said, said)})[0]["none"] for said in ("calm", "tense"))
    found = compare_graded(first, second)
    assert [one.column for one in found.differences] == ["emotion_single", "strain"]
    assert (found.mean.a, found.mean.b) == (100.0, 100.0)
    own_alone = compare_graded(first[:-1], second[:-1])
    assert own_alone.mean is None and len(own_alone.differences) == 1


def test_answers_bring_their_tasks_along(tension, tmp_path):
    write_predictions(answers("calm"), tmp_path / "mine")
    write_tasks(tmp_path / "mine")
    use_tasks()
    with_tasks = tmp_path / "mine"
    assert {p.record.file for p in read_answers(with_tasks).shown["none"]} == {
        str(with_tasks / "DFEW_Single-Label-Emotion-Recognition.json")
    }
    use_tasks_of(with_tasks)
    assert len(read_answers(with_tasks).shown["none"]) == 2
    use_tasks()
    write_tasks(tmp_path)
    assert not (tmp_path / "tasks.yaml").exists()
