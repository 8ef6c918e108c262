"""What the contents of phantom panels are painted with: smooth noise, rough outlines, lines and text, in shares."""

import cv2
import numpy as np
from numpy.typing import NDArray

from phantom.pictures.arrangement import load_font

Canvas = NDArray[np.uint8]  # (H, W) grey or (H, W, 3) RGB; painted in place
Field = NDArray[np.float32]
Colour = tuple[int, int, int]
Shape = tuple[int, int]  # height, width
Point = tuple[float, float] | NDArray[np.float64]  # x, y as shares of the canvas' width and height

FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSerif.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralBol.ttf",
    "STIXGeneralItalic.ttf",
    "cmss10.ttf",
)  # fmt: skip
SYLLABLES = (
    "ta", "ri", "con", "me", "lo", "na", "ve", "ti", "ra", "pu", "so", "de", "mi", "ca", "no",
    "ge", "li", "an", "or", "is", "ul", "pha", "ko", "bra", "es", "in", "per", "to", "st", "um",
)  # fmt: skip


def cloud(rng: np.random.Generator, shape: Shape, *, cells: float, octaves: int = 1) -> Field:
    """Smooth noise (H, W) in [0, 1]; `cells` lie along the longer side, twice as many in each further octave."""
    height, width = shape
    total = np.zeros(shape, dtype=np.float32)
    for octave in range(octaves):
        pitch = max(height, width) / (cells * 2**octave)
        small = rng.random((int(height / pitch) + 3, int(width / pitch) + 3), dtype=np.float32)
        total += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
    return np.asarray(cv2.normalize(total, total, 0, 1, cv2.NORM_MINMAX), dtype=np.float32)


def blend(low: Colour, high: Colour, share: Field) -> Canvas:
    """RGB (H, W, 3) from one colour to another by a share (H, W) in [0, 1]."""
    ends = np.array([low, high], dtype=np.float32)
    return (ends[0] + share[..., None] * (ends[1] - ends[0])).clip(0, 255).astype(np.uint8)


def in_rgb(picture: Canvas) -> Canvas:
    """A grey picture (H, W) as RGB (H, W, 3)."""
    return np.repeat(picture[..., None], 3, axis=2)


def soften(picture: Canvas, sigma: float) -> Canvas:
    """A picture blurred by a Gaussian of `sigma` pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.uint8)


def dimmed(colour: Colour, share: float | NDArray[np.float64]) -> Colour:
    """A colour at a share of its brightness, or with one share for each channel."""
    red, green, blue = (np.array(colour) * share).astype(int).tolist()
    return red, green, blue


def tint(share: np.ndarray, ramp: np.ndarray) -> Canvas:
    """RGB (H, W, 3) of a share (H, W) in [0, 1] along a ramp of colours (5, 3)."""
    stops = np.linspace(0, 1, len(ramp))
    table = np.stack([np.interp(np.linspace(0, 1, 256), stops, ramp[:, channel]) for channel in range(3)], axis=1)
    return table.astype(np.uint8)[(share * 255).clip(0, 255).astype(np.uint8)]


def colour_near(rng: np.random.Generator, colour: Colour, *, spread: float) -> Colour:
    """A colour whose channels lie about `spread` from those of `colour`."""
    red, green, blue = (np.array(colour) + rng.normal(0, spread, 3)).clip(0, 255).astype(int).tolist()
    return red, green, blue


def grey(value: float) -> Colour:
    """The colour of one grey value, which is also right for a canvas of one channel."""
    level = int(min(255, max(0, value)))
    return level, level, level


def outline(
    rng: np.random.Generator, *, at: Point, radii: Point, rough: float, turn: float = 0.0
) -> NDArray[np.float64]:
    """A closed curve (48, 2) about a point: an ellipse turned by `turn` radians, uneven by the share `rough`."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    waves = np.arange(2, 7)
    bumps = (rng.normal(0, 1, 5) / waves) @ np.cos(waves[:, None] * angle + rng.uniform(0, 2 * np.pi, (5, 1)))
    reach = 1 + rough * bumps
    x, y = radii[0] * reach * np.cos(angle), radii[1] * reach * np.sin(angle)
    turned = np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=1)
    return turned + np.array(at)


def pixels(canvas: Canvas, points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Points in shares (n, 2) as sixteenths of a pixel, which cv2 draws with shift=4."""
    return np.round(points * np.array([canvas.shape[1], canvas.shape[0]]) * 16).astype(np.int32)


def fill(canvas: Canvas, points: NDArray[np.float64], colour: Colour) -> None:
    cv2.fillPoly(canvas, [pixels(canvas, points)], colour, cv2.LINE_AA, shift=4)


def stroke(canvas: Canvas, points: NDArray[np.float64], colour: Colour, *, width: float, closed: bool = False) -> None:
    """A line along points in shares; `width` in pixels, to which cv2's smoothing adds up to two."""
    cv2.polylines(canvas, [pixels(canvas, points)], closed, colour, max(1, round(width)), cv2.LINE_AA, shift=4)


def blob(
    canvas: Canvas, rng: np.random.Generator, *, at: Point, radii: Point, colour: Colour, rough: float = 0.15
) -> None:
    """An uneven filled ellipse, a little turned."""
    fill(canvas, outline(rng, at=at, radii=radii, rough=rough, turn=rng.normal(0, rough)), colour)


def curve(rng: np.random.Generator, start: Point, end: Point, *, bend: float) -> NDArray[np.float64]:
    """A smooth way (24, 2) from one point to another, which leaves the straight line by about `bend`."""
    along = np.linspace(0, 1, 24)[:, None]
    side = np.array([end[1] - start[1], start[0] - end[0]])
    sway = rng.normal(0, bend) * np.sin(np.pi * along) + rng.normal(0, bend / 2) * np.sin(2 * np.pi * along)
    return np.array(start) + along * (np.array(end) - np.array(start)) + sway * side


def grain(picture: Canvas, rng: np.random.Generator, amount: float) -> Canvas:
    """A grey picture as RGB with noise of about `amount` grey levels, less of it in the dark; black stays black."""
    speckle = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(amount)
    if rng.random() < 0.6:
        speckle = 2 * np.asarray(cv2.GaussianBlur(speckle, (0, 0), 0.8), dtype=np.float32)
    noisy = picture + speckle * (0.15 + picture / np.float32(160)).clip(0, 1)
    return in_rgb(noisy.clip(0, 255).astype(np.uint8))


def pick_font(rng: np.random.Generator) -> str:
    return FONTS[int(rng.integers(len(FONTS)))]


def write(canvas: Canvas, text: str, *, at: Point, size: float, colour: Colour, font: str = FONTS[0]) -> None:
    """Text whose upper left corner lies at a point in shares; `size` in pixels; what leaves the canvas is cut."""
    paste(canvas, letters(text, size, font), at, colour)


def letters(text: str, size: float, font: str) -> Field:
    """How far (h, w) in [0, 1] each pixel of a text is covered."""
    mask = load_font(font, max(5, round(size))).getmask(text)
    width, height = mask.size
    return np.array(mask, dtype=np.float32).reshape(height, width) / np.float32(255)


def paste(canvas: Canvas, cover: Field, at: Point, colour: Colour) -> None:
    """Colour laid over a canvas where `cover` (h, w) says, its corner at a point in shares."""
    height, width = canvas.shape[:2]
    left, top = round(at[0] * width), round(at[1] * height)
    rows, columns = slice(max(0, top), min(height, top + cover.shape[0])), slice(max(0, left), left + cover.shape[1])
    under = canvas[rows, columns]
    part = cover[max(0, -top) :, max(0, -left) :][: under.shape[0], : under.shape[1]]
    if part.size == 0 or under.size == 0:
        return
    weight = part if canvas.ndim == 2 else part[..., None]
    ink = np.float32(colour[0]) if canvas.ndim == 2 else np.array(colour, dtype=np.float32)
    canvas[rows, columns] = (under * (1 - weight) + ink * weight).astype(np.uint8)


def word(rng: np.random.Generator) -> str:
    """A made-up word of two to four syllables, at times a capital first."""
    made = "".join(rng.choice(SYLLABLES, int(rng.integers(2, 5))))
    return made.capitalize() if rng.random() < 0.5 else made


def phrase(rng: np.random.Generator, words: int) -> str:
    return " ".join(word(rng) for _ in range(words))
