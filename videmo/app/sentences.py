"""What a person at a page is told where a search fails: what the terminal would say, with no folder of this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from videmo.data.decode import VideoError
from videmo.errors import InputError


@contextmanager
def in_a_sentence(clip: Path) -> Iterator[None]:
    """What fails within, in words that name the clip as it was called where it came from.

    Raises:
        InputError: If something that was given cannot be used, or the GPU's memory is too small for it.

    Example:
        >>> try:
        ...     with in_a_sentence(Path("/tmp/of_this_process/a.mp4")):
        ...         raise InputError("/tmp/of_this_process/a.mp4 is empty")
        ... except InputError as error:
        ...     print(error)
        a.mp4 is empty
    """
    try:
        yield
    except VideoError as error:  # its advice is for who keeps records
        what = error.what.replace(str(clip), clip.name)
        raise InputError(f"{what}. Choose another clip, or save this one anew as MP4.") from None
    except InputError as error:
        raise InputError(str(error).replace(str(clip), clip.name)) from None
    except torch.OutOfMemoryError:
        raise InputError("The GPU's memory does not hold this search: ask for fewer candidates.") from None
