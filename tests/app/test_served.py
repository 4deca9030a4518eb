"""The server of the page: what it lets through, what it keeps to itself, how it ends."""

import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from videmo.app import command
from videmo.app.server import serving
from videmo.cli import main
from videmo.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
SECRET = ROOT / "pyproject.toml"


def fetch(address: str, data: bytes | None = None, kind: str = "application/json") -> tuple[int, bytes]:
    """Status and content."""
    request = urllib.request.Request(address, data, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def upload(address: str, name: str, content: bytes) -> tuple[int, bytes]:
    body = f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
    return fetch(f"{address}gradio_api/upload", body + content + b"\r\n--b--\r\n", "multipart/form-data; boundary=b")


def ask(address: str, path: str) -> dict:
    """The last message on a search about a file of the server, asked for as the page would."""
    body = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}, "What?", 1], "fn_index": 0}
    status, said = fetch(f"{address}gradio_api/queue/join", json.dumps(body | {"session_hash": "test"}).encode())
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
    for path in (str(SECRET), "/etc/passwd", "http://127.0.0.2/clip.mp4", "https://example.org/clip.mp4"):
        found = ask(served.address, path)
        assert found["success"] is False, path
        assert "build-system" not in json.dumps(found) and "root:" not in json.dumps(found)
    assert not served.hosts & {"127.0.0.2", "example.org"}


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
        pytest.raises(InputError, match=f"127.0.0.1:{port}: the port is taken, give another --port"),
        serving(reasoner, tmp_path, host="127.0.0.1", port=port, upload_mb=1, model="x"),
    ):
        pass


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


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_server_and_removes_its_folder(checkpoint, tmp_path, end, free_port, heard_interrupts):
    address = f"http://127.0.0.1:{(port := free_port())}/"
    args = ["app", f"--ckpt={checkpoint}", f"--port={port}"]
    process = multiprocessing.get_context("forkserver").Process(target=serve, args=(args, tmp_path))
    process.start()
    try:
        printed = tmp_path / "printed"
        while process.is_alive() and not (printed.exists() and "Ctrl-C ends it" in printed.read_text()):
            time.sleep(0.05)
        assert f"the page is at {address}" in printed.read_text()
        assert upload(address, "a.mp4", b"mine")[0] == 200
        (folder,) = tmp_path.glob("videmo-app-*")
        assert [*folder.rglob("a.mp4")]
        os.kill(process.pid, end)
        process.join(60)
        assert process.exitcode == 0, printed.read_text()
        assert printed.read_text().endswith("the page has ended\n") and "Traceback" not in printed.read_text()
        assert not [*tmp_path.glob("videmo-app-*")] and not [*(tmp_path / "work").iterdir()]
    finally:
        process.kill()
        process.join()
