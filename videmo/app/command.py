"""The command ``videmo app``.

videmo app --ckpt runs/demo/grpo
"""

import signal
import threading
from contextlib import suppress
from importlib.util import find_spec

from videmo.aside import temporary
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError, check_positive
from videmo.reason.model import load_reasoner
from videmo.reasoning import ScorerTerm, SearchSettings
from videmo.reasoning.reasoner import MAX_NEW_TOKENS
from videmo.terminal import output

HOST, PORT = "127.0.0.1", 7860
UPLOAD_MB = 200


def app(
    ckpt: str,
    host: str = HOST,
    port: int = PORT,
    n: int = 8,
    upload_mb: int = UPLOAD_MB,
    scorers: list[ScorerTerm] | None = None,
    max_new_tokens: int = MAX_NEW_TOKENS,
    video: VideoSettings | None = None,
    base: str | None = None,
) -> None:
    """Show a page that answers questions about a clip by search over the affective tree; Ctrl-C ends it.

    Args:
        ckpt: A model's folder or hub id; or a run's folder or checkpoint.
        host: Where the page is served; 0.0.0.0 lets other machines in, without a password.
        port: Likewise.
        n: Candidates that each level draws; the page can change it.
        upload_mb: Largest clip, in megabytes.
        scorers: What chooses among candidates; consensus by default.
        max_new_tokens: Longest candidate, in tokens.
        video: How frames are sampled and sized; as in training by default.
        base: The model that a run's checkpoint was trained from, where it has moved since.
    """
    if find_spec("gradio") is None:
        raise InputError("the page is made with Gradio, which is not installed: `pip install 'videmo[app]'`")
    check_positive("--upload_mb", upload_mb)
    check_positive("--max_new_tokens", max_new_tokens)
    if not 0 < port < 65536:
        raise InputError(f"--port is from 1 to 65535; got {port}")
    settings = SearchSettings(n=n, scorers=scorers)
    settings.check()
    from videmo.app.gate import LOCAL
    from videmo.app.server import addresses, check_free, serving

    check_free(host, port)  # before minutes of loading
    console = output()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both end it alike: its folder is removed
    # Clips are named relative to it, so that a seed draws the same again whatever the folder is called.
    with temporary("videmo-app-") as folder:
        more = {"max_new_tokens": max_new_tokens, "root": folder}
        reasoner = load_reasoner(ckpt, settings, base=base, video=video, **more)
        with serving(reasoner, folder, host=host, port=port, upload_mb=upload_mb, model=ckpt) as address:
            if host not in LOCAL:
                console.print(f"whoever reaches {host} can use the page: it has no password")
            if host == "0.0.0.0":
                console.print(f"others find it at {' or '.join(addresses(port))}")
            console.print(f"the page is at {address}; Ctrl-C ends it")
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
            console.print("closing")
    console.print("the page has ended")
