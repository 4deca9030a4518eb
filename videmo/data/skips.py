"""What a run left out: each bad record or video is said once, and written to the run's own quarantine file."""

import logging
from collections.abc import Iterable
from pathlib import Path

from videmo.data.faults import Fault
from videmo.data.quarantine import Quarantine

SHOWN_AT_ONCE = 10

log = logging.getLogger(__name__)


class SkipLog:
    """Tells and remembers faults; what the file holds from before an interruption is not said again.

    Args:
        path: JSON lines, as ``videmo check`` writes them.
        root: The data folder, to which the paths of data files are relative.
        video_root: What video paths are relative to.
        quiet: For all ranks but the first, which tells the faults of all.
    """

    def __init__(self, path: Path, root: Path, video_root: Path, quiet: bool = False) -> None:
        self.path = path
        self.root = root
        self.video_root = video_root
        self.quiet = quiet
        known = Quarantine.read(path, root, video_root).faults
        self._seen = {_subject(fault) for fault in known}

    def __call__(self, faults: Iterable[Fault]) -> None:
        """Take note of samples that were left out."""
        new: dict[object, Fault] = {}
        for fault in faults:
            if _subject(fault) not in self._seen:
                new.setdefault(_subject(fault), fault)
        self._seen |= new.keys()
        if not new or self.quiet:
            return
        Quarantine.append(self.path, new.values(), self.root, self.video_root)
        for fault in list(new.values())[:SHOWN_AT_ONCE]:
            log.warning("left out: %s", fault)
        if len(new) > SHOWN_AT_ONCE:
            log.warning("and %d more, in %s", len(new) - SHOWN_AT_ONCE, self.path)


def _subject(fault: Fault) -> object:
    """What is at fault: the video, whichever record names it, or the record; a line may hold several."""
    return fault.video or (fault.file, fault.line, fault.reason)
