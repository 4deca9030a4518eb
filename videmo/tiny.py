"""The command ``videmo tiny``: a model small enough to be trained in minutes, for a data folder.

videmo tiny runs/demo/data runs/demo/tiny
"""

from pathlib import Path

from videmo.aside import written_aside
from videmo.data.index import INDEX_FOLDER, RecordIndex
from videmo.data.quarantine import QUARANTINE_FILE, Quarantine
from videmo.data.sampling import VideoSettings
from videmo.data.usable import find_usable
from videmo.errors import InputError, as_word
from videmo.models.tiny import make_tiny
from videmo.tasks import use_tasks_of
from videmo.training.tower import pretrain_tower

TINY_VIDEO = VideoSettings(max_frames=4, min_pixels=84 * 84, max_pixels=84 * 84)  # as configs/demo has it


def tiny(
    data: str,
    out: str,
    hidden_size: int = 128,
    layers: int = 2,
    pretrain_epochs: int = 8,
    video: VideoSettings = TINY_VIDEO,
    seed: int = 0,
) -> None:
    """Make a tiny Qwen2.5-VL for a data folder: its tokenizer and its vision tower have seen the training split.

    Args:
        data: Data folder; the text of its training files makes the tokenizer, their closed answers the tower.
        out: Hugging Face folder to write: a new one, or an empty one.
        hidden_size: Width of the language model and the vision tower, a multiple of 32.
        layers: Layers of each.
        pretrain_epochs: Passes over the training clips for the vision tower; 0 leaves it random.
        video: How frames are sampled and sized while it is pretrained.
        seed: Seed of the weights.
    """
    if hidden_size % 32 or hidden_size <= 0:
        raise InputError(f"hidden_size must be a multiple of 32 (the width of a head), got {hidden_size}")
    _check_new(Path(out))
    use_tasks_of(data)
    root, video_root = Path(data), Path(data) / "videos"
    files = sorted(root.glob("jsons/train/*/full/*.json"))
    if not files:
        raise InputError(
            f"no training files jsons/train/*/full/*.json in {data}; `videmo synth {as_word(data)}` makes some"
        )
    quarantine = Quarantine.read(root / QUARANTINE_FILE, root, video_root)
    found = find_usable(RecordIndex.open(files, folder=root / INDEX_FOLDER), video_root, quarantine)
    if found.faults:
        raise InputError(f"{found.faults[0]}; or `videmo check {as_word(data)}`, and what that finds is left out")
    for source in found.missing:
        print(f"{source}: left out")
    records = list(found.records)
    if not records:
        raise InputError(f"no training record of {data} can be used; `videmo check {as_word(data)}` says why")
    texts = [message.content for record in records for message in record.messages]
    with written_aside(Path(out), "tiny", _check_new) as folder:
        make_tiny(texts, folder, hidden_size=hidden_size, layers=layers, seed=seed)
        if pretrain_epochs:
            right = pretrain_tower(folder, records, video_root, video, epochs=pretrain_epochs, seed=seed)
            print(f"the vision tower tells {100 * right:.0f}% of the training clips' single choices")
    print(f"a tiny Qwen2.5-VL is in {out}")


def _check_new(out: Path) -> None:
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise InputError(f"{out} holds something already; name a new folder, or remove it")
