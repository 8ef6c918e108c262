"""What panels show on paper besides charts: flow charts, line drawings, gels, electrocardiograms and tables."""

from itertools import pairwise

import cv2
import numpy as np

from phantom.pictures.brushes import (
    Canvas,
    Colour,
    Shape,
    blob,
    cloud,
    colour_near,
    curve,
    fill,
    grey,
    letters,
    outline,
    paste,
    phrase,
    pick_font,
    stroke,
    word,
    write,
)  # fmt: skip


def draw_drawing(rng: np.random.Generator, shape: Shape) -> Canvas:
    """A flow chart, a line drawing of organs with names at leader lines, or a pathway of ovals."""
    picture = np.full((*shape, 3), 255, dtype=np.uint8)
    (_flow_chart, _anatomy, _pathway)[int(rng.integers(3))](picture, rng)
    return picture


def _flow_chart(picture: Canvas, rng: np.random.Generator) -> None:
    """Boxes in rows with text, and arrows from each row to the next."""
    rows = int(rng.integers(2, 6))
    tint = colour_near(rng, (225, 235, 248), spread=12) if rng.random() < 0.5 else grey(255)
    size = max(6, min(picture.shape[:2]) * rng.uniform(0.03, 0.05))
    tall, font = rng.uniform(0.45, 0.75) / rows, pick_font(rng)
    for row in range(rows):
        columns = int(rng.integers(1, 4))
        y = (row + 0.5) / rows
        for column in range(columns):
            x, half = (column + 0.5) / columns, rng.uniform(0.32, 0.46) / max(columns, 1.3)
            box = np.array([(-half, -tall / 2), (half, -tall / 2), (half, tall / 2), (-half, tall / 2)]) + np.array(
                [x, y]
            )
            fill(picture, box, tint)
            stroke(picture, box, grey(40), width=1, closed=True)
            _centred(picture, rng, (x, y), (2 * half, tall), (size, font))
            if row + 1 < rows:
                _link(picture, (x, y + tall / 2), (x + rng.choice([0.0, 0.0, 0.1]), y + 1 / rows - tall / 2))


def _centred(
    picture: Canvas,
    rng: np.random.Generator,
    at: tuple[float, float],
    room: tuple[float, float],
    face: tuple[float, str],
) -> None:
    """As many lines of text as a box holds, about its middle; `face` is the text's size and font."""
    size, font = face
    pitch = 1.25 * size / picture.shape[0]
    lines = max(1, min(3, int(0.85 * room[1] / pitch)))
    widest = int(0.95 * room[0] * picture.shape[1])
    for line in range(lines):
        cover = letters(phrase(rng, 3), size, font)[:, :widest]
        left = at[0] - cover.shape[1] / picture.shape[1] / 2
        paste(picture, cover, (left, at[1] + (line - lines / 2) * pitch), grey(20))


def _link(picture: Canvas, start: tuple[float, float], end: tuple[float, float]) -> None:
    """An arrow between two points."""
    first, last = (np.array(point) * picture.shape[1::-1] for point in (start, end))
    long = max(1.0, float(np.linalg.norm(last - first)))
    tip = min(0.6, 0.03 * min(picture.shape[:2]) / long + 2 / long)
    ends = [(round(point[0]), round(point[1])) for point in (first, last)]
    cv2.arrowedLine(picture, ends[0], ends[1], (40, 40, 40), 1, cv2.LINE_AA, tipLength=tip)


def _anatomy(picture: Canvas, rng: np.random.Generator) -> None:
    """Organs as outlines, flat or shaded, with names at the ends of thin lines."""
    for _ in range(int(rng.integers(2, 9))):
        at, radii = tuple(rng.uniform(0.25, 0.75, 2)), tuple(rng.uniform(0.05, 0.28, 2))
        ring = outline(rng, at=at, radii=radii, rough=0.25, turn=rng.uniform(0, np.pi))
        if rng.random() < 0.6:
            fill(picture, ring, colour_near(rng, (235, 190, 180), spread=25))
        stroke(picture, ring, grey(rng.uniform(0, 90)), width=rng.choice([1, 1, 2]), closed=True)
    for _ in range(int(rng.integers(2, 12))):
        start, end = tuple(rng.uniform(0.2, 0.8, 2)), tuple(rng.uniform(0.2, 0.8, 2))
        stroke(picture, curve(rng, start, end, bend=0.3), colour_near(rng, (150, 50, 60), spread=40), width=1)
    size, font = max(6, min(picture.shape[:2]) * rng.uniform(0.04, 0.06)), pick_font(rng)
    for y in np.sort(rng.uniform(0.05, 0.92, int(rng.integers(0, 7)))):
        left = rng.random() < 0.5
        write(picture, word(rng), at=(0.02 if left else 0.8, y), size=size, colour=grey(20), font=font)
        stroke(picture, np.array([(0.2 if left else 0.79, y + 0.03), rng.uniform(0.35, 0.65, 2)]), grey(60), width=1)


def _pathway(picture: Canvas, rng: np.random.Generator) -> None:
    """Coloured ovals with names, linked by arrows."""
    places = [tuple(point) for point in rng.uniform([0.15, 0.1], [0.85, 0.9], (int(rng.integers(4, 11)), 2))]
    if rng.random() < 0.3:
        picture[:] = colour_near(rng, (240, 244, 235), spread=6)
    for start, end in pairwise(places):
        _link(picture, start, end)
    size = max(6, min(picture.shape[:2]) * 0.045)
    for place in places:
        pastel = colour_near(rng, (190, 205, 215), spread=35)
        blob(picture, rng, at=place, radii=(rng.uniform(0.07, 0.13), 0.055), colour=pastel, rough=0.0)
        _centred(picture, rng, place, (0.14, 0.05), (size, "DejaVuSans.ttf"))


def draw_gel(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Lanes of bands: strips of a blot with names beside them, or one gel with a ladder, dark or light."""
    picture = np.full((*shape, 3), 255, dtype=np.uint8)
    light = rng.random() < 0.7
    size = max(6, min(shape) * rng.uniform(0.04, 0.06))
    lanes, strips = int(rng.integers(2, 11)), int(rng.integers(1, 6))
    left, right = rng.choice([0.0, 0.2]), rng.choice([0.85, 1.0])
    top = rng.choice([0.0, 0.14])
    for strip in range(strips):
        start = top + strip * (1 - top) / strips
        end = start + (1 - top) / strips - (0.02 if strips > 1 else 0)
        rows, columns = (
            slice(int(start * shape[0]), int(end * shape[0])),
            slice(int(left * shape[1]), int(right * shape[1])),
        )
        picture[rows, columns] = _blot(rng, picture[rows, columns].shape[:2], lanes, light)
        if left:
            write(picture, word(rng)[:6], at=(0.01, (start + end) / 2 - 0.03), size=size, colour=grey(0))
        if right < 1:
            write(picture, f"{rng.integers(10, 250)}", at=(0.87, (start + end) / 2 - 0.03), size=size, colour=grey(0))
    for lane in range(lanes if top else 0):
        x = left + (lane + 0.3) * (right - left) / lanes
        write(picture, str(rng.choice(["+", "-", str(lane + 1), "WT"])), at=(x, 0.04), size=size, colour=grey(0))
    return picture


def _blot(rng: np.random.Generator, shape: Shape, lanes: int, light: bool) -> Canvas:
    """Smeared bands (h, w, 3) on a cloudy ground."""
    bands = np.zeros(shape, dtype=np.uint8)
    rows = 1 if shape[0] < 0.4 * shape[1] else int(rng.integers(2, 9))
    heights = rng.uniform(0.15, 0.85, rows) if rows > 1 else [0.5]
    for lane in range(lanes):
        for y in heights:
            radii = (0.38 / lanes, rng.uniform(0.1, 0.25) if rows == 1 else rng.uniform(0.008, 0.03))
            level = grey(rng.uniform(0, 255))
            blob(bands, rng, at=((lane + 0.5) / lanes, y + rng.normal(0, 0.004)), radii=radii, colour=level, rough=0.08)
    dark = cv2.GaussianBlur(bands, (0, 0), 1.2).astype(np.float32)
    ground = rng.uniform(185, 235) - 25 * cloud(rng, shape, cells=4, octaves=2)
    film = (ground * (1 - dark / 270)).clip(0, 255)
    film = film if light else 255 - film
    return np.repeat(film[..., None], 3, axis=2).astype(np.uint8)


def draw_ecg(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Traces in rows over millimetre paper or white, with the leads' names; all rows are one panel."""
    papers: tuple[tuple[Colour, Colour], ...] = (
        ((255, 240, 238), (240, 170, 170)),
        ((255, 255, 255), (225, 225, 225)),
        ((255, 250, 240), (240, 195, 150)),
        ((255, 255, 255), (255, 255, 255)),
        ((10, 15, 10), (20, 60, 30)),
    )
    paper, rule = papers[int(rng.integers(len(papers)))]
    picture = np.full((*shape, 3), paper, dtype=np.uint8)
    pitch = max(3, round(min(shape) * rng.uniform(0.015, 0.05)))
    for step in range(0, max(shape), pitch):
        shade = rule if step % (5 * pitch) == 0 else tuple((2 * p + r) // 3 for p, r in zip(paper, rule, strict=True))
        picture[step : step + 1] = shade
        picture[:, step : step + 1] = shade
    ink = (120, 255, 120) if sum(paper) < 100 else grey(rng.uniform(0, 60))
    rows = max(1, min(int(rng.integers(1, 8)), shape[0] // 20))
    columns = int(rng.choice([1, 1, 2, 4])) if rows > 1 else 1
    names = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    size = max(6, min(shape) * 0.045)
    for row in range(rows):
        stroke(picture, _trace(rng, (row + 0.5) / rows, 0.45 / rows), ink, width=1)
        for column in range(columns):
            at = (column / columns + 0.01, (row + 0.05) / rows)
            write(picture, names[(row + rows * column) % 12], at=at, size=size, colour=ink)
    return picture


def _trace(rng: np.random.Generator, level: float, swing: float) -> np.ndarray:
    """Heartbeats (400, 2) about a level: P, QRS and T as bumps of their usual widths, or a fast wide rhythm."""
    x = np.linspace(0, 1, 400)
    beats = rng.uniform(3, 14)
    phase = (x * beats + rng.random() + 0.05 * np.sin(2 * np.pi * x * rng.uniform(1, 4))) % 1
    bumps = ((0.2, 0.03, 0.12), (0.36, 0.012, -0.12), (0.39, 0.014, rng.uniform(0.5, 1)), (0.43, 0.015, -0.25))
    wave = sum(tall * np.exp(-(((phase - centre) / wide) ** 2)) for centre, wide, tall in (*bumps, (0.65, 0.06, 0.2)))
    sign = -1 if rng.random() < 0.2 else 1
    drift = 0.08 * np.sin(2 * np.pi * (x * rng.uniform(0.3, 2) + rng.random()))
    return np.stack([x, level - swing * (sign * wave + drift + rng.normal(0, 0.01, 400))], axis=1)


def draw_table(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Rows of words and numbers with rules above, below and under the head, or in a grid, rows shaded at times."""
    picture = np.full((*shape, 3), 255, dtype=np.uint8)
    size = max(6, min(shape) * rng.uniform(0.035, 0.06))
    pitch = size * rng.uniform(1.4, 2.2) / shape[0]
    margin, top, font = rng.uniform(0.01, 0.06), rng.uniform(0.02, 0.1), pick_font(rng)
    rows, columns = max(2, int((0.97 - top) / pitch)), int(rng.integers(2, 6))
    edges = margin + np.linspace(0, 1, columns + 1) * (1 - 2 * margin)
    shade, gridded = rng.random() < 0.3, rng.random() < 0.3
    for row in range(rows):
        y = top + row * pitch
        if shade and row % 2 == 0:
            band = np.array([(margin, y), (1 - margin, y), (1 - margin, y + pitch), (margin, y + pitch)])
            fill(picture, band, (225, 232, 242))
        for column in range(columns):
            text = word(rng) if column == 0 or row == 0 else f"{rng.uniform(0, 100):.{rng.integers(0, 3)}f}"
            room = int((edges[column + 1] - edges[column]) * shape[1]) - 3
            paste(
                picture,
                letters(text, size, font)[:, : max(1, room)],
                (edges[column] + 0.01, y + 0.15 * pitch),
                grey(20),
            )
    lines = range(rows + 1) if gridded else (0, 1, rows)
    for line in lines:
        stroke(picture, np.array([(margin, top + line * pitch), (1 - margin, top + line * pitch)]), grey(60), width=1)
    for x in edges if gridded else []:
        stroke(picture, np.array([(x, top), (x, top + rows * pitch)]), grey(60), width=1)
    return picture
