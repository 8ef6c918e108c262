"""Compound figures drawn without end, with the boxes of panels and printed letters, for a detector to learn from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from core.records import Box
from phantom.pages.cells import Cell, Size, along, draw_cells
from phantom.pictures.arrangement import FONTS, Font, load_font
from phantom.pictures.contents import KINDS, draw_content
from pipelines.separation.layout import union

Picture = NDArray[np.uint8]
ON_PAPER = {"plot", "drawing", "table", "ecg"}  # their panels end where the ink does
BATCH = 8  # figures of one size
BANK = 600  # contents kept to be cut anew; each figure draws one more
PLACES = ("inside", "below", "above", "beside", "none")
PLACE_SHARES = (0.46, 0.24, 0.08, 0.07, 0.15)
PATTERNS = ("{}", "{}", "{}", "({})", "({})", "{})", "{}.")
SINGLE = 0.18  # share of figures with one panel
WORDS = ("T1", "T2", "FLAIR", "DWI", "Control", "Day 7", "pre-op", "post-op", "Case 1", "CD34", "H&E", "x200", "Left")


@dataclass(frozen=True)
class Compound:
    """A drawn figure, RGB (H, W, 3), and what is on it."""

    image: Picture
    panels: list[Box]
    labels: list[Box]  # of printed letters, with their brackets


@dataclass(frozen=True)
class Style:
    """How the letters of a figure are set."""

    place: str  # one of PLACES
    pattern: str
    names: list[str]
    font: Font
    height: int  # px of the font
    corner: tuple[int, int]  # 0 or 1: left or right, top or bottom
    behind: bool  # a plain box under each letter
    outlined: bool
    together: int  # pictures under one letter, side by side: one panel


class Contents:
    """Pictures to fill panels with: a bank, of which each picture is cut, turned and toned anew every time."""

    def __init__(self, rng: np.random.Generator, size: int = BANK) -> None:
        self.rng = rng
        self.bank: dict[str, list[Picture]] = {kind: [] for kind in KINDS}
        for number in range(size):
            self.renew(KINDS[number % len(KINDS)])

    def renew(self, kind: str) -> None:
        """Draw one more picture of a kind; beyond the bank's share it takes the oldest one's place."""
        height, width = (int(side) for side in self.rng.integers(90, 330, 2))
        self.bank[kind].append(draw_content(kind, self.rng, height=height, width=width))
        if len(self.bank[kind]) > max(2, BANK // len(KINDS)):
            self.bank[kind].pop(0)

    def draw(self, kind: str, *, height: int, width: int) -> Picture:
        """A picture of exactly this size, RGB (height, width, 3)."""
        rng = self.rng
        ratio = height / width
        near = sorted(self.bank[kind], key=lambda picture: abs(np.log(picture.shape[0] / picture.shape[1] / ratio)))
        picture = near[int(rng.integers(min(12, len(near))))]
        if kind not in ON_PAPER and rng.random() < 0.7:
            picture = _crop_to(picture, ratio, rng)
        if kind not in ON_PAPER and rng.random() < 0.4:
            picture = picture[:, ::-1]
        picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        return picture if kind in ON_PAPER else _toned(picture, rng)


def draw_compounds(seed: int) -> Iterator[list[Compound]]:
    """Batches of figures of one size, without end; the same for the same seed."""
    rng = np.random.default_rng(seed)
    contents = Contents(rng)
    while True:
        long = int(rng.choice([448, 560, 720, 896]))
        ratio = float(np.exp(rng.normal(-0.15, 0.45)))
        size = (long, max(long // 5, round(long * ratio))) if ratio < 1 else (max(long // 5, round(long / ratio)), long)
        contents.renew(str(rng.choice(KINDS)))
        yield [draw_compound(contents, size, rng) for _ in range(BATCH)]


def draw_compound(contents: Contents, size: Size, rng: np.random.Generator) -> Compound:
    """One figure of a size (width, height) in pixels."""
    ground = _ground(rng)
    cells = draw_cells(size, rng) if rng.random() > SINGLE else [_single_cell(size, rng)]
    style = _draw_style(len(cells), cells, rng)
    kinds = _kinds(len(cells), rng)
    figure = Image.new("RGB", size, ground)
    panels, labels = [], []
    for cell, kind, name in zip(cells, kinds, style.names):
        room, strip = _strip(cell, style)
        boxes = [_paste(figure, contents, part, kind, rng) for part in _pictures(room, style, rng)]
        box = union(boxes)
        label = _print_label(figure, style, name, box=box, strip=strip, rng=rng) if name else None
        if label is not None:
            labels.append(label)
            box = union([box, label]) if kind in ON_PAPER and style.place in ("above", "beside", "inside") else box
        panels.append(box)
    _draw_rules(figure, cells, rng)
    _write_titles(figure, panels, labels, rng)
    return Compound(_printed(figure, rng), panels, labels)


def _ground(rng: np.random.Generator) -> tuple[int, int, int]:
    """The colour of the page: mostly paper, else black, else grey."""
    drawn = rng.random()
    value = 255 if drawn < 0.72 else 0 if drawn < 0.93 else int(rng.integers(90, 245))
    return value, value, value


def _single_cell(size: Size, rng: np.random.Generator) -> Cell:
    margin = int(rng.choice([0, 0, 0, 4, 12])) if min(size) > 120 else 0
    return margin, margin, size[0] - margin, size[1] - margin


def _kinds(count: int, rng: np.random.Generator) -> list[str]:
    """What the panels show: mostly the same kind of picture, at times two kinds or any."""
    likelihood = np.array([1.0 if kind in ON_PAPER else 2.2 for kind in KINDS])
    chosen = list(rng.choice(KINDS, size=int(rng.choice([1, 1, 1, 2, 2, 4])), p=likelihood / likelihood.sum()))
    return [str(chosen[0])] * count if len(chosen) == 1 else [str(kind) for kind in rng.choice(chosen, size=count)]


def _draw_style(count: int, cells: Sequence[Cell], rng: np.random.Generator) -> Style:
    place = str(rng.choice(PLACES, p=PLACE_SHARES)) if count > 1 else "none"
    side = min(min(right - left, bottom - top) for left, top, right, bottom in cells)
    height = int(np.clip(side * rng.uniform(0.06, 0.2), 9, 44))
    if place != "none" and place != "inside" and side < 60:
        place = "inside"
    names = _names(count, rng) if place != "none" else [""] * count
    if rng.random() < 0.1:
        names = [name if rng.random() > 0.2 else "" for name in names]
    corner = ((0, 0), (0, 0), (0, 0), (0, 1), (1, 0), (1, 1))[rng.integers(6)]
    return Style(
        place=place,
        pattern=str(rng.choice(PATTERNS)),
        names=names,
        font=load_font(FONTS[rng.integers(len(FONTS))], height),
        height=height,
        corner=corner,
        behind=bool(rng.random() < 0.2),
        outlined=bool(rng.random() < 0.3),
        together=int(rng.integers(2, 4)) if place != "none" and side > 100 and rng.random() < 0.12 else 1,
    )


def _names(count: int, rng: np.random.Generator) -> list[str]:
    """A, B, C; a, b, c; 1, 2, 3; i, ii, iii; A1, A2, A3."""
    kind = rng.choice(["upper", "lower", "digit", "roman", "grid"], p=[0.45, 0.37, 0.06, 0.05, 0.07])
    if kind == "digit":
        return [str(number + 1) for number in range(count)]
    if kind == "roman":
        numerals = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
        return [numerals[number % len(numerals)] for number in range(count)]
    first = ord("a" if kind == "lower" else "A") + int(rng.choice([0, 0, 0, 0, 3, 6]))
    if kind == "grid":
        per_letter = int(rng.integers(2, 5))
        return [f"{chr(first + number // per_letter)}{number % per_letter + 1}" for number in range(count)]
    return [chr(min(first + number, ord("z"))) for number in range(count)]


def _strip(cell: Cell, style: Style) -> tuple[Cell, Cell]:
    """The part of a cell that its picture fills, and the strip that is left for its letter."""
    left, top, right, bottom = cell
    deep = round(style.height * 1.7)
    if style.place == "below":
        return (left, top, right, bottom - deep), (left, bottom - deep, right, bottom)
    if style.place == "above":
        return (left, top + deep, right, bottom), (left, top, right, top + deep)
    if style.place == "beside":
        return (left + deep, top, right, bottom), (left, top, left + deep, top + deep)
    return cell, cell


def _pictures(cell: Cell, style: Style, rng: np.random.Generator) -> list[Cell]:
    """The rooms of the pictures that a cell's letter names."""
    if style.together == 1:
        return [cell]
    axis = 0 if cell[2] - cell[0] > 0.8 * (cell[3] - cell[1]) else 1
    return along(cell, [1] * style.together, axis, int(rng.integers(1, 5)))


def _paste(figure: Image.Image, contents: Contents, cell: Cell, kind: str, rng: np.random.Generator) -> Box:
    """Fill a cell, or most of it, with a picture; the box that it really fills."""
    left, top, right, bottom = cell
    if rng.random() < 0.06 and min(right - left, bottom - top) > 70:  # pictures of different sizes side by side
        right -= int((right - left) * rng.uniform(0, 0.25))
        bottom -= int((bottom - top) * rng.uniform(0, 0.25))
    picture = contents.draw(kind, height=max(8, bottom - top), width=max(8, right - left))
    figure.paste(Image.fromarray(picture), (left, top))
    if kind in ON_PAPER:
        return _ink_box(picture, (left, top))
    if rng.random() < 0.1 and min(right - left, bottom - top) > 80:
        _paste_inset(figure, contents, (left, top, right, bottom), kind, rng)
    if rng.random() < 0.05:
        ImageDraw.Draw(figure).rectangle((left, top, right - 1, bottom - 1), outline=_any_tone(rng))
    return left, top, left + picture.shape[1], top + picture.shape[0]


def _ink_box(picture: Picture, at: tuple[int, int]) -> Box:
    """Where a picture on paper has ink; all of it where it has a ground of its own."""
    ink = picture.min(axis=2) < 235
    columns, rows = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
    if not len(columns) or not len(rows):
        return at[0], at[1], at[0] + picture.shape[1], at[1] + picture.shape[0]
    return at[0] + int(columns[0]), at[1] + int(rows[0]), at[0] + int(columns[-1]) + 1, at[1] + int(rows[-1]) + 1


def _paste_inset(figure: Image.Image, contents: Contents, box: Box, kind: str, rng: np.random.Generator) -> None:
    """A small picture within a panel: part of it, not a panel."""
    width = int((box[2] - box[0]) * rng.uniform(0.2, 0.42))
    height = int((box[3] - box[1]) * rng.uniform(0.2, 0.42))
    left = box[0] + 1 if rng.random() < 0.5 else box[2] - width - 1
    top = box[1] + 1 if rng.random() < 0.5 else box[3] - height - 1
    figure.paste(Image.fromarray(contents.draw(kind, height=height, width=width)), (left, top))
    if rng.random() < 0.8:
        frame = (left, top, left + width - 1, top + height - 1)
        ImageDraw.Draw(figure).rectangle(frame, outline=_any_tone(rng), width=int(rng.integers(1, 3)))


def _any_tone(rng: np.random.Generator) -> tuple[int, int, int]:
    drawn = rng.random()
    if drawn < 0.4:
        return 255, 255, 255
    return (0, 0, 0) if drawn < 0.8 else (int(rng.integers(256)), int(rng.integers(256)), int(rng.integers(256)))


def _print_label(
    figure: Image.Image, style: Style, name: str, *, box: Box, strip: Cell, rng: np.random.Generator
) -> Box | None:
    """Print a letter; the box of its ink, None where it would leave the figure."""
    text, pen = style.pattern.format(name), ImageDraw.Draw(figure)
    ink = [round(edge) for edge in pen.textbbox((0, 0), text, font=style.font)]
    width, height = ink[2] - ink[0], ink[3] - ink[1]
    left, top = _letter_place(style, box, strip, (width, height), rng)
    place = (left, top, left + width, top + height)
    if left < 0 or top < 0 or place[2] > figure.width or place[3] > figure.height:
        return None
    under = float(np.asarray(figure.crop(place).convert("L")).mean())
    fill, edge = ((0, 0, 0), (255, 255, 255)) if under > 120 else ((255, 255, 255), (0, 0, 0))
    if style.place == "inside" and style.behind:
        pad = max(2, style.height // 6)
        pen.rectangle((left - pad, top - pad, place[2] + pad - 1, place[3] + pad - 1), fill=edge)
    stroke = 1 if style.outlined and style.place == "inside" else 0
    pen.text((left - ink[0], top - ink[1]), text, font=style.font, fill=fill, stroke_width=stroke, stroke_fill=edge)
    return place


def _letter_place(
    style: Style, box: Box, strip: Cell, size: tuple[int, int], rng: np.random.Generator
) -> tuple[int, int]:
    if style.place == "inside":
        inset = max(1, round(style.height * float(rng.uniform(0.15, 0.35))))
        left = box[0] + inset if style.corner[0] == 0 else box[2] - inset - size[0]
        return left, box[1] + inset if style.corner[1] == 0 else box[3] - inset - size[1]
    top = (strip[1] + strip[3] - size[1]) // 2
    if style.place == "below":
        return (box[0] + box[2] - size[0]) // 2, top
    return strip[0] + 1, top


def _draw_rules(figure: Image.Image, cells: Sequence[Cell], rng: np.random.Generator) -> None:
    """A thin frame around every cell, as some journals set."""
    if len(cells) > 1 and rng.random() < 0.06:
        tone, pen = _any_tone(rng), ImageDraw.Draw(figure)
        for left, top, right, bottom in cells:
            pen.rectangle((left, top, right - 1, bottom - 1), outline=tone)


def _write_titles(figure: Image.Image, panels: Sequence[Box], labels: Sequence[Box], rng: np.random.Generator) -> None:
    """Words over or within panels that are no letters: sequences, days, stains, sides."""
    if rng.random() > 0.3:
        return
    font, pen = load_font(FONTS[rng.integers(len(FONTS))], int(rng.integers(9, 22))), ImageDraw.Draw(figure)
    for left, top, right, bottom in panels:
        at = (left + int((right - left) * rng.uniform(0.2, 0.6)), top + int((bottom - top) * rng.uniform(0, 0.9)))
        word = str(rng.choice(WORDS))
        ink = pen.textbbox(at, word, font=font)
        free = all(ink[2] < one[0] or ink[0] > one[2] or ink[3] < one[1] or ink[1] > one[3] for one in labels)
        if free and ink[2] < right and ink[3] < bottom:
            pen.text(at, word, font=font, fill=_any_tone(rng))


def _printed(figure: Image.Image, rng: np.random.Generator) -> Picture:
    """The figure as it comes from a publisher: blurred a little, compressed."""
    if rng.random() < 0.25:
        figure = figure.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.0))))
    pixels = np.asarray(figure)
    if rng.random() < 0.6:
        _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 96))])
        pixels = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    return np.asarray(pixels, dtype=np.uint8)


def _crop_to(picture: Picture, ratio: float, rng: np.random.Generator) -> Picture:
    """A part of a picture with a given height to width, at random; at least half of each side that allows it."""
    height, width = picture.shape[:2]
    high, wide = min(height, round(width * ratio)), min(width, round(height / ratio))
    part = float(rng.uniform(0.55, 1.0))
    high, wide = max(8, round(high * part)), max(8, round(wide * part))
    top, left = int(rng.integers(0, max(1, height - high + 1))), int(rng.integers(0, max(1, width - wide + 1)))
    return picture[top : top + high, left : left + wide]


def _toned(picture: Picture, rng: np.random.Generator) -> Picture:
    """Another gamma and contrast."""
    gamma, gain = float(rng.uniform(0.7, 1.45)), float(rng.uniform(0.75, 1.15))
    curve = np.clip(255 * gain * (np.arange(256) / 255) ** gamma, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(np.ascontiguousarray(picture), curve), dtype=np.uint8)
