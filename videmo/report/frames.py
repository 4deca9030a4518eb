"""Four frames of a clip as JPEG data URIs: those that a model sees that is shown four, small enough for a page."""

from pathlib import Path

from PIL import Image

from videmo.data.decode import VideoError, read_frames
from videmo.data.sampling import VideoSettings
from videmo.pictures import picture_uri

NUM_FRAMES = 4
MAX_SIDE = (176, 132)  # a frame is shown at a quarter of a card's width
QUALITY = 76
MAX_PICTURE_BYTES = 3_600_000  # of all JPEG files; in base64 a third more

_FOUR = VideoSettings(min_frames=NUM_FRAMES, max_frames=NUM_FRAMES)


class FrameReader:
    """Reads clips once each, until the page has its fill of pictures.

    Args:
        video_root: What paths are relative to; None where there are no videos.
        max_bytes: All pictures together.
    """

    def __init__(self, video_root: Path | None, max_bytes: int = MAX_PICTURE_BYTES) -> None:
        self.video_root = video_root
        self.bytes_left = max_bytes
        self._known: dict[str, tuple[list[str], str]] = {}

    def frames(self, video: str) -> tuple[list[str], str]:
        """The frames of a clip as data URIs; if there are none, a sentence that says why."""
        if self.video_root is None:
            return [], "the video is not on this machine"
        if video not in self._known:
            self._known[video] = _read(self.video_root, video)
        uris, problem = self._known[video]
        size = sum(map(len, uris)) * 3 // 4  # a clip shown twice stands in the page twice
        if size > self.bytes_left:
            return [], "left out: the page has its fill of pictures"
        self.bytes_left -= size
        return uris, problem


def _read(root: Path, video: str) -> tuple[list[str], str]:
    try:
        frames, _ = read_frames(root / video, _FOUR)
    except (VideoError, ImportError) as error:
        return [], str(error).replace(f"{root}/", "")
    images = [Image.fromarray(pixels) for pixels in frames]
    for image in images:
        image.thumbnail(MAX_SIDE, Image.Resampling.LANCZOS)
    return [picture_uri(image, "JPEG", quality=QUALITY, optimize=True) for image in images], ""
