"""The scorecard's page: every measure with its interval, found panels over true ones, nothing active in captions."""

import base64
import io
from typing import Any

import numpy as np
from lxml import html
from PIL import Image, ImageColor

from app.report.contact_sheet import panel_colour
from app.report.scorecard_page import BadCaption, BadFigure, drawn, render_scorecard
from core.records import SplitCaption, Subcaption, Subfigure
from pipelines.scoring.scorecard import Measure, TrueCaption, TrueFigure, TruePanel

HALF = Measure(0.5, 0.25, 0.75, 10, 40)
EVIL = "<script>alert(1)</script>"


def bad_figure(image: Image.Image | None) -> BadFigure:
    panels = [TruePanel((20, 20, 120, 120), "A", EVIL), TruePanel((140.5, 20, 240, 120), None, None)]
    return BadFigure(
        truth=TrueFigure("one.png", "inside", EVIL, panels),
        image=image,
        problem="the file is damaged",
        panels=[Subfigure(box=(60, 20, 240, 120), score=1.0, label="B")],
        texts=["the text it got"],
        verdicts=[False, None],
        score=0.25,
    )


def pixels(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_found_panels_are_drawn_over_true_ones() -> None:
    image = Image.new("RGB", (300, 200), (128, 128, 128))
    picture = np.asarray(pixels(drawn(bad_figure(image))).convert("RGB")).astype(int)
    assert np.abs(picture[70, 22] - 255).max() < 60  # the left edge of the first true panel, in white
    found = ImageColor.getrgb(panel_colour(0))
    assert np.abs(picture[70, 61] - found).max() < 60
    assert image.getpixel((22, 70)) == (128, 128, 128)  # the given image stays as it was


def test_a_large_figure_is_drawn_small() -> None:
    assert max(pixels(drawn(bad_figure(Image.new("RGB", (4000, 3000))))).size) == 480


def test_the_page_shows_measures_and_worst_cases_and_runs_nothing() -> None:
    split = SplitCaption(
        preamble="", subcaptions=[Subcaption(labels=["A"], text=EVIL)], tail="", confidence=1, reason="r"
    )
    page = render_scorecard(
        "run",
        {"letters_inside": HALF, "pairs": HALF, "imageclef_compound": HALF, "letters": HALF, "imageclef_none": HALF},
        figures=[bad_figure(Image.new("RGB", (300, 200))), bad_figure(None)],
        captions=[BadCaption(truth=TrueCaption("7", EVIL, True, {}), split=split, score=0.0)],
        about="a set",
    )
    tree: Any = html.fromstring(page)  # the stubs of lxml know elements of XML alone
    names = tree.xpath("//tbody/tr/th//code/text()")
    assert names == ["imageclef_compound", "imageclef_none", "letters", "letters_inside", "pairs"]
    assert tree.xpath("//tbody/tr[1]/td/text()") == ["50.0 %", "25.0 % to 75.0 %", "10", "40 figures"]
    assert not tree.xpath("//script")
    assert len(tree.xpath("//img[starts-with(@src, 'data:image/jpeg')]")) == 1
    assert "the file is damaged" in page
    assert "the text it got" in page
    empty = render_scorecard("run", {}, figures=[], captions=[], about="a set")
    assert "No figure was read wrong." in empty
