"""Separate one figure, give each panel its text, and draw both as one picture: the picture of the README.

    python examples/show_figure.py FIGURE.jpg "CAPTION" OUT.png

Nothing here starts Ray: the functions are those that the stations call for each figure.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.report.contact_sheet import outline, panel_colour
from core.images import open_image
from core.records import Match, Subfigure
from core.settings import Config
from pipelines.captions.split import split_caption
from pipelines.figure_reader import FigureReader
from pipelines.matching.match import match, told

WIDE = 620  # pixels that the texts get beside the figure
MARGIN = 24


def pairs_of(figure: Path, caption: str) -> tuple[Image.Image, list[Subfigure], list[Match]]:
    """A figure's image, its panels in reading order, and the text of each."""
    config = Config()
    image = open_image(figure.read_bytes()).image
    panels = FigureReader(config.separate, config.labels)(np.asarray(image))
    split = split_caption(caption, min_confidence=config.captions.min_confidence)
    return image, panels, match(panels, told(split, config.match.text), caption, rule=config.match.rule)


def drawn(image: Image.Image, panels: list[Subfigure], matches: list[Match]) -> Image.Image:
    """The figure with its panels outlined, and beside it each panel's letter and text in the panel's colour."""
    shown = outline(image, panels)
    page = Image.new("RGB", (shown.width + WIDE + 3 * MARGIN, shown.height + 2 * MARGIN), "white")
    page.paste(shown, (MARGIN, MARGIN))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(18)
    left, top = shown.width + 2 * MARGIN, MARGIN
    for found in matches:
        draw.rectangle((left, top, left + 6, top + 52), fill=panel_colour(found.subfigure))
        letter = panels[found.subfigure].label if found.subfigure >= 0 else None
        draw.text((left + 18, top), f"({letter})" if letter else "-", font=font, fill="black")
        draw.multiline_text((left + 58, top), wrapped(found.text, font, WIDE - 58), font=font, fill="black", spacing=6)
        top += 116
    return page


def wrapped(text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: int) -> str:
    """A text in lines that are at most so many pixels wide."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


if __name__ == "__main__":
    drawn(*pairs_of(Path(sys.argv[1]), sys.argv[2])).save(sys.argv[3])
