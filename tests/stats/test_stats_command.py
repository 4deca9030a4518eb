"""What is left out, and what is refused."""

import json
import shutil

import pytest
from PIL import Image

from videmo.cli import main
from videmo.errors import InputError
from videmo.stats.command import stats

DRAWN = ["taxonomy", "splits", "published", "questions", "lengths", "words", "balance"]


def numbers(folder) -> dict:
    return json.loads((folder / "stats.json").read_text())


def test_every_picture_is_a_file_and_every_missing_one_a_sentence(small, capsys):
    stats(str(small))
    found = numbers(small / "stats")
    assert list(found["figures"]) == DRAWN
    assert list(found["left_out"]) == ["durations", "faces", "views", "perplexity"]
    assert "None of the 5 videos that train names is in" in found["left_out"]["durations"]
    assert sorted(file.stem for file in (small / "stats").glob("*.png")) == sorted(DRAWN)
    for file in (small / "stats").glob("*.png"):
        with Image.open(file) as picture:
            assert picture.width > 600 and picture.getextrema()[0][0] < 128
    printed = " ".join(capsys.readouterr().out.split())
    assert "7 pictures of 8 records" in printed and "left out, Duration of the videos" in printed
    page = (small / "stats" / "stats.html").read_text()
    assert "1 record of train cannot be read" in page and "5 videos of 5 are not in" in page


def test_pictures_of_an_earlier_run_go_and_files_of_others_stay(small):
    stats(str(small))
    (small / "stats" / "mine.png").write_bytes(b"mine")
    shutil.rmtree(small / "jsons" / "train" / "caption")
    shutil.rmtree(small / "jsons" / "train" / "rationale")
    stats(str(small))
    left = {file.stem for file in (small / "stats").glob("*.png")}
    assert left == {*DRAWN, "mine"} - {"lengths", "words"}
    assert "answered by a caption or a rationale" in numbers(small / "stats")["left_out"]["words"]


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
