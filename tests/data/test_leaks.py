"""What splits share: paths, bytes under other names, and the persons and films that paths tell."""

import pytest

from videmo.data.leaks import Leak, find_leaks, subject_reader
from videmo.errors import InputError


@pytest.mark.parametrize(
    ("path", "dataset", "subject"),
    [
        ("MEAD/M003/video/front/angry/level_1/001.mp4", "MEAD", "M003"),
        ("MEAD/W009_front_happy_level_3_012.mp4", "MEAD", "W009"),
        ("mead/videos/M041-left-sad.mp4", "MEAD", "M041"),
        ("RAVDESS/Actor_01/01-01-03-01-01-01-01.mp4", "RAVDESS", "01"),
        ("RAVDESS/02-01-06-01-02-01-12.mp4", "RAVDESS", "12"),
        ("RAVDESS/Video_Speech_Actor_24/x.mp4", "RAVDESS", "24"),
        ("CAS(ME)^2/s15/15_0101disgustingteeth.mp4", "CAS(ME)2", "s15"),
        ("CASME/sub01/EP01_5.avi", "CASME", "sub01"),
        ("CASME2/sub26/EP18_50.avi", "CASME2", "sub26"),
        ("MOSEI/--qXJuDtHPw_5.mp4", "CMU-MOSEI", "--qXJuDtHPw"),
        ("CMU-MOSEI/raw/--qXJuDtHPw/12.mp4", "CMU-MOSEI", "--qXJuDtHPw"),
        ("CMU_MOSI/03bSnISJMiM$_$11.mp4", "CMU-MOSI", "03bSnISJMiM"),
        ("CHSIMSv1/video_0001/0003.mp4", "CH-SIMS", "video_0001"),
        ("CelebV-HQ/M2Ohb0FAaJU_1.mp4", "CelebV-HQ", "M2Ohb0FAaJU"),
        ("CelebV-Text/-0-7cX5SqZI_3_0.mp4", "CelebV-Text", "-0-7cX5SqZI"),
        ("CelebV-Text/a_b_c_d_e_f_2.mp4", "CelebV-Text", "a_b_c_d_e_f"),
        ("MELD/train_splits/dia12_utt3.mp4", "MELD", "train_splits/dia12"),
        ("AffWild2/1-30-1280x720.mp4", "AffWild2", "1-30-1280x720"),
        ("Aff-Wild2/batch1/video59_right.mp4", "AffWild2", "video59"),
    ],
)
def test_the_subject_is_told_from_the_path(path, dataset, subject):
    found = subject_reader()(path)
    assert (found[0], found[2]) == (dataset, subject)


@pytest.mark.parametrize("path", ["MAFW/clips/00001.mp4", "M003.mp4", "DFEW/M003/1.mp4", "MEAD/readme.mp4", ""])
def test_a_path_that_tells_nothing_has_no_subject(path):
    assert subject_reader()(path) is None


def test_a_users_pattern_comes_before_the_table():
    read = subject_reader(r"person(\d+)")
    assert read("Mine/person7/1.mp4") == ("Mine", "subject", "7")
    assert read("MEAD/M003/1.mp4")[2] == "M003"
    assert subject_reader(r"p\d+")("Mine/p7/1.mp4") == ("Mine", "subject", "p7")


def test_a_pattern_that_is_none_is_a_sentence():
    with pytest.raises(InputError, match=r"--subject.*not a regular expression"):
        subject_reader("(")


def leaks_of(videos, sizes=None, root="."):
    return find_leaks(videos, sizes or {}, root, subject_reader())


def test_splits_that_share_nothing_have_no_leaks():
    assert leaks_of({"train": ["MEAD/M003/1.mp4"], "val": [], "test": ["MEAD/M005/1.mp4"]}) == []


def test_a_path_in_two_splits_is_counted_by_source_however_it_is_written():
    videos = {
        "train": ["A/1.mp4", "A/2.mp4", "B/1.mp4"],
        "val": ["C/1.mp4"],
        "test": ["./A/1.mp4", "A/3.mp4", "B/1.mp4"],
    }
    assert leaks_of(videos) == [
        Leak("video", "A", ("train", "test"), 1, 2, ("A/1.mp4",)),
        Leak("video", "B", ("train", "test"), 1, 1, ("B/1.mp4",)),
    ]


def test_a_subject_in_two_splits_is_counted_of_all_of_the_second():
    videos = {"train": ["MEAD/M003/1.mp4", "MEAD/M003/2.mp4"], "test": ["MEAD/M003/9.mp4", "MEAD/W011/1.mp4"]}
    assert leaks_of(videos) == [Leak("actor", "MEAD", ("train", "test"), 1, 2, ("M003",))]


def test_dialogues_that_only_share_a_number_are_no_leak():
    assert leaks_of({"train": ["MELD/train/dia0_utt0.mp4"], "test": ["MELD/test/dia0_utt0.mp4"]}) == []


def test_the_same_content_under_another_name_is_found_and_an_equal_size_is_not_enough(tmp_path):
    contents = {"A/1.mp4": b"x" * 99_999, "A/2.mp4": b"y" * 99_999, "B/7.mp4": b"x" * 99_999, "B/8.mp4": b"x" * 50}
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    sizes = {name: len(content) for name, content in contents.items()}
    videos = {"train": ["A/1.mp4", "A/2.mp4"], "test": ["B/7.mp4", "B/8.mp4", "B/gone.mp4"]}
    assert leaks_of(videos, sizes, tmp_path) == [
        Leak("content", "B", ("train", "test"), 1, 3, ("A/1.mp4 = B/7.mp4",)),
    ]


def test_files_of_sizes_that_no_other_split_has_are_not_opened(tmp_path):
    videos = {"train": ["a.mp4", "b.mp4"], "test": ["c.mp4"]}
    assert leaks_of(videos, {"a.mp4": 5, "b.mp4": 5, "c.mp4": 6}, tmp_path / "nowhere") == []
