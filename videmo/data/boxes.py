"""The outermost boxes of an MP4 or MOV file: whether and where its index lies."""

from pathlib import Path

_MAX_BOXES = 64


def mp4_index(path: Path) -> bytes | None:
    """The content of the ``moov`` box; None where there is none that ends inside the file.

    Walks the outermost boxes: 4 bytes of size, 4 of name.
    """
    end = path.stat().st_size
    start = 0
    with path.open("rb") as stream:
        for _ in range(_MAX_BOXES):
            if start >= end:
                return None
            stream.seek(start)
            header = stream.read(16)
            if len(header) < 8:
                return None
            size, name = int.from_bytes(header[:4], "big"), header[4:8]
            if size == 1:  # a 64-bit size follows the name
                size = int.from_bytes(header[8:16], "big")
            if name == b"moov":
                stream.seek(start)
                return stream.read(size) if start + size <= end else None
            if size < 8:  # 0: the box reaches to the end of the file; 2 to 7: no valid box
                return None
            start += size
    return None
