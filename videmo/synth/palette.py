"""The colours of the drawn world, and two helpers to mix them."""

import colorsys

import numpy as np

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
INK: Colour = (38, 28, 30)
GOLD: Colour = (236, 190, 70)
SKIN: dict[str, Colour] = {
    "pale": (255, 226, 212),
    "fair": (243, 196, 162),
    "tan": (222, 170, 126),
    "olive": (201, 151, 108),
    "brown": (160, 108, 74),
    "dark": (110, 72, 52),
}
TINTS: dict[str, tuple[Colour, float]] = {  # as in comics, some feelings colour the face
    "Angry": ((222, 40, 34), 0.4),
    "Disgust": ((112, 172, 58), 0.4),
    "Fear": ((150, 172, 236), 0.45),
}
TEAR: Colour = (110, 190, 255)
HAIR: dict[str, Colour] = {
    "black": (34, 30, 36),
    "brown": (112, 66, 36),
    "blonde": (232, 194, 98),
    "gray": (172, 174, 182),
}
EYE: dict[str, Colour] = {
    "brown": (98, 58, 30),
    "black": (46, 32, 26),
    "blue": (70, 128, 190),
    "green": (84, 138, 84),
}


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Colour `a` with a share (0 to 1) of `b`.

    Example:
        >>> mix((0, 0, 0), (100, 200, 50), 0.5)
        (50, 100, 25)
    """
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))


def complexion(skin: str, emotion: str) -> Colour:
    """The colour of a skin under an emotion: red with anger, green with disgust, blue with fear."""
    tint, share = TINTS.get(emotion, (WHITE, 0.0))
    return mix(SKIN[skin], tint, share)


def vivid(rng: np.random.Generator, saturation: float, value: float) -> Colour:
    """A colour of any hue."""
    return tuple(round(255 * c) for c in colorsys.hsv_to_rgb(rng.random(), saturation, value))


def shade(colour: Colour, depth: float) -> Colour:
    """A shadow of a skin colour: darker and a little redder, as light under skin is."""
    return mix(colour, (round(colour[0] * 0.47), round(colour[1] * 0.26), round(colour[2] * 0.22)), depth)
