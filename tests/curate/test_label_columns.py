"""What cells mean: labels in any of their spellings, and nothing that would have to be guessed."""

import pytest

from videmo.curate.columns import NoLabel, known_columns, label_columns, spellings, unused_columns
from videmo.curate.table import read_table
from videmo.errors import InputError
from videmo.tasks import benchmark_tasks, use_tasks


@pytest.fixture
def column(tmp_path):
    """A function that makes a table of one column of some cells, and returns that column."""

    def make(name, *cells):
        rows = "".join(f'{place}.mp4,"{cell}"\n' for place, cell in enumerate(cells))
        (tmp_path / "x.csv").write_text(f"path,{name}\n{rows}", encoding="utf-8")
        return label_columns(read_table(tmp_path / "x.csv"))[name]

    return make


@pytest.mark.parametrize(
    ("cells", "task"),
    [
        (["Happy", "sad"], "emotion_dfew"),
        (["Happiness", "ANGER", "fear"], "emotion_dfew"),
        (["Happiness", "Contempt"], "emotion_mafw"),
        (["Weak Sad", "Neutral"], "fine_mead"),
        (["slightly angry", "very happy"], "fine_mead"),
        (["nonsense"], "emotion_dfew"),
        (["Contempt", "nonsense"], "emotion_mafw"),
    ],
)
def test_emotions_are_of_the_smallest_set_that_knows_them_all(cells, task, column):
    assert column("emotion", *cells).task.name == task


@pytest.mark.parametrize(
    ("name", "cell", "said"),
    [
        ("emotion", "happiness", "Happy"),
        ("emotion", "very_sad", "Strong Sad"),
        ("emotions", "anger; fear", {"Anger", "Fear"}),
        ("emotions", "Anger|Fear", {"Anger", "Fear"}),
        ("sentiment", "negative", "Negative"),
        ("sentiment", "slightly positive", "Weak Positive"),
        ("action_units", "AU4; AU12", {"AU4", "AU12"}),
        ("action_units", "au04, 12", {"AU4", "AU12"}),
        ("action_units", "brow lowerer; lip corner puller", {"AU4", "AU12"}),
        ("action_units", "none", set()),
        ("head_pose", "left 30 degrees", "Left 30 degrees"),
        ("head_pose", "frontal", "Front"),
        ("appearance", "black hair, wearing_hat; glasses", {"black_hair", "wearing_hat", "eyeglasses"}),
        ("actions", "nodding", {"nod"}),
        ("micro_expression", "repression", "Repression"),
        ("relation", "hostile", "Hostile"),
        ("hair", "  long and   black", "long and black"),
        ("caption", "A man smiles.", "A man smiles."),
    ],
)
def test_a_cell_is_a_label_in_any_of_its_spellings(name, cell, said, column):
    assert column(name, cell).read(cell) == (frozenset(said) if isinstance(said, set) else said)


@pytest.mark.parametrize(
    ("name", "cell", "says"),
    [
        ("emotion", "Hapy", "'Hapy' is no label of emotion_dfew; did you mean Happy"),
        ("emotion", "not happy", "no label"),
        ("emotion", "blue", "the labels are Happy, Sad"),
        ("emotion", "Sad; Happy", "is one label, got Sad, Happy; several emotions go into a column emotions"),
        ("action_units", "AU4; AU99", "'AU99' is no label of action_unit"),
        ("appearance", "zzz", "and 28 more"),
        ("caption", "Look: <video>", "holds <video>"),
    ],
)
def test_what_is_no_label_is_said_with_what_was_perhaps_meant(name, cell, says, column):
    with pytest.raises(NoLabel) as error:
        column(name, cell).read(cell)
    assert says in str(error.value)


def test_lists_are_cells_too(column):
    units = column("action_units", "AU4")
    assert units.read(["AU4", "lips part"]) == {"AU4", "AU25"}
    assert units.read([]) == frozenset(), "an empty list says that there is none"
    emotion = column("emotion", "Sad")
    assert emotion.read([]) is None and emotion.read(["Sad"]) == "Sad"
    with pytest.raises(NoLabel, match="is one label"):
        emotion.read(["Sad", "Happy"])


def test_every_label_of_every_task_is_one_of_its_own_spellings():
    for task in benchmark_tasks():
        known = spellings(task)
        assert {known[label.lower().replace("_", " ")] for label in task.labels} == set(task.labels)


def test_own_tasks_are_columns_and_come_before_others(tmp_path, column):
    (tmp_path / "t.yaml").write_text(
        "emotion: {kind: single_choice, labels: [bored, engaged]}\nstill: {kind: yes_no}\nScore: {kind: single_choice, "
        "labels: [1, 2, 3]}\n"
    )
    use_tasks(tmp_path / "t.yaml")
    assert column("emotion", "bored").read("Engaged") == "engaged"
    assert column("still", "yes").read("TRUE") == "Yes"
    assert column("score", "2").read("2") == "2"
    with pytest.raises(NoLabel, match="yes or no"):
        column("still", "yes").read("maybe")


@pytest.mark.parametrize("name", ["path", "video", "split", "source_video"])
def test_an_own_task_cannot_be_what_a_table_says_of_a_clip(name, tmp_path):
    (tmp_path / "t.yaml").write_text(f"{name}: {{kind: caption}}\n")
    use_tasks(tmp_path / "t.yaml")
    with pytest.raises(InputError, match="name of a column that is no label"):
        known_columns()


def test_all_open_attributes_are_columns_and_the_rest_is_named(tmp_path):
    open_ones = {task.name for task in benchmark_tasks() if task.kind == "choice_open"}
    known = known_columns()
    assert len(open_ones) == 15 and {f"qa_{name}" for name in known} >= open_ones
    (tmp_path / "x.csv").write_text("path,emotion,identity,split,note,fps\na.mp4,Sad,P1,train,x,25\n")
    assert unused_columns(read_table(tmp_path / "x.csv")) == ["note", "fps"]
