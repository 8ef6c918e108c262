"""A figure with its caption and truth."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from phantom.pages.case import Case, FigurePlan, plan_case
from phantom.pages.figures import draw_figure
from phantom.pictures.arrangement import LabelPlace


def a_kept_case() -> Case:
    return next(case for case in (plan_case(0, index) for index in range(40)) if case.fate == "kept")


@pytest.mark.parametrize("place, printed", [("inside", True), ("below", True), ("none", False)])
def test_the_truth_has_a_letter_where_one_is_printed(place: LabelPlace, printed: bool) -> None:
    case = a_kept_case()
    views = next(plan.views for plan in case.figures if plan.views)[:1] * 3
    figure = draw_figure(case, FigurePlan(views, place, "upper"), "gr1", "Figure 1.", np.random.default_rng(0))
    (truth,), (medium,) = figure.truths, figure.media
    assert [panel.label for panel in truth.panels] == (["A", "B", "C"] if printed else [None] * 3)
    assert all((panel.label_box is not None) == printed for panel in truth.panels)
    assert Image.open(BytesIO(medium.content)).size[0] >= max(panel.box[2] for panel in truth.panels)
    assert truth.kept and truth.figure_id == "gr1"


def test_a_separated_figure_is_a_graphic_with_its_own_caption_for_each_panel() -> None:
    case = a_kept_case()
    views = next(plan.views for plan in case.figures if plan.views)[:1] * 2
    plan = FigurePlan(views, "none", "lower", separated=True)
    figure = draw_figure(case, plan, "gr1", "Figure 1.", np.random.default_rng(0))
    assert [graphic.href for graphic in figure.xml.graphics] == ["gr1a", "gr1b"]
    for graphic, truth in zip(figure.xml.graphics, figure.truths):
        assert graphic.caption == f"{truth.panels[0].text}."
        assert not truth.panels[0].whole_caption_allowed
