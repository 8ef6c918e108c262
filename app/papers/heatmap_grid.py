"""Where models look for a term, one example a row, as one picture (MedVL, figures 4 and 5)."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps
from scipy.ndimage import binary_dilation

from core.images import ImageError, open_image

CELL = 260  # pixels, a side of the square that each picture stands in
GAP = 14  # pixels
LETTERS = {"title": 18, "column": 15, "caption": 15, "small": 11}  # pixels
LEADING = 1.35  # from line to line, in letters
MAX_LINES = {"caption": 5, "small": 2}
LONGEST_WORD = 48  # characters; longer ones, mostly addresses, are broken
INK, TERM, FAINT, EDGE, PAPER = "#1b1e23", "#b3261e", "#6b727c", "#eceef0", "#ffffff"
COLOURS = "inferno"  # even steps of lightness, for colour-blind readers too
STRONGEST = 0.8  # share of the colour where the heat is 1; none where it is 0, so that the image shows through
BAR = (180, 12)  # pixels
BEHIND = 70  # grey behind the colour bar, as of tissue in a scan
GRAD_CAM = "Grad-CAM on cross-attention: patches that speak for the match of image and caption, seen from the term; "
GRAD_CAM += "each map in parts of its own maximum."
NOTHING = "no patch stands out"
LINE, RIM = 2, 1  # pixels, of an outline and of the light around it, without which it would be lost on a dark image

Heat = NDArray[np.floating]
Words = list[list[tuple[str, bool]]]  # the parts of each word, with whether they are of the term


@dataclass(frozen=True, kw_only=True)
class HeatRow:
    """One example: an image, its caption, and where each model looks."""

    image: bytes  # as in the pairs table
    heats: Mapping[str, Heat]  # by column; (h, w), 0 to 1, of the image letterboxed to a square
    caption: str
    found: Sequence[tuple[int, int]]  # first character and end of each occurrence of the term in the caption
    source: str  # pair, licence, and who is to be named
    outline: NDArray[np.bool_] | None = None  # (H, W) of the image as it is, where what is looked for lies


def heatmap_grid(rows: Sequence[HeatRow], columns: Sequence[str], *, title: str, legend: str = GRAD_CAM) -> bytes:
    """A PNG: under each other the examples; in each a column for every model, then the image; under it the caption.

    columns: names of heats, in order. legend: what a heat of 0 to 1 means. An image that does not open, or a heat that
    is missing, leaves a word instead.
    """
    width = GAP + (len(columns) + 1) * (CELL + GAP)
    blocks = [_heading(title, [*columns, "image"], width)]
    blocks += [block for row in rows for block in _example(row, columns, width)]
    blocks.append(_legend(legend, width))
    page = Image.new("RGB", (width, sum(block.height for block in blocks)), PAPER)
    top = 0
    for block in blocks:
        page.paste(block, (0, top))
        top += block.height
    file = io.BytesIO()
    page.save(file, "PNG", optimize=True)
    return file.getvalue()


def overlay(image: Image.Image, heat: Heat) -> Image.Image:
    """An RGB image under the colours of a heat, smooth from patch to patch.

    heat: (h, w), 0 to 1, of the image letterboxed to a square, as `trainers.batch.prepare` does.
    """
    side = max(image.size)
    smooth = Image.fromarray(np.asarray(heat, np.float32)).resize((side, side), Image.Resampling.BICUBIC)
    left, top = (side - image.width) // 2, (side - image.height) // 2
    part = np.asarray(smooth)[top : top + image.height, left : left + image.width]
    return Image.fromarray(_blend(np.asarray(image, np.float32), part.clip(0, 1)))


def _blend(pixels: NDArray[np.float32], heat: Heat) -> NDArray[np.uint8]:
    """(H, W, 3). pixels: (H, W, 3), 0 to 255. heat: (H, W), 0 to 1."""
    colours = matplotlib.colormaps[COLOURS](heat)[..., :3] * 255
    share = STRONGEST * np.sqrt(heat)[..., None]
    return (pixels * (1 - share) + colours * share).round().astype(np.uint8)


def outlined(image: Image.Image, outline: NDArray[np.bool_] | None) -> Image.Image:
    """An RGB image with a black line around what lies in a mask; outline: (H, W), in the proportions of the image."""
    if outline is None:
        return image
    inside = np.array(Image.fromarray(outline).resize(image.size, Image.Resampling.NEAREST))
    edge = LINE + RIM  # what reaches the border of the image is outlined within it
    inside[:edge] = inside[-edge:] = inside[:, :edge] = inside[:, -edge:] = False
    line = binary_dilation(inside, iterations=LINE)
    rim = binary_dilation(line, iterations=RIM)
    pixels = np.array(image)
    pixels[rim & ~line] = 255
    pixels[line & ~inside] = 0
    return Image.fromarray(pixels)


def _heading(title: str, columns: Sequence[str], width: int) -> Image.Image:
    above = _text(split_words(title, []), width, kind="title")
    block = Image.new("RGB", (width, above.height + GAP + _line("column")), PAPER)
    block.paste(above, (0, GAP))
    draw = ImageDraw.Draw(block)
    for number, column in enumerate(columns):
        middle = GAP + number * (CELL + GAP) + CELL // 2
        draw.text((middle, block.height - 5), column, font=_font("column", bold=True), fill=INK, anchor="md")
    return block


def _example(row: HeatRow, columns: Sequence[str], width: int) -> list[Image.Image]:
    """Pictures, caption and source, each as wide as the page."""
    pictures = Image.new("RGB", (width, CELL + GAP // 2), PAPER)
    for number, cell in enumerate(_cells(row, columns)):
        pictures.paste(cell, (GAP + number * (CELL + GAP), 0))
    caption = _text(split_words(row.caption, row.found), width, kind="caption")
    source = _text(split_words(row.source, []), width, kind="small", colour=FAINT)
    return [pictures, caption, source, Image.new("RGB", (width, GAP), PAPER)]


def _cells(row: HeatRow, columns: Sequence[str]) -> list[Image.Image]:
    """The squares of one row, the image last."""
    try:
        image = ImageOps.contain(open_image(row.image).image, (CELL, CELL), method=Image.Resampling.BICUBIC)
    except ImageError as error:
        return [_note(f"image not shown: {error.message}")] * (len(columns) + 1)
    cells = [_overlaid(image, row.heats.get(column), row.outline) for column in columns]
    return [*cells, _framed(outlined(image, row.outline))]


def _overlaid(image: Image.Image, heat: Heat | None, outline: NDArray[np.bool_] | None) -> Image.Image:
    if heat is None:
        return _note("no map")
    cell = _framed(outlined(overlay(image, heat), outline))
    if not heat.any():
        words = _text(split_words(NOTHING, []), CELL, kind="small", paper=EDGE)
        cell.paste(words, (0, CELL - words.height))
    return cell


def _framed(image: Image.Image) -> Image.Image:
    return ImageOps.pad(image, (CELL, CELL), color=EDGE)


def _note(text: str) -> Image.Image:
    words = _text(split_words(text, []), CELL, kind="small", paper=EDGE)
    cell = Image.new("RGB", (CELL, CELL), EDGE)
    cell.paste(words, (0, (CELL - words.height) // 2))
    return cell


def _legend(legend: str, width: int) -> Image.Image:
    """The colour bar and what it means."""
    words = _text(split_words(legend, []), width, kind="small", colour=FAINT)
    block = Image.new("RGB", (width, words.height + BAR[1] + 2 * GAP), PAPER)
    heat = np.tile(np.linspace(0, 1, BAR[0]), (BAR[1], 1))
    bar = Image.fromarray(_blend(np.full((*heat.shape, 3), BEHIND, np.float32), heat))
    left = GAP + 12
    block.paste(bar, (left, GAP // 2))
    draw = ImageDraw.Draw(block)
    middle = GAP // 2 + BAR[1] // 2
    draw.text((left - 4, middle), "0", font=_font("small"), fill=INK, anchor="rm")
    draw.text((left + BAR[0] + 4, middle), "1", font=_font("small"), fill=INK, anchor="lm")
    block.paste(words, (0, BAR[1] + GAP))
    return block


def split_words(text: str, found: Sequence[tuple[int, int]]) -> Words:
    """The words of a text, each in parts that are of the term or not: "(aneurysm)," has three."""
    edges = sorted({edge for span in found for edge in span})
    words = []
    for word in re.finditer(rf"\S{{1,{LONGEST_WORD}}}", text):
        cuts = [word.start(), *(edge for edge in edges if word.start() < edge < word.end()), word.end()]
        parts = pairwise(cuts)
        words.append([(text[a:b], any(first <= a < end for first, end in found)) for a, b in parts])
    return words


def wrap(words: Words, width: float, *, kind: str) -> list[Words]:
    """The words in lines of at most `width` pixels; of too many, those around the first term, with an ellipsis."""
    lines: list[Words] = [[]]
    used = 0.0
    for word in words:
        length = _length(word, kind)
        if lines[-1] and used + length > width:
            lines.append([])
            used = 0.0
        lines[-1].append(word)
        used += length + _font(kind).getlength(" ")
    return _around_the_term(lines, MAX_LINES.get(kind, 1))


def _around_the_term(lines: list[Words], most: int) -> list[Words]:
    with_term = [i for i, line in enumerate(lines) if any(is_term for word in line for _, is_term in word)]
    first = max(0, min((with_term or [0])[0] - 1, len(lines) - most))
    kept = [list(line) for line in lines[first : first + most]]
    if first > 0:
        kept[0][0] = [("… ", False), *kept[0][0]]
    if first + most < len(lines):
        kept[-1][-1] = [*kept[-1][-1], (" …", False)]
    return kept


def _text(words: Words, width: int, *, kind: str, colour: str = INK, paper: str = PAPER) -> Image.Image:
    """The words, wrapped, on a block of that width; the term in bold and in colour."""
    # Two letters' room for the ellipsis.
    lines = wrap(words, width - 2 * GAP - 2 * LETTERS[kind], kind=kind)
    block = Image.new("RGB", (width, _line(kind) * len(lines) + 4), paper)
    draw = ImageDraw.Draw(block)
    for number, line in enumerate(lines):
        left, base = float(GAP), _line(kind) * number + LETTERS[kind]
        for word in line:
            for part, is_term in word:
                font = _font(kind, bold=is_term or kind == "title")
                draw.text((left, base), part, font=font, fill=TERM if is_term else colour, anchor="ls")
                left += font.getlength(part)
            left += _font(kind).getlength(" ")
    return block


def _length(word: list[tuple[str, bool]], kind: str) -> float:
    return sum(_font(kind, bold=is_term or kind == "title").getlength(part) for part, is_term in word)


def _line(kind: str) -> int:
    """Pixels from one line to the next."""
    return round(LETTERS[kind] * LEADING)


@cache
def _font(kind: str, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    # matplotlib carries a font with Greek letters and signs such as ≥, which the one within Pillow lacks.
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", name), LETTERS[kind])
