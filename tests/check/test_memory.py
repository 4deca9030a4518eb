"""What is remembered of good videos, and when it is not believed."""

from videmo.check.memory import GoodVideos


def remembered(folder, reading="decode"):
    return GoodVideos(folder, reading)


def test_a_good_video_is_known_in_the_next_check(tmp_path):
    with remembered(tmp_path) as good:
        good.add("A/ü 1\n.mp4", (5, 7))
        assert good.knows("A/ü 1\n.mp4", (5, 7))
    assert remembered(tmp_path).knows("A/ü 1\n.mp4", (5, 7))


def test_a_video_that_changed_is_not_known(tmp_path):
    with remembered(tmp_path) as good:
        good.add("a.mp4", (5, 7))
        good.add("a.mp4", (6, 8))
    assert remembered(tmp_path).knows("a.mp4", (6, 8))
    assert not remembered(tmp_path).knows("a.mp4", (5, 7))
    assert not remembered(tmp_path).knows("b.mp4", (6, 8))


def test_good_in_one_way_of_reading_says_nothing_of_another(tmp_path):
    with remembered(tmp_path, "open") as good:
        good.add("a.mp4", (5, 7))
    assert not remembered(tmp_path, "decode").knows("a.mp4", (5, 7))


def test_an_interrupted_check_keeps_what_it_found(tmp_path):
    try:
        with remembered(tmp_path) as good:
            good.add("a.mp4", (5, 7))
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert remembered(tmp_path).knows("a.mp4", (5, 7))


def test_a_killed_check_keeps_all_but_the_last_few(tmp_path):
    good = remembered(tmp_path)
    for number in range(40):
        good.add(f"{number}.mp4", (5, 7))
    known = [remembered(tmp_path).knows(f"{number}.mp4", (5, 7)) for number in range(40)]
    assert sum(known) >= 32 and known == sorted(known, reverse=True)


def test_a_line_cut_short_or_a_strange_file_is_passed_over(tmp_path):
    with remembered(tmp_path) as good:
        good.add("a.mp4", (5, 7))
        good.add("b.mp4", (5, 7))
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    file.write_bytes(content[:-4])
    again = remembered(tmp_path)
    assert again.knows("a.mp4", (5, 7)) and not again.knows("b.mp4", (5, 7))
    with again:
        again.add("c.mp4", (1, 1))
        again.add("d.mp4", (1, 1))
    assert remembered(tmp_path).knows("d.mp4", (1, 1)), "only the line behind the cut one is lost"
    file.write_bytes(b"\xff\xfe\0")
    assert not remembered(tmp_path).knows("a.mp4", (5, 7))


def test_a_folder_that_cannot_be_written_forgets_and_does_not_stop(tmp_path):
    with remembered(tmp_path / "nowhere") as good:
        good.add("a.mp4", (5, 7))
    assert not remembered(tmp_path / "nowhere").knows("a.mp4", (5, 7))
