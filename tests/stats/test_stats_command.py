"""What is left out, and what is refused."""

import json
import shutil

import pytest
from PIL import Image
from written_records import emotion, write_records

from videmo.check.folder import DataFolder
from videmo.cli import main
from videmo.data.patterns import RELEASE, FilePatterns
from videmo.errors import InputError
from videmo.stats.command import stats
from videmo.stats.corpus import Corpus
from videmo.stats.outputs import PICTURES

DRAWN = ["taxonomy", "splits", "published", "questions", "lengths", "words", "balance"]


def numbers(folder) -> dict:
    return json.loads((folder / "stats.json").read_text())


def test_every_picture_is_a_file_and_every_missing_one_a_sentence(told):
    small, printed = told
    found = numbers(small / "stats")
    assert {*found["figures"], *found["left_out"]} == {*PICTURES}
    assert list(found["figures"]) == DRAWN
    assert list(found["left_out"]) == ["durations", "faces", "views", "perplexity"]
    assert "None of the 5 videos that train names is in" in found["left_out"]["durations"]
    assert sorted(file.stem for file in (small / "stats").glob("*.png")) == sorted(DRAWN)
    for file in (small / "stats").glob("*.png"):
        with Image.open(file) as picture:
            assert picture.width > 600 and picture.getextrema()[0][0] < 128
    assert "7 pictures of 8 records" in printed and "left out, Duration of the videos" in printed
    page = (small / "stats" / "stats.html").read_text()
    assert "1 record of train cannot be read" in page and "5 videos of 5 are not in" in page


def test_pictures_of_an_earlier_run_go_and_files_of_others_stay(drawn):
    (drawn / "stats" / "mine.png").write_bytes(b"mine")
    shutil.rmtree(drawn / "jsons" / "train" / "caption")
    shutil.rmtree(drawn / "jsons" / "train" / "rationale")
    stats(str(drawn))
    left = {file.stem for file in (drawn / "stats").glob("*.png")}
    assert left == {*DRAWN, "mine"} - {"lengths", "words"}
    assert "answered by a caption or a rationale" in numbers(drawn / "stats")["left_out"]["words"]


def test_another_split_and_folder(small, tmp_path):
    stats(str(small), split="test", out=str(tmp_path / "elsewhere"))
    assert numbers(tmp_path / "elsewhere")["figures"]["taxonomy"]["records"] == 1
    assert not (small / "stats").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"split": "val"}, "no data file of val"),
        ({"sample": 0}, "--sample must be at least 1"),
        ({"faces": -1}, "--faces must be at least 0"),
        ({"seed": -1}, "--seed must be at least 0"),
        ({"train": "jsons/none.json"}, "no file matches"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(small, options, said):
    with pytest.raises(InputError, match=said):
        stats(str(small), **options)
    assert not (small / "stats" / "stats.html").exists()


def test_a_folder_without_data_is_refused_with_a_hint(tmp_path, capsys):
    assert main(["stats", str(tmp_path / "none")]) == 1
    assert "no data folder" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
    assert main(["stats", str(tmp_path)]) == 1
    assert "no data files in" in capsys.readouterr().err
    assert not (tmp_path / "stats").exists()


def test_a_split_without_a_readable_record_is_refused_with_its_first_fault(small):
    for file in (small / "jsons" / "train").rglob("*.json"):
        file.write_text("{broken\n")
    with pytest.raises(InputError, match=r"no record of train .* can be read: .*MEAD_ID\.json:1"):
        stats(str(small))


def test_an_output_that_cannot_be_written_is_refused_first(small, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        stats(str(small), out=str(tmp_path / "file"))
    with pytest.raises(InputError, match="--train would take its stats"):
        stats(str(small), out=str(small / "jsons" / "train" / "emotion" / "full"))


def test_a_file_of_somebody_else_is_never_overwritten(small, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    for name in ("words.png", "perplexity.png", "stats.html", "stats.json"):
        (out / name).write_text('{"figures": {"words": {}}}')  # of another program
        with pytest.raises(InputError, match=f"holds {name}, which no earlier"):
            stats(str(small), out=str(out))
        assert [file.name for file in out.iterdir()] == [name]
        (out / name).unlink()
    stats(str(small), out=str(out))
    (out / "perplexity.png").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"holds perplexity\.png"):
        stats(str(small), out=str(out))


def test_a_run_that_fails_leaves_no_folder(small, tmp_path):
    with pytest.raises(InputError):
        stats(str(small), split="val", out=str(tmp_path / "new" / "out"))
    with pytest.raises(InputError):
        stats(str(small), ckpt=str(tmp_path / "none"), out=str(tmp_path / "new" / "out"))
    assert not (tmp_path / "new").exists()


def test_the_data_folder_itself_and_a_file_are_refused(small):
    with pytest.raises(InputError, match="is the data folder itself"):
        stats(str(small), out=str(small / "jsons" / ".."))
    with pytest.raises(InputError, match="is a file, and a folder is expected"):
        stats(str(next((small / "jsons").rglob("*.json"))))


def test_what_is_in_no_number_is_said_by_reason_and_a_record_without_a_task_is_readable(small, capsys):
    write_records(small, "train/qa/full/strange.json", [emotion("DFEW/1.mp4", "Happy"), "{broken", '{"messages": 3}'])
    write_records(small, "train/qa/full/QA_Hair.json", ["[]"])
    stats(str(small))
    printed = " ".join(capsys.readouterr().out.split())
    page = (small / "stats" / "stats.html").read_text()
    for words in (
        "3 records of train cannot be read",
        "By reason: 2 ×",
        "1 record of train is of no task that is known",
    ):
        assert words in printed and words in page
    assert "5 videos of 5 are not in small/videos, such as" in printed
    assert "1 file of train gave no record" in printed
    found = numbers(small / "stats")
    left = {kind: sum(reasons.values()) for kind, reasons in found["left_out_records"].items()}
    assert left == {"unreadable": 3, "without_task": 1, "files": 1}
    assert (found["figures"]["splits"]["train"]["unreadable"], found["figures"]["splits"]["train"]["without_task"]) == (
        3,
        1,
    )


def test_the_page_names_no_folder_of_the_machine_and_no_mark_of_a_terminal(told):
    small, _ = told
    page = (small / "stats" / "stats.html").read_text()
    assert str(small.parent) not in page and "`" not in page
    assert "There is no data file of val." in page
    assert "questions a video: 7 about 4 videos or sets of videos" in page and "1.75" in page


def test_videos_are_drawn_at_random_only_where_some_are_left_out(small):
    for name in ("1", "2"):
        (small / "videos" / "DFEW").mkdir(parents=True, exist_ok=True)
        (small / "videos" / "DFEW" / f"{name}.mp4").write_bytes(b"")
    corpus = opened(small)
    assert corpus.looked(2) == "all that are here, of 5"
    assert corpus.looked(1) == "1 of 2 that are here, drawn at random"


def test_a_video_in_the_video_root_has_the_source_of_its_record_everywhere(small):
    write_records(small, "train/qa/full/QA_Hair.json", [emotion("top.mp4", "long")])
    corpus = opened(small)
    assert dict(zip(corpus.index.videos, corpus.sources, strict=True))["top.mp4"] == "QA_Hair"
    assert "QA_Hair" in {row.source for row in corpus.rows["train"]}


def opened(root) -> Corpus:
    patterns = {split: FilePatterns(pattern, f"--{split}") for split, pattern in RELEASE.items()}
    return Corpus.open(DataFolder(root, root / "videos", patterns), "train", 0)


def test_broken_records_and_videos_are_counted_and_never_crash(make_broken_world, tmp_path):
    make_broken_world(tmp_path / "broken")
    stats(str(tmp_path / "broken"), faces=0)
    found = numbers(tmp_path / "broken" / "stats")
    assert found["figures"]["splits"]["train"]["unreadable"] > 0
    assert found["figures"]["durations"]["unreadable"] > 0


def test_text_of_records_is_text_on_the_page_and_no_formula(small):
    path = small / "jsons" / "train" / "caption" / "full" / "caption_test_sampling_v2_all_example.json"
    for old, new in ((b"DFEW/1.mp4", b"$x^$<b>&/1.mp4"),):
        path.write_bytes(path.read_bytes().replace(old, new))
    stats(str(small))
    page = (small / "stats" / "stats.html").read_text()
    assert "$x^$&lt;b&gt;&amp;" in page and "$x^$<b>" not in page


def test_help_says_what_each_option_is(capsys):
    with pytest.raises(SystemExit):
        main(["stats", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    for words in ("Draw the pictures of a dataset", "pip install 'videmo[faces]'", "--ckpt", "DATA/stats by default"):
        assert words in printed


def test_a_folder_of_text_alone_has_what_can_be_said_of_it(tmp_path):
    turns = [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hello."}]
    file = tmp_path / "jsons" / "train" / "text" / "full" / "magpie.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps([{"messages": turns}]))
    stats(str(tmp_path), ckpt=None)
    found = numbers(tmp_path / "stats")
    assert list(found["figures"]) == ["taxonomy", "splits", "published"]
    assert found["left_out"]["questions"] == found["left_out"]["durations"] == "No record of train is about a video."
