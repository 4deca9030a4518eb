"""Tasks of a user's own: what of an entry may be left out, what is refused, and who knows them."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml

from videmo.benchmark.columns import all_columns, averages
from videmo.errors import InputError
from videmo.judge import SCORES
from videmo.tasks import (
    all_tasks,
    benchmark_tasks,
    find_task,
    is_task,
    own_tasks,
    own_tasks_text,
    training_tasks,
    unknown_selector,
    use_tasks,
    use_tasks_of,
)
from videmo.tasks.own import as_entry, read_own_tasks

TENSION = 'tension: {kind: single_choice, labels: [calm, uneasy, tense], question: "How tense is the person?"}\n'


@pytest.fixture
def own(tmp_path):
    """A function that writes a file of tasks."""

    def write(text, name="my.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def test_a_kind_labels_and_a_question_are_enough(own):
    (task,) = read_own_tasks(own(TENSION), benchmark_tasks())
    assert (task.column, task.result_file, task.scenario, task.level) == ("tension", "tension", "expression", "emotion")
    assert task.questions == ("How tense is the person?",)
    assert task.parse("She looks tense.") == "tense"
    assert task.score("B", "tense", "How tense?\nA. calm\nB. tense") == 1.0


def test_labels_may_be_a_shipped_set_and_aliases_are_read(own):
    text = "mood: {kind: multi_label, labels: au12}\nlook: {kind: single_choice, labels: [calm, tense], "
    units, look = read_own_tasks(own(text + "aliases: {calm: [relaxed]}}"), benchmark_tasks())
    assert units.parse("brow lowerer") == {"AU4"}
    assert look.parse("relaxed") == "calm"


@pytest.mark.parametrize("name", [task.name for task in benchmark_tasks()])
def test_an_entry_describes_a_task_whole(name, own):
    task = replace(next(task for task in benchmark_tasks() if task.name == name), questions=("Which?",))
    if task.name in ("qa_body_actions",):  # "nothing" is a word of two of its groups
        assert as_entry(task)["groups"]["doing"][-1] == as_entry(task)["groups"]["thing"][-1]
    if task.kind == "single_choice" or task.kind == "multi_label" or task.groups:
        (read,) = read_own_tasks(own(yaml.safe_dump({name: as_entry(task)})), [])
        assert read == task and read.questions == task.questions


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no tasks"),
        ("- a", "holds no tasks"),
        ("x: {kind: [}", "not valid YAML"),
        ("a: 1", ":1: task 'a': expected keys and values"),
        ("\na: {kind: single}", ":2: task 'a': kind 'single' is none of single_choice"),
        ("a: {labels: [x, y]}", "give its kind"),
        ("a: {kind: caption, colum: x}", "unknown key 'colum'"),
        ("a: {kind: single_choice}", "needs labels"),
        ("a: {kind: choice_open}", "needs groups"),
        ("a: {kind: caption, labels: [x, y]}", "a caption has no labels"),
        ("a: {kind: single_choice, labels: [yes, no]}", "got True; put yes, no, on and off in quotes"),
        ("a: {kind: single_choice, labels: [x]}", "two or more"),
        ("a: {kind: single_choice, labels: [big_nose, Big nose]}", "differ in more than case"),
        ("a: {kind: single_choice, labels: dfew8}", "no shipped set"),
        (f"a: {{kind: single_choice, labels: [{', '.join(f'w{n}' for n in range(27))}]}}", "2 to 26 labels"),
        ("a: {kind: single_choice, labels: [A, B]}", "label 'A' would be read as nothing"),
        ("a: {kind: multi_label, labels: [none, some]}", "or from none"),
        ("a: {kind: single_choice, labels: [x, y], aliases: {z: [w]}}", "'z' is none"),
        ("a: {kind: caption, scenario: mood}", "task 'a': scenario 'mood' is none of attribute"),
        ("a: {kind: caption, level: high}", "level 'high' is none of"),
        ("a: {kind: caption, result_file: a/b}", "result_file is letters"),
        ("a: {kind: caption, question: 'What of <video>?'}", "without <video>"),
        ("a b: {kind: caption}", "the name of a task is letters"),
        ("a: {kind: caption}\na: {kind: yes_no}", ":2: task 'a' stands there twice"),
        ("a: {kind: caption, result_file: b}\nb: {kind: caption}", ":2: task 'b': 'b' is a name in use"),
        ("qa_hair: {kind: caption}", "'qa_hair' is a name in use"),
        ("hair: {kind: caption}", "'hair' is a name in use, that of 'qa_hair'"),
        ("a: {kind: caption, result_file: MEAD_ID}", "'MEAD_ID' is a name in use"),
        ("a: {kind: caption, sources: [QA_Hair]}", "'QA_Hair' is a name in use"),
        ("a: {kind: caption, column: emotion_single}", "'emotion_single' is a name in use"),
        ("benchmark: {kind: caption}", "'benchmark' is a name in use, of videmo itself"),
        ("expression: {kind: caption}", "'expression' is a name in use"),
    ],
)
def test_what_describes_no_task_is_refused_with_file_line_and_entry(text, says, own):
    with pytest.raises(InputError) as error:
        use_tasks(own(text))
    assert says in str(error.value) and "my.yaml" in str(error.value)
    assert own_tasks() == ()


def test_a_file_that_is_none_is_named(tmp_path):
    for path, says in ((tmp_path / "no.yaml", "no file of tasks"), (tmp_path, "is a folder")):
        with pytest.raises(InputError, match=says):
            use_tasks(path)
    (tmp_path / "latin.yaml").write_bytes("é".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        use_tasks(tmp_path / "latin.yaml")


def test_no_own_task_has_the_name_of_a_column_of_the_paper(own):
    for name in {column.name for column in all_columns()} | set(SCORES):
        with pytest.raises(InputError, match="name in use"):
            use_tasks(own(f"{name}: {{kind: caption}}"))


def test_own_tasks_come_after_the_benchmarks_and_go_again(own):
    before = all_tasks()
    use_tasks(own(TENSION))
    assert all_tasks()[:-1] == before and all_tasks()[-1].name == "tension"
    assert training_tasks()[-2].name == "tension"
    assert is_task("tension") and find_task("tension").labels[0] == "calm"
    assert unknown_selector(["tension"]) is None
    use_tasks()
    assert all_tasks() == before and not is_task("tension")
    assert unknown_selector(["tension"])


def test_an_own_column_is_none_of_the_papers(own):
    columns = all_columns()
    use_tasks(own(TENSION))
    all_columns.cache_clear()
    assert all_columns() == columns
    assert averages({"tension": 50.0}) == averages({})


def test_processes_that_start_later_know_them(own):
    use_tasks(own(TENSION))
    code = "from videmo.tasks import all_tasks; print(all_tasks()[-1].name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True)
    assert done.stdout.strip() == "tension"


def test_a_folder_brings_its_own_and_another_takes_them_away(tmp_path):
    data, other = tmp_path / "data", tmp_path / "other"
    data.mkdir(), other.mkdir()
    (data / "tasks.yaml").write_text(TENSION)
    use_tasks_of(data)
    assert is_task("tension")
    use_tasks_of(other)
    assert not is_task("tension")


def test_several_folders_share_what_they_agree_on(tmp_path):
    folders = [tmp_path / name for name in "abc"]
    for folder, text in zip(
        folders, (TENSION, TENSION.replace("How", "Just how"), "gaze: {kind: caption}\n"), strict=True
    ):
        folder.mkdir()
        (folder / "tasks.yaml").write_text(text)
    use_tasks_of(*folders)
    assert [task.name for task in own_tasks()] == ["tension", "gaze"], "how it is asked makes no other task"
    (folders[1] / "tasks.yaml").write_text(TENSION.replace("uneasy", "nervous"))
    with pytest.raises(InputError, match="differ in what the task 'tension' is"):
        use_tasks_of(*folders)


def test_the_text_of_own_tasks_is_a_file_of_them(own):
    assert own_tasks_text() == ""
    use_tasks(own(TENSION + "gaze: {kind: choice_open, groups: {way: [up, down]}, aliases: {up: [upwards]}}"))
    known = own_tasks()
    use_tasks(own(own_tasks_text(), "copy.yaml"))
    assert own_tasks() == known


def test_an_edited_file_is_read_anew(own):
    use_tasks(own(TENSION))
    use_tasks(own(TENSION.replace("uneasy", "nervous")))
    assert find_task("tension").labels[1] == "nervous"
