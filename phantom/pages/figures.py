"""A figure plan into a picture, a caption and their truth."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np
from PIL import Image

from core.records import Box
from phantom.brain.drawing import DrawnPanel, View, draw_panel
from phantom.brain.wording import Facts, panel_sentence
from phantom.pages.caption_styles import Body, Caption, dress, write_lettered, write_unlettered
from phantom.pages.case import Case, FigurePlan
from phantom.pages.distractors import draw_distractor
from phantom.pages.jats_writer import FigureXml, GraphicXml
from phantom.pictures.arrangement import compose, draw_layout, name_panels
from pipelines.scoring.truth import FigureTruth, LeftOut, PanelTruth

OTHER_CASE = 0.05  # captions that say "a" of a figure that prints "A"


@dataclass(frozen=True)
class Medium:
    """An image file of an article."""

    name: str
    content: bytes


@dataclass(frozen=True)
class DrawnFigure:
    """A figure of an article: what the XML says, its image files and the truth of each."""

    xml: FigureXml
    media: list[Medium]
    truths: list[FigureTruth]  # figure_id still without the article


def draw_figure(case: Case, plan: FigurePlan, href: str, label: str, rng: np.random.Generator) -> DrawnFigure:
    """Everything about one figure of a case; href names its graphic."""
    if not plan.views:
        return _draw_distractor(case, href, label, rng)
    if plan.separated:
        return _draw_separated(case, plan, href, label, rng)
    facts = [_facts(case, view) for view in plan.views]
    layout = draw_layout(len(facts), plan.label_place, plan.numerals, rng)
    names = name_panels(len(facts), plan.numerals)
    # A figure without printed letters may still be captioned by letters, in reading order.
    lettered = len(facts) > 1 and (plan.label_place != "none" or rng.random() < 0.25)
    caption = _caption(case, facts, names if lettered else None, layout.boxes, rng)
    printed: list[str | None] = [name if plan.label_place != "none" else None for name in names]
    panels = [_panel(case, view, box, rng) for view, box in zip(plan.views, layout.boxes)]
    image, label_boxes = compose(layout, [panel.grey for panel in panels], printed)
    panels_truth = [
        _panel_truth(box, caption.texts[k] or caption.plain, facts[k], panels[k], own=caption.texts[k] is not None)
        for k, box in enumerate(layout.boxes)
    ]
    panels_truth = [replace(truth, label=printed[k], label_box=label_boxes[k]) for k, truth in enumerate(panels_truth)]
    truth = _figure_truth(case, plan, href, caption.plain, caption.style, panels_truth)
    media = [_encode(image, href, rng)] if plan.has_medium else []
    return DrawnFigure(FigureXml(_xml_id(href), label, caption, [GraphicXml(href)]), media, [truth])


def _facts(case: Case, view: View) -> Facts:
    return Facts(
        case.lesion, view.modality, view.plane, view.stage, view.pointer, view.marker and view.plane != "sagittal"
    )


def _panel(case: Case, view: View, box: Box, rng: np.random.Generator) -> DrawnPanel:
    return draw_panel(case.lesion, case.build, view, (box[2] - box[0], box[3] - box[1]), rng)


def _caption(
    case: Case, facts: Sequence[Facts], names: list[str] | None, boxes: list[Box], rng: np.random.Generator
) -> Caption:
    style, (body, texts) = _body(facts, names, boxes, rng)
    title, paragraphs = dress(body, facts, case.patient, rng, keyword=case.fate != "no_keyword")
    return Caption(style, title, paragraphs, [text.rstrip(" .,;:") if text else None for text in texts])


def _body(
    facts: Sequence[Facts], names: list[str] | None, boxes: list[Box], rng: np.random.Generator
) -> tuple[str, Body]:
    if len(facts) == 1:
        return "single", (f"{panel_sentence(facts[0], rng)}.", [None])
    if names is None:
        return write_unlettered(facts, boxes, rng)
    said = [name.swapcase() for name in names] if rng.random() < OTHER_CASE else names
    return write_lettered(facts, said, rng)


def _panel_truth(box: Box, text: str, facts: Facts, panel: DrawnPanel, *, own: bool) -> PanelTruth:
    left, top = box[:2]
    return PanelTruth(
        box=box, label=None, label_box=None, text=text, whole_caption_allowed=not own, modality=facts.modality,
        plane=facts.plane, lesion=facts.lesion.kind, side=facts.lesion.side, place=facts.lesion.place,
        lesion_boxes=[(x0 + left, y0 + top, x1 + left, y1 + top) for x0, y0, x1, y1 in panel.lesions],
    )  # fmt: skip


def _figure_truth(
    case: Case, plan: FigurePlan, href: str, caption: str, style: str, panels: list[PanelTruth]
) -> FigureTruth:
    reason = left_out_because(case) or (None if plan.has_medium else "no_media")
    reason = reason or (None if "brain" in caption.lower() else "keyword")
    return FigureTruth(
        figure_id=href,
        kept=reason is None,
        left_out_because=reason,
        caption=caption,
        caption_style=style,
        panels=panels,
    )


def left_out_because(case: Case) -> LeftOut | None:
    """Why the whole article is to be left out."""
    reasons: dict[str, LeftOut] = {
        "not_case_report": "not_case_report", "no_keyword": "keyword", "nd_licence": "licence", "no_licence": "licence",
        "retracted": "retracted", "not_open_access": "not_open_access",
    }  # fmt: skip
    return reasons.get(case.fate)


def _draw_distractor(case: Case, href: str, label: str, rng: np.random.Generator) -> DrawnFigure:
    image, words = draw_distractor(rng)
    caption = Caption("distractor", None, [words], [None])
    truth = _figure_truth(case, FigurePlan([], "none", "upper"), href, caption.plain, caption.style, [])
    return DrawnFigure(
        FigureXml(_xml_id(href), label, caption, [GraphicXml(href)]), [_encode(image, href, rng)], [truth]
    )


def _draw_separated(case: Case, plan: FigurePlan, href: str, label: str, rng: np.random.Generator) -> DrawnFigure:
    """A figure whose panels are graphics of their own."""
    facts = [_facts(case, view) for view in plan.views]
    caption = Caption("separated", None, [f"Brain imaging of {case.patient.words}."], [None] * len(facts))
    graphics, media, truths = [], [], []
    grouped = bool(rng.random() < 0.5)
    for view, fact, name in zip(plan.views, facts, name_panels(len(facts), "lower")):
        own, words = f"{href}{name}", panel_sentence(fact, rng)
        side = int(rng.integers(340, 600))
        box = (0, 0, side, side)
        graphics.append(GraphicXml(own, f"{name}.", f"{words}."))
        drawn = _panel(case, view, box, rng)
        media.append(_encode(Image.fromarray(drawn.grey), own, rng))
        whole = f"{caption.plain} {words}." if grouped else caption.plain
        panel = _panel_truth(box, words, fact, drawn, own=True)
        truths.append(_figure_truth(case, plan, own, whole, caption.style, [panel]))
    return DrawnFigure(FigureXml(_xml_id(href), label, caption, graphics, grouped), media, truths)


def _xml_id(href: str) -> str:
    return "fig-" + href.replace(".", "-")


def _encode(image: Image.Image, href: str, rng: np.random.Generator) -> Medium:
    """JPEG mostly, as PMC has it; PNG now and then, a grey image too."""
    if rng.random() < 0.06:
        image = image.convert("L")
    buffer = BytesIO()
    if rng.random() < 0.08:
        image.save(buffer, "PNG", compress_level=3)
        return Medium(f"{href}.png", buffer.getvalue())
    image.save(buffer, "JPEG", quality=int(rng.integers(78, 95)))
    return Medium(f"{href}.jpg", buffer.getvalue())
