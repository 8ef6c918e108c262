"""Charts as panels show them: axes with numbers and titles on white, and what is plotted between them."""

from dataclasses import dataclass

import cv2
import numpy as np

from phantom.pictures.brushes import (
    Canvas,
    Colour,
    Field,
    Shape,
    blob,
    cloud,
    colour_near,
    fill,
    grey,
    letters,
    paste,
    phrase,
    stroke,
    tint,
    word,
    write,
)  # fmt: skip

INKS: tuple[Colour, ...] = (
    (31, 119, 180),
    (214, 39, 40),
    (44, 160, 44),
    (255, 127, 14),
    (120, 120, 120),
    (20, 20, 20),
    (148, 103, 189),
    (0, 60, 140),
)
TICKS = np.linspace(0, 1, 6)


@dataclass(frozen=True)
class Axes:
    """Where a chart's data lie, in shares of the panel, and how its text looks."""

    left: float
    top: float
    right: float
    bottom: float
    size: float  # of the text, pixels
    font: str

    def at(self, x: np.ndarray | float, y: np.ndarray | float) -> np.ndarray:
        """Points (n, 2) in shares of the panel for data in [0, 1], y upward."""
        across = self.left + np.atleast_1d(x) * (self.right - self.left)
        down = self.bottom - np.atleast_1d(y) * (self.bottom - self.top)
        return np.stack(np.broadcast_arrays(across, down), axis=1).astype(np.float64)


def draw_plot(rng: np.random.Generator, shape: Shape) -> Canvas:
    """A chart on white, or on a light ground, with margins on all sides."""
    paper = colour_near(rng, (252, 252, 252), spread=3) if rng.random() < 0.2 else grey(255)
    picture = np.full((*shape, 3), paper, dtype=np.uint8)
    size = float(max(6, min(shape) * rng.uniform(0.04, 0.07)))
    axes = Axes(
        left=(rng.uniform(2.6, 5) * size) / shape[1],
        top=rng.uniform(0.04, 0.14),
        right=1 - rng.uniform(0.02, 0.2),
        bottom=1 - rng.uniform(2.2, 4.5) * size / shape[0],
        size=size,
        font=str(rng.choice(["DejaVuSans.ttf", "DejaVuSans.ttf", "STIXGeneral.ttf", "cmss10.ttf"])),
    )
    plots = (_bars, _bars, _lines, _lines, _scatter, _boxes, _survival, _heat, _forest, _pie)
    plot = plots[int(rng.integers(len(plots)))]
    if plot is _pie:
        _pie(picture, rng, axes)
    else:
        _ground(picture, rng, axes)
        plot(picture, rng, axes)
        _frame(picture, rng, axes)
        _titles(picture, rng, axes)
    if plot is not _heat and rng.random() < 0.5:
        _legend(picture, rng, axes)
    return picture


def _box(axes: Axes) -> np.ndarray:
    return axes.at(np.array([0, 1, 1, 0]), np.array([0, 0, 1, 1]))


def _ground(picture: Canvas, rng: np.random.Generator, axes: Axes) -> None:
    """A tint and grid lines behind the data, at times."""
    if rng.random() < 0.15:
        fill(picture, _box(axes), grey(rng.uniform(215, 245)))
    if rng.random() < 0.35:
        shade = grey(rng.choice([255, 200, 225]))
        for share in TICKS:
            stroke(picture, axes.at(np.array([0, 1]), share), shade, width=1)
            stroke(picture, axes.at(share, np.array([0, 1])), shade, width=1)


def _frame(picture: Canvas, rng: np.random.Generator, axes: Axes) -> None:
    """The axes as an L or a box, ticks, and numbers or names at them."""
    ink, thick = grey(rng.choice([0, 0, 60, 120])), rng.choice([1, 1, 2])
    if rng.random() < 0.5:
        stroke(picture, _box(axes), ink, width=thick, closed=True)
    else:
        stroke(picture, axes.at(np.array([0, 0, 1]), np.array([1, 0, 0])), ink, width=thick)
    top = float(rng.choice([1, 5, 10, 50, 100, 500]))
    named = rng.random() < 0.35
    tick = 3 / picture.shape[1], 3 / picture.shape[0]
    for share in TICKS:
        (x, y), (across, down) = axes.at(0, share)[0], axes.at(share, 0)[0]
        stroke(picture, np.array([(x, y), (x - tick[0], y)]), ink, width=1)
        stroke(picture, np.array([(across, down), (across, down + tick[1])]), ink, width=1)
        cover = letters(f"{share * top:g}", axes.size, axes.font)
        _paste_from(picture, cover, (x - 1.5 * tick[0], y), (1.0, 0.5))
        cover = letters(word(rng)[:5] if named else f"{share * 10:g}", axes.size, axes.font)
        _paste_from(picture, cover, (across, down + 1.5 * tick[1]), (0.5, 0.0))


def _paste_from(picture: Canvas, cover: Field, at: tuple[float, float], anchor: tuple[float, float]) -> None:
    """Black text with the point of it that `anchor` names (shares of its width and height) at a point."""
    x = at[0] - anchor[0] * cover.shape[1] / picture.shape[1]
    y = at[1] - anchor[1] * cover.shape[0] / picture.shape[0]
    paste(picture, cover, (x, y), (20, 20, 20))


def _titles(picture: Canvas, rng: np.random.Generator, axes: Axes) -> None:
    middle = ((axes.left + axes.right) / 2, (axes.top + axes.bottom) / 2)
    if rng.random() < 0.75:
        cover = letters(phrase(rng, 2), axes.size * 1.1, axes.font)
        _paste_from(picture, cover, (middle[0], 0.985), (0.5, 1.0))
    if rng.random() < 0.75:
        cover = np.rot90(letters(phrase(rng, 2), axes.size * 1.1, axes.font))
        _paste_from(picture, cover, (0.01, middle[1]), (0.0, 0.5))
    if rng.random() < 0.4:
        cover = letters(phrase(rng, 2), axes.size * 1.2, axes.font)
        _paste_from(picture, cover, (middle[0], 0.01), (0.5, 0.0))


def _legend(picture: Canvas, rng: np.random.Generator, axes: Axes) -> None:
    entries = int(rng.integers(2, 5))
    left, top = rng.choice([0.05, 0.55]), rng.uniform(0.8, 0.95)
    row = 1.4 * axes.size / picture.shape[0]
    corner = axes.at(left, top)[0]
    if rng.random() < 0.4:
        wide = 7 * axes.size / picture.shape[1]
        sides = np.array([(0, 0), (wide, 0), (wide, row * entries), (0, row * entries)]) + corner - [0.01, 0.01]
        fill(picture, sides, grey(255))
        stroke(picture, sides, grey(120), width=1, closed=True)
    for entry in range(entries):
        x, y = corner + np.array([0, entry * row])
        key = np.array([(x, y + row / 2), (x + 1.2 * axes.size / picture.shape[1], y + row / 2)])
        stroke(picture, key, INKS[entry], width=rng.choice([1, 2, axes.size / 2]))
        at = (x + 1.6 * axes.size / picture.shape[1], y)
        write(picture, word(rng)[:7], at=at, size=axes.size * 0.9, colour=grey(20), font=axes.font)


def _palette(rng: np.random.Generator) -> list[Colour]:
    if rng.random() < 0.3:
        return [grey(level) for level in (0, 110, 180, 60, 220)]
    return [INKS[int(index)] for index in rng.permutation(len(INKS))[:5]]


def _bars(picture: Canvas, rng: np.random.Generator, axes: Axes) -> None:
    groups, series = int(rng.integers(2, 9)), int(rng.integers(1, 4))
    colours, wide = _palette(rng), rng.uniform(0.5, 0.95) / series
    rim = rng.random() < 0.5
    for group in range(groups):
        for part in range(series):
            left, tall = (group + 0.1 + part * wide) / groups, rng.uniform(0.1, 0.85)
            right = left + 0.9 * wide / groups
            bar = axes.at(np.array([left, right, right, left]), np.array([0, 0, tall, tall]))
            fill(picture, bar, colours[part])
            if rim:
                stroke(picture, bar, grey(0), width=1, closed=True)
            middle = (left + right) / 2
            stroke(picture, axes.at(middle, np.array([tall, tall + rng.uniform(0.02, 0.1)])), grey(0), width=1)
    if rng.random() < 0.4:  # a bracket with a star over two bars
        ends = np.sort(rng.uniform(0.1, 0.9, 2))
        stroke(picture, axes.at(ends, 0.95), grey(0), width=1)
        write(picture, "**", at=tuple(axes.at(ends.mean(), 1.0)[0]), size=axes.size, colour=grey(0))


def _lines(picture: Canvas, rng: np.random.Generator, axes: Axes) -> None:
    points = int(rng.choice([6, 10, 40, 120]))
    x = np.linspace(0, 1, points)
    for colour in _palette(rng)[: int(rng.integers(1, 5))]:
        walk = np.cumsum(rng.normal(0, 0.5 / np.sqrt(points), points)) + rng.uniform(0.2, 0.8)
        course = axes.at(x, walk.clip(0.02, 0.98))
        stroke(picture, course, colour, width=rng.choice([1, 2, 3]))
        for at in course if points <= 10 else []:
            radii = (0.25 * axes.size / picture.shape[1], 0.25 * axes.size / picture.shape[0])
            blob(picture, rng, at=tuple(at), radii=radii, colour=colour, rough=0.0)
            spread = rng.uniform(0.01, 0.05)
            stroke(picture, np.array([(at[0], at[1] - spread), (at[0], at[1] + spread)]), colour, width=1)


def _scatter(picture: Canvas, rng: np.random.Generator, axes: Axes) -> None:
    slope, radius = rng.uniform(-0.8, 0.8), max(1, round(axes.size * rng.uniform(0.12, 0.3)))
    for colour in _palette(rng)[: int(rng.integers(1, 4))]:
        x = rng.normal(0.5, 0.18, int(rng.integers(15, 150))).clip(0, 1)
        y = (0.5 + slope * (x - 0.5) + rng.normal(0, 0.12, len(x))).clip(0, 1)
        for across, down in axes.at(x, y) * picture.shape[1::-1]:
            cv2.circle(picture, (round(across), round(down)), radius, colour, -1, cv2.LINE_AA)
    if rng.random() < 0.5:
        stroke(picture, axes.at(np.array([0.05, 0.95]), 0.5 + slope * np.array([-0.45, 0.45])), grey(0), width=1)


def _boxes(picture: Canvas, rng: np.random.Generator, axes: Axes) -> None:
    groups, colours = int(rng.integers(2, 7)), _palette(rng)
    for group in range(groups):
        low, first, middle, third, high = np.sort(rng.uniform(0.05, 0.95, 5))
        x, half = (group + 0.5) / groups, 0.28 / groups
        stroke(picture, axes.at(x, np.array([low, high])), grey(0), width=1)
        box = axes.at(np.array([x - half, x + half, x + half, x - half]), np.array([first, first, third, third]))
        fill(picture, box, colours[group % 5])
        stroke(picture, box, grey(0), width=1, closed=True)
        for level in (low, middle, high):
            stroke(picture, axes.at(np.array([x - half, x + half]), level), grey(0), width=1)


def _survival(picture: Canvas, rng: np.random.Generator, axes: Axes) -> None:
    """Kaplan-Meier steps, with marks where patients left."""
    for colour in _palette(rng)[: int(rng.integers(2, 4))]:
        times = np.sort(rng.uniform(0, 1, int(rng.integers(6, 25))))
        levels = 1 - np.cumsum(rng.dirichlet(np.ones(len(times)))) * rng.uniform(0.2, 0.95)
        x, y = np.repeat([0, *times, 1], 2)[1:], np.repeat([1, *levels, levels[-1]], 2)[:-1]
        stroke(picture, axes.at(x, y), colour, width=rng.choice([1, 2]))
        for time, level in zip(times[::3], levels[::3], strict=True):
            stroke(picture, axes.at(time, np.array([level - 0.02, level + 0.02])), colour, width=1)


def _heat(picture: Canvas, rng: np.random.Generator, axes: Axes) -> None:
    """A matrix of coloured cells, smooth or not, with its bar beside it."""
    cells = int(rng.integers(4, 30)), int(rng.integers(4, 30))
    values = cloud(rng, cells, cells=rng.uniform(2, 6)) if rng.random() < 0.4 else rng.random(cells, dtype=np.float32)
    ramp = np.array([colour_near(rng, INKS[int(i)], spread=30) for i in rng.integers(0, len(INKS), 5)], np.float32)
    ramp[2] = 240
    (left, top), (right, bottom) = axes.at(0, 1)[0] * picture.shape[1::-1], axes.at(1, 0)[0] * picture.shape[1::-1]
    room = picture[round(top) : round(bottom), round(left) : round(right)]
    room[:] = cv2.resize(tint(values, ramp), room.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    edge = round(right) + 4
    bar = picture[round(top) : round(bottom), edge : edge + max(3, picture.shape[1] // 30)]
    down = np.linspace(1, 0, max(1, bar.shape[0]), dtype=np.float32)[:, None]
    bar[:] = tint(down, ramp)[: bar.shape[0]]


def _forest(picture: Canvas, rng: np.random.Generator, axes: Axes) -> None:
    """Estimates with intervals in rows, about a dashed line."""
    for y in np.arange(0.02, 0.98, 0.06):
        stroke(picture, axes.at(0.5, np.array([y, y + 0.03])), grey(90), width=1)
    for y in np.linspace(0.06, 0.94, int(rng.integers(4, 13))):
        middle, half = rng.normal(0.5, 0.12), rng.uniform(0.04, 0.2)
        stroke(picture, axes.at(np.array([middle - half, middle + half]).clip(0, 1), y), grey(0), width=1)
        blob(picture, rng, at=tuple(axes.at(middle, y)[0]), radii=(0.012, 0.012), colour=INKS[0], rough=0.0)


def _pie(picture: Canvas, rng: np.random.Generator, axes: Axes) -> None:
    height, width = picture.shape[:2]
    reach, start = round(min(height, width) * rng.uniform(0.25, 0.42)), 0.0
    for share, colour in zip(rng.dirichlet(np.full(5, 2.0)), _palette(rng), strict=True):
        centre, axes_ = (width // 2, height // 2), (reach, reach)
        cv2.ellipse(picture, centre, axes_, 0, start, start + 360 * share, colour, -1, cv2.LINE_AA)
        angle = np.radians(start + 180 * share)
        at = (0.5 + 1.15 * reach * np.cos(angle) / width - 0.05, 0.5 + 1.15 * reach * np.sin(angle) / height)
        write(picture, f"{100 * share:.0f}%", at=at, size=axes.size, colour=grey(0), font=axes.font)
        start += 360 * share
