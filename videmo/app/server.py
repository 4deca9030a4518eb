"""Serves the page from this machine and out of one folder, and calls no other host."""

import errno
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from videmo.app.gate import LOCAL, Gate
from videmo.app.page import build_page
from videmo.app.theme import house_head, house_theme
from videmo.app.worker import Worker
from videmo.errors import InputError
from videmo.reasoning import Reasoner

GRACE = 10.0
"""Seconds in which all who wait for an answer must have heard that there will be none."""


def check_free(host: str, port: int) -> None:
    """
    Raises:
        InputError: If nothing can listen there.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(f"the port {port} of {host} is taken; give another --port, such as {port + 1}") from None
        if error.errno == errno.EACCES:
            raise InputError(f"the port {port} is not for every user; give a --port above 1023") from None
        raise InputError(
            f"{host} is no address of this machine; leave --host out, or give 0.0.0.0 to let other machines in"
        ) from None


def addresses(port: int) -> list[str]:
    """Where others find a page that listens everywhere: by this machine's name, and by its address where it has one."""
    names = [socket.gethostname()]
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way_out:
        way_out.connect(("192.0.2.1", 9))  # nothing is sent: the system says which address of its own would send it
        names.append(way_out.getsockname()[0])
    return [f"http://{name}:{port}/" for name in names]


@contextmanager
def serving(reasoner: Reasoner, folder: Path, *, host: str, port: int, upload_mb: int, model: str) -> Iterator[str]:
    """The page, served until the end of the block.

    Args:
        reasoner: The model; the root of its videos is the folder.
        folder: Where uploads and files to download are kept, and the only one that can be read.
        host: Where it listens.
        port: Likewise.
        upload_mb: Largest file that it takes, in megabytes.
        model: What the model is called.

    Yields:
        The page's address.

    Raises:
        InputError: If nothing can listen there.
    """
    folder = folder.resolve()
    check_free(host, port)
    # Gradio keeps uploads there, and asks its own server by HTTP whether it is up, which no proxy is to hear.
    with _environment(GRADIO_TEMP_DIR=str(folder), GRADIO_ANALYTICS_ENABLED="False", NO_PROXY=host, no_proxy=host):
        worker, waiting = Worker(reasoner.search.backbone), set()
        page, calls = build_page(reasoner, worker, model, folder, upload_mb)
        try:
            page.launch(
                server_name=host,
                server_port=port,
                prevent_thread_lock=True,
                quiet=True,
                share=False,
                inline=False,
                ssr_mode=False,
                pwa=False,
                mcp_server=False,
                run_history=False,
                enable_monitoring=False,
                footer_links=[],
                i18n=gr.I18n(en={"common.complete": "done"}),  # what Gradio tells screen readers, and has no words for
                max_file_size=f"{upload_mb}mb",
                theme=house_theme(),
                head=house_head(),
                app_kwargs={
                    "middleware": [Middleware(Gate, folder=folder, calls=calls, waiting=waiting, local=host in LOCAL)],
                    **dict.fromkeys(("docs_url", "redoc_url", "openapi_url")),
                },
            )
        except OSError as error:  # taken since, or on another address of this machine
            raise InputError(f"nothing can listen at {host}:{port} ({error}); give another --port") from None
        try:
            yield str(page.local_url)
        finally:
            worker.close()
            heard_by = time.monotonic() + GRACE
            while waiting and time.monotonic() < heard_by:
                time.sleep(0.02)
            page.close(verbose=False)


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Variables of this process, as they were before in the end."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
