"""Missing sources are a line, missing folders a fault, missing videos a fault each; the manifest has all of them."""

import json

import pytest

from videmo.check.assemble import assemble
from videmo.check.findings import Coverage
from videmo.check.folder import DataFolder
from videmo.check.memory import GoodVideos
from videmo.check.table import RecordTable
from videmo.check.videos import Examined, examine
from videmo.data.index import RecordIndex
from videmo.data.patterns import RELEASE, FilePatterns
from videmo.data.presence import MissingSource
from videmo.data.quarantine import Quarantine
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError


def entry(video):
    messages = [{"role": "user", "content": "<video>What is it?"}, {"role": "assistant", "content": "brown"}]
    return {"messages": messages, "videos": [video], "source": "QA_Hair"}


@pytest.fixture
def root(tmp_path):
    """Of MEAD one actor, of DFEW an empty folder, of MAFW nothing."""
    for folder in ("MEAD/M003", "DFEW"):
        (tmp_path / "videos" / folder).mkdir(parents=True)
    for name in ("1", "2"):
        (tmp_path / "videos" / "MEAD" / "M003" / f"{name}.mp4").write_bytes(b"x")
    return tmp_path


def found(root, videos, reading="none"):
    (root / "data.json").write_text("\n".join(json.dumps(entry(video)) for video in videos))
    folder = DataFolder(root, root / "videos", {"train": FilePatterns("data.json", "--train")})
    index = RecordIndex.open(folder.files()["train"], folder=folder.index_folder, progress=False)
    table, examined = RecordTable({"train": index}), Examined()
    examine(table.videos, folder, reading, VideoSettings(), 1, GoodVideos(folder.index_folder, ""), examined)
    return assemble(table, examined, folder, reading, [])


def test_a_source_without_any_video_is_one_line_and_no_fault(root):
    result = found(root, ["MEAD/M003/1.mp4", *[f"MAFW/{n}.mp4" for n in (1, 2, 3, 3)], "DFEW/1.mp4", "DFEW/2.mp4"])
    assert result.missing_sources == (MissingSource("DFEW", 2, 2), MissingSource("MAFW", 3, 4))
    assert result.faults == ()
    assert [(fault.video, fault.line) for fault in result.quarantine] == [
        ("MAFW/", 2),
        ("DFEW/1.mp4", 6),
        ("DFEW/2.mp4", 7),
    ]
    assert (result.all.records, result.all.usable, result.all.videos, result.all.missing) == (7, 1, 6, 5)


def test_a_missing_folder_in_a_source_that_is_there_is_one_fault(root):
    result = found(root, ["MEAD/M003/1.mp4", "MEAD/W009/front/1.mp4", "MEAD/W009/left/2.mp4"])
    (finding,) = result.faults
    assert (finding.fault.video, finding.fault.line, finding.records) == ("MEAD/W009/", 2, 2)
    assert "with its 2 videos" in finding.fault.reason


def test_a_missing_video_is_a_fault_at_its_first_record_with_its_cost(root):
    result = found(root, ["MEAD/M003/1.mp4", "MEAD/M003/9.mp4", "MEAD/M003/9.mp4", "MEAD/W009/1.mp4"])
    assert [(f.fault.video, f.fault.line, f.records) for f in result.faults] == [
        ("MEAD/M003/9.mp4", 2, 2),
        ("MEAD/W009/1.mp4", 4, 1),
    ]


def test_missing_videos_in_the_root_itself_are_named_singly(root):
    result = found(root, ["a.mp4", "b.mp4", "MEAD/M003/1.mp4"])
    assert not result.missing_sources and [f.fault.video for f in result.faults] == ["a.mp4", "b.mp4"]


def test_a_missing_source_of_one_video_stands_in_the_manifest_by_it(root):
    result = found(root, ["MAFW/1.mp4", "MEAD/M003/1.mp4"])
    assert not result.faults and [fault.video for fault in result.quarantine] == ["MAFW/1.mp4"]


def test_the_manifest_leaves_out_exactly_the_records_that_cannot_be_used(root):
    videos = [
        "MEAD/M003/1.mp4",
        "MAFW/1.mp4",
        "MAFW/2.mp4",
        "../x.mp4",
        "MEAD/M003/9.mp4",
        "MEAD/W1/1.mp4",
        "MEAD/W1/2.mp4",
    ]
    result = found(root, [*videos, "MEAD/M003/2.mp4"])
    Quarantine.write(root / "q.jsonl", result.quarantine, root, root / "videos")
    index = RecordIndex.open([root / "data.json"], folder=root / ".videmo", progress=False)
    covered = Quarantine.read(root / "q.jsonl", root, root / "videos").covers(index)
    assert covered.tolist() == [False, *[True] * 6, False]
    assert result.all.usable == 2


def test_what_was_not_read_is_said(root):
    assert found(root, ["MEAD/M003/1.mp4", "MAFW/1.mp4"]).coverage == Coverage("none", videos=2, read=0, known=0)


def test_no_folder_and_no_files_are_sentences(root):
    with pytest.raises(InputError, match=r"no data folder .*videmo synth"):
        DataFolder(root / "nowhere", root, {"train": FilePatterns("*.json", "--train")}).files()
    with pytest.raises(InputError, match=r"no data files in .*--train, --val and --test"):
        DataFolder(root, root, {split: FilePatterns(RELEASE[split], "") for split in ("train", "val")}).files()
