"""A scorecard as one page: every measure with its interval, and the worst cases drawn, found over true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from app.report.contact_sheet import FIGURE_SIDE, data_uri, outline, panel_colour
from app.report.curves import STYLE, TEXT_COLOUR, as_svg
from app.report.templates import templates
from core.records import SplitCaption, Subfigure
from pipelines.scoring.reliability import Reliability
from pipelines.scoring.scorecard import Measure, TrueCaption, TrueFigure

MEANINGS = {
    "imageclef_compound": ("compound figures taken apart, ImageCLEF's accuracy", "figures"),
    "single_kept_whole": ("single figures left whole", "figures"),
    "f1_iou0.5": ("panels, F1 at an overlap (IoU) of 0.5", "boxes"),
    "f1_iou0.75": ("panels, F1 at an overlap (IoU) of 0.75", "boxes"),
    "letters": ("printed letters read, on the right panel", "letters"),
    "compound_found": ("captions of several panels that were split", "captions"),
    "false_splits": ("captions of one panel that were split all the same (fewer is better)", "captions"),
    "label_set_exact": ("captions split into exactly their labels", "captions"),
    "label_f1": ("labels, F1", "labels"),
    "token_f1": ("words of subcaptions, F1", "subcaptions"),
    "pairs": ("panels with the right text", "panels"),
}


@dataclass(frozen=True, kw_only=True)
class BadFigure:
    """A figure read badly."""

    truth: TrueFigure
    image: Image.Image | None  # None: it could not be opened
    problem: str
    panels: list[Subfigure]
    texts: list[str]  # of the panels found, in their order; none without pairs
    verdicts: list[bool | None]  # of the true panels: whether their text is right
    score: float  # mean of its measures


@dataclass(frozen=True, kw_only=True)
class BadCaption:
    """A caption split badly."""

    truth: TrueCaption
    split: SplitCaption
    score: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measure in the table."""

    name: str
    meaning: str
    unit: str
    measure: Measure


def render_scorecard(
    title: str,
    found: Mapping[str, Measure],
    *,
    figures: Sequence[BadFigure],
    captions: Sequence[BadCaption],
    about: str,
    believed: Reliability | None = None,
) -> str:
    """One self-contained HTML page."""
    rows = [_row(name, found[name]) for name in sorted(found, key=_place)]
    page = templates().get_template("scorecard.html")
    return page.render(
        title=title,
        about=about,
        rows=rows,
        figures=figures,
        captions=captions,
        believed=believed,
        curve=reliability_curve(believed) if believed else None,
        drawn=drawn,
        colour=panel_colour,
    )


def reliability_curve(believed: Reliability) -> Markup:
    """The share of right pairs over their score, as an inline SVG; on the diagonal a score means what it says."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(3.6, 3.2), layout="constrained")
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=TEXT_COLOUR, linewidth=0.8, linestyle=":")
        axes.plot([one.score for one in believed.bins], [one.right for one in believed.bins], marker="o", markersize=4)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="mean score", ylabel="share right")
        return as_svg(figure, "Share of right pairs over their mean score")


def drawn(figure: BadFigure) -> str:
    """The figure as a data: URI, found panels in colours over true ones in white on black."""
    if figure.image is None:
        return ""
    image = figure.image.copy()
    pen, thick = ImageDraw.Draw(image), max(1, round(max(image.size) / FIGURE_SIDE))
    for panel in figure.truth.panels:
        left, top, right, bottom = (round(edge) for edge in panel.box)
        if right > left and bottom > top:
            pen.rectangle((left, top, right, bottom), outline="black", width=7 * thick)
            pen.rectangle((left, top, right, bottom), outline="white", width=5 * thick)
    return data_uri(outline(image, figure.panels))


def _row(name: str, measure: Measure) -> Row:
    whole, _, kind = name.rpartition("_")
    meaning, unit = MEANINGS.get(name) or (
        f"the same, of kind {kind!r}",
        "letters" if whole == "letters" else "figures",
    )
    return Row(name=name, meaning=meaning, unit=unit, measure=measure)


def _place(name: str) -> tuple[int, str]:
    """In the order of MEANINGS, each followed by its groups."""
    order = list(MEANINGS)
    family = "imageclef_compound" if name.startswith("imageclef") else "letters" if name.startswith("letters") else name
    return order.index(family), "" if name in MEANINGS else name
