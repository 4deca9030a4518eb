"""A clip as a vision model sees it through an API: frames as JPEGs in data URLs, made where they are sent."""

import hashlib
from dataclasses import astuple
from functools import cached_property, lru_cache
from pathlib import Path

from PIL import Image

from videmo.data.decode import VideoError
from videmo.data.sampling import VideoSettings, frame_size
from videmo.pictures import picture_uri

QUALITY = 90  # of the JPEGs, out of 100
_TOKEN_SIDE = 28  # pixels of a token's side in Qwen2.5-VL; other models count otherwise


class ClipFrames:
    """The frames of a clip (`videmo.judge.request.Pictures`).

    Args:
        path: The video file.
        settings: How frames are sampled and sized.

    Raises:
        VideoError: From `key`, if there is no such file, or it cannot be read.
    """

    def __init__(self, path: Path, settings: VideoSettings) -> None:
        self.path, self.settings = path, settings

    @cached_property
    def key(self) -> str:
        """A hash of the file's bytes and the settings: a clip may be moved, and one that was changed is another."""
        try:
            with self.path.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise VideoError(f"{self.path}: cannot be read ({error.strerror})") from None
        return f"{content} {astuple(self.settings)} {QUALITY}"

    @property
    def tokens(self) -> int:
        """At most, for a square clip, as Qwen2.5-VL counts."""
        height, width = frame_size(1000, 1000, self.settings.max_frames, self.settings)
        return self.settings.max_frames * height * width // _TOKEN_SIDE**2

    def urls(self) -> list[str]:
        """The frames in their order.

        Raises:
            VideoError: If the file cannot be read as a video.
        """
        return [*_encoded(self.path, self.settings, self.key)]


@lru_cache(maxsize=64)  # a clip is shown to every model, several times, before the next ones come
def _encoded(path: Path, settings: VideoSettings, key: str) -> tuple[str, ...]:
    # it imports torch: labels need none, nor does a committee whose replies are all on disk
    from videmo.data.video import load_frames

    frames, _ = load_frames(path, settings)  # [F, 3, h, w]
    images = map(Image.fromarray, frames.permute(0, 2, 3, 1).numpy())
    return tuple(picture_uri(image, "JPEG", quality=QUALITY) for image in images)
