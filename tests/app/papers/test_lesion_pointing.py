"""Maps against lesions: which pairs can be asked, and hits, chance and heat worked by hand."""

import io
from typing import Any

import pytest
import torch
from PIL import Image

from app.papers import lesion_pointing
from app.papers.lesion_pointing import Pointed, asked_of, by_chance, of_all, said, table
from pipelines.scoring.truth import FigureTruth, PanelTruth
from trainers.evaluation.heatmaps import TermMap


def row(text: str, *, figure: str = "A1/f", box: tuple[int, int, int, int] = (100, 0, 180, 40)) -> dict[str, Any]:
    data = io.BytesIO()
    Image.new("RGB", (box[2] - box[0], box[3] - box[1])).save(data, "PNG")
    return {
        "pair_id": f"{figure}#0", "figure_id": figure, "article_id": figure.partition("/")[0],
        "image": data.getvalue(), "text": text, "box": box,
    }  # fmt: skip


def truth(*boxes: tuple[int, int, int, int], lesion: str = "abscess") -> FigureTruth:
    panel = PanelTruth(
        box=(100, 0, 180, 40), label=None, label_box=None, text="", whole_caption_allowed=False, modality="CT",
        plane="axial", lesion=lesion, side="left", place="pons", lesion_boxes=list(boxes),
    )  # fmt: skip
    return FigureTruth(
        figure_id="A1/f", kept=True, left_out_because=None, caption="", caption_style="single", panels=[panel]
    )


def test_a_pair_is_asked_where_its_text_names_the_lesion_that_its_panel_shows() -> None:
    asked = asked_of([row("An abscess of the pons.")], [truth((90, 10, 120, 30), (170, 0, 200, 10))])
    assert [(each.term, each.size) for each in asked] == [("abscess", (80, 40))]
    assert asked[0].boxes == [(0, 10, 20, 30), (70, 0, 80, 10)]  # of the panel, cut at its edges
    nothing: list[tuple[dict[str, Any], FigureTruth]] = [
        (row("Abscesses of the pons."), truth((90, 10, 120, 30))),  # another word
        (row("An abscess.", figure="A2/f"), truth((90, 10, 120, 30))),  # another figure
        (row("An abscess.", box=(0, 0, 60, 40)), truth((90, 10, 120, 30))),  # another panel
        (row("An abscess."), truth()),  # the plane does not meet it
        (row("An abscess."), truth((0, 0, 50, 40))),  # nothing of it is in the panel
    ]
    assert all(asked_of([each], [figure]) == [] for each, figure in nothing)


def test_hits_chance_and_heat_of_a_map() -> None:
    """80 x 40 in a square of 80: a map of 4 x 4 has margins of one row; the left box covers one patch of 16."""
    (asked,) = asked_of([row("An abscess.")], [truth((100, 0, 120, 20), (160, 20, 180, 40))])
    heat = torch.zeros(4, 4)
    heat[1, 0], heat[2, 2] = 1.0, 0.5
    found = lesion_pointing._judged(asked, TermMap(heat, ("abscess",), ((3, 10),)))
    assert (found.hit, found.chance) == (1.0, 2 / 16)
    assert found.heat == pytest.approx(1.0 / 1.5)


def pointed(article: str, hit: float, *, pair: str = "p") -> Pointed:
    return Pointed(pair_id=f"{article}{pair}", article_id=article, term="abscess", hit=hit, chance=0.1, heat=0.2)


def test_hits_are_told_against_chance_over_seeds_and_articles() -> None:
    seeds = [[pointed("A1", 1.0), pointed("A2", 0.0)], [pointed("A1", 1.0), pointed("A2", 1.0)]]
    hits, heat = by_chance(seeds)
    assert (hits.value, heat.value) == pytest.approx((7.5, 2.0))
    assert hits.low == pytest.approx(5.0) and hits.high == pytest.approx(10.0)
    rows = table({"raw": seeds, "processed": seeds}).rows
    assert [each.cells[0].value for each in rows] == ["75.0", "75.0"] and rows[0].cells[0].beneath == ["50.0–100.0"]
    assert "7.50 times as often as by chance" in said({"raw": seeds})[0] and "lie on it" in said({"raw": seeds})[0]


def test_seeds_that_differ_are_no_finding() -> None:
    """A mean of 7.5 times chance, of which one seed has nothing."""
    seeds = [[pointed("A1", 0.0), pointed("A2", 0.0)], [pointed("A1", 1.0), pointed("A2", 1.0)]]
    assert (
        "seeds from 0.00 to 10.00" in said({"raw": seeds})[0]
        and "in some seeds and not in others" in said({"raw": seeds})[0]
    )


def test_only_pairs_that_every_model_reads_are_compared() -> None:
    both, one = [pointed("A1", 1.0), pointed("A2", 0.0)], [pointed("A2", 1.0)]
    assert of_all({"raw": [both], "processed": [one]}) == {"raw": [[both[1]]], "processed": [one]}
    assert of_all({"raw": [both], "processed": [[]]}) == {} and of_all({}) == {}
