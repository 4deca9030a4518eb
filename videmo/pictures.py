"""Pictures as text, inside a page or a request, so that no file is served for them."""

import base64
import io
from typing import Literal

from PIL import Image


def picture_uri(picture: Image.Image, kind: Literal["JPEG", "PNG"], **options) -> str:
    """A picture as a data URI; JPEG for photographs, PNG for drawings.

    Args:
        picture: What is shown.
        kind: Of the file.
        options: Of its writer, such as ``quality``.

    >>> picture_uri(Image.new("RGB", (1, 1)), "PNG")[:22]
    'data:image/png;base64,'
    """
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
