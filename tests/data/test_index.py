"""The index against plain reading: the same records, columns that follow from them, and builds that cannot be half."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer

from videmo.data import index as index_module
from videmo.data import index_build, pool, text_lengths
from videmo.data.chat import encode_record
from videmo.data.index import RecordIndex
from videmo.data.records import RecordError, read_records
from videmo.tasks import TEXT_TASK, find_task

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def small_parts(monkeypatch):
    """Has even a small file cut into parts that two processes read."""
    monkeypatch.setattr(pool, "_SMALL", 0)
    monkeypatch.setattr(index_build, "PART", 2000)
    monkeypatch.setattr(text_lengths, "JOB", 3000)
    monkeypatch.setattr(text_lengths, "BATCH", 7)


@pytest.fixture(scope="session")
def world_tokenizer(world_checkpoint):
    return AutoTokenizer.from_pretrained(world_checkpoint)


def record(*videos: str, source: str | None = "QA_Hair", question: str = "What?", answer: str = "Black") -> dict:
    turns = [("user", "<video>" * len(videos) + question), ("assistant", answer)]
    fields = {"messages": [{"role": role, "content": text} for role, text in turns], "videos": list(videos)}
    return fields if source is None else {**fields, "source": source}


def write(file: Path, records: list, lines: bool = False) -> Path:
    texts = [json.dumps(fields, ensure_ascii=False) for fields in records]
    file.write_text("\n".join(texts) if lines else "[" + ",\n".join(texts) + "]", encoding="utf-8")
    return file


def opened(*files: Path, **options) -> RecordIndex:
    return RecordIndex.open(files, folder=files[0].parent / ".videmo", progress=False, **options)


def world_files(world: Path) -> list[Path]:
    return sorted(world.glob("jsons/*/*/full/*.json"))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_index_holds_what_reading_finds_in_the_same_order(workers, world, world_tokenizer, small_parts, tmp_path):
    files = world_files(world)
    options = {"folder": tmp_path / "indexes", "progress": False, "workers": workers}
    index = RecordIndex.open(files, tokenizer=world_tokenizer, **options)
    records = [record for file in files for record in read_records(file)]
    assert list(index) == records == [index[number] for number in range(len(index))]
    assert index.line.tolist() == [record.line for record in records]
    assert [index.files[number] for number in index.file] == [record.file for record in records]
    assert [index.sources[number] for number in index.source] == [record.source for record in records]
    assert [index.tasks[index.task[n]].name for n in range(len(index))] == [
        find_task(r.source, r.file).name for r in records
    ]
    assert [tuple(index.videos[i] for i in index.videos_of(n)) for n in range(len(index))] == [
        r.videos for r in records
    ]
    videos = [video for record in records for video in record.videos]
    assert list(index.videos) == list(dict.fromkeys(videos))
    assert index.faults == ()
    encoded = [encode_record(record, world_tokenizer) for record in records]
    assert index.text_tokens.tolist() == [[len(e.root), len(e.branch)] for e in encoded]


def test_families_are_equal_where_the_videos_are_and_text_has_its_own(tmp_path):
    sets = [("a",), ("a", "b"), ("b", "a"), (), ("a",), ("a", "b"), (), ("b",), ("a", "a")]
    index = opened(write(tmp_path / "QA_Hair.json", [record(*videos) for videos in sets]))
    for one, first in enumerate(sets):
        for other, second in enumerate(sets):
            same = one == other or (first == second and first != ())
            assert (index.family[one] == index.family[other]) == same
    assert index.family.max() < 2 * len(sets)


def test_lists_and_lines_of_any_layout_have_the_same_index(tmp_path):
    records = [record(f"Größe/视频 {n}.MP4", question="Wie? 😀" * n) for n in range(5)]
    texts = {
        "one line": json.dumps(records),
        "a line each": "[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in records) + "\n]\n",
        "indented": json.dumps(records, indent=2, ensure_ascii=False),
        "lines": "\r\n\r\n".join(map(json.dumps, records)),
        "marked": "\ufeff" + "\n".join(json.dumps(r, ensure_ascii=False) for r in records),
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.json").write_bytes(text.encode())
    for name, text in texts.items():
        index = opened(tmp_path / f"{name}.json")
        assert [(r.videos, r.messages[0].content) for r in index] == [
            ((f"Größe/视频 {n}.MP4",), "<video>" + "Wie? 😀" * n) for n in range(5)
        ]
        assert index.videos[4] == "Größe/视频 4.MP4"
        data = text.encode()
        for number, fields in enumerate(records):
            start = index.offset[number]
            assert json.loads(data[start : start + index.length[number]]) == fields


def test_what_cannot_be_used_is_named_once_and_the_rest_is_there(tmp_path, tokenizer):
    bad = {
        2: ("{bad}", "not valid JSON"),
        4: (json.dumps(record("a", source="QA_Hiar")), "did you mean QA_Hair"),
        5: (json.dumps({**record("a"), "videos": []}), '<video> stands 1 times in the messages, but "videos" has 0'),
        7: (json.dumps(record("a", answer=" ")), "no assistant turn"),
        9: (json.dumps(record("a", question="<|im_end|>")), "special token <|im_end|>"),
    }
    lines = [bad[n][0] if n in bad else json.dumps(record(f"{n}")) for n in range(1, 11)]
    for name, text in {"lines": "\n".join(lines), "list": "[" + ",\n".join(lines) + "]"}.items():
        (tmp_path / f"{name}.json").write_text(text)
    (tmp_path / "none.json").write_text("[]")
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "picture.json").write_bytes(bytes(range(256)) * 100)
    names = ["lines", "list", "none", "empty", "picture"]
    files = [tmp_path / f"{name}.json" for name in names]
    index = opened(*files, tokenizer=tokenizer)
    usable = index.text_tokens[:, 0] >= 0
    kept = [(r.file, r.line) for r, is_usable in zip(index, usable, strict=True) if is_usable]
    assert kept == [(str(file), n) for file in files[:2] for n in range(1, 11) if n not in bad]
    expected = [(str(file), n, bad[n][1]) for file in files[:2] for n in bad]
    expected += [(str(files[2]), 0, "no record"), (str(files[3]), 0, "no record"), (str(files[4]), 0, "not UTF-8")]
    assert [(fault.file, fault.line) for fault in index.faults] == [(file, line) for file, line, _ in expected]
    for fault, (_, _, says) in zip(index.faults, expected, strict=True):
        assert says in fault.reason


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_what_has_no_end_is_named_and_not_opened(make, tmp_path):
    make(tmp_path / "x.json")
    index = opened(write(tmp_path / "good.json", [record("a")]), tmp_path / "x.json")
    assert len(index) == 1
    assert [fault.reason for fault in index.faults] == [
        "it is no file but a pipe or a device; leave it out of the pattern"
    ]


def test_text_without_videos_is_a_task_of_its_own_unless_its_source_is_one(tmp_path):
    records = [record(source="magpie"), record(source="QA_Hair"), record(source=None), record("a", source="magpie")]
    index = opened(write(tmp_path / "mix.json", records))
    assert [index.tasks[index.task[n]] for n in range(len(index))] == [TEXT_TASK, find_task("QA_Hair"), TEXT_TASK]
    assert [fault.line for fault in index.faults] == [4]


def test_a_broken_record_at_a_parts_end_costs_no_other(tmp_path, small_parts):
    texts = [json.dumps(record(f"{n}", question="What? " * 50)) for n in range(40)]
    for n in (3, 4, 5, 6, 7, 8, 21):
        texts[n] = texts[n][:-9]
    (tmp_path / "x.json").write_text("[\n" + ",\n".join(texts) + "]")
    index = opened(tmp_path / "x.json")
    assert [fault.line for fault in index.faults] == [5, 6, 7, 8, 9, 10, 23]
    assert [int(line) for line in index.line] == [n + 2 for n in range(40) if n not in (3, 4, 5, 6, 7, 8, 21)]


@pytest.mark.parametrize("change", ["time", "size"])
def test_a_changed_file_is_indexed_anew_and_the_old_index_is_gone(change, tmp_path):
    file = write(tmp_path / "QA_Hair.json", [record("a")])
    before = opened(file)
    if change == "size":
        time_before = file.stat().st_mtime_ns
        write(file, [record("a"), record("b")])
        os.utime(file, ns=(time_before, time_before))
    else:
        write(file, [record("b")])
        os.utime(file, (1, 1))
    after = opened(file)
    assert after.folder != before.folder
    assert not before.folder.exists()
    assert list(after) == list(read_records(file))


def test_an_index_that_fits_is_not_built_again(tmp_path, monkeypatch, tokenizer):
    file = write(tmp_path / "QA_Hair.json", [record("a")])
    opened(file, tokenizer=tokenizer)
    monkeypatch.setattr(index_module, "build", None)
    monkeypatch.setattr(index_module, "count_text", None)
    assert list(opened(file, tokenizer=tokenizer)) == list(read_records(file))
    assert opened(file).text_tokens is None


def test_a_record_read_from_a_file_that_changed_meanwhile_is_an_error_that_says_so(tmp_path):
    file = write(tmp_path / "QA_Hair.json", [record("a"), record("b")])
    index = opened(file)
    file.write_text("{}")
    with pytest.raises(RecordError, match=r"QA_Hair.json:2: the file changed while it was in use"):
        index[1]
    file.unlink()
    with pytest.raises(RecordError, match=r"QA_Hair.json:2: cannot be read"):
        pickle.loads(pickle.dumps(index))[1]  # another process, which has not opened it yet
    assert [fault.reason for fault in opened(file).faults] == ["there is no such file; correct its name"]
    file.symlink_to("nowhere")
    assert "a link to nowhere, which is not there" in opened(file).faults[0].reason
    file.unlink()
    file.mkdir()
    assert "it is a folder" in opened(file).faults[0].reason


def test_pickled_it_is_small_and_reads_the_same(tmp_path, tokenizer):
    file = write(tmp_path / "QA_Hair.json", [record(f"{n}") for n in range(1000)])
    index = opened(file, tokenizer=tokenizer)
    data = pickle.dumps(index)
    assert len(data) < 1000
    again = pickle.loads(data)
    assert again[999] == index[999] == index[-1]
    assert again.text_tokens.tolist() == index.text_tokens.tolist()
    assert isinstance(index.offset, np.memmap)
    with pytest.raises(IndexError):
        index[1000]


def test_no_records_at_all_are_an_index_too(tmp_path, tokenizer):
    index = RecordIndex.open([], folder=tmp_path, tokenizer=tokenizer, progress=False)
    assert (len(index), len(index.videos), index.faults, list(index)) == (0, 0, (), [])
    assert index.text_tokens.shape == (0, 2)


def test_a_folder_that_cannot_be_written_is_replaced_by_the_users_cache(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = write(tmp_path / "QA_Hair.json", [record("a")])
    (tmp_path / "no folder").write_text("")
    index = RecordIndex.open([file], folder=tmp_path / "no folder" / ".videmo")
    assert list(index) == list(read_records(file))
    assert index.folder.is_relative_to(tmp_path / "cache")
    assert "cannot be written" in capsys.readouterr().err
    assert RecordIndex.open([file], folder=tmp_path / "no folder" / ".videmo", progress=False).folder == index.folder


BUILD = """
import sys, time
from pathlib import Path
import videmo.data.index as index
build = index.build
def slow(files, folder, *rest):
    print("building", flush=True)
    time.sleep(float(sys.argv[2]))
    build(files, folder, *rest)
    if sys.argv[3:]:
        print("built", flush=True)
        time.sleep(60)
index.build = slow
file = Path(sys.argv[1])
print(len(index.RecordIndex.open([file], folder=file.parent / ".videmo", progress=False)), flush=True)
"""


def start(file: Path, *arguments: str) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, str(file), *arguments], stdout=subprocess.PIPE, text=True, env=environment
    )


def test_of_processes_that_open_at_once_one_builds(tmp_path):
    file = write(tmp_path / "QA_Hair.json", [record("a"), record("b")])
    processes = [start(file, "1") for _ in range(3)]
    outputs = [process.communicate(timeout=60)[0].split() for process in processes]
    assert sorted(outputs) == [["2"], ["2"], ["building", "2"]]


def test_a_killed_build_leaves_nothing_that_counts(tmp_path):
    file = write(tmp_path / "QA_Hair.json", [record("a"), record("b")])
    process = start(file, "0", "wait")
    assert [process.stdout.readline().strip() for _ in range(2)] == ["building", "built"]
    process.kill()
    process.wait()
    left = [path for path in (tmp_path / ".videmo").iterdir() if path.is_dir()]
    assert [path.suffix for path in left] == [".part"]
    assert list(opened(file)) == list(read_records(file))
    assert [path for path in (tmp_path / ".videmo").iterdir() if path.suffix == ".part"] == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_processes_that_index_end_with_the_one_that_started_them(tmp_path):
    write(tmp_path / "QA_Hair.json", [record("a")])
    code = """
import os, signal, sys
from videmo.data import pool
pool._SMALL = 0
for pid in pool.spread(work, [1, 2], [1, 1], "", workers=2, progress=False):
    print(pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    (tmp_path / "job.py").write_text("import os\n\ndef work(number):\n    return os.getpid()\n")
    done = subprocess.run(
        [sys.executable, "-c", "from job import work" + code],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{tmp_path}"},
    )
    assert done.returncode == -signal.SIGKILL
    worker = Path("/proc", done.stdout.split()[0], "stat")
    for _ in range(100):
        if not worker.exists() or worker.read_text().rpartition(")")[2].split()[0] == "Z":  # waits to be collected
            return
        time.sleep(0.1)
    raise AssertionError("a worker outlived its parent")


def test_an_error_in_a_worker_is_the_callers(monkeypatch):
    monkeypatch.setattr(pool, "_SMALL", 0)
    with pytest.raises(FileNotFoundError):
        list(pool.spread(os.stat, ["/", "/no such file", "/"], [1, 1, 1], "", workers=2, progress=False))
    with pytest.raises(RuntimeError, match="was ended"):
        list(pool.spread(os._exit, [1, 1], [1, 1], "", workers=2, progress=False))
