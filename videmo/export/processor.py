"""The video settings of a training, in the files and words by which other programs would sample and size alike.

transformers' ``AutoProcessor`` (and vLLM through it) reads ``video_preprocessor_config.json``; qwen-vl-utils and
ms-swift read no file, so ``videmo.json`` holds what to pass to them. As in the published folders ``do_sample_frames``
is off: qwen-vl-utils, vLLM and ms-swift hand over frames that are sampled already. Who gives a processor a whole video
passes ``do_sample_frames=True``; the rate and the number of frames then come from the file.
"""

from dataclasses import asdict
from typing import Any

from videmo.data.sampling import VideoSettings
from videmo.pixels import CHANNEL_MEAN, CHANNEL_STD

IMAGE_FILE = "preprocessor_config.json"
VIDEO_FILE = "video_preprocessor_config.json"
_LOADING = ("decode_timeout", "backends")  # of this machine, not of the model


def image_config(video: VideoSettings) -> dict[str, Any]:
    """What the published Qwen2.5-VL folders say of images, for a base that says nothing."""
    return {
        "image_processor_type": "Qwen2VLImageProcessor",
        "processor_class": "Qwen2_5_VLProcessor",
        "min_pixels": 56 * 56,
        "max_pixels": 28 * 28 * 16384,
        **_patches(video),
    }


def video_config(video: VideoSettings) -> dict[str, Any]:
    """``Qwen2VLVideoProcessor``'s settings; older versions of it do not know the two that bound the whole clip."""
    largest = largest_frame(video)
    return {
        "video_processor_type": "Qwen2VLVideoProcessor",
        "processor_class": "Qwen2_5_VLProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "do_rescale": True,
        "do_normalize": True,
        "do_sample_frames": False,
        "resample": 3,  # bicubic
        "rescale_factor": 1 / 255,
        "size": {"shortest_edge": video.min_pixels, "longest_edge": largest},
        "min_pixels": video.min_pixels,
        "max_pixels": largest,
        "cap_pixels_per_frame": True,
        "max_video_tokens": round(video.total_pixels / (0.9 * video.side_factor**2)),
        "fps": video.fps,
        "min_frames": video.min_frames,
        "max_frames": video.max_frames,
        **_patches(video),
    }


def settings_for_others(video: VideoSettings) -> dict[str, Any]:
    """The settings as VidEmo's own, and as arguments of programs that read no file."""
    bounds = {"fps": video.fps, "min_frames": video.min_frames, "max_frames": video.max_frames}
    pixels = {"min_pixels": video.min_pixels, "max_pixels": largest_frame(video), "total_pixels": video.total_pixels}
    return {
        "video": {name: value for name, value in asdict(video).items() if name not in _LOADING},
        "qwen_vl_utils": {"type": "video", **bounds, **pixels},
        "transformers": {"do_sample_frames": True},
        "ms_swift_environment": {
            "FPS": str(video.fps),
            "FPS_MIN_FRAMES": str(video.min_frames),
            "FPS_MAX_FRAMES": str(video.max_frames),
            "VIDEO_MIN_PIXELS": str(video.min_pixels),  # of qwen-vl-utils before 0.0.14
            "VIDEO_MAX_PIXELS": str(video.max_pixels),
            "VIDEO_MIN_TOKEN_NUM": str(video.min_pixels // video.side_factor**2),
            "VIDEO_MAX_TOKEN_NUM": str(video.max_pixels // video.side_factor**2),
        },
    }


def largest_frame(video: VideoSettings) -> int:
    """The largest area of a frame in words of qwen-vl-utils, which floors its limit so.

    >>> largest_frame(VideoSettings())
    105369
    """
    return max(video.max_pixels, int(1.05 * video.min_pixels))


def _patches(video: VideoSettings) -> dict[str, Any]:
    return {
        "patch_size": video.patch_size,
        "temporal_patch_size": video.temporal_patch_size,
        "merge_size": video.merge_size,
        "image_mean": list(CHANNEL_MEAN),
        "image_std": list(CHANNEL_STD),
    }
