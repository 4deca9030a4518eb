"""The memory of decoded videos: bounded, least recently used first out."""

from videmo.data.cache import VideoCache


def test_a_video_is_loaded_once_while_there_is_room(make_video):
    loads = []
    video = make_video(1, 2, 2)

    def load(name):
        loads.append(name)
        return video

    cache = VideoCache(2 * video.pixel_values.nbytes)
    for name in "abaab":
        cache.get(name, lambda name=name: load(name))
    assert loads == ["a", "b"]
    cache.get("c", lambda: load("c"))  # drops a, used longer ago than b
    cache.get("b", lambda: load("b"))
    cache.get("a", lambda: load("a"))
    assert loads == ["a", "b", "c", "a"]


def test_nothing_is_kept_without_room(make_video):
    loads = []
    cache = VideoCache(0)
    for _ in range(2):
        cache.get("a", lambda: loads.append("a") or make_video(1, 2, 2))
    assert loads == ["a", "a"]
