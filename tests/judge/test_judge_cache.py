"""Facts about the cache: what it keeps and for how long, and what is said where it cannot."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from videmo.errors import InputError
from videmo.judge.cache import Failure, Reply, ReplyCache, reply_key

REPLY = Reply("yes", "stop", 12, 3)


def test_replies_and_failures_are_found_again(tmp_path):
    with ReplyCache(tmp_path / "new" / "judge.sqlite") as cache:
        cache.put("a", "m", "yes_no", REPLY)
        cache.put("b", "m", "yes_no", Failure("no reply in 60 s"))
    with ReplyCache(tmp_path / "new" / "judge.sqlite") as cache:
        assert cache.find(["a", "b", "c"]) == {"a": REPLY, "b": Failure("no reply in 60 s")}


def test_a_failure_never_replaces_a_reply_and_a_reply_replaces_both(tmp_path):
    with ReplyCache(tmp_path / "judge.sqlite") as cache:
        for outcome, kept in ((Failure("x"), Failure("x")), (REPLY, REPLY), (Failure("y"), REPLY), (Reply("no"),) * 2):
            cache.put("a", "m", "yes_no", outcome)
            assert cache.find(["a"]) == {"a": kept}


def test_more_keys_than_a_query_takes_are_found(tmp_path):
    keys = [str(number) for number in range(1203)]
    with ReplyCache(tmp_path / "judge.sqlite") as cache:
        for key in keys:
            cache.put(key, "m", "p", Reply(key))
        assert {key: reply.text for key, reply in cache.find(keys).items()} == {key: key for key in keys}


def test_the_key_is_of_model_prompt_messages_and_temperature():
    messages = [{"role": "user", "content": "Is she sad?"}]
    keys = {
        reply_key("m", "h", messages, 0.0),
        reply_key("n", "h", messages, 0.0),
        reply_key("m", "i", messages, 0.0),
        reply_key("m", "h", [], 0.0),
        reply_key("m", "h", messages, None),
    }
    assert len(keys) == 5 and reply_key("m", "h", list(messages), 0.0) in keys


def test_processes_that_begin_one_file_at_once_all_write_into_it(tmp_path):
    code = (
        "import sys; from pathlib import Path; from videmo.judge.cache import Reply, ReplyCache\n"
        "with ReplyCache(Path(sys.argv[1])) as cache:\n"
        "    for i in range(100): cache.put(f'{sys.argv[2]} {i}', 'm', 'p', Reply('yes'))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "judge.sqlite")]
    writers = [subprocess.Popen([*command, str(number)]) for number in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    with ReplyCache(tmp_path / "judge.sqlite") as cache:
        assert len(cache.find(f"{number} {i}" for number in range(2) for i in range(100))) == 200


def test_a_damaged_file_is_a_sentence(tmp_path):
    file = tmp_path / "judge.sqlite"
    with ReplyCache(file) as cache:
        for number in range(200):
            cache.put(str(number), "m", "p", Reply("yes" * 100))
    whole = file.read_bytes()
    for content in (b"not a database at all" * 100, whole[:4096] + b"\x00" * (len(whole) - 4096)):
        file.write_bytes(content)
        with pytest.raises(InputError, match="is damaged"), ReplyCache(file) as cache:
            cache.find(map(str, range(200)))


def test_another_programs_database_is_left_alone(tmp_path):
    other = sqlite3.connect(tmp_path / "other.sqlite")
    other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    with pytest.raises(InputError, match="another program's database"):
        ReplyCache(tmp_path / "other.sqlite")


def test_a_place_that_cannot_be_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be made|cannot be used"):
        ReplyCache(tmp_path / "file" / "judge.sqlite")
    with pytest.raises(InputError, match="cannot be used"):
        ReplyCache(tmp_path)


def test_many_may_begin_a_file_at_once(tmp_path):
    def begin(number: int) -> None:
        with ReplyCache(path) as cache:
            cache.put(str(number), "m", "yes_no", REPLY)

    for attempt in range(20):
        path = tmp_path / f"{attempt}.sqlite"
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(begin, range(8)))
        with ReplyCache(path) as cache:
            assert len(cache.find(map(str, range(8)))) == 8
