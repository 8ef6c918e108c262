"""Colour photographs as panels show them: stained and glowing cells, skin, operations, specimens and things."""

from functools import lru_cache

import cv2
import numpy as np
from sklearn.datasets import load_sample_image

from phantom.pictures.brushes import (
    Canvas,
    Colour,
    Shape,
    blend,
    blob,
    cloud,
    colour_near,
    curve,
    dimmed,
    fill,
    grey,
    in_rgb,
    outline,
    soften,
    stroke,
    write,
)  # fmt: skip

PINKS: tuple[Colour, ...] = ((235, 170, 200), (225, 150, 190), (240, 190, 200), (215, 160, 205), (232, 140, 165))
PURPLES: tuple[Colour, ...] = ((90, 50, 130), (110, 70, 150), (70, 45, 120), (130, 80, 160))


def draw_histology(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Tissue under the microscope: stained pink and purple, brown, with fat or fibres, or glowing on black."""
    how = rng.random()
    if how < 0.2:
        return _fluorescence(rng, shape)
    if how < 0.25:
        return _electrons(rng, shape)
    brown = how < 0.42
    ground = (215, 220, 235) if brown else PINKS[int(rng.integers(len(PINKS)))]
    pale = colour_near(rng, (245, 235, 240), spread=6)
    cover = cloud(rng, shape, cells=rng.uniform(3, 12), octaves=3)
    picture = blend(pale, colour_near(rng, ground, spread=12), (cover * rng.uniform(1, 2)).clip(0, 1))
    if rng.random() < 0.5:
        _fibres(picture, rng, colour_near(rng, ground, spread=25))
    _nuclei(picture, rng, brown)
    if rng.random() < 0.5:
        _gaps(picture, rng)
    if rng.random() < 0.3:  # a fold, or the slide beyond the tissue's edge
        _slide(picture, rng)
    return soften(picture, rng.uniform(0.4, 1.1))


def _nuclei(picture: Canvas, rng: np.random.Generator, brown: bool) -> None:
    """Nuclei in a jittered grid, small and many or large and few, denser in some parts."""
    height, width = picture.shape[:2]
    size = rng.uniform(0.9, 8) * min(height, width) / 200
    pitch = size * rng.uniform(2.4, 6)
    count = int(min(900, height * width / pitch**2))
    dense = cloud(rng, (32, 32), cells=rng.uniform(2, 6), octaves=2)
    tone = PURPLES[int(rng.integers(len(PURPLES)))]
    for x, y, grow in rng.uniform([0, 0, 0.6], [1, 1, 1.4], (count, 3)):
        if dense[int(y * 31), int(x * 31)] < 0.35:
            continue
        stained = brown and rng.random() < 0.5
        colour = colour_near(rng, (125, 75, 40) if stained else tone, spread=12)
        axes = (max(1, round(16 * size * grow)), max(1, round(16 * size * grow * rng.uniform(0.5, 1))))
        centre = (round(16 * x * width), round(16 * y * height))
        cv2.ellipse(picture, centre, axes, rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA, 4)


def _fibres(picture: Canvas, rng: np.random.Generator, colour: Colour) -> None:
    heading = rng.normal(0, 1, 2) * 0.4
    for _ in range(int(rng.integers(20, 70))):
        start = rng.uniform(-0.1, 1.1, 2)
        way = curve(rng, tuple(start), tuple(start + heading + rng.normal(0, 0.1, 2)), bend=0.15)
        stroke(picture, way, colour_near(rng, colour, spread=15), width=rng.uniform(1, 4))


def _gaps(picture: Canvas, rng: np.random.Generator) -> None:
    """White lumens or fat cells, some with a darker wall."""
    white = colour_near(rng, (247, 244, 247), spread=3)
    wall = colour_near(rng, (190, 110, 170), spread=20)
    size = rng.uniform(0.02, 0.14)
    for x, y in rng.uniform(0, 1, (int(min(60, rng.uniform(0.1, 0.5) / size**2)), 2)):
        ring = outline(rng, at=(x, y), radii=tuple(size * rng.uniform(0.5, 1.3, 2)), rough=0.25)
        fill(picture, ring, white)
        stroke(picture, ring, wall, width=rng.uniform(1, 3), closed=True)


def _slide(picture: Canvas, rng: np.random.Generator) -> None:
    """Bare glass along one side, its border uneven."""
    edge = (cloud(rng, (1, 64), cells=6, octaves=3)[0] * 0.3 + rng.uniform(0, 0.25)).astype(np.float64)
    side = np.concatenate([np.stack([np.linspace(-0.01, 1.01, 64), edge], axis=1), [(1.01, -0.01), (-0.01, -0.01)]])
    turned = (side, side[:, ::-1], [1, 1] - side)[int(rng.integers(3))]
    fill(picture, np.ascontiguousarray(turned), colour_near(rng, (246, 244, 246), spread=3))


def _fluorescence(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Blue nuclei, and green or red stain about some of them, on black."""
    light = np.zeros((*shape, 3), dtype=np.uint8)
    channels = ((20, 40, 230), (20, 220, 40), (230, 30, 20), (220, 20, 200))
    for channel in rng.choice(4, int(rng.integers(1, 4)), replace=False):
        layer = np.zeros_like(light)
        size = rng.uniform(0.005, 0.05)
        for x, y, level in rng.uniform([0, 0, 0.3], [1, 1, 1], (int(rng.integers(8, 150)), 3)):
            colour = dimmed(channels[int(channel)], level)
            radii = (size * shape[0] / max(shape), size * shape[1] / max(shape))
            blob(layer, rng, at=(x, y), radii=radii, colour=colour, rough=0.25)
        light[:] = cv2.add(light, soften(layer, rng.uniform(0.6, 2.5)))
    haze = cloud(rng, shape, cells=4, octaves=2)[..., None] * np.array(channels[int(rng.integers(4))]) * 0.1
    return np.asarray(cv2.add(light, haze.astype(np.uint8)), dtype=np.uint8)


def _electrons(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Electron micrograph: grey grains, membranes and dark bodies."""
    field = 90 + 110 * cloud(rng, shape, cells=rng.uniform(4, 10), octaves=5)
    picture = in_rgb(field.astype(np.uint8))
    for x, y in rng.uniform(0, 1, (int(rng.integers(4, 25)), 2)):
        ring = outline(rng, at=(x, y), radii=tuple(rng.uniform(0.02, 0.15, 2)), rough=0.25)
        if rng.random() < 0.6:
            fill(picture, ring, grey(rng.uniform(60, 220)))
        stroke(picture, ring, grey(rng.uniform(20, 70)), width=rng.uniform(1, 3), closed=True)
    noise = rng.normal(0, 12, shape)[..., None]
    return (picture + noise).clip(0, 255).astype(np.uint8)


SKINS: tuple[Colour, ...] = ((235, 195, 170), (215, 165, 135), (180, 125, 95), (120, 80, 60), (245, 210, 190))
CLOTHS: tuple[Colour, ...] = ((30, 90, 140), (40, 120, 100), (20, 60, 90), (230, 230, 225), (15, 15, 15), (60, 110, 60))


def draw_photo(rng: np.random.Generator, shape: Shape) -> Canvas:
    """A photograph: skin with a lesion, an operation, a specimen on cloth, a face's eye or mouth, or a plain scene."""
    draw = (_skin, _operation, _specimen, _scene, _scene, _eye)[int(rng.integers(6))]
    picture = draw(rng, shape)
    light = (0.65 + 0.6 * cloud(rng, shape, cells=1.3))[..., None]
    lit = (picture * light + rng.normal(0, rng.uniform(1, 6), (*shape, 1))).clip(0, 255).astype(np.uint8)
    return soften(lit, rng.uniform(0.4, 1.2))


def _skin_ground(rng: np.random.Generator, shape: Shape) -> tuple[Canvas, Colour]:
    tone = colour_near(rng, SKINS[int(rng.integers(len(SKINS)))], spread=10)
    shadow = dimmed(tone, 0.75)
    return blend(shadow, tone, cloud(rng, shape, cells=rng.uniform(2, 20), octaves=4)), tone


def _skin(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Skin, filling the picture or as a limb on a cloth, with spots, a wound or a swelling."""
    picture, tone = _skin_ground(rng, shape)
    if rng.random() < 0.5:
        limb = np.zeros(shape, dtype=np.uint8)
        angle = rng.uniform(0, np.pi)
        way = np.array([np.cos(angle), np.sin(angle)]) * 0.9
        stroke(limb, curve(rng, tuple(0.5 - way), tuple(0.5 + way), bend=0.1), grey(255), width=0.6 * min(shape))
        picture[limb < 128] = _cloth(rng, shape)[limb < 128]
    wound = (int(tone[0] * 0.8), int(tone[1] * 0.45), int(tone[2] * 0.4))
    for _ in range(int(rng.choice([1, 2, 8, 30]))):
        at = tuple(rng.normal(0.5, 0.15, 2))
        size = tuple(rng.uniform(0.01, 0.2, 2) if rng.random() < 0.4 else rng.uniform(0.01, 0.04, 2))
        blob(picture, rng, at=at, radii=size, colour=colour_near(rng, wound, spread=15), rough=0.3)
        blob(
            picture, rng, at=at, radii=(size[0] / 2, size[1] / 2), colour=colour_near(rng, wound, spread=30), rough=0.4
        )
    return soften(picture, min(shape) / rng.uniform(60, 200))


def _cloth(rng: np.random.Generator, shape: Shape) -> Canvas:
    tone = colour_near(rng, CLOTHS[int(rng.integers(len(CLOTHS)))], spread=12)
    shadow = dimmed(tone, rng.uniform(0.55, 0.95, 3))
    return blend(shadow, tone, cloud(rng, shape, cells=rng.uniform(1.5, 6), octaves=2))


def _operation(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Red, wet tissue between cloths or hooks, with instruments and gloved fingers."""
    red = colour_near(rng, (170, 50, 45), spread=20)
    picture = blend((70, 10, 12), red, cloud(rng, shape, cells=rng.uniform(3, 8), octaves=4))
    for _ in range(int(rng.integers(2, 8))):
        at, radii = tuple(rng.uniform(0.1, 0.9, 2)), tuple(rng.uniform(0.04, 0.25, 2))
        tone = ((220, 150, 110), (235, 200, 120), (130, 25, 25), (225, 190, 180))[int(rng.integers(4))]
        blob(picture, rng, at=at, radii=radii, colour=colour_near(rng, tone, spread=15), rough=0.3)
    picture = soften(picture, min(shape) / 90)
    if rng.random() < 0.4:
        cloth, hole = _cloth(rng, shape), np.zeros(shape, dtype=np.uint8)
        blob(hole, rng, at=(0.5, 0.5), radii=tuple(rng.uniform(0.35, 0.5, 2)), colour=grey(255), rough=0.15)
        picture[hole < 128] = cloth[hole < 128]
    for _ in range(int(rng.integers(0, 4))):
        tip, end = rng.uniform(0.3, 0.7, 2), rng.uniform(-0.4, 1.4, 2)
        glove = rng.random() < 0.3
        colour = colour_near(rng, (225, 220, 205) if glove else (170, 175, 180), spread=15)
        thick = min(shape) * (0.14 if glove else rng.uniform(0.02, 0.06))
        stroke(picture, np.stack([tip, end]), colour, width=thick)
        stroke(picture, np.stack([tip, end]) + 0.006, (250, 250, 250), width=thick / 5)
    for x, y in rng.uniform(0.1, 0.9, (int(rng.integers(5, 30)), 2)):
        blob(picture, rng, at=(x, y), radii=tuple(rng.uniform(0.002, 0.012, 2)), colour=(255, 245, 240), rough=0.3)
    return picture


def _specimen(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Something cut out, on cloth or board, with a ruler at times."""
    picture = _cloth(rng, shape)
    tone = ((165, 70, 60), (215, 165, 120), (235, 210, 180), (120, 55, 45))[int(rng.integers(4))]
    body = outline(rng, at=tuple(rng.uniform(0.42, 0.58, 2)), radii=tuple(rng.uniform(0.18, 0.4, 2)), rough=0.25)
    mask = np.zeros(shape, dtype=np.uint8)
    fill(mask, body, grey(255))
    shadow = dimmed(tone, 0.45)
    surface = blend(shadow, colour_near(rng, tone, spread=15), cloud(rng, shape, cells=rng.uniform(4, 14), octaves=4))
    picture[mask > 127] = surface[mask > 127]
    for x, y in rng.uniform(0.35, 0.65, (int(rng.integers(0, 6)), 2)):
        blob(picture, rng, at=(x, y), radii=tuple(rng.uniform(0.02, 0.09, 2)), colour=colour_near(rng, tone, spread=50))
    if rng.random() < 0.5:
        _ruler(picture, rng)
    return picture


def _ruler(picture: Canvas, rng: np.random.Generator) -> None:
    top, tall = float(rng.choice([0.02, 0.85])), rng.uniform(0.07, 0.13)
    left, right = rng.uniform(-0.1, 0.2), rng.uniform(0.7, 1.1)
    fill(picture, np.array([(left, top), (right, top), (right, top + tall), (left, top + tall)]), (235, 235, 225))
    pitch = rng.uniform(0.01, 0.025)
    for number, x in enumerate(np.arange(left, right, pitch).tolist()):
        deep = 0.5 if number % 5 == 0 else 0.3
        stroke(picture, np.array([(x, top), (x, top + deep * tall)]), (30, 30, 30), width=1)
        if number % 10 == 0:
            size = 0.45 * tall * picture.shape[0]
            write(picture, str(number // 10), at=(x, top + 0.5 * tall), size=size, colour=(30, 30, 30))


def _eye(rng: np.random.Generator, shape: Shape) -> Canvas:
    """An eye or a fundus: rings about a dark or bright centre."""
    picture = _skin_ground(rng, shape)[0]
    if rng.random() < 0.5:
        blob(picture, rng, at=(0.5, 0.5), radii=(0.42, 0.25), colour=(235, 228, 222), rough=0.08)
        blob(
            picture,
            rng,
            at=(0.5, 0.5),
            radii=(0.17, 0.23),
            colour=colour_near(rng, (90, 70, 50), spread=30),
            rough=0.02,
        )
        blob(picture, rng, at=(0.5, 0.5), radii=(0.07, 0.1), colour=(12, 10, 10), rough=0.02)
        blob(picture, rng, at=(0.46, 0.45), radii=(0.02, 0.02), colour=(255, 255, 255), rough=0.1)
        return picture
    picture[:] = 3
    reach = min(shape) * rng.uniform(0.46, 0.55)
    radii = (reach / shape[1], reach / shape[0])
    blob(picture, rng, at=(0.5, 0.5), radii=radii, colour=colour_near(rng, (200, 90, 40), spread=20), rough=0.0)
    disc = (rng.choice([0.35, 0.65]), 0.5)
    for angle in np.linspace(0, 2 * np.pi, 10) + rng.normal(0, 0.2, 10):
        end = (0.5 + 0.4 * np.cos(angle), 0.5 + 0.4 * np.sin(angle))
        stroke(picture, curve(rng, disc, end, bend=0.3), (140, 35, 20), width=rng.uniform(1, 3))
    blob(picture, rng, at=disc, radii=(0.06, 0.06), colour=(250, 215, 140), rough=0.05)
    return picture


@lru_cache(maxsize=2)
def _sample(name: str) -> Canvas:
    return np.asarray(load_sample_image(name), dtype=np.uint8)


def _scene(rng: np.random.Generator, shape: Shape) -> Canvas:
    """A crop of a real photograph (scikit-learn's two), mirrored, turned and with other colours."""
    whole = _sample("china.jpg" if rng.random() < 0.5 else "flower.jpg")
    reach = rng.uniform(0.15, 0.9) * min(whole.shape[0] / shape[0], whole.shape[1] / shape[1])
    size = np.maximum(8, (reach * np.array(shape)).astype(int))
    top, left = (int(rng.integers(0, side - part + 1)) for side, part in zip(whole.shape[:2], size, strict=True))
    crop = cv2.resize(whole[top : top + size[0], left : left + size[1]], shape[::-1], interpolation=cv2.INTER_AREA)
    crop = crop[:, ::-1] if rng.random() < 0.5 else crop
    crop = crop[::-1] if rng.random() < 0.3 else crop
    mixed = crop.astype(np.float32) @ (np.eye(3) + rng.normal(0, 0.35, (3, 3))).astype(np.float32)
    return (mixed * rng.uniform(0.6, 1.2) + rng.uniform(-20, 60)).clip(0, 255).astype(np.uint8)
