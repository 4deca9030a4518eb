"""Pictures as a page holds them: inside its text, so that no file is served for them."""

import base64
import io
from typing import Literal

from PIL import Image


def picture_uri(picture: Image.Image, kind: Literal["JPEG", "PNG"]) -> str:
    """A picture as a data URI; JPEG for photographs, PNG for drawings.

    >>> picture_uri(Image.new("RGB", (1, 1)), "PNG")[:22]
    'data:image/png;base64,'
    """
    stream = io.BytesIO()
    picture.save(stream, kind, **({"quality": 85} if kind == "JPEG" else {"optimize": True}))
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
