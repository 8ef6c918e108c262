"""Plots, tables and drawings are told from pictures, on drawn panels and on real ones."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from phantom.pictures.contents import draw_content
from pipelines.copies.picture_kind import jump_share, paper_share, picture_kind


def share_of_graphics(kind: str) -> float:
    rng = np.random.default_rng(11)
    drawn = [Image.fromarray(draw_content(kind, rng, height=260, width=320)) for _ in range(12)]
    return sum(picture_kind(image)[0] == "graphic" for image in drawn) / len(drawn)


@pytest.mark.parametrize("kind", ["ct", "mri", "xray", "ultrasound", "histology", "photo", "angiogram"])
def test_pictures_are_pictures(kind: str) -> None:
    assert share_of_graphics(kind) <= 0.1


@pytest.mark.parametrize("kind", ["plot", "table", "drawing"])
def test_ink_on_paper_is_a_graphic(kind: str) -> None:
    assert share_of_graphics(kind) >= 0.8


def test_the_shares_are_those_counted_by_hand() -> None:
    image = Image.new("RGB", (10, 10), "white")
    ImageDraw.Draw(image).rectangle((0, 0, 3, 9), fill="black")
    assert paper_share(image) == 0.6
    assert jump_share(image) == 1.0  # one edge, and it jumps
    assert paper_share(Image.new("RGB", (4, 4), (90, 90, 90))) == 0.0
    assert jump_share(Image.new("RGB", (4, 4), "white")) == 0.0


def test_the_score_says_how_sure_it_is_and_a_pixel_has_a_kind_too() -> None:
    assert picture_kind(Image.new("RGB", (1, 1)))[0] == "picture"
    rng = np.random.default_rng(0)
    for kind in ("ct", "plot"):
        assert 0.5 <= picture_kind(Image.fromarray(draw_content(kind, rng, height=200, width=200)))[1] <= 1


@pytest.mark.shared
def test_real_panels_are_told_apart(shared: Path) -> None:
    wrong, panels = 0, 0
    for row in json.loads((shared / "compound_figures" / "annotations.json").read_text()):
        figure = Image.open(shared / "compound_figures" / row["image"]).convert("RGB")
        plots = "elife" in row["image"]
        for panel in row["subfigures"]:
            kind, _ = picture_kind(figure.crop(tuple(round(edge) for edge in panel["box"])))
            wrong += (kind == "graphic") != plots
            panels += 1
    assert wrong <= 0.02 * panels
