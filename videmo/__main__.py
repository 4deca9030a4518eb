"""The process ``videmo``: a signal ends it in a word and not in a trace, also while its libraries are loaded.

Nor does a library that is missing, or does not load.
"""

import gc
import os
import signal
import sys
from types import FrameType
from typing import NoReturn


def main() -> int:
    """The console script; returns the exit status."""
    handlers = {signal.SIGTERM: _end, signal.SIGINT: signal.getsignal(signal.SIGINT)}
    for number, handler in handlers.items():
        if handler != signal.SIG_IGN:  # a shell's background job is not to hear Ctrl-C
            signal.signal(number, _leave)
    from videmo.errors import in_words
    from videmo.unloadable import SetAsideBefore, package_of

    sys.meta_path.insert(0, SetAsideBefore("torchvision", "lightning", "torchmetrics", "transformers"))
    try:
        from videmo.cli import COMMANDS, load
        from videmo.cli import main as run

        for command in COMMANDS.keys() & sys.argv[1:2]:
            load(command)
    except Exception as error:
        package = package_of(error)
        if package == "videmo":
            raise
        mend = "`pip install --constraint constraints.txt --editable .` brings versions that fit each other"
        print(f"videmo: {package} does not load ({in_words(error)}); {mend}", file=sys.stderr)
        return 1

    for number, handler in handlers.items():
        signal.signal(number, handler)
    try:
        return run()
    finally:
        gc.freeze()  # as Python ends it would look through all of torch for cycles, for a second


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """End at once, as nothing is open yet: numpy swallows an exception while it is loaded, and goes on broken."""
    os.write(2, b"videmo: interrupted\n")
    os._exit(128 + number)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """End as a scheduler asks, but tidily: what is open is closed, processes and semaphores go."""
    os.write(2, b"videmo: terminated\n")
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
