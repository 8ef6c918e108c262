"""Figures with their panels outlined and the text each panel got, to judge both by eye (MedVL, figure 1)."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from app.report.templates import in_words, templates, way
from core.images import ImageError, open_image
from core.records import Box, Match, SeparatedFigure, Subfigure

FIGURE_SIDE = 480  # pixels, the longer side of a figure on the page
LINE = 3  # pixels
# Okabe and Ito's palette for colour-blind readers, brightest first since scans are mostly black, and four more.
PANEL_COLOURS = (
    "#e69f00",
    "#56b4e9",
    "#00b386",
    "#f0e442",
    "#e0569b",
    "#d55e00",
    "#3f7fe0",
    "#b48cf2",
    "#a6d854",
    "#c49a6c",
)
THE_CAPTION = "the whole caption, as it stands below"
WHOLE_COLOUR = "#8a8f98"


@dataclass(frozen=True, kw_only=True)
class MatchedFigure:
    """A separated figure and the text that each of its panels got."""

    figure: SeparatedFigure
    matches: list[Match]


@dataclass(frozen=True, kw_only=True)
class PanelRow:
    """What the page says of one panel."""

    colour: str
    name: str  # "A", "#2", "whole figure"
    reading: str
    text: str | None  # None: no text was given to this panel
    how: str


@dataclass(frozen=True, kw_only=True)
class FigureCard:
    """What the page says of one figure."""

    heading: str
    title: str
    image_uri: str | None
    image_problem: str
    alt: str
    rows: list[PanelRow]
    fallback: str  # "" where every panel got a text of its own
    caption: str
    source: str


def render_contact_sheet(figures: Sequence[MatchedFigure], *, title: str) -> str:
    """One self-contained HTML page that shows the figures, their panels and their texts."""
    return (
        templates()
        .get_template("contact_sheet.html")
        .render(title=title, cards=[card(figure) for figure in figures], fold_figures=False)
    )


def card(matched: MatchedFigure) -> FigureCard:
    """A figure made ready for the page. An image that cannot be opened is replaced by the reason."""
    figure = matched.figure
    uri, problem = _outlined_uri(figure)
    return FigureCard(
        heading=f"{figure.article_id} {figure.label or figure.figure_id}",
        title=figure.title,
        image_uri=uri,
        image_problem=problem,
        alt=_alt(figure),
        rows=_rows(matched),
        fallback=_fallback(matched),
        caption=figure.caption,
        source=f"{figure.attribution} · {figure.licence} · {figure.media_url}",
    )


def panel_colour(index: int) -> str:
    """The colour of a panel, "#rrggbb"; of the whole figure for -1."""
    return WHOLE_COLOUR if index < 0 else PANEL_COLOURS[index % len(PANEL_COLOURS)]


def outline(image: Image.Image, panels: Sequence[Subfigure]) -> Image.Image:
    """A copy of an RGB image, its longer side at most 480 px, with panels, label boxes and letters drawn in."""
    small = image.copy()
    small.thumbnail((FIGURE_SIDE, FIGURE_SIDE), Image.Resampling.LANCZOS)
    scale = small.width / image.width, small.height / image.height
    draw = ImageDraw.Draw(small)
    for index, panel in enumerate(panels):
        colour = panel_colour(index)
        box = _scaled(panel.box, scale, small.size)
        draw.rectangle(box, outline=colour, width=LINE)
        if panel.label_box is not None:
            draw.rectangle(_scaled(panel.label_box, scale, small.size), outline=colour, width=1)
        _draw_tag(draw, _panel_tag(panels, index), box, colour=colour)
    return small


def data_uri(image: Image.Image) -> str:
    """An RGB image as a JPEG in a data: URI."""
    buffer = io.BytesIO()
    # Full chroma: subsampling smears the thin coloured lines.
    image.save(buffer, format="JPEG", quality=85, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _scaled(box: Box, scale: tuple[float, float], size: tuple[int, int]) -> Box:
    """The box in the small image, both ends inclusive as PIL draws it, and inside the image."""
    left, top, right, bottom = (round(edge * scale[axis % 2]) for axis, edge in enumerate(box))
    left, top = min(max(left, 0), size[0] - 1), min(max(top, 0), size[1] - 1)
    return left, top, min(max(right - 1, left), size[0] - 1), min(max(bottom - 1, top), size[1] - 1)


def _draw_tag(draw: ImageDraw.ImageDraw, text: str, box: Box, *, colour: str) -> None:
    """The panel's name in the upper right corner of its box: letters are mostly printed at the left."""
    font = ImageFont.load_default(size=15)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    width, height = right - left + 8, bottom - top + 8
    corner = max(box[0], box[2] - width), box[1]
    draw.rectangle((*corner, corner[0] + width, corner[1] + height), fill=colour)
    draw.text((corner[0] + 4 - left, corner[1] + 4 - top), text, font=font, fill="black")


def _panel_tag(panels: Sequence[Subfigure], index: int) -> str:
    # A box on the image is small; a reading is one or two characters.
    return (panels[index].label or f"#{index + 1}")[:4]


def _outlined_uri(figure: SeparatedFigure) -> tuple[str | None, str]:
    try:
        return data_uri(outline(open_image(figure.image).image, figure.subfigures)), ""
    except ImageError as error:
        return None, error.message


def _alt(figure: SeparatedFigure) -> str:
    tags = ", ".join(_panel_tag(figure.subfigures, index) for index in range(len(figure.subfigures)))
    return f"{figure.label or figure.figure_id}: {len(figure.subfigures)} panels outlined in colour: {tags or 'none'}"


def _rows(matched: MatchedFigure) -> list[PanelRow]:
    """Panels in order with their matches; matches of the whole figure after them."""
    panels = range(len(matched.figure.subfigures))
    rows = []
    for index in panels:
        found = [match for match in matched.matches if match.subfigure == index]
        rows += [_row(matched.figure, match) for match in found] or [_unmatched_row(matched.figure, index)]
    return rows + [_row(matched.figure, match) for match in matched.matches if match.subfigure not in panels]


def _row(figure: SeparatedFigure, match: Match) -> PanelRow:
    is_panel = 0 <= match.subfigure < len(figure.subfigures)
    repeats_caption = match.text == figure.caption and len(figure.subfigures) > 1
    return PanelRow(
        colour=panel_colour(match.subfigure),
        name=_panel_tag(figure.subfigures, match.subfigure) if is_panel else "whole figure",
        reading=_reading(figure, match.subfigure) if is_panel else "",
        text=THE_CAPTION if is_panel and repeats_caption else match.text,
        how=f"{way(match.matched_by)}, score {match.score:.2f}: {in_words(match.reason)}",
    )


def _unmatched_row(figure: SeparatedFigure, index: int) -> PanelRow:
    return PanelRow(
        colour=panel_colour(index),
        name=_panel_tag(figure.subfigures, index),
        reading=_reading(figure, index),
        text=None,
        how="not used as a pair",
    )


def _reading(figure: SeparatedFigure, index: int) -> str:
    panel = figure.subfigures[index]
    if panel.label is None:
        return "no letter read"
    score = "" if panel.label_score is None else f" with {panel.label_score:.2f}"
    return f"letter “{panel.label}” read{score}"


def _fallback(matched: MatchedFigure) -> str:
    """How much of the figure got the whole caption for want of a better text."""
    whole = [match for match in matched.matches if match.matched_by == "whole"]
    if not whole:
        return ""
    if len(whole) == len(matched.matches):
        return "whole caption"
    return f"whole caption for {len(whole)} of {len(matched.matches)} panels"
