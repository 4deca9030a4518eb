import pytest
import torch

from videmo.data.controls import altered_frames, swaps

FRAMES = torch.arange(4)[:, None, None, None].expand(4, 2, 2, 3).to(torch.uint8)


def _order(frames: torch.Tensor) -> list[int]:
    return frames[:, 0, 0, 0].tolist()


def test_shuffled_frames_are_the_same_frames_in_another_order_always_the_same():
    orders = [_order(altered_frames(FRAMES, "shuffled", key=f"{n}.mp4")) for n in range(50)]
    assert all(sorted(order) == [0, 1, 2, 3] != order for order in orders)
    assert len(set(map(tuple, orders))) > 10
    assert orders[7] == _order(altered_frames(FRAMES, "shuffled", key="7.mp4"))


def test_a_frozen_video_repeats_its_first_frame():
    assert _order(altered_frames(FRAMES, "frozen", key="a")) == [0, 0, 0, 0]


@pytest.mark.parametrize("control", ["none", "blank", "swapped"])
def test_other_controls_leave_the_frames(control):
    assert _order(altered_frames(FRAMES, control, key="a")) == [0, 1, 2, 3]


def test_a_single_frame_cannot_be_shuffled():
    assert _order(altered_frames(FRAMES[:1], "shuffled", key="a")) == [0]


@pytest.mark.parametrize("count", [2, 3, 50])
def test_swapped_videos_are_all_used_once_and_never_their_own(count):
    paths = [f"{n}.mp4" for n in range(count)]
    found = swaps(paths)
    assert sorted(found) == sorted(found.values()) == sorted(paths)
    assert all(found[path] != path for path in paths)
