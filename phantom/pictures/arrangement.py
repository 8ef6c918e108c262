"""Panels into a figure: arrangements, gaps and printed letters as journals set them."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.records import Box

LabelPlace = Literal["inside", "below", "above", "beside", "none"]
Numerals = Literal["upper", "lower", "roman", "digit"]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
# Rows of panels for a number of panels; journals fill rows from the left.
ROWS: dict[int, list[list[int]]] = {
    1: [[1]],
    2: [[2], [2], [2], [1, 1]],
    3: [[3], [3], [1, 1, 1], [2, 1]],
    4: [[2, 2], [2, 2], [4]],
    5: [[3, 2], [2, 2, 1]],
    6: [[3, 3], [3, 3], [2, 2, 2]],
    7: [[4, 3], [3, 3, 1]],
    8: [[4, 4], [2, 2, 2, 2]],
    9: [[3, 3, 3]],
}
FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Bold.ttf",
    "DejaVuSans-Bold.ttf",
    None,
)
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")


@dataclass(frozen=True)
class Layout:
    """Where the panels of a figure lie and how its letters are set."""

    size: tuple[int, int]
    boxes: list[Box]
    strips: list[Box]  # free for a letter, one for each panel; empty boxes where letters stand inside
    ground: int  # grey value between the panels
    label_place: LabelPlace
    pattern: str  # "{}", "({})", "{}.", "{})"
    corner: tuple[int, int]  # 0 or 1: left or right, top or bottom
    font_size: int
    font: str | None  # of matplotlib; None is PIL's own
    box_behind: bool


def draw_layout(panels: int, label_place: LabelPlace, numerals: Numerals, rng: np.random.Generator) -> Layout:
    """An arrangement for this many panels, at random."""
    width = int(rng.integers(500, 1101)) if panels > 1 else int(rng.integers(380, 761))
    gap = int(rng.choice([0, 0, 2, 4, 6, 10, 16])) if panels > 1 else 0
    gap = max(gap, 4) if label_place in ("below", "above", "beside") else gap
    white = bool(rng.random() < 0.6) or label_place not in ("inside", "none")
    margin = int(rng.choice([0, 0, gap, 8]))
    if panels >= 3 and rng.random() < 0.12 and panels <= 5:
        cells = _large_beside_small(panels, width - 2 * margin, gap, rng)
    else:
        rows = ROWS[panels][rng.integers(len(ROWS[panels]))]
        cells = _rows(rows, width - 2 * margin, gap, rng)
    font_size = max(14, round(float(rng.uniform(0.07, 0.11)) * min(min(r - l, b - t) for l, t, r, b in cells)))  # noqa: E741
    strip = round(font_size * 1.8) if label_place in ("below", "above", "beside") else 0
    boxes, strips, size = _make_room(cells, strip, label_place, margin)
    pattern = "({})" if label_place in ("below", "above") and rng.random() < 0.7 else "{}"
    if numerals == "roman":
        pattern = "({})"
    elif pattern == "{}" and rng.random() < 0.25:
        pattern = str(rng.choice(["({})", "{})", "{}."]))
    corner = ((0, 0), (0, 0), (0, 1), (0, 1), (1, 0), (1, 1))[rng.integers(6)]
    font = FONTS[rng.integers(len(FONTS))]
    ground = 255 if white else 0
    return Layout(size, boxes, strips, ground, label_place, pattern, corner, font_size, font, bool(rng.random() < 0.3))


def _rows(rows: list[int], width: int, gap: int, rng: np.random.Generator) -> list[Box]:
    """Rows of one width; panels of a row share their height."""
    columns = max(rows)
    shares = rng.uniform(0.85, 1.15, columns) if rng.random() < 0.3 else np.ones(columns)
    widths = np.floor((width - gap * (columns - 1)) * shares / shares.sum()).astype(int)
    height = round(float(rng.uniform(0.85, 1.25)) * widths.mean())
    cells, top = [], 0
    for count in rows:
        left = 0
        for column in range(count):
            cells.append((left, top, left + int(widths[column]), top + height))
            left += int(widths[column]) + gap
        top += height + gap
    return cells


def _large_beside_small(panels: int, width: int, gap: int, rng: np.random.Generator) -> list[Box]:
    """One panel as high as the column of all others beside it."""
    small = panels - 1
    side = round(width / (small + 1) * float(rng.uniform(0.9, 1.05)))
    height = small * side + (small - 1) * gap
    large = (0, 0, width - side - gap, height)
    return [large] + [(width - side, k * (side + gap), width, k * (side + gap) + side) for k in range(small)]


def _make_room(
    cells: list[Box], strip: int, place: LabelPlace, margin: int
) -> tuple[list[Box], list[Box], tuple[int, int]]:
    """Boxes moved apart so that each has a strip for its letter, the strips, and the figure's size."""
    tops, lefts = sorted({cell[1] for cell in cells}), sorted({cell[0] for cell in cells})
    boxes, strips = [], []
    for left, top, right, bottom in cells:
        dx = margin + (strip * (lefts.index(left) + 1) if place == "beside" else 0)
        above = {"below": tops.index(top), "above": tops.index(top) + 1}.get(place, 0)
        # A tall panel beside a column of small ones keeps its foot in line with theirs.
        spanned = sum(1 for other in tops if top < other < bottom) if place in ("below", "above") else 0
        dy = margin + strip * above
        box = (left + dx, top + dy, right + dx, bottom + dy + strip * spanned)
        boxes.append(box)
        strips.append(_strip_of(box, strip, place))
    right = max(box[2] for box in boxes) + margin
    bottom = max(max(box[3], room[3]) for box, room in zip(boxes, strips)) + margin
    return boxes, strips, (right, bottom)


def _strip_of(box: Box, strip: int, place: LabelPlace) -> Box:
    left, top, right, bottom = box
    if place == "below":
        return left, bottom, right, bottom + strip
    if place == "above":
        return left, top - strip, right, top
    if place == "beside":
        return left - strip, top, left, top + strip
    return left, top, left, top


def name_panels(panels: int, numerals: Numerals) -> list[str]:
    """The letters of a figure in reading order."""
    if numerals == "roman":
        return list(ROMAN[:panels])
    first = {"upper": "A", "lower": "a", "digit": "1"}[numerals]
    return [chr(ord(first) + k) for k in range(panels)]


def compose(
    layout: Layout, panels: list[NDArray[np.uint8]], labels: list[str | None]
) -> tuple[Image.Image, list[Box | None]]:
    """The figure as an RGB image, and the box of each printed letter's ink."""
    figure = Image.new("RGB", layout.size, (layout.ground,) * 3)
    for box, panel in zip(layout.boxes, panels):
        figure.paste(Image.fromarray(panel).convert("RGB"), box[:2])
    printed = [_print_label(figure, layout, k, label) if label is not None else None for k, label in enumerate(labels)]
    return figure, printed


@lru_cache(maxsize=256)
def load_font(name: str | None, size: int) -> Font:
    """A font of matplotlib's by file name, or PIL's own."""
    if name is None:
        return ImageFont.load_default(size=size)
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


def _print_label(figure: Image.Image, layout: Layout, index: int, label: str) -> Box:
    text, font = layout.pattern.format(label), load_font(layout.font, layout.font_size)
    pen = ImageDraw.Draw(figure)
    ink = [round(edge) for edge in pen.textbbox((0, 0), text, font=font)]
    width, height = ink[2] - ink[0], ink[3] - ink[1]
    if layout.label_place == "inside":
        left, top = _corner(layout.boxes[index], layout.corner, (width, height), layout.font_size // 3 + 2)
    else:
        room = layout.strips[index]
        left, top = (room[0] + room[2] - width) // 2, (room[1] + room[3] - height) // 2
        if layout.label_place == "above":
            left = room[0] + 2
    box = (left, top, left + width, top + height)
    fill, edge = _ink(figure, layout, box)
    pen.text((left - ink[0], top - ink[1]), text, font=font, fill=fill, stroke_width=1 if edge else 0, stroke_fill=edge)
    return box


def _corner(box: Box, corner: tuple[int, int], size: tuple[int, int], inset: int) -> tuple[int, int]:
    left = box[0] + inset if corner[0] == 0 else box[2] - inset - size[0]
    top = box[1] + inset if corner[1] == 0 else box[3] - inset - size[1]
    return left, top


def _ink(figure: Image.Image, layout: Layout, box: Box) -> tuple[tuple[int, int, int], tuple[int, int, int] | None]:
    """Colour of a letter and of its edge that can be read on what lies under it."""
    black, white = (0, 0, 0), (255, 255, 255)
    if layout.label_place != "inside":
        return (black, None) if layout.ground > 127 else (white, None)
    if layout.box_behind:
        pad = layout.font_size // 5 + 2
        ImageDraw.Draw(figure).rectangle((box[0] - pad, box[1] - pad, box[2] + pad - 1, box[3] + pad - 1), fill=white)
        return black, None
    under = np.asarray(figure.crop(box).convert("L"), dtype=np.float32)
    if under.mean() > 110:
        return black, white if under.min() < 90 else None
    return white, black if under.max() > 140 else None
