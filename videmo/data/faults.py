"""A record that cannot be used, as data: where it stands, what is wrong and how to mend it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a record, or with a video it names.

    Attributes:
        file: The data file that the record stands in.
        line: Its line in that file, from 1; 0 where the whole file is at fault.
        reason: One sentence: what is wrong and how to mend it.
        video: The path as written in the record, where the video is at fault.
    """

    file: str
    line: int
    reason: str
    video: str | None = None

    @property
    def where(self) -> str:
        """``file:line``, or the file alone where the whole of it is at fault."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"

    def to_json(self) -> dict[str, object]:
        """The fields as JSON has them; ``video`` only where there is one.

        >>> Fault("train.json", 3, "no answer").to_json()
        {'file': 'train.json', 'line': 3, 'reason': 'no answer'}
        """
        fields: dict[str, object] = {"file": self.file, "line": self.line, "reason": self.reason}
        return fields if self.video is None else {**fields, "video": self.video}

    @classmethod
    def from_json(cls, fields: object) -> "Fault":
        """The fault that ``to_json`` wrote; fields that it does not know are left alone.

        Raises:
            ValueError: If this is no fault; the message says which field.
        """
        if not isinstance(fields, dict):
            raise ValueError(f"expected a JSON object, found {type(fields).__name__}")
        kinds = {"file": str, "line": int, "reason": str}
        for name, kind in kinds.items():
            if not isinstance(fields.get(name), kind) or isinstance(fields[name], bool):
                raise ValueError(f'"{name}" must be {"text" if kind is str else "a number"}')
        video = fields.get("video")
        if not (video is None or isinstance(video, str)):
            raise ValueError('"video" must be text')
        return cls(fields["file"], fields["line"], fields["reason"], video)
