"""``videmo curate --labels`` on small folders: what it writes, what it says, and what it refuses to touch."""

import json
import shutil
from pathlib import Path

import pytest
from huggingface_hub import DatasetCard
from labelled import TENSION, write_csv

from videmo.cli import main
from videmo.curate import folder as folder_module
from videmo.data import pool
from videmo.data.index import RecordIndex
from videmo.data.records import read_records
from videmo.reason.questions import find_questions
from videmo.tasks import find_task, use_tasks, use_tasks_of

ROWS = [
    {
        "path": f"p{n % 7}/clip {n:02d}.mp4",
        "emotion": ("Happy", "sadness", "Angry")[n % 3],
        "action_units": ("AU12", "AU1; AU15", "")[n % 3],
        "hair": ("long, black", "short", "a beehive")[n % 3],
        "tension": ("calm", "tense")[n % 2],
        "identity": f"P{n % 7}",
        "note": "x",
    }
    for n in range(21)
]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with clips (whose names alone are a video's), their table and a file of own tasks."""
    monkeypatch.chdir(tmp_path)
    for row in ROWS:
        Path("clips", row["path"]).parent.mkdir(parents=True, exist_ok=True)
        Path("clips", row["path"]).write_bytes(row["path"].encode())
    write_csv(Path("labels.csv"), ROWS)
    Path("my.yaml").write_text(TENSION)
    return tmp_path


def curate(*options, labels="labels.csv", out="data"):
    return main(["curate", "clips", "--labels", labels, "--out", out, *options])


def written(out="data"):
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in Path(out).rglob("*")
        if path.is_file() and not path.is_relative_to(Path(out) / "videos")
    }


def records(out="data"):
    return {
        split: [
            record for file in sorted(Path(out).glob(f"jsons/{split}/*/full/*.json")) for record in read_records(file)
        ]
        for split in ("train", "val", "test")
    }


def test_labels_become_questions_of_their_tasks_in_the_releases_layout(place, capsys):
    assert curate("--tasks", "my.yaml") == 0
    said = capsys.readouterr().out
    assert "emotion: the 7 labels of emotion_dfew" in said and "not used: note" in said
    assert "split by identity, 7 groups" in said
    assert "hair: 7 of 21 have no word that qa_hair knows, such as 'a beehive'" in " ".join(said.split())
    found = records()
    tasks = {find_task(record.source, record.file).name for record in found["train"]}
    assert tasks == {"emotion_dfew", "action_unit", "qa_hair", "tension", "emotion_cap"}
    for of_split in found.values():
        for record in of_split:
            task = find_task(record.source, record.file)
            scored = task.grade(record.answer, record.answer, record.question)
            assert scored.native in (1.0, None)
            assert scored.native == 1.0 or task.kind == "caption" or "beehive" in record.answer
    assert Path("data/tasks.yaml").read_text() == TENSION
    assert Path("data/videos").resolve() == (place / "clips").resolve()
    assert Path("data/videos", found["train"][0].videos[0]).is_file()


def test_training_sees_both_forms_and_a_test_asks_once(place):
    curate("--tasks", "my.yaml")
    found = records()
    for split, times in (("train", 2), ("test", 1)):
        clips = {record.videos for record in found[split]}
        asked = [r for r in found[split] if find_task(r.source, r.file).name in ("emotion_dfew", "tension")]
        assert len(asked) == 2 * times * len(clips)


def test_no_person_is_in_two_splits(place):
    curate()
    people = [{record.videos[0].split("/")[0] for record in of_split} for of_split in records().values()]
    assert all(people) and sum(map(len, people)) == len(set.union(*people)) == 7


def test_each_record_says_where_its_answer_is_from(place):
    curate()
    lines = Path("labels.csv").read_text().splitlines()
    for file in Path("data").glob("jsons/*/*/full/*.json"):
        for text in file.read_text(encoding="utf-8").splitlines():
            record = json.loads(text)
            told = record["provenance"]
            assert told["file"] == "labels.csv" and told["templates"]
            assert lines[told["line"] - 1].startswith(record["videos"][0])
            expected = "emotion + action_units" if "CelebV-Text_Emotion" in record["source"] else None
            assert told["column"] in (expected, "emotion", "action_units", "hair")


def test_the_index_reads_what_was_written(place):
    curate("--tasks", "my.yaml")
    files = sorted(Path("data").glob("jsons/*/*/full/*.json"))
    index = RecordIndex.open(files, folder=Path("data/.videmo"), progress=False)
    assert not index.faults and len(index) == sum(map(len, records().values()))
    assert {index.tasks[index.task[n]].name for n in range(len(index))} >= {"tension", "emotion_dfew"}


def test_the_same_inputs_give_the_same_bytes_and_replace_them(place):
    curate("--tasks", "my.yaml")
    first = written()
    curate("--tasks", "my.yaml")
    assert written() == first
    shutil.move("clips", "moved"), Path("clips").symlink_to("moved")
    curate("--tasks", "my.yaml", out="elsewhere/data")
    assert written("elsewhere/data") == first
    curate("--tasks", "my.yaml", "--seed", "1")
    assert written() != first and written().keys() >= {"README.md", "curation.json", "tasks.yaml"}


def test_a_clip_that_goes_changes_no_others_questions(place):
    curate("--shares", '{"train": 1, "val": 0, "test": 0}')
    before = {(r.videos, r.source, r.messages) for r in records()["train"]}
    write_csv(Path("labels.csv"), ROWS[1:])
    curate("--shares", '{"train": 1, "val": 0, "test": 0}')
    after = {(r.videos, r.source, r.messages) for r in records()["train"]}
    assert after < before and {r[0] for r in before - after} == {(ROWS[0]["path"],)}


def test_what_a_user_writes_into_the_card_is_kept(place):
    curate()
    card = Path("data/README.md")
    assert "| emotion_dfew |" in card.read_text() and "Split by identity, 7 groups." in card.read_text()
    text = card.read_text().replace("license: unknown", "license: cc-by-4.0").replace("- en\n", "- en\n- zh\n")
    card.write_text(text.replace("To be filled in", "CC-BY 4.0, all agreed in writing"))
    curate("--seed", "1")
    assert "CC-BY 4.0, all agreed in writing" in card.read_text()
    head = DatasetCard(card.read_text()).data
    assert (head.license, head.language) == ("cc-by-4.0", ["en", "zh"])


def test_the_cards_head_is_what_hubs_read_and_its_patterns_find_the_records(place):
    curate()
    text = Path("data/README.md").read_text()
    head = DatasetCard(text).data
    assert (head.pretty_name, head.license, head.size_categories) == ("data", "unknown", ["n<1K"])
    assert {"video-text-to-text", "video-classification"} <= {*head.task_categories}
    (config,) = head.configs
    found = {one["split"]: [*Path("data").glob(one["path"])] for one in config["data_files"]}
    assert found.keys() == {"train", "validation", "test"} and all(found.values())
    assert sum(map(len, found.values())) == len([*Path("data").glob("jsons/**/*.json")])
    assert "(AI Act, Article 5(1)(f))" in text


def test_clips_are_copied_where_that_is_asked_for(place):
    assert curate("--copy") == 0
    assert not Path("data/videos").is_symlink()
    assert Path("data/videos", ROWS[3]["path"]).read_bytes() == ROWS[3]["path"].encode()
    assert curate() == 0 and Path("data/videos").is_symlink()


def test_a_folder_beside_its_clips_holds_none_of_them_twice(place, monkeypatch):
    monkeypatch.chdir(place / "clips")
    shutil.copy("../labels.csv", ".")
    for options in ((), ("--copy",), ()):
        assert main(["curate", ".", "--labels", "labels.csv", "--out", "data", *options]) == 0
    assert "21" in Path("data/README.md").read_text()
    assert json.loads(Path("data/curation.json").read_text())["clips"] == {"train": 15, "val": 3, "test": 3}


def test_what_other_commands_write_into_the_folder_is_no_obstacle(place):
    curate()
    before = written()
    for name in ("stats/stats.html", "stats/balance.png", ".videmo/index/a.npy", "quarantine.jsonl"):
        Path("data", name).parent.mkdir(parents=True, exist_ok=True)
        Path("data", name).touch()
    assert curate() == 0
    assert written() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: (data / "notes.txt").write_text("mine"), "notes.txt was not written by `videmo curate`"),
        (lambda data: (data / "jsons/train/qa/full/mine.json").write_text("[]"), "mine.json was not written"),
        (lambda data: (data / "jsons/train/qa/full/QA_Hair.json").write_text("[]"), "QA_Hair.json was edited"),
        (
            lambda data: [(data / "stats").mkdir(), (data / "stats/notes.txt").touch()],
            "notes.txt was not written",
        ),
        (lambda data: (data / "tasks.yaml").write_text("a: {kind: caption}"), "tasks.yaml was edited"),
        (lambda data: (data / "curation.json").write_text("{}"), "is not as `videmo curate` wrote it"),
        (lambda data: (data / "curation.json").unlink(), "holds something that `videmo curate` did not write"),
    ],
)
def test_what_is_not_its_own_is_not_touched(change, says, place, capsys):
    curate("--tasks", "my.yaml")
    change(Path("data"))
    before = written()
    assert curate("--tasks", "my.yaml") == 1
    assert says in capsys.readouterr().err
    assert written() == before


def test_what_other_commands_wrote_is_made_anew(place):
    curate()
    Path("data/.videmo").mkdir(), Path("data/quarantine.jsonl").write_text("")
    assert curate() == 0
    assert not Path("data/.videmo").exists() and not Path("data/quarantine.jsonl").exists()


def test_an_interrupt_leaves_what_was_there_and_nothing_else(place, monkeypatch, capsys):
    curate()
    before, beside = written(), set(Path().iterdir())

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(folder_module.shutil, "copy2", interrupted)
    assert curate("--copy", "--seed", "1") == 130
    assert written() == before and set(Path().iterdir()) == beside
    assert capsys.readouterr().err.endswith("videmo: interrupted\n")


def test_all_faults_of_a_table_are_said_at_once_and_nothing_is_written(place, capsys):
    rows = [dict(row) for row in ROWS]
    rows[2]["emotion"], rows[4]["path"], rows[6]["path"] = "Agnry", "nowhere.mp4", "../labels.csv"
    rows[8]["path"], rows[8]["emotion"] = rows[9]["path"], "Sad"
    Path("clips/notes.doc").write_text(""), rows[11].update(path="notes.doc")
    write_csv(Path("labels.csv"), rows)
    assert curate() == 1
    said = capsys.readouterr().err
    for part in (
        "labels.csv:4: emotion 'Agnry' is no label of emotion_dfew; did you mean Angry?",
        "labels.csv:6: nowhere.mp4 is not in clips",
        "labels.csv:8: ../labels.csv is outside of clips",
        "labels.csv:11: emotion of p2/clip 09.mp4 is 'Happy', but 'Sad' in line 10",
        "labels.csv:13: notes.doc is no video by its name",
        '`emotion: {kind: single_choice, labels: [...], question: "..."}`',
        "nothing was written",
    ):
        assert part in said, said
    assert not Path("data").exists()


def test_the_first_ten_faults_are_shown_and_the_rest_counted(place, capsys):
    write_csv(Path("labels.csv"), [{**row, "emotion": "vexed"} for row in ROWS])
    assert curate() == 1
    said = capsys.readouterr().err
    assert said.count("'vexed'") == 10 and "... and 11 more" in said and "21 faults in labels.csv" in said


def test_clips_and_lines_that_say_nothing_are_counted(place, capsys):
    rows = [*ROWS[:10], {**ROWS[3]}, dict.fromkeys(ROWS[0], "") | {"path": ROWS[15]["path"]}]
    write_csv(Path("labels.csv"), rows)
    assert curate() == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "clips without a line in labels.csv: 10, p0/clip 14.mp4" in said
    assert "clips whose line has no label: 1, p1/clip 15.mp4" in said
    assert "lines that say what another says of the same clip: 1" in said


def test_captions_and_rationales_are_asked_as_they_are(place):
    Path("labels.jsonl").write_text(
        json.dumps(
            {
                "path": ROWS[0]["path"],
                "emotion": "Sad",
                "emotion_caption": "She is sad.",
                "rationale": "Her lip corners droop.",
                "caption": "A sad woman looks down.",
                "action_units": ["AU15", "AU1"],
            }
        )
    )
    assert curate(labels="labels.jsonl") == 0
    by_task = {find_task(r.source, r.file).name: r for r in records()["train"]}
    assert by_task["caption"].answer == "A sad woman looks down."
    assert by_task["emotion_cap"].answer == "She is sad.", "what a user wrote is not made anew of labels"
    turns = [turn.content for turn in by_task["rationale"].messages]
    assert turns[1] == "She is sad." and turns[3] == "Her lip corners droop." and len(turns) == 4


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("p0\\clip 00.mp4", None),
        ("./p0/clip 00.mp4", None),
        ("clip 00.mp4", "did you mean p0/clip 00.mp4?"),
        ("clip 00", "did you mean p0/clip 00.mp4?"),
        ("p0", "p0 is a folder"),
        ("p0/clip 01.mp4", "did you mean p1/clip 01.mp4"),
    ],
)
def test_a_path_is_found_as_people_write_it_or_the_right_one_is_named(given, says, place, capsys):
    Path("labels.csv").write_text(f"path,emotion\n{given},Sad\n")
    assert curate() == (1 if says else 0)
    assert not says or says in capsys.readouterr().err


def test_an_absolute_path_and_an_accent_of_its_own_are_found(place):
    Path("clips/été.mp4").write_bytes(b"1")
    text = f"path,emotion\n{place}/clips/{ROWS[0]['path']},Sad\ne\u0301te\u0301.mp4,Happy\n"
    Path("labels.csv").write_text(text, encoding="utf-8")
    assert curate() == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["clips"], "--labels"),
        (["clips", "--labels", "labels.csv"], "--out"),
        (["nowhere", "--labels", "labels.csv", "--out", "data"], "no folder of videos nowhere"),
        (["labels.csv", "--labels", "labels.csv", "--out", "data"], "it is a file"),
        (["clips", "--labels", "labels.csv", "--out", "clips"], "clips holds something"),
        (["clips", "--labels", "labels.csv", "--out", "labels.csv"], "labels.csv is no folder"),
        (["clips", "--labels", "labels.csv", "--out", "data", "--tasks", "no.yaml"], "no file of tasks no.yaml"),
    ],
)
def test_wrong_options_end_in_a_sentence(options, says, place, capsys):
    assert main(["curate", *options]) == 1
    assert says in capsys.readouterr().err


def test_an_own_task_without_a_question_is_refused(place, capsys):
    Path("my.yaml").write_text("tension: {kind: single_choice, labels: [calm, uneasy, tense]}\n")
    assert curate("--tasks", "my.yaml") == 1
    assert "'tension' cannot be asked: give its entry a question" in capsys.readouterr().err


def test_processes_that_build_an_index_know_own_tasks(place, monkeypatch):
    curate("--tasks", "my.yaml")
    monkeypatch.setattr(pool, "_SMALL", 0)  # so that they are started
    files = sorted(Path("data").glob("jsons/*/*/full/*.json"))
    use_tasks_of("data")
    index = RecordIndex.open(files, folder=Path("index"), workers=2, progress=False)
    assert not index.faults and "tension" in {index.tasks[index.task[n]].name for n in range(len(index))}


def test_questions_of_a_data_folder_are_those_of_its_tasks(place):
    curate("--tasks", "my.yaml")
    use_tasks()
    file = next(Path("data").glob("jsons/test/*/full/tension.json"))
    found, faults = find_questions([str(file)], "Why?", None)
    assert not faults and {record.source for record in found} == {"tension"}
