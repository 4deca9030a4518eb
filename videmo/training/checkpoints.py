"""Where checkpoints lie."""

from pathlib import Path


def last_checkpoint(run: str | Path) -> Path:
    """Where a run keeps its last checkpoint."""
    return Path(run) / "checkpoints" / "last.ckpt"
