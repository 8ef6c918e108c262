"""Pictures of live organs as panels show them: ultrasound, endoscopy and scintigrams, each in a field on black."""

import cv2
import numpy as np

from phantom.pictures.brushes import (
    Canvas,
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
    phrase,
    soften,
    stroke,
    tint,
    word,
    write,
)  # fmt: skip


def draw_ultrasound(rng: np.random.Generator, shape: Shape) -> Canvas:
    """A fan or a box of echoes on black, with text, a depth scale, a grey wedge and coloured flow at times."""
    echoes = _echoes(rng, shape)
    split = 2 if rng.random() < 0.15 else 1  # two fans side by side are one panel all the same
    screen = np.zeros(shape, dtype=np.uint8)
    for part in range(split):
        columns = slice(part * shape[1] // split, (part + 1) * shape[1] // split)
        window = _fan(rng, screen[:, columns]) if rng.random() < 0.65 else _box(rng, screen[:, columns])
        screen[:, columns] = (echoes[:, columns] * window).astype(np.uint8)
    picture = in_rgb(screen)
    if rng.random() < 0.35:
        _flow(picture, rng)
    if rng.random() < 0.75:
        _readings(picture, rng)
    return picture


def _echoes(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Speckle with dark vessels and bright interfaces (H, W), 0 to 255."""
    tissue = (60 + 100 * cloud(rng, shape, cells=rng.uniform(2, 6), octaves=3)).astype(np.uint8)
    for _ in range(int(rng.integers(1, 6))):
        at, radii = tuple(rng.uniform(0.15, 0.85, 2)), tuple(rng.uniform(0.03, 0.2, 2))
        blob(tissue, rng, at=at, radii=radii, colour=grey(rng.choice([5, 15, 50, 90, 150])), rough=0.3)
    for _ in range(int(rng.integers(1, 6))):
        start, end = tuple(rng.uniform(0.1, 0.9, 2)), tuple(rng.uniform(0.1, 0.9, 2))
        stroke(tissue, curve(rng, start, end, bend=0.3), grey(rng.uniform(150, 255)), width=rng.uniform(1, 5))
    tissue = soften(tissue, 1.5)
    speckle = cv2.GaussianBlur(rng.rayleigh(1.0, shape).astype(np.float32), (0, 0), sigmaX=1.3, sigmaY=0.7)
    deep = np.linspace(1.1, rng.uniform(0.4, 1.0), shape[0], dtype=np.float32)[:, None]
    return np.clip(tissue * deep * speckle * rng.uniform(0.5, 0.9), 0, 255)


def _fan(rng: np.random.Generator, screen: Canvas) -> np.ndarray:
    """Where (H, W) a sector lies: its tip above, its arc below."""
    height, width = screen.shape
    half = rng.uniform(0.45, 0.9)
    reach = min(height * rng.uniform(0.85, 1.02), 0.55 * width / np.sin(half) * rng.uniform(0.8, 1.1))
    near = reach * (rng.uniform(0.02, 0.12) if rng.random() < 0.5 else rng.uniform(0.2, 0.4))
    tip = np.array([width * rng.uniform(0.42, 0.58), rng.uniform(0, 0.1) * height - near * 0.8])
    angles = np.linspace(-half, half, 24)
    arc = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    sector = np.concatenate([tip + near * arc, tip + (reach + near) * arc[::-1]])
    return _mask(screen, sector / [width, height])


def _box(rng: np.random.Generator, screen: Canvas) -> np.ndarray:
    left, top = rng.uniform(0, 0.18, 2)
    right, bottom = 1 - rng.uniform(0, 0.18, 2)
    slant = rng.choice([0.0, 0.0, 0.1])
    return _mask(screen, np.array([(left + slant, top), (right, top), (right - slant, bottom), (left, bottom)]))


def _mask(screen: Canvas, points: np.ndarray) -> np.ndarray:
    window = np.zeros_like(screen)
    fill(window, points, grey(1))
    return window


def _flow(picture: Canvas, rng: np.random.Generator) -> None:
    """A colour Doppler box: red and blue patches inside a thin frame, with its bar."""
    left, top = rng.uniform(0.2, 0.45, 2)
    right, bottom = np.array([left, top]) + rng.uniform(0.2, 0.4, 2)
    for _ in range(int(rng.integers(2, 7))):
        at, radii = (rng.uniform(left, right), rng.uniform(top, bottom)), tuple(rng.uniform(0.015, 0.07, 2))
        red = rng.random() < 0.5
        colour = colour_near(rng, (220, 40, 20) if red else (30, 60, 230), spread=30)
        blob(picture, rng, at=at, radii=radii, colour=colour, rough=0.3)
    frame = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    stroke(picture, frame, colour_near(rng, (220, 220, 200), spread=20), width=1, closed=True)
    ramp = np.linspace(0, 1, max(2, picture.shape[0] // 4))[:, None]
    bar = np.repeat(
        blend((255, 220, 60), (30, 60, 230), ramp.astype(np.float32)), max(2, picture.shape[1] // 40), axis=1
    )
    put = picture[4 : 4 + bar.shape[0], 3 : 3 + bar.shape[1]]
    put[:] = bar[: put.shape[0], : put.shape[1]]


def _readings(picture: Canvas, rng: np.random.Generator) -> None:
    """What an ultrasound machine prints about the field."""
    size = max(6, min(picture.shape[:2]) * rng.uniform(0.03, 0.055))
    colour = colour_near(rng, (220, 220, 200), spread=25)
    line = 1.3 * size / picture.shape[0]
    top, left = rng.uniform(0.01, 0.6), rng.choice([0.01, 0.82])
    for row in range(int(rng.integers(0, 9))):
        text = f"{word(rng)[:4]} {rng.integers(1, 99)}" if rng.random() < 0.7 else phrase(rng, 2)
        write(picture, text, at=(left, top + row * line), size=size, colour=colour)
    if rng.random() < 0.6:  # the depth scale
        x = rng.choice([0.02, 0.97])
        for y in np.arange(0.05, 0.98, rng.uniform(0.05, 0.12)):
            stroke(picture, np.array([(x, y), (x + 0.015, y)]), colour, width=1)
    if rng.random() < 0.4:  # callipers
        ends = rng.uniform(0.3, 0.7, (2, 2))
        share = np.linspace(0, 1, 15)[:, None]
        for point in ends[0] + share * (ends[1] - ends[0]):
            stroke(picture, point + np.zeros((2, 2)), colour, width=1)
        for x, y in ends:
            write(picture, "+", at=(x - 0.02, y - 0.03), size=1.5 * size, colour=colour)
        text = f"{'Dist' if rng.random() < 0.5 else 'D'} {rng.uniform(0.5, 9):.2f} cm"
        write(picture, text, at=(0.55, 0.93), size=size, colour=colour)


def draw_endoscopy(rng: np.random.Generator, shape: Shape) -> Canvas:
    """A round, octagonal or cut-off view of moist tissue on black, with text at its left at times."""
    base = ((190, 80, 60), (205, 120, 95), (220, 150, 120), (170, 60, 50), (225, 180, 150))[int(rng.integers(5))]
    folds = cloud(rng, shape, cells=rng.uniform(2, 5), octaves=3)
    dark = dimmed(base, rng.uniform(0.1, 0.5, 3))
    picture = blend(colour_near(rng, dark, spread=8), colour_near(rng, base, spread=18), folds)
    _mucosa(picture, rng)
    picture = soften(picture, max(0.6, min(shape) / 150))
    for x, y in rng.uniform(0.2, 0.8, (int(rng.integers(2, 14)), 2)):
        blob(picture, rng, at=(x, y), radii=tuple(rng.uniform(0.003, 0.02, 2)), colour=(255, 250, 245), rough=0.4)
    screen = np.zeros(shape, dtype=np.uint8)
    fill(screen, _aperture(rng, shape), grey(255))
    picture[screen < 128] = rng.integers(0, 14)
    if rng.random() < 0.5:
        size = max(6, min(shape) * rng.uniform(0.03, 0.05))
        for row in range(int(rng.integers(1, 9))):
            at = (0.01, 0.03 + 1.4 * row * size / shape[0])
            write(picture, phrase(rng, 1)[:9], at=at, size=size, colour=(220, 220, 220))
    return picture


def _mucosa(picture: Canvas, rng: np.random.Generator) -> None:
    """The lumen, folds, vessels and a polyp."""
    centre = tuple(rng.uniform(0.35, 0.65, 2))
    if rng.random() < 0.7:
        blob(picture, rng, at=centre, radii=tuple(rng.uniform(0.05, 0.2, 2)), colour=(40, 12, 10), rough=0.2)
    for _ in range(int(rng.integers(0, 4))):
        ring = outline(rng, at=centre, radii=tuple(rng.uniform(0.15, 0.45, 2)), rough=0.2)
        stroke(picture, ring[: int(rng.integers(20, 48))], colour_near(rng, (235, 170, 140), spread=20), width=3)
    for _ in range(int(rng.integers(0, 8))):
        way = curve(rng, tuple(rng.uniform(0, 1, 2)), tuple(rng.uniform(0, 1, 2)), bend=0.3)
        stroke(picture, way, colour_near(rng, (150, 40, 35), spread=15), width=1)
    if rng.random() < 0.6:
        size = tuple(rng.uniform(0.06, 0.22, 2))
        tone = ((215, 90, 80), (235, 215, 190), (130, 20, 20), (240, 230, 120))[int(rng.integers(4))]
        blob(picture, rng, at=tuple(rng.uniform(0.3, 0.7, 2)), radii=size, colour=tone, rough=0.2)


def _aperture(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """The view's outline in shares: circle, octagon, rectangle with cut corners, or the whole panel."""
    side = min(shape) * rng.uniform(0.9, 1.05) / 2
    rx, ry = side / shape[1], side / shape[0]
    x = rng.choice([0.5, max(0.5, 1 - rx - 0.01)])
    how = rng.random()
    if how < 0.35:
        return outline(rng, at=(x, 0.5), radii=(rx, ry), rough=0.0)
    if how < 0.75:
        cut = rng.uniform(0.08, 0.45)
        corners = [(-1, cut - 1), (cut - 1, -1), (1 - cut, -1), (1, cut - 1), (1, 1 - cut), (1 - cut, 1), (cut - 1, 1)]
        wide = rx if rng.random() < 0.6 else 0.49
        return np.array([*corners, (-1, 1 - cut)]) * [wide, ry] + [x if wide == rx else 0.5, 0.5]
    return np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])


HOT = np.array([(0, 0, 0), (120, 0, 20), (220, 60, 0), (255, 180, 0), (255, 255, 200)], dtype=np.float32)
RAINBOW = np.array([(0, 0, 40), (0, 60, 220), (0, 200, 120), (250, 230, 0), (230, 0, 0)], dtype=np.float32)
GREYS = np.array([(0, 0, 0), (90, 90, 90), (150, 150, 150), (210, 210, 210), (255, 255, 255)], dtype=np.float32)
INVERTED = GREYS[::-1]


def draw_nuclear(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Uptake without sharp edges: a whole body or two, an organ, or rows of small ones without gutters."""
    uptake = np.zeros(shape, dtype=np.uint8)
    (_whole_bodies, _organ, _rows)[int(rng.integers(3))](uptake, rng)
    soft = cv2.GaussianBlur(uptake, (0, 0), max(1.0, min(shape) / rng.uniform(50, 120))).astype(np.float32) / 255
    counts = soft + rng.standard_normal(shape, dtype=np.float32) * 0.12 * np.sqrt(soft + 0.005)
    ramp = (INVERTED, INVERTED, HOT, RAINBOW, GREYS)[int(rng.integers(5))]
    return tint(counts, ramp)


def _whole_bodies(uptake: Canvas, rng: np.random.Generator) -> None:
    count = int(rng.integers(1, 3)) if uptake.shape[1] > 0.6 * uptake.shape[0] else 1
    for place in range(count):
        middle, wide = (place + 0.5) / count, 0.5 / count
        level = rng.uniform(40, 110)
        for y, rx, ry in ((0.1, 0.16, 0.07), (0.35, 0.38, 0.2), (0.55, 0.3, 0.08)):
            blob(uptake, rng, at=(middle, y), radii=(rx * wide, ry), colour=grey(level), rough=0.06)
        stroke(
            uptake, np.array([(middle, 0.15), (middle, 0.6)]), grey(level * 1.6), width=0.06 * wide * uptake.shape[1]
        )
        for side in (-1, 1):
            for start, end in (((0.15, 0.55), (0.18, 0.97)), ((0.36, 0.22), (0.52, 0.58))):
                leg = np.array([start, end]) * [side * wide, 1] + [middle, 0]
                stroke(uptake, leg, grey(level), width=0.2 * wide * uptake.shape[1])
        for _ in range(int(rng.integers(1, 9))):
            at = (middle + rng.normal(0, 0.2 * wide), rng.uniform(0.08, 0.7))
            blob(uptake, rng, at=at, radii=(0.07 * wide, 0.015), colour=grey(255), rough=0.3)


def _organ(uptake: Canvas, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(1, 5))):
        at, radii = tuple(rng.uniform(0.25, 0.75, 2)), tuple(rng.uniform(0.05, 0.3, 2))
        blob(uptake, rng, at=at, radii=radii, colour=grey(rng.uniform(60, 160)), rough=0.2)
    for _ in range(int(rng.integers(1, 6))):
        at = tuple(rng.uniform(0.2, 0.8, 2))
        blob(uptake, rng, at=at, radii=tuple(rng.uniform(0.02, 0.08, 2)), colour=grey(255), rough=0.3)


def _rows(uptake: Canvas, rng: np.random.Generator) -> None:
    """Small rings or blobs in rows, as of the heart's slices; one panel."""
    columns = int(rng.integers(3, 8))
    rows = max(1, round(columns * uptake.shape[0] / uptake.shape[1]))
    ring = rng.random() < 0.5
    for row in range(rows):
        for column in range(columns):
            at, grow = ((column + 0.5) / columns, (row + 0.5) / rows), rng.uniform(0.8, 1.1)
            radii = (0.32 * grow / columns, 0.32 * grow / rows)
            blob(uptake, rng, at=at, radii=radii, colour=grey(rng.uniform(150, 255)), rough=0.12)
            if ring:
                blob(uptake, rng, at=at, radii=(radii[0] * 0.4, radii[1] * 0.4), colour=grey(20), rough=0.12)
