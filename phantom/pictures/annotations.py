"""What authors and scanners put over a picture: arrows, stars, rings, boxes, bars, words; none of it ends a panel."""

import cv2
import numpy as np

from phantom.pictures.brushes import (
    Canvas,
    Colour,
    blend,
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

ABBREVIATIONS = [
    "LV",
    "RV",
    "LA",
    "RA",
    "Ao",
    "PA",
    "IVC",
    "SVC",
    "GB",
    "CBD",
    "RK",
    "LK",
    "Sp",
    "Liv",
    "T1",
    "T2",
    "L4",
    "L5",
    "S1",
    "C3",
    "ICA",
    "MCA",
    "Tu",
    "PV",
]
INKS: tuple[Colour, ...] = ((255, 255, 255), (255, 255, 255), (0, 0, 0), (255, 230, 0), (230, 20, 20), (0, 200, 240))


def annotate(picture: Canvas, rng: np.random.Generator, *, scanner: bool) -> None:
    """None to several marks over a picture, in place; `scanner` adds corner text and rulers at times."""
    if scanner and rng.random() < 0.45:
        _corner_text(picture, rng)
    if scanner and rng.random() < 0.3:
        _ruler(picture, rng)
    if rng.random() < 0.45:
        return
    ink = INKS[int(rng.integers(len(INKS)))]
    marks = (_arrow, _arrow, _arrow, _star, _ring, _dashes, _scale_bar, _words, _words, _strip, _colour_bar)
    for index in rng.choice(len(marks), int(rng.integers(1, 4))):
        marks[int(index)](picture, rng, ink)


def _corner_text(picture: Canvas, rng: np.random.Generator) -> None:
    """Lines of small print in one to four corners, and a side marker."""
    size = max(6, min(picture.shape[:2]) * rng.uniform(0.03, 0.06))
    colour, pitch = grey(rng.uniform(150, 255)), 1.25 * size / picture.shape[0]
    for corner in rng.choice(4, int(rng.integers(1, 5)), replace=False):
        lines = int(rng.integers(1, 6))
        top = 0.01 if corner < 2 else 0.98 - lines * pitch
        for row in range(lines):
            cover = letters(f"{word(rng)[:6]} {rng.integers(1, 2000)}", size, "DejaVuSans.ttf")
            left = 0.01 if corner % 2 == 0 else 0.99 - cover.shape[1] / picture.shape[1]
            paste(picture, cover, (left, top + row * pitch), colour)
    if rng.random() < 0.5:
        side = str(rng.choice(["R", "L", "A", "P", "H"]))
        write(picture, side, at=(rng.choice([0.01, 0.94]), 0.48), size=1.3 * size, colour=colour)


def _ruler(picture: Canvas, rng: np.random.Generator) -> None:
    """A scale of ticks down one side."""
    x, top, bottom = rng.choice([0.02, 0.96]), rng.uniform(0.1, 0.4), rng.uniform(0.6, 0.9)
    colour = grey(rng.uniform(140, 255))
    stroke(picture, np.array([(x, top), (x, bottom)]), colour, width=1)
    for number, y in enumerate(np.linspace(top, bottom, 11)):
        long = 0.025 if number % 5 == 0 else 0.015
        stroke(picture, np.array([(x, y), (x + long, y)]), colour, width=1)


def _arrow(picture: Canvas, rng: np.random.Generator, ink: Colour) -> None:
    """One to three arrows or bare arrowheads, filled or hollow, some with a dark rim."""
    side = min(picture.shape[:2])
    size, thick = side * rng.uniform(0.03, 0.08), max(1.0, side * rng.uniform(0.006, 0.02))
    shaft = rng.choice([0.0, 1.0, 2.5])
    for _ in range(int(rng.integers(1, 4))):
        tip, angle = rng.uniform(0.15, 0.85, 2), rng.uniform(0, 2 * np.pi)
        ahead = np.array([np.cos(angle), np.sin(angle)]) * size / picture.shape[1::-1]
        aside = np.array([-np.sin(angle), np.cos(angle)]) * size / picture.shape[1::-1]
        if shaft:
            stroke(picture, np.stack([tip - ahead, tip - (1 + shaft) * ahead]), ink, width=thick)
        head = np.stack([tip, tip - ahead + 0.55 * aside, tip - 0.8 * ahead, tip - ahead - 0.55 * aside])
        fill(picture, head, ink)
        if rng.random() < 0.2:
            stroke(picture, head, grey(0 if sum(ink) > 300 else 255), width=1, closed=True)


def _star(picture: Canvas, rng: np.random.Generator, ink: Colour) -> None:
    size = max(8, min(picture.shape[:2]) * rng.uniform(0.06, 0.14))
    for x, y in rng.uniform(0.15, 0.8, (int(rng.integers(1, 4)), 2)):
        write(picture, str(rng.choice(["*", "*", "#", "+", "†"])), at=(x, y), size=size, colour=ink)


def _ring(picture: Canvas, rng: np.random.Generator, ink: Colour) -> None:
    at, radii = tuple(rng.uniform(0.25, 0.75, 2)), tuple(rng.uniform(0.05, 0.2, 2))
    ring = outline(rng, at=at, radii=radii, rough=0.0, turn=rng.uniform(0, np.pi))
    if rng.random() < 0.5:
        stroke(picture, ring, ink, width=rng.uniform(1, 3), closed=True)
        return
    for start in range(0, 48, 4):
        stroke(picture, ring[start : start + 3], ink, width=rng.uniform(1, 2))


def _dashes(picture: Canvas, rng: np.random.Generator, ink: Colour) -> None:
    """A box about a part, dashed or whole, or a measured distance."""
    left, top = rng.uniform(0.1, 0.6, 2)
    right, bottom = np.array([left, top]) + rng.uniform(0.12, 0.35, 2)
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    if rng.random() < 0.4:
        stroke(picture, corners, ink, width=rng.uniform(1, 3), closed=True)
        return
    sides = (
        zip(corners, np.roll(corners, -1, axis=0), strict=True) if rng.random() < 0.6 else [(corners[0], corners[2])]
    )
    for start, end in sides:
        share = np.linspace(0, 1, 18)[:, None]
        points = start + share * (end - start)
        for step in range(0, 17, 2):
            stroke(picture, points[step : step + 2], ink, width=1)


def _scale_bar(picture: Canvas, rng: np.random.Generator, ink: Colour) -> None:
    left, y, long = rng.choice([0.05, 0.65]), rng.uniform(0.88, 0.96), rng.uniform(0.12, 0.3)
    stroke(picture, np.array([(left, y), (left + long, y)]), ink, width=rng.uniform(1, 5))
    if rng.random() < 0.7:
        size = max(7, min(picture.shape[:2]) * rng.uniform(0.04, 0.08))
        text = f"{rng.choice([5, 10, 20, 50, 100, 200])} {rng.choice(['µm', 'mm', 'cm'])}"
        write(picture, text, at=(left, y - 1.4 * size / picture.shape[0]), size=size, colour=ink)


def _words(picture: Canvas, rng: np.random.Generator, ink: Colour) -> None:
    """Names of structures, or a heading inside the picture."""
    size, font = max(7, min(picture.shape[:2]) * rng.uniform(0.05, 0.11)), pick_font(rng)
    for x, y in rng.uniform([0.05, 0.05], [0.8, 0.9], (int(rng.integers(1, 4)), 2)):
        text = str(rng.choice(ABBREVIATIONS)) if rng.random() < 0.7 else word(rng)
        write(picture, text, at=(x, y), size=size, colour=ink, font=font)


def _strip(picture: Canvas, rng: np.random.Generator, ink: Colour) -> None:
    """A band with text along the upper or lower edge, which belongs to the picture."""
    height = picture.shape[0]
    tall = int(max(9, height * rng.uniform(0.05, 0.1)))
    band = picture[:tall] if rng.random() < 0.5 else picture[height - tall :]
    dark = rng.random() < 0.7
    band[:] = rng.integers(0, 40) if dark else rng.integers(180, 256)
    write(band, phrase(rng, 3), at=(0.03, 0.15), size=0.65 * tall, colour=grey(230) if dark else grey(20))


def _colour_bar(picture: Canvas, rng: np.random.Generator, ink: Colour) -> None:
    """A ramp down one side, with its ends named."""
    height, width = picture.shape[:2]
    tall, wide = int(height * rng.uniform(0.3, 0.8)), max(3, int(width * rng.uniform(0.03, 0.06)))
    top, left = (height - tall) // 2, int(rng.choice([0.03, 0.86]) * width)
    ramp = np.linspace(1, 0, tall, dtype=np.float32)[:, None]
    if rng.random() < 0.5:
        bar = blend((0, 0, 0), (255, 255, 255), ramp)
    else:
        hues = np.stack([170 * (1 - ramp), np.full_like(ramp, 255), np.full_like(ramp, 255)], axis=2)
        bar = np.asarray(cv2.cvtColor(hues.astype(np.uint8), cv2.COLOR_HSV2RGB), dtype=np.uint8)
    room = picture[top : top + tall, left : left + wide]
    room[:] = bar[: room.shape[0]]
    size = max(6, 0.05 * min(height, width))
    for y in (top / height, (top + tall) / height - 0.05):
        write(picture, f"{rng.uniform(0, 9):.1f}", at=((left + wide + 2) / width, y), size=size, colour=ink)
