"""Accuracy against a drawn truth, worked by hand."""

import pytest

from core.records import Box, Pair, SeparatedFigure, SplitCaption, Subfigure
from phantom.pmc.accuracy import accuracy
from pipelines.scoring.truth import FigureTruth, LeftOut, PanelTruth

LEFT: Box = (0, 0, 100, 100)
RIGHT: Box = (100, 0, 200, 100)


def panel(box: Box, label: str | None, text: str) -> PanelTruth:
    return PanelTruth(
        box=box, label=label, label_box=None, text=text, whole_caption_allowed=False,
        modality="T1", plane="axial", lesion="cyst", side="left", place="frontal",
    )  # fmt: skip


def truth(figure_id: str, *, kept: bool = True) -> FigureTruth:
    panels = [panel(LEFT, "A", "an axial view of the cyst"), panel(RIGHT, "B", "the cyst after surgery")]
    because: LeftOut | None = None if kept else "keyword"
    return FigureTruth(
        figure_id=figure_id, kept=kept, left_out_because=because, caption="c", caption_style="before", panels=panels
    )


def separated(figure_id: str, *panels: Subfigure) -> SeparatedFigure:
    return SeparatedFigure(
        figure_id=figure_id, article_id="PMC1.1", title="", article_type="case-report", doi=None, year=None,
        licence="CC BY", attribution="", media_url="", md5="", image=b"", image_format="PNG", width=200, height=100,
        n_frames=1, label=None, caption="c", emphasis=[], mentions=[], notes=[], subfigures=list(panels),
        split_caption=SplitCaption(preamble="", subcaptions=[], tail="", confidence=0, reason=""),
    )  # fmt: skip


def pair(figure_id: str, box: Box, text: str) -> Pair:
    return Pair(
        pair_id=f"{figure_id}#{box[0]}", figure_id=figure_id, article_id="PMC1.1", split="train", image=b"", width=1,
        height=1, box=box, label=None, text=text, matched_by="letter", score=1, reason="", licence="CC BY",
        attribution="", media_url="", md5="",
    )  # fmt: skip


def test_everything_right_is_one_everywhere() -> None:
    panels = Subfigure(box=LEFT, score=1, label="A"), Subfigure(box=RIGHT, score=1, label="B")
    pairs = [pair("f", LEFT, "An axial view of the cyst."), pair("f", RIGHT, "The cyst after surgery")]
    found = accuracy([truth("f"), truth("g", kept=False)], [separated("f", *panels)], pairs)
    assert set(found.values()) == {1.0}


def test_each_mistake_costs_its_share() -> None:
    one_panel = separated("f", Subfigure(box=(0, 0, 110, 100), score=1, label="B"))
    found = accuracy([truth("f"), truth("g")], [one_panel], [pair("f", (0, 0, 110, 100), "an axial view of the cyst")])
    assert found["figures_kept"] == 0.5  # g was lost
    assert found["panels_f1"] == pytest.approx(2 / 3)  # one of two found, nothing invented
    assert found["letters"] == 0.0  # B was read where A stands, and no box lies on B
    assert found["pairs"] == 0.5
    assert found["pairs_labelled"] == 0.5


def test_words_that_all_panels_share_may_stand_or_be_left_out() -> None:
    found = [separated("f", Subfigure(box=LEFT, score=1), Subfigure(box=RIGHT, score=1))]
    shared = " in a man of 60 years who came with a headache of two weeks"
    with_shared = [pair("f", LEFT, f"an axial view{shared}"), pair("f", RIGHT, f"after surgery{shared}")]
    assert accuracy([truth("f")], found, with_shared)["pairs"] == 1.0
    whole = [pair("f", LEFT, "(A) axial view (B) after surgery"), pair("f", RIGHT, "(A) axial view (B) after surgery")]
    assert accuracy([truth("f")], found, whole)["pairs"] == 0.0
    swapped = [pair("f", LEFT, "after surgery"), pair("f", RIGHT, "axial view")]
    assert accuracy([truth("f")], found, swapped)["pairs"] == 0.0
