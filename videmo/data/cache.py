"""Decoded videos kept in memory, the least recently used dropped first."""

from collections import OrderedDict
from collections.abc import Callable

from videmo.data.video import Video


class VideoCache:
    """A bounded memory of videos; each worker process has its own.

    Args:
        max_bytes: Bytes of patches to keep; 0 keeps none.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._videos: OrderedDict[str, Video] = OrderedDict()
        self._bytes = 0

    def get(self, key: str, load: Callable[[], Video]) -> Video:
        """The video of a key, loaded if it is not here."""
        if key in self._videos:
            self._videos.move_to_end(key)
            return self._videos[key]
        video = load()
        if video.pixel_values.nbytes <= self.max_bytes:
            self._videos[key] = video
            self._bytes += video.pixel_values.nbytes
            while self._bytes > self.max_bytes:
                _, dropped = self._videos.popitem(last=False)
                self._bytes -= dropped.pixel_values.nbytes
        return video
