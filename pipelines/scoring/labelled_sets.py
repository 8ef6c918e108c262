"""Figures and captions whose panels, letters and subcaptions people have marked, or that were drawn from a known truth.

Figures come as rows of {image, caption, label_position, subfigures: [{box, label, subcaption}]}; captions as rows of
{id, caption, compound, subcaptions: [{labels, text}]}, or of {id, caption, panels: [{label, subcaption}]}.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core.records import Subcaption
from pipelines.scoring.scorecard import AnyBox, TrueCaption, TrueFigure, TruePanel, Words, bare, words
from pipelines.scoring.truth import FigureTruth, PanelTruth


@dataclass(frozen=True)
class MarkedPanel:
    """A panel of a figure or caption, as its row states it."""

    label: str | None = None
    subcaption: str | None = None


@dataclass(frozen=True)
class MarkedSubfigure(MarkedPanel):
    """A panel with its place."""

    box: AnyBox = field(kw_only=True)


@dataclass(frozen=True)
class MarkedFigure:
    """A row of figures."""

    image: str
    subfigures: list[MarkedSubfigure]
    caption: str = ""
    label_position: str = "unknown"


@dataclass(frozen=True)
class MarkedCaption:
    """A row of captions, of either form."""

    id: str
    caption: str
    compound: bool | None = None
    subcaptions: list[Subcaption] | None = None
    panels: list[MarkedPanel] | None = None


@dataclass(frozen=True)
class MarkedCaptions:
    """Rows of captions below a description."""

    records: list[MarkedCaption]


def true_figures(rows: Sequence[MarkedFigure]) -> list[TrueFigure]:
    """The truth of figures; a panel without a letter has the whole caption, unless no row of the set has texts."""
    has_texts = any(panel.subcaption is not None for row in rows for panel in row.subfigures)
    figures = []
    for row in rows:
        without_letter = row.caption if has_texts else None
        panels = [
            TruePanel(panel.box, panel.label, panel.subcaption if panel.label else without_letter)
            for panel in row.subfigures
        ]
        figures.append(TrueFigure(row.image, row.label_position, row.caption, panels))
    return figures


def true_caption(row: MarkedCaption) -> TrueCaption:
    """The truth of a caption; of one that speaks of a single panel, no labels."""
    if row.subcaptions is not None:
        is_compound = bool(row.compound)
        said = [(label, part.text) for part in row.subcaptions for label in part.labels]
    else:
        panels = row.panels or []
        is_compound = len(panels) > 1
        said = [(panel.label, panel.subcaption or "") for panel in panels if panel.label]
    texts: dict[str, str] = {}
    for label, text in said if is_compound else []:
        texts[bare(label)] = f"{texts[bare(label)]} {text}" if bare(label) in texts else text
    return TrueCaption(row.id, row.caption, is_compound, _by_label(said) if is_compound else {}, texts)


def drawn_figure(truth: FigureTruth, image: str) -> TrueFigure:
    """The truth of a drawn figure; one of several graphics that the article separates comes with its own caption."""
    if _is_part(truth):
        (panel,) = truth.panels
        return TrueFigure(image, "single", panel.text, [TruePanel(panel.box, panel.label, panel.text)])
    # What the caption says before and after the words of single panels is said of each of them.
    places = [(start, panel) for panel in truth.panels if (start := truth.caption.find(panel.text)) >= 0]
    before = truth.caption[: min((start for start, _ in places), default=0)]
    after = truth.caption[max((start + len(panel.text) for start, panel in places), default=len(truth.caption)) :]
    panels = [
        TruePanel(
            panel.box, panel.label, panel.text if panel.whole_caption_allowed else f"{before} {panel.text} {after}"
        )
        for panel in truth.panels
    ]
    return TrueFigure(image, _kind(truth.panels), truth.caption, panels)


def drawn_captions(truths: Iterable[FigureTruth]) -> list[TrueCaption]:
    """The truth of drawn captions, but of those whose labels are printed nowhere, and so not known."""
    return [
        TrueCaption(
            truth.figure_id,
            truth.caption,
            len(truth.panels) > 1,
            _by_label((panel.label, panel.text) for panel in truth.panels if panel.label),
        )
        for truth in truths
        if not _is_part(truth)
        and (len(truth.panels) == 1 or (truth.panels and all(panel.label for panel in truth.panels)))
    ]


def _is_part(truth: FigureTruth) -> bool:
    return len(truth.panels) == 1 and not truth.panels[0].whole_caption_allowed


def _by_label(said: Iterable[tuple[str | None, str]]) -> dict[str, Words]:
    parts: dict[str, Words] = {}
    for label, text in said:
        parts[bare(label)] = parts.get(bare(label), Words()) + words(text)
    return parts


def _kind(panels: Sequence[PanelTruth]) -> str:
    """Where the letters of a figure stand."""
    if len(panels) == 1:
        return "single"
    boxes = [(panel.box, panel.label_box) for panel in panels if panel.label_box]
    if not boxes:
        return "none"
    inside = all(
        box[0] <= (label[0] + label[2]) / 2 < box[2] and box[1] <= (label[1] + label[3]) / 2 < box[3]
        for box, label in boxes
    )
    return "inside" if inside else "outside"
