"""The parts of a drawn chest as layers: lungs with their vessels, heart and great vessels, diaphragm, bones."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from phantom.chest.study import Build
from phantom.pictures.brushes import Canvas, Field, cloud, curve, fill, grey, outline, stroke

Points = NDArray[np.float64]
# The lung's outline: how far down (0 apex, 1 dome), and how far out (0 midline, 1 ribs) its outer and inner edges lie.
DOWN = np.array([0.0, 0.03, 0.08, 0.16, 0.30, 0.50, 0.72, 0.92, 1.13])
OUTER = np.array([0.36, 0.52, 0.63, 0.73, 0.85, 0.93, 0.98, 1.0, 0.985])
INNER = np.array([0.30, 0.22, 0.19, 0.17, 0.17, 0.18, 0.19, 0.20, 0.20])
OUT = np.array([0.20, 0.38, 0.55, 0.75, 0.90, 0.985])  # along the diaphragm
DOME = np.array([1.04, 0.985, 0.98, 1.02, 1.07, 1.14])


@dataclass(frozen=True)
class Chest:
    """A chest without findings: layers (S, S) in [0, 1] on a square of side S."""

    build: Build
    side: int
    body: Field
    lungs: dict[int, Field]  # by sign: 1 on the image's right, the patient's left
    vessels: Field
    heart: Field
    middle: Field  # spine, great vessels
    bones: Field

    def at(self, sign: int, down: float, out: float) -> tuple[float, float]:
        """A point of a lung in shares: `down` 0 at the apex and 1 at the dome, `out` 0 in the middle, 1 at the ribs."""
        top, height = self.build.apex, dome(self.build, sign) - self.build.apex
        return 0.5 + sign * out * reach(self.build, down), top + down * height


@lru_cache
def axes(side: int) -> tuple[Field, Field]:
    """x and y (S, S) of every pixel in shares."""
    along = (np.arange(side, dtype=np.float32) + 0.5) / side
    x, y = np.meshgrid(along, along)
    return np.asarray(x, dtype=np.float32), np.asarray(y, dtype=np.float32)


def reach(build: Build, down: float) -> float:
    """How far from the middle the ribs lie at this height."""
    return float(build.width * np.interp(down, DOWN, OUTER))


def dome(build: Build, sign: int) -> float:
    """How far down a dome of the diaphragm lies; the liver lifts the right one."""
    return build.base - (build.lift if sign < 0 else 0)


def draw_chest(build: Build, *, heart: float, side: int) -> Chest:
    """The layers of a chest whose heart takes this share of its width."""
    rng = np.random.default_rng(build.seed)
    lungs = {sign: covered(lung_outline(build, sign), side, soft=0.8) for sign in (-1, 1)}
    return Chest(
        build=build,
        side=side,
        body=_body(build, rng, side),
        lungs=lungs,
        vessels=_vessels(build, rng, side) * (lungs[-1] + lungs[1]),
        heart=_heart(build, heart, rng, side),
        middle=_middle(build, rng, side),
        bones=_bones(build, side),
    )


def covered(points: Points, side: int, *, soft: float) -> Field:
    """How far (S, S) each pixel lies inside an outline (n, 2) in shares; `soft` in pixels of a square of 256."""
    canvas = np.zeros((side, side), dtype=np.uint8)
    fill(canvas, points, grey(255))
    return blurred(canvas, soft)


def blurred(canvas: Canvas, soft: float) -> Field:
    """A painted layer in [0, 1], its edges softened by this many pixels of a square of 256."""
    layer = canvas.astype(np.float32) / np.float32(255)
    return np.asarray(cv2.GaussianBlur(layer, (0, 0), soft * canvas.shape[0] / 256), dtype=np.float32)


def lung_outline(build: Build, sign: int) -> Points:
    """A lung's closed outline (n, 2) in shares."""
    height = dome(build, sign) - build.apex
    down = np.linspace(0, DOWN[-1], 28)
    outer = np.stack([np.interp(down, DOWN, OUTER), down], axis=1)
    out = np.linspace(OUT[-1], OUT[0], 16)
    floor = np.stack([out, np.interp(out, OUT, DOME)], axis=1)
    up = np.linspace(DOME[0], 0, 16)
    inner = np.stack([np.interp(up, DOWN, INNER), up], axis=1)
    shape = np.concatenate([outer, floor, inner])
    return np.stack([0.5 + sign * build.width * shape[:, 0], build.apex + height * shape[:, 1]], axis=1)


def _body(build: Build, rng: np.random.Generator, side: int) -> Field:
    """The soft tissue: shoulders, neck and trunk, at times with breasts, and with air in the stomach."""
    flank = build.width * (1.12 + 0.25 * build.flesh)
    trunk = np.array([(-flank, 1.05), (-flank, 0.35), (-0.52, 0.22), (-0.5, 0.10), (-0.14, 0.05), (-0.09, -0.05)])
    body = covered(np.concatenate([trunk, trunk[::-1] * [-1, 1]]) + np.array([0.5, 0]), side, soft=4)
    for sign in (-1, 1):
        if build.flesh > 0.45:
            at = (0.5 + sign * 0.6 * build.width, 0.60)
            round_ = outline(rng, at=at, radii=(0.15, 0.15), rough=0.05)
            body += np.float32(0.10 * build.flesh) * covered(round_, side, soft=5)
    if rng.random() < 0.5:
        at = (0.5 + rng.uniform(0.3, 0.6) * build.width, build.base + rng.uniform(0.07, 0.10))
        bubble = outline(rng, at=at, radii=(rng.uniform(0.03, 0.08), rng.uniform(0.02, 0.04)), rough=0.15)
        body -= np.float32(rng.uniform(0.1, 0.35)) * covered(bubble, side, soft=2)
    return body * (0.85 + 0.25 * cloud(rng, (side, side), cells=2.5, octaves=2))


def _vessels(build: Build, rng: np.random.Generator, side: int) -> Field:
    """Branches from each hilum, thinner and fainter outwards, more of them downwards."""
    canvas = np.zeros((side, side), dtype=np.uint8)
    for sign in (-1, 1):
        height = dome(build, sign) - build.apex
        hilum = np.array([0.5 + sign * 0.27 * build.width, build.apex + 0.52 * height])
        fill(canvas, outline(rng, at=hilum, radii=(0.03, 0.06), rough=0.25), grey(150))
        for angle in np.concatenate([rng.uniform(-1.3, 0.2, 5), rng.uniform(0.1, 1.35, 8)]):
            _branch(canvas, rng, hilum, (sign, float(angle)), float(rng.uniform(0.14, 0.26)))
    return blurred(canvas, 0.7)


def _branch(canvas: Canvas, rng: np.random.Generator, start: Points, aim: tuple[int, float], length: float) -> None:
    """One vessel with two branches of its own. aim: to which side, and how far down in radians."""
    sign, angle = aim
    end = start + length * np.array([sign * np.cos(angle), np.sin(angle)])
    course = curve(rng, start, end, bend=0.08)
    stroke(canvas, course, grey(105), width=2.2 * canvas.shape[0] / 256)
    for share, turn in ((10, 0.5), (15, -0.5)):
        away = angle + turn * rng.uniform(0.6, 1.2)
        tip = course[share] + 0.45 * length * np.array([sign * np.cos(away), np.sin(away)])
        stroke(canvas, curve(rng, course[share], tip, bend=0.08), grey(65), width=1)


def _heart(build: Build, share: float, rng: np.random.Generator, side: int) -> Field:
    """The heart's shadow, most of it on the patient's left."""
    wide = 2 * build.width * share
    left, right, floor = build.balance * wide, (1 - build.balance) * wide, build.base + 0.02
    tall = 0.10 + 0.20 * share + rng.uniform(-0.015, 0.015)
    canvas = np.zeros((side, side), dtype=np.uint8)
    chambers = (
        ((0.5 + 0.42 * left, floor - 0.72 * tall), (0.60 * left, 0.80 * tall), 0.45),
        ((0.5 - 0.30 * right, floor - 0.80 * tall), (0.70 * right, 0.85 * tall), -0.1),
        ((0.5 + 0.15 * left, floor - 1.35 * tall), (0.36 * left, 0.75 * tall), 0.2),
    )
    for at, radii, turn in chambers:
        fill(canvas, outline(rng, at=at, radii=radii, rough=0.03, turn=turn), grey(255))
    return blurred(canvas, 1.6)


def _middle(build: Build, rng: np.random.Generator, side: int) -> Field:
    """Spine with its discs, the great vessels beside it, and what lies below the diaphragm."""
    canvas = np.zeros((side, side), dtype=np.uint8)
    half = 0.19 * build.width
    way = np.array([(0.5 + build.lean * np.sin(4 * y), y) for y in np.linspace(-0.05, 1.05, 24)])
    stroke(canvas, way, grey(150), width=2 * half * side)
    fill(canvas, outline(rng, at=(0.5 + 0.8 * half, build.apex + 0.19), radii=(0.045, 0.05), rough=0.08), grey(165))
    fill(canvas, outline(rng, at=(0.5 - 0.7 * half, build.apex + 0.14), radii=(0.035, 0.11), rough=0.05), grey(150))
    stroke(canvas, way, grey(195), width=1.1 * half * side)
    for y in np.arange(0.06, 1.0, 0.052):
        disc = np.array([(0.5 - 0.55 * half, y), (0.5 + 0.55 * half, y)]) + np.array([build.lean * np.sin(4 * y), 0])
        stroke(canvas, disc, grey(165), width=0.008 * side)
    stroke(canvas, way[:7], grey(120), width=0.028 * side)  # the air of the trachea
    return blurred(canvas, 1.2)


def _bones(build: Build, side: int) -> Field:
    """Ribs, behind and in front, and the collar bones; each brighter at its edges."""
    step = (build.base + 0.10 - build.apex) / 9
    tops = [build.apex - 0.035 + k * step for k in range(10)]
    collar = np.array([(0.05, 0.075), (0.14, 0.045), (0.24, 0.02), (0.36, 0.01)]) + np.array([0, build.apex])
    total = np.zeros((side, side), dtype=np.uint8)
    for bright, courses in (
        (150, [_back_rib(build, sign, top) for sign in (-1, 1) for top in tops]),
        (85, [_front_rib(build, sign, top + 0.10) for sign in (-1, 1) for top in tops[1:7]]),
        (180, [collar * [sign, 1] + [0.5, 0] for sign in (-1, 1)]),
    ):
        layer = np.zeros_like(total)
        for width, share in ((0.024, 1.0), (0.012, 0.62)):
            for course in courses:
                stroke(layer, course, grey(share * bright), width=width * side)
        cv2.add(total, layer, dst=total)
    return blurred(total, 0.8)


def _back_rib(build: Build, sign: int, top: float) -> Points:
    """From the spine up a little, then out and down to the flank."""
    out = np.linspace(0.12, 1.03, 20)
    drop = build.slope * (0.34 * out**2.2 - 0.10 * np.sin(np.pi * np.minimum(out * 1.3, 1))) * 0.45
    return np.stack([0.5 + sign * out * build.width, top + drop], axis=1)


def _front_rib(build: Build, sign: int, top: float) -> Points:
    """From the flank inwards and down, ending in cartilage that does not show."""
    out = np.linspace(1.02, 0.45, 14)
    drop = build.slope * 0.14 * (1.02 - out) ** 0.8
    return np.stack([0.5 + sign * out * build.width, top + drop], axis=1)
