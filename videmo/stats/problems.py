"""What a reader should know before any number: which records are in none of them, and which videos are not here."""

import os
from collections import Counter
from collections.abc import Sequence

from videmo.data.faults import Fault
from videmo.data.presence import Place
from videmo.errors import printable
from videmo.stats.corpus import FILE, NO_TASK, UNREADABLE, Corpus
from videmo.stats.section import LeftOut, Section, inside, plural

REASONS = 3  # that a sentence counts; stats.json has all


def problems(corpus: Corpus, sections: Sequence[Section | LeftOut]) -> list[str]:
    """Sentences without what a terminal obeys; a word in backticks is a command."""
    split, faults, index = corpus.split, corpus.faults(corpus.split), corpus.index
    there = corpus.places == Place.THERE
    missing, found = int((~there).sum()), []
    if own := faults[UNREADABLE]:
        which = plural(len(own), "record")
        found.append(f"{which} of {split} cannot be read and {_absent(own)}; {_told(own, corpus)}")
    if own := faults[NO_TASK]:
        verb = "is" if len(own) == 1 else "are"
        found.append(
            f"{plural(len(own), 'record')} of {split} {verb} of no task that is known and {_absent(own)}; "
            f"{_told(own, corpus)}"
        )
    if own := faults[FILE]:
        found.append(f"{plural(len(own), 'file')} of {split} gave no record; {_told(own, corpus)}")
    if missing:
        first = index.videos[int((~there).argmax())]
        where = inside(corpus.folder.video_root, corpus.folder.root.parent)
        found.append(
            f"{plural(missing, 'video')} of {len(index.videos):,} {'is' if missing == 1 else 'are'} not in {where}, "
            f"such as {first}; their records are counted, and training leaves them out once `videmo check` has listed "
            "them"
        )
    broken = next((s.numbers for s in sections if s.name == "durations" and isinstance(s, Section)), {})
    if bad := broken.get("unreadable"):
        found.append(
            f"{plural(bad, 'video')} of {broken['sampled']:,} that were opened cannot be read, such as "
            f"{broken['first_unreadable']}; `videmo check` says why"
        )
    if kept := corpus.quarantined:
        verb, them = ("is", "it") if kept == 1 else ("are", "them")
        found.append(f"{plural(kept, 'record')} in quarantine.jsonl {verb} counted, though training leaves {them} out")
    return [printable(sentence) for sentence in found]


def fault_counts(corpus: Corpus) -> dict[str, dict[str, int]]:
    """What of the split is in no number: kind -> reason -> how many."""
    return {
        kind: dict(Counter(fault.reason for fault in own).most_common())
        for kind, own in corpus.faults(corpus.split).items()
    }


def _absent(faults: Sequence[Fault]) -> str:
    return f"{'is' if len(faults) == 1 else 'are'} in no number here"


def _told(faults: Sequence[Fault], corpus: Corpus) -> str:
    """The first of them, and how many have each reason where there are several."""
    root = corpus.folder.root
    home = f"{root}{os.sep}" if root.is_absolute() else ""  # a page may be read by others
    reasons = Counter(fault.reason.replace(home, "") for fault in faults).most_common()
    said = f"the first is {faults[0]}".replace(home, "").rstrip(".")
    if len(reasons) == 1:
        return said
    more = f"; {plural(len(reasons) - REASONS, 'more reason')} in stats.json" if len(reasons) > REASONS else ""
    counted = "; ".join(f"{count:,} × {reason.rstrip('.')}" for reason, count in reasons[:REASONS])
    return f"{said}. By reason: {counted}{more}"
