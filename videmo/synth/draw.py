"""Draws a clip: its state -> 16 RGB frames of 128 x 128 pixels.

From back to front: background, shoulders and what hangs on them (once an act), hair behind the neck, neck, skin, hair,
features, what is worn, marks of feeling, what is held, what stands before the camera. Skin, hair and hat are textures
pasted through a mask within its bounding box, everything else is a list of polygons (`shapes`).
"""

import numpy as np
from PIL import Image, ImageDraw

from videmo.synth import attire, body, worn, wrinkles
from videmo.synth.bond import bond
from videmo.synth.face import Clip
from videmo.synth.features import Features
from videmo.synth.figure import Figure, stage
from videmo.synth.geometry import SIZE, UNIT, Head, skin_outline
from videmo.synth.lens import noisy, occluder
from videmo.synth.marks import marks
from videmo.synth.motion import NUM_FRAMES
from videmo.synth.palette import HAIR, INK, WHITE, Colour, complexion, mix, vivid
from videmo.synth.props import props
from videmo.synth.scene import background, clothes
from videmo.synth.shapes import CANVAS, SUPERSAMPLE, Layer, Shape, View
from videmo.synth.textures import TEXTURE, hair_texture, knitted_texture, skin_texture


def draw_clip(clip: Clip) -> np.ndarray:
    """All frames of a clip: the same pixels for the same state.

    Returns:
        RGB frames, uint8.  # [16, 128, 128, 3]
    """
    frames = np.empty((NUM_FRAMES, SIZE, SIZE, 3), dtype=np.uint8)
    wall = background(clip.background, np.random.default_rng([clip.variation, 2]), CANVAS)
    before = Layer(
        occluder(clip.occluder, np.random.default_rng([clip.variation, 6]), NUM_FRAMES)
        + (bond(clip.relation) if clip.relation else []),
        View(),
    )
    for act in stage(clip):
        people = [Person(figure) for figure in act.figures]
        base = wall.copy()
        for person in people:
            person.clothes.paint(base, 0)
        for number in range(NUM_FRAMES)[act.frames]:
            image = base.copy()
            for person in people:
                person.paint(image, number - act.frames.start)
            before.paint(image, number)
            frames[number] = np.asarray(image.reduce(SUPERSAMPLE))
    return noisy(frames, clip.noise, clip.variation)


class Person:
    """Prepares what the frames of one figure share, then paints them one by one.

    Args:
        figure: Whom to paint, where and how.
    """

    def __init__(self, figure: Figure):
        person, wearing, self.view = figure.identity, figure.worn, figure.view
        rng = np.random.default_rng([figure.seed, 5])
        head = Head(person, figure.motion)
        felt = [(name, figure.tint * strength / len(figure.feelings) ** 0.5) for name, strength in figure.feelings]
        skin = complexion(person.skin, felt)
        colour, collar = clothes(rng)
        tie, shadow = (choices[int(rng.integers(3))] for choices in (body.TIES, worn.SHADOWS))
        self.knit, self.bobble = vivid(rng, 0.6, 0.78), rng.random() < 0.6

        self.clothes = Layer(body.shoulders(head, colour, collar), self.view)
        under = body.neck(head, skin, collar) + wrinkles.wattle(head, skin)
        if "necktie" in wearing:
            under += body.necktie(head, tie)
        if "necklace" in wearing:
            under += body.necklace(head)
        self.under = Layer(under, self.view)
        features = Features(head, skin, wearing, shadow)
        self.creases = Layer(wrinkles.forehead(head, skin) + features.stubble(), self.view)
        self.over = Layer(features.shapes() + self._worn(figure, head, rng), self.view)
        self.above = Layer(self._above(figure, head, skin), self.view)

        self.skin = self.view.outline(skin_outline(head))
        self.skin_texture = self._texture(skin_texture(skin))
        self.hair = attire.hair(head, covered="hat" in wearing)
        if self.hair:
            strands = np.random.default_rng(list(person.name.encode()))  # they stay with the person
            texture = hair_texture(HAIR[person.hair_colour], person.hair_texture == "wavy", strands)
            self.hair_texture = self._texture(texture)
            self.behind = [self.view.outline(part) for part in self.hair.behind]
            if self.behind:
                self.hair_shadow = self.hair_texture.point(lambda value: int(value * 0.72))
            self.scalp = self.view.outline(self.hair.scalp)
            self.front = [self.view.outline(part) for part in self.hair.front]
            self.bumps = [
                (self.view.canvas(centres).tolist(), radius * UNIT * SUPERSAMPLE * self.view.zoom)
                for centres, radius in self.hair.bumps
            ]
        self.hat = (
            {name: self.view.outline(curve) for name, curve in attire.hat(head).items()} if "hat" in wearing else {}
        )
        self.hat_texture = self._texture(knitted_texture(self.knit)) if self.hat else None
        # Textures follow the head, in whole pixels of the large canvas.
        middle = head.project(np.zeros((1, 1)), np.zeros((1, 1)), np.full((1, 1), 0.25))
        self.origin = (self.view.canvas(middle)[:, 0] - self.skin_texture.width / 2).round().astype(int)  # [F, 2]

    def paint(self, image: Image.Image, number: int) -> None:
        """Paint one frame over what is there."""
        if self.hair and self.behind:
            self._paste(image, self.hair_shadow, self._mask(number, self.behind, self.bumps[1:]), number)
        self.under.paint(image, number)
        skin_mask = self._mask(number, [self.skin])
        self._paste(image, self.skin_texture, skin_mask, number)
        self.creases.paint(image, number)
        if self.hair:
            mask = self._mask(number, [self.scalp], self.bumps[:1])
            mask.paste(0, mask=skin_mask)
            pen = ImageDraw.Draw(mask)
            for part in self.front:
                pen.polygon(part[number], fill=255)
            self._paste(image, self.hair_texture, mask, number)
        self.over.paint(image, number)
        if self.hat:
            self._put_hat(image, {name: curve[number] for name, curve in self.hat.items()}, number)
        self.above.paint(image, number)

    def _worn(self, figure: Figure, head: Head, rng: np.random.Generator) -> list[Shape]:
        """What is worn on the face and at the ears."""
        wearing = figure.worn
        shapes = worn.mask(head) if "mask" in wearing else []
        if "eyeglasses" in wearing or "sunglasses" in wearing:
            shapes += worn.glasses(head, "sunglasses" in wearing, rng)
        return shapes + (worn.earrings(head) if "earrings" in wearing else [])

    def _above(self, figure: Figure, head: Head, skin: Colour) -> list[Shape]:
        """What is painted over a hat too: marks of feeling and props."""
        sides = [(1, -1)] if len(figure.feelings) == 1 else [(1,), (-1,)]
        if not figure.tint:
            sides = []
        shapes = []
        for (emotion, strength), side in zip(figure.feelings, sides, strict=False):
            shapes += marks(head, emotion, strength, figure.tint, side)
        return shapes + props(head, figure.action, skin)

    def _texture(self, image: Image.Image) -> Image.Image:
        if self.view.zoom == 1:
            return image
        size = round(TEXTURE * self.view.zoom)
        return image.resize((size, size), Image.Resampling.BILINEAR)

    def _paste(self, image: Image.Image, texture: Image.Image, mask: Image.Image, number: int) -> None:
        """Paste a texture that follows the head through a mask, within the box of the mask."""
        box = mask.getbbox()
        if box is None:
            return
        left, top = self.origin[number].tolist()
        part = texture.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top))
        image.paste(part, box[:2], mask.crop(box))

    def _mask(self, number: int, parts: list, bumps: list | tuple = ()) -> Image.Image:
        mask = Image.new("L", (CANVAS, CANVAS))
        pen = ImageDraw.Draw(mask)
        for part in parts:
            pen.polygon(part[number], fill=255)
        for centres, r in bumps:
            for x, y in centres[number]:
                pen.ellipse([x - r, y - r, x + r, y + r], fill=255)
        return mask

    def _put_hat(self, image: Image.Image, outline: dict[str, list[float]], number: int) -> None:
        draw = ImageDraw.Draw(image)
        if self.bobble:
            draw.polygon(outline["bobble"], fill=mix(self.knit, WHITE, 0.7))
        edge, band = outline["edge"], outline["band"]
        mask = Image.new("L", (CANVAS, CANVAS))
        pen = ImageDraw.Draw(mask)
        pen.polygon(outline["dome"], fill=255)
        pen.polygon([*edge, edge[-2], CANVAS, edge[0], CANVAS], fill=0)  # what lies behind the face
        assert self.hat_texture is not None
        self._paste(image, self.hat_texture, mask, number)
        draw.polygon(band, fill=mix(self.knit, INK, 0.28))
        for start in range(2, len(edge) - 2, 4):  # ribs, from the edge of the band to its top
            end = len(band) - 2 - start
            draw.line([*edge[start : start + 2], *band[end : end + 2]], fill=mix(self.knit, INK, 0.42), width=3)
