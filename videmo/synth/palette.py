"""The colours of the drawn world, and helpers to mix them."""

import colorsys
from collections.abc import Iterable

import numpy as np

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
INK: Colour = (38, 28, 30)
GOLD: Colour = (244, 196, 60)
SKIN: dict[str, Colour] = {
    "pale": (255, 231, 220),
    "fair": (250, 200, 164),
    "tan": (226, 166, 112),
    "olive": (188, 150, 92),
    "brown": (148, 94, 60),
    "dark": (98, 62, 46),
}
TINTS: dict[str, tuple[Colour, float]] = {  # as in comics, some feelings colour the face: with what, and how far
    "Angry": ((226, 36, 30), 0.42),
    "Disgust": ((104, 180, 44), 0.42),
    "Fear": ((132, 164, 246), 0.44),
    "Contempt": ((178, 116, 222), 0.32),
    "Anxiety": ((236, 214, 96), 0.26),
    "Disappointment": ((128, 132, 150), 0.34),
}
TEAR: Colour = (96, 186, 255)
HAIR: dict[str, Colour] = {
    "black": (30, 27, 34),
    "brown": (122, 66, 30),
    "blonde": (240, 200, 92),
    "gray": (178, 181, 190),
}
EYE: dict[str, Colour] = {
    "brown": (138, 70, 16),
    "black": (14, 12, 16),
    "blue": (20, 128, 255),
    "green": (22, 178, 52),
}


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Colour `a` with a share (0 to 1) of `b`.

    Example:
        >>> mix((0, 0, 0), (100, 200, 50), 0.5)
        (50, 100, 25)
    """
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def complexion(skin: str, feelings: Iterable[tuple[str, float]]) -> Colour:
    """The colour of a skin under feelings, each with its strength: red with anger, green with disgust, blue with fear.

    Example:
        >>> complexion("pale", [("Happy", 1.2)]) == SKIN["pale"]
        True
    """
    colour = SKIN[skin]
    for name, strength in feelings:
        tint, share = TINTS.get(name, (WHITE, 0.0))
        colour = mix(colour, tint, min(share * strength, 0.6))
    return colour


def vivid(rng: np.random.Generator, saturation: float, value: float) -> Colour:
    """A colour of any hue."""
    red, green, blue = (round(255 * c) for c in colorsys.hsv_to_rgb(rng.random(), saturation, value))
    return red, green, blue


def shade(colour: Colour, depth: float) -> Colour:
    """A shadow of a skin colour: darker and a little redder, as light under skin is."""
    return mix(colour, (round(colour[0] * 0.47), round(colour[1] * 0.26), round(colour[2] * 0.22)), depth)
