"""Records that can be used: missing sources are a line, single faults stand with their record, the rest is kept."""

import json

import numpy as np
import pytest

from videmo.data.faults import Fault
from videmo.data.index import RecordIndex
from videmo.data.presence import Place, find_videos
from videmo.data.quarantine import Quarantine
from videmo.data.usable import find_usable, refuse
from videmo.errors import InputError


def record(*videos: str) -> dict:
    question = "<video>" * len(videos) + "Which way does the person look?"
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": "Up"}]
    return {"messages": messages, "videos": list(videos), "source": "MEAD_Head-Pose"}


@pytest.fixture
def folder(tmp_path):
    """Two sources of which one is there but for a clip, and a clip outside."""
    for path in ("videos/A/1.mp4", "videos/A/2.mp4", "outside.mp4"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"")
    return tmp_path


def look(folder, records, quarantine=(), **options):
    file = folder / "data.json"
    file.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records))
    index = RecordIndex.open([file], folder=folder / ".videmo")
    return find_usable(index, folder / "videos", Quarantine(tuple(quarantine)), **options)


def test_a_source_that_is_missing_as_a_whole_is_a_line_and_no_fault(folder):
    found = look(folder, [record("A/1.mp4"), record("B/1.mp4"), record("B/2.mp4"), record("B/1.mp4")])
    assert [str(source) for source in found.missing] == ["B: 3 records of 2 videos, all missing"]
    assert found.faults == ()
    assert found.records.numbers.tolist() == [0]


def test_a_missing_clip_of_a_source_that_is_there_is_named_once_by_its_first_record(folder):
    found = look(folder, [record("A/1.mp4"), record("A/9.mp4"), record("A/9.mp4", "A/2.mp4")])
    assert [(fault.line, fault.video) for fault in found.faults] == [(2, "A/9.mp4")]
    assert found.records.numbers.tolist() == [0]
    with pytest.raises(InputError, match=r"data.json:2: no video .*9.mp4.*videmo check"):
        refuse(found.faults)


def test_a_malformed_record_costs_itself_only(folder):
    found = look(folder, [record("A/1.mp4"), "{oops", record("A/2.mp4")])
    assert [fault.line for fault in found.faults] == [2]
    assert [r.line for r in found.records] == [1, 3]


def test_a_bad_record_of_a_list_on_one_line_does_not_cost_the_others(folder):
    listed = [record("A/1.mp4"), {**record("A/1.mp4"), "messages": []}, record("A/2.mp4")]
    found = look(folder, [json.dumps(listed)])
    assert len(found.faults) == 1 and found.records.numbers.tolist() == [0, 1]
    quarantined = look(folder, [json.dumps(listed)], found.faults)
    assert quarantined.faults == () and quarantined.records.numbers.tolist() == [0, 1]
    assert quarantined.quarantined == 0
    other = Fault(str(folder / "data.json"), 1, "of one of them, and nobody knows which")
    assert look(folder, [json.dumps(listed)], [other]).records.numbers.tolist() == [0, 1]


def test_what_is_bad_is_counted_by_what_it_is(folder):
    bad = [
        Fault("x.json", 0, "empty"),
        Fault("y.json", 1, "bad"),
        Fault("y.json", 2, "bad"),
        Fault("z", 1, "", "1.mp4"),
    ]
    with pytest.raises(InputError, match=r"x.json: empty \(1 bad file and 2 bad records and 1 bad video in all\)"):
        refuse(bad)


def test_what_is_in_quarantine_is_no_fault(folder):
    bad = [Fault(str(folder / "data.json"), 2, "bad"), Fault("x.json", 1, "broken", "A/2.mp4")]
    found = look(folder, [record("A/1.mp4"), "{oops", record("A/2.mp4")], bad)
    assert found.faults == () and found.quarantined == 1
    assert found.records.numbers.tolist() == [0]


@pytest.mark.parametrize("path", ["../outside.mp4", "A/../../outside.mp4", "{root}/../outside.mp4", "/outside.mp4"])
def test_a_record_may_not_name_a_file_outside_the_video_root_unless_told(path, folder):
    path = path.format(root=folder / "videos")
    found = look(folder, [record("A/1.mp4"), record(path)])
    assert [fault.line for fault in found.faults] == [2]
    assert "is not in" in found.faults[0].reason and "data.video_root" in found.faults[0].reason
    assert find_videos([path], folder / "videos") == [Place.OUTSIDE]
    if path != "/outside.mp4":
        assert len(look(folder, [record(path)], allow_outside_root=True).records) == 1


@pytest.mark.parametrize("path", ["A/1.mp4", "{root}/A/1.mp4", "A/../A/1.mp4", "A/./1.mp4", "linked.mp4"])
def test_a_video_may_be_named_in_any_way_that_stays_inside_and_be_a_link(path, folder):
    (folder / "videos" / "linked.mp4").symlink_to(folder / "outside.mp4")
    assert find_videos([path.format(root=folder / "videos")], folder / "videos") == [Place.THERE]


@pytest.mark.parametrize("path", ["A", "A/", "A/1.mp4/", "..", "."])
def test_a_folder_is_no_video(path, folder):
    assert find_videos([path], folder / "videos") != [Place.THERE]


def test_a_link_that_leads_nowhere_is_named_as_one(folder):
    (folder / "videos" / "A" / "self.mp4").symlink_to("self.mp4")
    (folder / "videos" / "A" / "gone.mp4").symlink_to("nowhere.mp4")
    found = look(folder, [record("A/1.mp4"), record("A/self.mp4"), record("A/gone.mp4")])
    assert [fault.line for fault in found.faults] == [2, 3]
    assert all("is a link that leads to no file; get what it names" in fault.reason for fault in found.faults)


def test_the_videos_of_records_are_known_without_reading_them(folder):
    records = look(folder, [record("A/1.mp4"), record("A/2.mp4", "A/1.mp4"), record("A/2.mp4")]).records
    assert records.videos_of(1) == ["A/2.mp4", "A/1.mp4"]
    assert len(np.unique(records.family)) == 3
    assert len(records.videos) == 2
