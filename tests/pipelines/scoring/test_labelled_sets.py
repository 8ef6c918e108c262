"""Labelled sets of every form, and drawn ones, as truth."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from phantom.pmc.corpus import draw_article
from pipelines.scoring.labelled_sets import (
    MarkedCaption,
    MarkedFigure,
    drawn_captions,
    drawn_figure,
    true_caption,
    true_figures,
)
from pipelines.scoring.scorecard import FoundPair, pairing, words
from pipelines.scoring.truth import FigureTruth, PanelTruth


def figures(rows: Any) -> list[MarkedFigure]:
    return TypeAdapter(list[MarkedFigure]).validate_python(rows)


def caption(row: Any) -> MarkedCaption:
    return TypeAdapter(MarkedCaption).validate_python(row)


def test_a_panel_without_a_letter_has_the_whole_caption_where_texts_are_known() -> None:
    panels: list[dict[str, Any]] = [
        {"box": [0, 0.5, 9, 9], "label": "A", "subcaption": "one", "label_box": [1, 1, 2, 2]},
        {"box": [9, 0, 18, 9]},
    ]
    row = {"image": "x.jpg", "caption": "all", "label_position": "inside", "subfigures": panels, "license": "CC BY"}
    (found,) = true_figures(figures([row]))
    assert [(panel.box, panel.label, panel.text) for panel in found.panels] == [
        ((0, 0.5, 9, 9), "A", "one"),
        ((9, 0, 18, 9), None, "all"),
    ]
    panels[0].pop("subcaption")
    (found,) = true_figures(figures([row]))
    assert [panel.text for panel in found.panels] == [None, None]


def test_captions_of_both_forms() -> None:
    parts = [{"labels": ["A", "B"], "text": "one"}, {"labels": ["(b)"], "text": "two"}]
    split = true_caption(caption({"id": "1", "caption": "c", "compound": True, "subcaptions": parts, "preamble": ""}))
    assert (split.is_compound, split.parts) == (True, {"a": words("one"), "b": words("one two")})
    panels = [{"label": "A", "subcaption": "one"}, {"label": None, "subcaption": "two"}]
    marked = true_caption(caption({"id": "1", "caption": "c", "panels": panels}))
    assert (marked.is_compound, marked.parts) == (True, {"a": words("one")})
    whole = true_caption(caption({"id": "1", "caption": "c", "panels": panels[:1]}))
    assert (whole.is_compound, whole.parts) == (False, {})


@pytest.fixture(scope="module")
def truths() -> list[FigureTruth]:
    """The figures of some drawn articles."""
    return [truth for index in range(9) for truth in draw_article(0, index).truths if truth.panels]


def test_drawn_figures_say_where_their_letters_stand_and_captions_without_letters_are_left_out(
    truths: list[FigureTruth],
) -> None:
    kinds = {drawn_figure(truth, "x.png").kind for truth in truths}
    assert kinds == {"single", "inside", "outside", "none"}
    captions = {truth.id: truth for truth in drawn_captions(truths)}
    for truth in truths:
        lettered = all(panel.label for panel in truth.panels)
        assert (truth.figure_id in captions) == (lettered or len(truth.panels) == 1)
    compound = [truth for truth in captions.values() if truth.is_compound]
    assert compound and all(len(truth.parts) > 1 for truth in compound)


def test_words_of_all_panels_of_a_drawn_figure_may_stand_with_each_or_with_none(
    truths: list[FigureTruth],
) -> None:
    compound = 0
    for truth in truths:
        if len(truth.panels) > 1 and all(panel.label and not panel.whole_caption_allowed for panel in truth.panels):
            figure, compound = drawn_figure(truth, "x.png"), compound + 1
            own = [FoundPair(panel.box, panel.text) for panel in truth.panels]
            full = [FoundPair(panel.box, f"Brain imaging. {panel.text}") for panel in truth.panels]
            swapped = [FoundPair(panel.box, other.text) for panel, other in zip(truth.panels, truth.panels[1:])]
            assert pairing(figure, own)["pairs"].right == len(own)
            assert pairing(figure, full)["pairs"].right > len(own) / 2
            assert pairing(figure, swapped)["pairs"].right < len(own) / 2
    assert compound > 5


def test_a_graphic_that_an_article_separates_has_its_own_caption() -> None:
    panel = PanelTruth(
        box=(0, 0, 9, 9), label="A", label_box=None, text="Axial view", whole_caption_allowed=False,
        modality="T1", plane="axial", lesion="cyst", side="left", place="frontal",
    )  # fmt: skip
    truth = FigureTruth(
        figure_id="f", kept=True, left_out_because=None, caption="Brain", caption_style="parts", panels=[panel]
    )
    figure = drawn_figure(truth, "x.png")
    assert (figure.kind, figure.caption, figure.panels[0].text) == ("single", "Axial view", "Axial view")
    assert drawn_captions([truth]) == []
