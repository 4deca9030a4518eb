"""The server of the page: what it lets through, what it keeps to itself, how it ends."""

import json
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from videmo.app import command
from videmo.app.server import addresses, serving
from videmo.cli import main
from videmo.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
SECRET = ROOT / "pyproject.toml"


def fetch(address: str, data: bytes | None = None, kind: str = "application/json", **headers: str) -> tuple[int, bytes]:
    """Status and content."""
    request = urllib.request.Request(address, data, {"Content-Type": kind, **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def upload(address: str, name: str, content: bytes, **headers: str) -> tuple[int, bytes]:
    body = f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
    kind = "multipart/form-data; boundary=b"
    return fetch(f"{address}gradio_api/upload", body + content + b"\r\n--b--\r\n", kind, **headers)


def calls(address: str) -> list[int]:
    """The numbers of the page's calls: a search, a further question."""
    config = json.loads(fetch(f"{address}config")[1])
    return [one["id"] for one in config["dependencies"] if one["backend_fn"]]


def join(address: str, **body) -> tuple[int, bytes]:
    return fetch(f"{address}gradio_api/queue/join", json.dumps({"session_hash": "test", **body}).encode())


def file(path: object, **more: str) -> dict:
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}, **more}


def ask(address: str, clip: dict, question: str) -> dict:
    """The last message on a search, asked for as the page would."""
    status, said = join(address, data=[clip, question, 1], fn_index=calls(address)[0])
    assert status == 200, said
    _, lines = fetch(f"{address}gradio_api/queue/data?session_hash=test")
    messages = [json.loads(line[6:]) for line in lines.decode().splitlines() if line.startswith("data: ")]
    return next(one for one in messages if one["msg"] == "process_completed")


def test_what_was_uploaded_can_be_read_and_no_other_file(served, reasoner, checkpoint, tmp_path):
    status, answer = upload(served.address, "a.mp4", b"mine")
    assert status == 200
    (own,) = json.loads(answer)
    assert fetch(f"{served.address}gradio_api/file={own}") == (200, b"mine")
    link = Path(own).with_name("link.mp4")
    link.symlink_to(SECRET)
    secrets = [Path("/etc/passwd"), checkpoint / "config.json", SECRET, tmp_path, link]
    assert all(path.exists() for path in secrets)
    ways = [f"gradio_api/file={path}" for path in secrets]
    ways += [f"gradio_api/file={Path(own).parent}/../../../..{SECRET}", f"gradio_api/file={SECRET.name}"]
    ways += [f"gradio_api/file={Path(own).parent}/..%2f..%2f..%2f..{SECRET}", f"gradio_api/file=file://{SECRET}"]
    ways += [f"gradio_api/file/{SECRET}", f"gradio_api/proxy=file://{SECRET}", f"static/..%2f..%2f{SECRET.name}"]
    ways += [f"static/../../../../../../..{SECRET}", f"assets/..%2f..%2f..%2f..%2f..%2f..%2f..{SECRET}"]
    for way in ways:
        status, answer = fetch(served.address + way)
        assert status in (403, 404), way
        assert b"[build-system]" not in answer and b"root:" not in answer


def test_a_search_takes_no_file_that_was_not_uploaded_and_fetches_none(served):
    for path in (SECRET, "/etc/passwd", "http://127.0.0.2/clip.mp4", "https://example.org/clip.mp4"):
        assert join(served.address, data=[file(path), "What?", 1], fn_index=calls(served.address)[0])[0] == 400, path
    (own,) = json.loads(upload(served.address, "a.mp4", b"mine")[1])
    for address in ("http://127.0.0.2/clip.mp4", f"file://{SECRET}"):
        said = json.dumps(ask(served.address, file(own, url=address), "What?"))
        assert "a.mp4 cannot be opened as a video: it is text" in said and "build-system" not in said
    assert not served.hosts & {"127.0.0.2", "example.org"}


def test_too_long_a_question_is_told_and_not_cut(served):
    (own,) = json.loads(upload(served.address, "a.mp4", b"mine")[1])
    assert "The question has 2500 characters: ask in 2000" in json.dumps(ask(served.address, file(own), "?" * 2500))


def test_calls_of_another_form_are_refused_without_a_trace(served, capfd):
    search, follow = calls(served.address)
    (own,) = json.loads(upload(served.address, "a.mp4", b"mine")[1])
    others = ({*range(20)} | {999, -1}) - {search, follow}
    wrong = [(number, []) for number in others] + [(follow, []), (follow, [None, None]), (search, []), (search, ["x"])]
    for clip, question, count in (
        (own, "What?", 1),
        ({"a": 1}, "What?", 1),
        (file(own), None, 1),
        (file(own), "What?", 0),
    ):
        wrong.append((search, [clip, question, count]))
    wrong += [(search, [file(own), "What?", "x"]), (search, [file(own), "What?", 10**9]), ("x", []), (None, [])]
    for number, data in wrong:
        assert join(served.address, data=data, fn_index=number)[0] == 400, (number, data)
    for body in (
        b"{",
        b"[]",
        b"null",
        b'{"data": 1}',
        b"\xff",
        json.dumps({"data": [None, "x"], "fn_index": follow}).encode(),
    ):
        assert fetch(f"{served.address}gradio_api/queue/join", body)[0] == 400, body
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1.example.org", "example.org:7860", "[", "127.0.0.2"])
def test_a_local_page_answers_to_no_other_name(served, host):
    for route in ("", "config", "assets/x.js"):
        assert fetch(served.address + route, Host=host)[0] == 403


def test_a_local_page_answers_to_all_names_of_its_machine(served):
    for host in ("127.0.0.1", "localhost:7860", "LOCALHOST", "[::1]:7860"):
        assert fetch(served.address, Host=host)[0] == 200


@pytest.mark.parametrize("origin", ["https://example.org", "null", "http://127.0.0.1:1", "file://", ""])
def test_pages_of_other_sites_cannot_send_it_anything(served, origin):
    assert upload(served.address, "a.mp4", b"mine", Origin=origin)[0] == 403
    assert upload(served.address, "a.mp4", b"mine", Origin=served.address.strip("/"))[0] == 200


def test_a_page_for_others_answers_to_any_name_and_no_other_origin(reasoner, tmp_path, free_port):
    with serving(reasoner, tmp_path, host="0.0.0.0", port=(port := free_port()), upload_mb=1, model="x"):
        address = f"http://127.0.0.1:{port}/"
        assert fetch(address, Host="my.machine:7860")[0] == 200
        assert upload(address, "a.mp4", b"mine", Host="my.machine", Origin="http://my.machine")[0] == 200
        assert upload(address, "a.mp4", b"mine", Host="my.machine", Origin="http://example.org")[0] == 403


@pytest.mark.parametrize(
    "route",
    [
        *("gradio_api/info", "gradio_api/openapi.json", "gradio_api/runs", "monitoring", "docs", "openapi.json"),
        *("gradio_api/file=https://example.org/", "gradio_api/proxy=https://example.org/", "gradio_api/vibe-code"),
        *("gradio_api/call/search", "gradio_api/run/search", "gradio_api/component_server"),
    ],
)
def test_other_routes_are_closed(route, served):
    assert fetch(served.address + route)[0] == 404
    assert fetch(served.address + route, b"{}")[0] == 404
    assert "example.org" not in served.hosts


def test_too_large_an_upload_is_refused_and_leaves_nothing(served):
    status, answer = upload(served.address, "big.mp4", b"mine")
    folder = Path(json.loads(answer)[0]).parent.parent
    before = {*folder.rglob("*")}
    status, answer = upload(served.address, "big.mp4", bytes(2**20 + 1))
    assert status == 413 and b"exceeded maximum allowed size" in answer
    assert {*folder.rglob("*")} == before


def test_pages_of_other_sites_cannot_call_it_and_it_calls_none(served):
    request = urllib.request.Request(served.address, headers={"Origin": "https://example.org"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        headers, text = answer.headers, answer.read().decode()
    assert headers.get("Access-Control-Allow-Origin") is None
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "fonts.g" not in text


def test_a_port_that_is_taken_is_named(reasoner, served, tmp_path):
    port = int(served.address.rsplit(":", 1)[1].strip("/"))
    with (
        pytest.raises(InputError, match=f"the port {port} of 127.0.0.1 is taken; give another --port"),
        serving(reasoner, tmp_path, host="127.0.0.1", port=port, upload_mb=1, model="x"),
    ):
        pass


def test_what_cannot_be_listened_at_is_said_before_the_model_is_loaded(served, capfd):
    port = int(served.address.rsplit(":", 1)[1].strip("/"))
    for more, says in (
        ({"port": port}, f"the port {port} of 127.0.0.1 is taken"),
        ({"host": "192.0.2.7"}, "192.0.2.7 is no address of this machine"),
        ({"host": "no such host"}, "no such host is no address of this machine"),
    ):
        with pytest.raises(InputError, match=says):
            command.app("no such model", **more)
    assert capfd.readouterr() == ("", "")


def test_others_are_told_where_a_page_for_all_is():
    found = addresses(7860)
    assert found[0] == f"http://{socket.gethostname()}:7860/"
    assert all("0.0.0.0" not in one and one.endswith(":7860/") for one in found)


def test_without_gradio_a_sentence_says_what_to_install(monkeypatch, checkpoint):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'videmo\[app\]'"):
        command.app(str(checkpoint))


@pytest.mark.parametrize(
    ("more", "says"),
    [({"port": 0}, "--port is from 1"), ({"upload_mb": 0}, "--upload_mb"), ({"n": 0}, "n, the candidates")],
)
def test_a_value_that_makes_no_sense_is_refused_before_the_model_is_loaded(more, says):
    with pytest.raises(InputError, match=says):
        command.app("no such model", **more)


def serve(args: list[str], folder: Path) -> None:
    """What a terminal would do, with a folder for temporary files and another to work in."""
    (folder / "work").mkdir()
    os.chdir(folder / "work")
    tempfile.tempdir = str(folder)
    printed = os.open(folder / "printed", os.O_CREAT | os.O_WRONLY)
    os.dup2(printed, 1), os.dup2(printed, 2)
    sys.exit(main(args))


@pytest.fixture
def started(checkpoint, tmp_path, free_port, heard_interrupts):
    """A page in a process of its own, its address, and what it prints."""
    address = f"http://127.0.0.1:{(port := free_port())}/"
    args = ["app", f"--ckpt={checkpoint}", f"--port={port}"]
    process = multiprocessing.get_context("forkserver").Process(target=serve, args=(args, tmp_path))
    process.start()
    printed = tmp_path / "printed"
    try:
        while process.is_alive() and not (printed.exists() and "Ctrl-C ends it" in printed.read_text()):
            time.sleep(0.05)
        assert f"the page is at {address}" in printed.read_text()
        yield process, address, printed
    finally:
        process.kill()
        process.join()


def check_end(process, printed: Path) -> None:
    """It has ended by itself, said so, and left nothing."""
    process.join(60)
    folder, text = printed.parent, printed.read_text()
    assert process.exitcode == 0, text
    assert text.endswith("closing\nthe page has ended\n") and "Traceback" not in text and "terminate" not in text
    assert not [*folder.glob("videmo-app-*")] and not [*(folder / "work").iterdir()]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_server_and_removes_its_folder(started, end):
    process, address, printed = started
    assert upload(address, "a.mp4", b"mine")[0] == 200
    (folder,) = printed.parent.glob("videmo-app-*")
    assert [*folder.rglob("a.mp4")]
    os.kill(process.pid, end)
    check_end(process, printed)


def test_ctrl_c_ends_a_search_first(started, clips):
    """Random answers of 512 tokens, by 16 a level, take a minute."""
    process, address, printed = started
    (own,) = json.loads(upload(address, "a.mp4", clips["drawn"].read_bytes())[1])
    asked = {"data": [file(own), "What?", 16], "fn_index": calls(address)[0]}
    assert join(address, **asked)[0] == 200
    with urllib.request.urlopen(f"{address}gradio_api/queue/data?session_hash=test", timeout=60) as lines:
        for line in lines:
            if b"drawing 16 candidates" in line:
                break
        begun = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        assert b"Whoever served this page has ended it." in lines.read()
    check_end(process, printed)
    assert time.monotonic() - begun < 20
