"""The face's features as shapes, back to front: ears, cheeks, nose, beard, mouth, eyes, brows, glasses, earrings."""

import numpy as np

from videmo.synth import attire
from videmo.synth.face import Clip
from videmo.synth.geometry import Head, brows, eyes, mouth, nose
from videmo.synth.palette import EYE, GOLD, HAIR, INK, TEAR, WHITE, complexion, mix, shade
from videmo.synth.shapes import Shape, between, disc, filled, glow, moved, ring, shrunk, stroke


class Features:
    """What is painted over skin and hair in one clip.

    Args:
        clip: Its state.
        head: The turned head.
    """

    def __init__(self, clip: Clip, head: Head):
        self.person, self.worn = clip.identity, clip.accessories
        self.head, self.motion = head, head.motion
        self.emotion = clip.emotion
        self.skin, self.hair_colour = complexion(self.person.skin, clip.emotion), HAIR[self.person.hair_colour]
        self.turn = float(head.motion.yaw.mean())

    def shapes(self, rng: np.random.Generator) -> list[Shape]:
        """All of them; `rng` chooses the glasses."""
        head = self.head
        shapes: list[Shape] = []
        if self.person.hair_length != "long":
            shapes += self._ears()
        shapes += self._cheeks()
        shapes += self._nose(nose(head))
        lips = mouth(head)
        if self.person.beard != "none":
            colour = mix(self.hair_colour, INK, 0.15)
            shapes.append(filled(attire.beard(head, self.person.beard, lips), colour, 0.92))
        shapes += self._mouth(lips)
        shapes += self._eyes(eyes(head))
        shapes += self._brows(brows(head))
        shapes += self._drops()
        return shapes + self._accessories(rng)

    def _brows(self, brow: dict[str, np.ndarray]) -> list[Shape]:
        skin, shapes = self.skin, []
        dark = mix(self.hair_colour, INK, 0.3 if self.person.hair_colour in ("black", "brown") else 0.55)
        if self.person.hair_length == "bald":
            dark = (74, 52, 40)
        width = (6.4 if self.person.bushy_eyebrows else 2.4) * np.array([0.9, 1.1, 1.1, 1.0, 0.85, 0.65, 0.4])
        low, raised = self.motion.au("AU4"), np.maximum(self.motion.au("AU1"), self.motion.au("AU2"))
        for number in (0, 1):
            shapes.append(stroke(brow[f"furrow_{number}"], 1.7, shade(skin, 0.65), 0.85 * low))
            if not self.person.bangs:
                shapes.append(stroke(brow[f"forehead_{number}"], 1.0, shade(skin, 0.4), 0.6 * raised))
        shapes += [stroke(brow[f"brow_{side}"], width, dark, 0.95, taper=0.25) for side in ("left", "right")]
        return shapes

    def _drops(self) -> list[Shape]:
        """Tears of the sad and sweat of the afraid, which come with the expression."""
        shapes = []
        if self.emotion == "Sad":
            for sign in (1, -1):
                x, y = sign * self.person.eye_spacing + 0.06 * sign * np.linspace(0, 1, 6), np.linspace(0.14, 0.72, 6)
                track = self.head.on_face(x[None], y[None])
                shapes.append(stroke(track, 4.6, TEAR, 0.9 * self.motion.au("AU15"), taper=0.3))
        if self.emotion == "Fear":
            for x, y in ((0.5, -0.62), (-0.46, -0.7), (0.72, -0.3), (-0.74, -0.26)):
                place = self.head.on_face(np.array([[x]]), np.array([[y]]))
                shapes.append(disc(place, 2.6, TEAR, 0.95 * self.motion.au("AU1")))
        return shapes

    def _ears(self) -> list[Shape]:
        curves, shapes = attire.ears(self.head), []
        for side, sign in (("left", 1), ("right", -1)):
            if sign * self.turn > attire.TURNED:
                continue
            shapes.append(filled(curves[f"ear_{side}"], shade(self.skin, 0.16)))
            shapes.append(filled(curves[f"ear_fold_{side}"], shade(self.skin, 0.38), 0.8))
        return shapes

    def _cheeks(self) -> list[Shape]:
        shapes, lift = [], self.motion.au("AU6")
        round_ = np.linspace(0, 2 * np.pi, 18, False)
        for sign in (1, -1):
            x, y = sign * 0.55 + 0.3 * np.cos(round_), 0.4 + 0.21 * np.sin(round_) - 0.09 * lift[:, None]
            spot = self.head.on_face(np.broadcast_to(x, y.shape), y)
            if "blush" in self.worn:
                shapes += glow(spot, mix((236, 64, 84), self.skin, 0.1), 0.75)
            shapes += glow(spot, mix(self.skin, WHITE, 0.5), 0.35 * lift, 3)
        if self.person.mark == "freckles":
            spread = np.array([(0.28, 0.3), (0.4, 0.24), (0.5, 0.33), (0.36, 0.42), (0.62, 0.27), (0.14, 0.2)])
            for x, y in np.concatenate([spread, spread * [-1, 1]]):
                dot = self.head.on_face(np.full((1, 1), x), np.full((1, 1), y))
                shapes.append(disc(dot, 0.75, shade(self.skin, 0.5), 0.8))
        elif self.person.mark.startswith("mole"):
            sign = 1 if self.person.mark == "mole_left" else -1
            dot = self.head.on_face(np.full((1, 1), sign * 0.42), np.full((1, 1), 0.6), jaw=True)
            shapes.append(disc(dot, 1.5, shade(self.skin, 0.95)))
        return shapes

    def _nose(self, curves: dict[str, np.ndarray]) -> list[Shape]:
        skin, wrinkle = self.skin, self.motion.au("AU10")
        shapes = [
            filled(curves["nose_body"], shade(skin, 0.16), 0.7),
            stroke(curves["nose_ridge"], 3.0, mix(skin, WHITE, 0.35), 0.55),
            stroke(curves["nose_under"], 1.6, shade(skin, 0.5), 0.85),
        ]
        for side in ("left", "right"):
            shapes.append(stroke(curves[f"wing_{side}"], 1.2, shade(skin, 0.45), 0.7))
            shapes.append(filled(curves[f"nostril_{side}"], shade(skin, 0.85), 0.85))
            for number in range(3):
                shapes.append(stroke(curves[f"wrinkle_{number}_{side}"], 1.5, shade(skin, 0.62), 0.9 * wrinkle))
        return shapes

    def _mouth(self, curves: dict[str, np.ndarray]) -> list[Shape]:
        skin, motion = self.skin, self.motion
        lip = mix(shade(skin, 0.3), (206, 84, 88), 0.25 if self.person.male else 0.5)
        if "lipstick" in self.worn:
            lip = (196, 20, 60)
        dark = mix(lip, INK, 0.22)
        top, inner_top = curves["lip_top"], curves["lip_inner_top"]
        inner_low, low = curves["lip_inner_low"], curves["lip_low"]
        apart = np.clip((inner_low - inner_top)[:, 6, 1] / 1.2, 0, 1)  # [F]
        folds = np.maximum(motion.au("AU12") * 0.7, motion.au("AU10"))
        shapes = []
        for side in ("left", "right"):
            shapes.append(stroke(curves[f"fold_{side}"], 1.8, shade(skin, 0.52), 0.12 + 0.75 * folds))
            shapes.append(stroke(curves[f"cheek_{side}"], 1.3, shade(skin, 0.42), 0.75 * motion.au("AU6")))
            shapes.append(stroke(curves[f"dimple_{side}"], 1.3, shade(skin, 0.5), 0.7 * motion.au("AU12")))
            shapes.append(stroke(curves[f"droop_{side}"], 1.4, shade(skin, 0.5), 0.8 * motion.au("AU15")))
        shapes += [
            stroke(curves["chin_dent"], 1.6, shade(skin, 0.4), 0.35),
            filled(between(inner_top, inner_low), (70, 18, 26), apart),
            filled(between(curves["tongue_top"], inner_low), (206, 92, 100), apart * (0.15 + 0.85 * motion.au("AU26"))),
            filled(between(inner_top, curves["teeth_low"]), (250, 248, 240), apart),
            filled(between(top, inner_top), dark),
            filled(between(inner_low, low), lip),
            stroke(inner_top, 1.3, mix(lip, INK, 0.65), 0.9),
            stroke(0.5 * (inner_low + low)[:, 4:9], 1.0, mix(lip, WHITE, 0.5), 0.5),
            stroke(curves["bulge_top"], 1.2, shade(skin, 0.4), 0.8 * motion.au("AU24")),
            stroke(curves["bulge_low"], 1.2, shade(skin, 0.4), 0.8 * motion.au("AU24")),
        ]
        return shapes

    def _eyes(self, curves: dict[str, np.ndarray]) -> list[Shape]:
        skin, shapes = self.skin, []
        iris = EYE[self.person.eye_colour]
        cheeks, tight = self.motion.au("AU6"), self.motion.au("AU7")
        for side, sign in (("left", 1), ("right", -1)):
            upper, lower = curves[f"upper_lid_{side}"], curves[f"lower_lid_{side}"]
            socket = between(curves[f"crease_{side}"] - [0, 1.2], moved(lower, 0, 1.5))
            shapes += [
                filled(socket, shade(skin, 0.2), 0.55),
                filled(between(curves[f"crease_{side}"], upper), shade(skin, 0.14)),
                filled(between(upper, lower), (252, 250, 248)),
                filled(curves[f"iris_{side}"], mix(iris, INK, 0.25)),
                filled(shrunk(curves[f"iris_{side}"], 0.8), iris),
                filled(curves[f"pupil_{side}"], (18, 14, 18)),
            ]
            glint = moved(curves[f"pupil_{side}"].mean(axis=1, keepdims=True), -1.2, -1.4)
            shapes.append(disc(glint, 1.0, WHITE, 0.9 * (1 - self.motion.blink)))
            shapes.append(stroke(curves[f"crease_{side}"], 1.0, shade(skin, 0.5), 0.7))
            shapes.append(stroke(lower, 1.0, shade(skin, 0.6), 0.75))
            shapes.append(stroke(upper, 1.7 if self.person.male else 2.3, INK, 0.95, taper=0.5))
            if not self.person.male:
                end = upper[:, -1:] if sign == 1 else upper[:, :1]
                out = sign * 2.6 * np.cos(self.turn)
                flick = np.concatenate([moved(end, -1.5 * sign, -0.8), moved(end, out, -2.2)], axis=1)
                shapes.append(stroke(flick, 1.7, INK, taper=0.2))
            if sign * self.turn < attire.TURNED:
                for number in range(3):
                    shapes.append(stroke(curves[f"crow_{number}_{side}"], 1.0, shade(skin, 0.5), 0.75 * cheeks))
            shapes.append(stroke(moved(lower, 0, 2.2), 1.1, shade(skin, 0.42), 0.7 * tight))
        return shapes

    def _accessories(self, rng: np.random.Generator) -> list[Shape]:
        worn, shapes = self.worn, []
        frame_colour = [(34, 34, 40), (120, 40, 40), (40, 64, 120)][int(rng.integers(3))]
        rectangular = rng.random() < 0.5
        if "eyeglasses" in worn:
            curves = attire.glasses(self.head, rectangular)
            for side, sign in (("left", 1), ("right", -1)):
                shapes.append(filled(curves[f"rim_{side}"], (226, 240, 255), 0.16))
                shapes.append(ring(curves[f"rim_{side}"], 2.1, frame_colour))
                if sign * self.turn < attire.TURNED:
                    shapes.append(stroke(curves[f"arm_{side}"], 1.9, frame_colour, taper=0))
            shapes.append(stroke(curves["bridge"], 2.1, frame_colour, taper=0))
        if "earrings" in worn:
            lobes = attire.ears(self.head)
            for side, sign in (("left", 1), ("right", -1)):
                if sign * self.turn < attire.TURNED:
                    drop = moved(lobes[f"lobe_{side}"], 0, 4.2)
                    shapes.append(disc(drop, 4.0, mix(GOLD, INK, 0.4)))
                    shapes.append(disc(drop, 3.3, GOLD))
                    shapes.append(disc(moved(drop, -0.6, -0.6), 1.0, (255, 244, 200)))
        return shapes
