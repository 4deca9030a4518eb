"""The process ``videmo``: a signal ends it in a word and not in a trace, also while its libraries are loaded."""

import signal
import sys
from types import FrameType
from typing import NoReturn


def main() -> int:
    """The console script; returns the exit status."""
    signal.signal(signal.SIGTERM, _end)
    try:
        from videmo.cli import main as run

        return run()
    except KeyboardInterrupt:
        print("videmo: interrupted", file=sys.stderr)
        return 130


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """End as a scheduler asks, but tidily: what is open is closed, processes and semaphores go."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
