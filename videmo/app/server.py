"""Serves the page from this machine and out of one folder, and calls no other host."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.middleware import Middleware

from videmo.app.gate import Gate
from videmo.app.page import build_page
from videmo.app.theme import house_style, house_theme
from videmo.errors import InputError
from videmo.reasoning import Reasoner


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
    # Gradio keeps uploads there, and asks its own server by HTTP whether it is up, which no proxy is to hear.
    with _environment(GRADIO_TEMP_DIR=str(folder), GRADIO_ANALYTICS_ENABLED="False", NO_PROXY=host, no_proxy=host):
        page = build_page(reasoner, model, folder, upload_mb)
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
                max_file_size=f"{upload_mb}mb",
                theme=house_theme(),
                head=house_style(),
                app_kwargs={
                    "middleware": [Middleware(Gate, folder=folder)],
                    **dict.fromkeys(("docs_url", "redoc_url", "openapi_url")),
                },
            )
        except OSError:
            raise InputError(
                f"nothing can listen at {host}:{port}: the port is taken, give another --port; or {host} is no "
                "address of this machine, give another --host"
            ) from None
        try:
            yield page.local_url
        finally:
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
