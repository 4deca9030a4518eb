"""What is generated is read back as the label that it was made of, by the task's own parser and with score 1."""

from itertools import islice

import pytest

from videmo.curate.captions import compose
from videmo.curate.wording import forms, instruct, questions, templates
from videmo.data.records import parse_record
from videmo.metrics import caption_tree_f1
from videmo.tasks import TEXT_TASK, benchmark_tasks, find_task, question_options

TASKS = {task.name: task for task in benchmark_tasks()}
WORDS = 6


def answers(task):
    """Every label alone, and sets of labels; every word of a vocabulary, alone and with one of each other group."""
    if task.kind == "yes_no":
        return ["Yes", "No"]
    if task.kind == "multi_label":
        halves = frozenset(task.labels[::2]), frozenset(task.labels[:15])
        return [frozenset(), *(frozenset([label]) for label in task.labels), *halves]
    if task.kind == "choice_open":
        words = [word for group in task.groups.values() for word in group]
        firsts = [group[0] for group in task.groups.values()]
        return [*words, ", ".join(dict.fromkeys(firsts))]
    return task.labels or ["A woman smiles, and then she cries."]


def seeds_until(task, answer, form, wanted):
    """Records of successive seeds until each wording was drawn."""
    seen = set()
    for seed in range(400):
        record = instruct(task, answer, ["a/1.mp4"], seed=seed, form=form)
        question = record["messages"][0]["content"]
        seen.add(next(asked for asked in wanted if question.startswith(f"<video>{asked}")))
        yield record
        if len(seen) == len(wanted):
            return
    raise AssertionError(f"{task.name}: some of {wanted} are never drawn")


@pytest.mark.parametrize("name", TASKS)
def test_every_answer_in_every_wording_is_read_back_with_score_1(name):
    task = TASKS[name]
    wanted = sorted(questions(task), key=len, reverse=True)  # no wording may hide behind one that begins alike
    for place, answer in enumerate(answers(task)):
        for form in forms(task, answer):
            asked = [
                one for one in wanted if form == "open" or not one.endswith(":")
            ]  # those are ended, not chosen from
            records = seeds_until(task, answer, form, asked)
            for record in records if place < 2 else islice(records, 8):
                read = parse_record(record, "labels.json", 1)
                assert find_task(read.source) == task
                assert bool(question_options(read.question)) == (form == "choice")
                said = task.parse(read.answer, read.question)
                if task.kind == "caption":
                    assert read.answer == answer
                    continue
                assert task.score(read.answer, read.answer, read.question) == 1.0, read
                if task.kind != "choice_open":
                    assert said == answer, read
                elif form == "choice":
                    assert said in task.parse(answer), read


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_worded_in_six_ways_or_more(name):
    asked = questions(TASKS[name])
    assert len(set(asked)) >= WORDS
    assert {asked_one[-1] for asked_one in asked} >= {"."}, "not only questions"
    chosen = templates()["choose"].get(TASKS[name].kind, range(WORDS))
    assert len(set(chosen)) >= WORDS


def test_options_are_shuffled_and_no_letter_is_right_more_often():
    task = TASKS["emotion_dfew"]
    answers = [instruct(task, "Sad", [f"{n}.mp4"], seed=0, form="choice")["messages"][1]["content"] for n in range(700)]
    counts = [sum(answer.startswith(letter) for answer in answers) for letter in "ABCDEFG"]
    assert sum(counts) == 700 and min(counts) > 70 and max(counts) < 130


def test_words_and_letters_depend_on_seed_clip_and_task_alone():
    task = TASKS["emotion_dfew"]
    first = instruct(task, "Sad", ["a.mp4"], seed=3, form="choice")
    assert instruct(task, "Sad", ["a.mp4"], seed=3, form="choice") == first
    others = [
        instruct(task, "Sad", ["b.mp4"], seed=3, form="choice"),
        instruct(task, "Sad", ["a.mp4"], seed=4, form="choice"),
        instruct(TASKS["emotion_mer2023"], "Sad", ["a.mp4"], seed=3, form="choice"),
    ]
    assert all(other["messages"] != first["messages"] for other in others)
    happy = instruct(task, "Happy", ["a.mp4"], seed=3, form="choice")
    assert happy["messages"][0] == first["messages"][0], "the question does not tell the answer"


def test_a_set_lists_no_more_options_than_one_can_read_and_never_only_right_ones():
    task = TASKS["appearance_cls"]
    for size in (0, 1, 11, 12, 20):
        record = instruct(task, frozenset(task.labels[:size]), ["a.mp4"], seed=0, form="choice")
        listed = question_options(record["messages"][0]["content"])
        assert set(task.labels[:size]) < set(listed.values())
        assert len(listed) <= 26
    assert forms(task, frozenset(task.labels)) == ("open",)


def test_an_answer_without_a_word_of_the_vocabulary_is_asked_openly_alone():
    assert forms(TASKS["qa_hair"], "a beehive") == ("open",)
    assert forms(TASKS["qa_hair"], "long or short") == ("open",), "two words of a group are no one right option"
    assert forms(TASKS["qa_hair"], "long") == ("choice", "open")


def test_records_say_where_they_are_from_and_readers_take_no_notice():
    record = instruct(TASKS["qa_hair"], "long", ["a.mp4"], seed=0, provenance={"file": "x.csv", "line": 2})
    assert record["provenance"] == {"file": "x.csv", "line": 2, "templates": str(templates()["version"])}
    bare = {key: value for key, value in record.items() if key != "provenance"}
    assert parse_record(record, "f", 1) == parse_record(bare, "f", 1)


def test_text_is_no_task_of_a_video():
    with pytest.raises(ValueError, match="question"):
        questions(TEXT_TASK)


@pytest.mark.parametrize(
    ("labels", "task", "says"),
    [
        (
            {"appearance_cls": frozenset(["male", "young", "black_hair", "eyeglasses"])},
            "appearance_cap",
            "A young man with black hair, wearing glasses.",
        ),
        (
            {"appearance_cls": frozenset(["wavy_hair", "goatee"]), "qa_gender": "a woman"},
            "appearance_cap",
            "A woman with wavy hair and a goatee.",
        ),
        (
            {"action_cls": frozenset(["nod", "smile"]), "head_pose": "Down"},
            "action_cap",
            "The person nods and smiles, the head lowered.",
        ),
        (
            {"emotion_dfew": "Angry", "action_unit": frozenset(["AU4", "AU24"])},
            "emotion_cap",
            "The person looks angry, with lowered brows and pressed lips.",
        ),
        (
            {"fine_mead": "Strong Sad", "action_unit": frozenset(["AU15"])},
            "emotion_cap",
            "The person looks very sad, with lowered lip corners.",
        ),
        (
            {"emotion_multi": frozenset(["Anxiety", "Fear"])},
            "emotion_cap",
            "The person looks anxious and afraid.",
        ),
    ],
)
def test_several_labels_make_a_caption_whose_tree_every_wording_shares(labels, task, says):
    made = {compose(labels, f"{n}.mp4", 0)[task][0] for n in range(40)}
    assert says in made and len(made) == len(templates()["captions"][task])
    assert all(caption_tree_f1(text, says) == 1.0 for text in made), made


def test_one_label_makes_no_caption():
    assert compose({"emotion_dfew": "Sad"}, "a.mp4", 0) == {}
    assert compose({"appearance_cls": frozenset(["male", "blurry"])}, "a.mp4", 0) == {}
    assert compose({"action_unit": frozenset(["AU1", "AU4"])}, "a.mp4", 0) == {}, "no emotion is named"


def test_there_are_words_for_every_label_of_a_caption():
    words = templates()["words"]
    marks = {*words["has"], *words["worn"], *words["unsaid"], "male", "young"}
    assert marks == set(TASKS["appearance_cls"].labels)
    assert set(words["actions"]) == set(TASKS["action_cls"].labels)
    assert set(words["poses"]) == set(TASKS["head_pose"].labels)
    assert set(words["action_units"]) == set(TASKS["action_unit"].labels)
    emotions = {*TASKS["emotion_dfew"].labels, *TASKS["emotion_mafw"].labels}
    emotions |= {label.split()[-1] for label in TASKS["fine_mead"].labels}
    assert set(words["emotions"]) == emotions
