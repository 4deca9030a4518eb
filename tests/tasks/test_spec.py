from importlib.resources import files

import pytest
import yaml

from videmo.tasks import TEXT_TASK, all_tasks, find_task, registry, training_tasks
from videmo.tasks.spec import task_from_entry

RESULT_FILES = {  # column of the paper's tables -> result files of the release
    "appearance_cls": ["CelebV-HQ_Appearance-Recognition"],
    "appearance_cap": ["CelebV-Text_Appearance-Caption"],
    "action_cls": ["CelebV-HQ_Action-Recognition"],
    "action_cap": ["CelebV-Text_Action-Caption"],
    "identity": ["MEAD_ID"],
    "head_pose": ["MEAD_Head-Pose"],
    "eye": ["QA_test_sampling_all_Eyes", "QA_test_sampling_all_Eyebrows"],
    "mouth": ["QA_test_sampling_all_Mouth"],
    "nose": ["QA_test_sampling_all_Nose"],
    "hair": ["QA_test_sampling_all_Hair"],
    "chin": ["QA_test_sampling_all_Chin"],
    "shape": ["QA_test_sampling_all_Face_shape"],
    "feature": ["QA_test_sampling_all_Facial_features"],
    "accessory": ["QA_test_sampling_all_Accessories"],
    "age": ["QA_test_sampling_all_Age"],
    "gender": ["QA_test_sampling_all_Gender"],
    "skin": ["QA_test_sampling_all_Skin"],
    "action": [f"QA_test_sampling_all_{part}_actions" for part in ("Body", "Facial", "Head")],
    "emotion_single": [f"{name}_Single-Label-Emotion-Recognition" for name in ("DFEW", "MAFW", "MER2023")],
    "emotion_multi": ["MAFW_Multiple-Label-Emotion-Recognition"],
    "emotion_fine": [f"{name}_Fine-grained-Emotion-Recognition" for name in ("MEAD", "RAVDESS")],
    "sentiment_single": [f"{name}_Single-Label-Sentiment-Recognition" for name in ("MOSEI", "MOSI")],
    "sentiment_fine": ["CHSIMIv1_Fine-grained-Sentiment-Recognition"],
    "micro_expression": ["CAS_Single-Label-Micro-Expression-Recognition"],
    "action_unit": ["AffWild2_Action_Unit_Detection"],
    "emotion_caption": ["CelebV-Text_Emotion-Caption"],
    "conversation": [
        "PERR_Single-Label-Conversational-Emotion-Recognition",
        "MELD_Single-Label-Conversational-Emotion-Recognition_new",
    ],
    "caption": ["caption_test_sampling_v2_all_example"],
    "rationale": ["rationale", "reasoning"],  # no files of the benchmark
}
ENTRY = {"column": "c", "scenario": "attribute", "result_file": "F", "kind": "single_choice", "labels": "dfew7"}


def test_result_files_and_sources_name_one_task_each():
    names = [name for task in all_tasks() for name in (task.result_file, *task.sources)]
    assert len(names) == len(set(names))


def test_a_task_is_found_by_source_then_by_file():
    assert find_task("QA_Hair").name == "qa_hair"
    assert find_task("QA_Hair", "jsons/MEAD_ID.json").name == "qa_hair"
    assert find_task("unheard of", "jsons/MEAD_ID.json").name == "identity"


def test_every_result_file_of_the_benchmark_is_a_task_of_its_column_in_the_tables_order():
    pairs = [(column, file) for column, files in RESULT_FILES.items() for file in files]
    assert [(task.column, task.result_file) for task in all_tasks()] == pairs


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("QA_Eyebrows", "eye"),
        ("QA_Head_actions", "action"),
        ("CASME_Single-Label-Micro-Expression-Recognition", "micro_expression"),
        ("CASME2_Single-Label-Micro-Expression-Recognition", "micro_expression"),
        ("CHSIMSv1_Fine-grained-Sentiment-Recognition", "sentiment_fine"),
        ("MELD_Single-Label-Conversational-Emotion-Recognition", "conversation"),
        ("rationale_train", "rationale"),
    ],
)
def test_training_sources_mean_the_tasks_of_their_columns(source, column):
    assert find_task(source).column == column


@pytest.mark.parametrize("task", [task for task in all_tasks() if task.groups], ids=lambda task: task.name)
def test_a_vocabularys_words_and_aliases_mean_one_word_each(task):
    words = {word for group in task.groups.values() for word in group}
    assert set(task.aliases) <= words
    for word in words:
        for phrase in (word, *task.aliases.get(word, ())):
            assert task.parse(phrase, "What is it?") == {word}, phrase


def test_an_unknown_source_is_told_its_nearest_names_and_the_remedy():
    with pytest.raises(ValueError) as error:
        find_task("QA_Hiar", "a/b.json")
    for part in ("'QA_Hiar'", "a/b.json", "did you mean QA_Hair", 'Correct the record\'s "source"', "tasks.yaml"):
        assert part in str(error.value)


def test_text_without_videos_is_trained_on_and_no_part_of_the_benchmark():
    assert find_task("magpie", "a/b.json", has_videos=False) == TEXT_TASK
    assert find_task("magpie", "jsons/MEAD_ID.json", has_videos=False).name == "identity"
    assert training_tasks() == (*all_tasks(), TEXT_TASK)
    assert TEXT_TASK not in all_tasks()
    assert {task.name for task in all_tasks()} & {TEXT_TASK.name} == set()
    assert TEXT_TASK.column not in {task.column for task in all_tasks()}
    assert TEXT_TASK.score("An answer.", "Another answer.") is None


def test_the_nearest_names_are_sought_once_a_source(monkeypatch):
    calls = []
    monkeypatch.setattr(registry, "get_close_matches", lambda *arguments: calls.append(arguments) or [])
    for _ in range(5):
        with pytest.raises(ValueError, match="known: "):
            find_task("a source of this test")
    assert len(calls) == 1


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
