from importlib.resources import files

import pytest
import yaml

from videmo.tasks import all_tasks, find_task
from videmo.tasks.spec import task_from_entry

ENTRY = {"column": "c", "scenario": "attribute", "result_file": "F", "kind": "single_choice", "labels": "dfew7"}


def test_result_files_and_sources_name_one_task_each():
    names = [name for task in all_tasks() for name in (task.result_file, *task.sources)]
    assert len(names) == len(set(names))


def test_a_task_is_found_by_source_then_by_file():
    assert find_task("QA_Hair").name == "hair"
    assert find_task("QA_Hair", "jsons/MEAD_ID.json").name == "hair"
    assert find_task("unheard of", "jsons/MEAD_ID.json").name == "identity"


def test_an_unknown_source_is_told_its_nearest_names_and_the_remedy():
    with pytest.raises(ValueError) as error:
        find_task("QA_Hiar", "a/b.json")
    for part in ("'QA_Hiar'", "a/b.json", "did you mean QA_Hair", 'Correct the record\'s "source"', "tasks.yaml"):
        assert part in str(error.value)


def test_a_source_like_no_other_is_told_all_names():
    with pytest.raises(ValueError, match=r"known: .*MEAD_ID"):
        find_task("zzz")


@pytest.mark.parametrize(("key", "value"), [("kind", "essay"), ("scenario", "mood"), ("labels", "dfew8")])
def test_a_wrong_entry_is_refused(key, value):
    with pytest.raises(ValueError, match=value):
        task_from_entry("t", ENTRY | {key: value})


def test_the_shipped_task_file_is_found_as_package_data():
    entries = yaml.safe_load((files("videmo.tasks.data") / "tasks.yaml").read_text(encoding="utf-8"))
    assert [task.name for task in all_tasks()] == list(entries)


def test_tasks_hash_by_what_they_are():
    assert task_from_entry("t", ENTRY) == task_from_entry("t", ENTRY)
    assert len({task_from_entry("t", ENTRY), task_from_entry("t", ENTRY)}) == 1


def test_answers_are_phrased_as_references_are():
    question = "How?\nA. sad\nB. happy"
    assert find_task("DFEW_Single-Label-Emotion-Recognition").phrase("Happy", question) == "B. Happy"
    assert find_task("AffWild2_Action_Unit_Detection").phrase(frozenset({"AU4", "AU1"})) == "AU1, AU4"
    assert find_task("AffWild2_Action_Unit_Detection").phrase(frozenset()) == "none"
    assert find_task("MEAD_ID").phrase("Yes") == "Yes"
