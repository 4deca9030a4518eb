"""Counts by task and source, uses and repetitions, against records counted by hand."""

import json

import pytest

from videmo.check.findings import Duplicate, Row
from videmo.check.table import RecordTable
from videmo.data.index import RecordIndex


def entry(source, *videos, answer="brown"):
    question = "<video>" * len(videos) + "What is it?"
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": messages, "videos": list(videos), "source": source}


@pytest.fixture
def make_table(tmp_path):
    def make(**splits):
        indexes = {}
        for split, entries in splits.items():
            file = tmp_path / f"{split}.json"
            file.write_text("\n".join(map(json.dumps, entries)))
            indexes[split] = RecordIndex.open([file], folder=tmp_path / ".videmo", progress=False)
        return RecordTable(indexes)

    return make


@pytest.fixture
def table(make_table):
    return make_table(
        train=[
            entry("QA_Hair", "MEAD/1.mp4"),
            entry("QA_Hair", "MEAD/2.mp4"),
            entry("QA_Eyes", "MEAD/1.mp4"),
            entry("MEAD_ID", "MEAD/2.mp4", "MEAD/3.mp4"),
            entry("MEAD_ID", "MEAD/3.mp4", "MEAD/3.mp4"),
            entry("magpie"),
        ],
        test=[entry("QA_Hair", "MEAD/3.mp4"), entry("QA_Hair", "DFEW/1.mp4"), entry("QA_Hair", "flat.mp4")],
    )


def test_videos_are_numbered_once_over_all_splits(table):
    assert table.videos == ["MEAD/1.mp4", "MEAD/2.mp4", "MEAD/3.mp4", "DFEW/1.mp4", "flat.mp4"]
    assert table.videos_of("test") == ["MEAD/3.mp4", "DFEW/1.mp4", "flat.mp4"]
    assert len(table) == 9


def test_the_uses_of_a_video_begin_with_its_first_record_and_count_each_record_once(table, tmp_path):
    uses = list(table.uses(["MEAD/3.mp4", "DFEW/1.mp4", "MEAD/1.mp4"]))
    train, test = str(tmp_path / "train.json"), str(tmp_path / "test.json")
    assert uses == [("MEAD/1.mp4", train, 1, 2), ("MEAD/3.mp4", train, 4, 3), ("DFEW/1.mp4", test, 2, 1)]


def test_records_of_videos_are_those_that_name_one_of_them(table):
    assert table.of_videos(["MEAD/1.mp4", "DFEW/1.mp4"]).nonzero()[0].tolist() == [0, 2, 7]
    assert not table.of_videos([]).any()


def test_the_summary_counts_by_task_and_source(table):
    rows = {(row.task, row.source): row for row in table.summary(missing=["MEAD/2.mp4"], bad=["DFEW/1.mp4"])}
    assert rows == {
        ("identity", "MEAD"): Row("identity", "MEAD", 2, 2, missing=1, bad=0, usable=1),
        ("qa_eyes", "MEAD"): Row("qa_eyes", "MEAD", 1, 1, 0, 0, 1),
        ("qa_hair", "MEAD"): Row("qa_hair", "MEAD", 3, 3, missing=1, bad=0, usable=2),
        ("qa_hair", "DFEW"): Row("qa_hair", "DFEW", 1, 1, missing=0, bad=1, usable=0),
        ("qa_hair", "QA_Hair"): Row("qa_hair", "QA_Hair", 1, 1, 0, 0, 1),
        ("text", "magpie"): Row("text", "magpie", 1, 0, 0, 0, 1),
    }


def test_text_alone_has_a_summary_too(make_table):
    table = make_table(train=[entry("magpie"), entry("magpie")])
    assert table.videos == []
    assert table.summary([], []) == [Row("text", "magpie", 2, 0, 0, 0, 2)]


def test_a_record_is_a_duplicate_only_where_every_word_and_video_is_the_same(make_table, tmp_path):
    table = make_table(
        train=[
            entry("QA_Hair", "a.mp4"),
            entry("QA_Hair", "b.mp4"),
            entry("QA_Hair", "a.mp4", answer="green"),  # as long as brown
            entry("QA_Hair", "a.mp4"),
            entry("QA_Hair", "a.mp4"),
        ],
        test=[entry("QA_Hair", "a.mp4")],
    )
    file = tmp_path / "train.json"
    assert list(table.duplicates()) == [
        Duplicate("train", f"{file}:1", f"{file}:4"),
        Duplicate("train", f"{file}:1", f"{file}:5"),
    ]
