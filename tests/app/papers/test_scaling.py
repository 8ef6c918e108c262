"""The curves of Figure 3: every pool and metric has its plot, and the same results the same drawing."""

import io

import numpy as np
from lxml import html
from PIL import Image

from app.papers.medvl_models import Result, pretrained
from app.papers.medvl_published import METRICS
from app.papers.scaling import draw, draw_png, scheme_legend
from core.config import load

POOLS = ("pairs", "whole figures")


def results(percents: tuple[int, ...] = (25, 100)) -> list[Result]:
    return [
        Result(
            model=model,
            pool=pool,
            split="test",
            size=9,
            metrics=dict.fromkeys(METRICS, model.percent / 2 + model.seed),
            intervals={},
            chance={},
            articles=[],
            found={},
        )
        for model in pretrained(load("medvl-phantom"), seeds=2, percents=percents)
        for pool in POOLS
    ]


def test_every_pool_and_metric_has_its_plot_with_both_schemes() -> None:
    svg = draw(results(), POOLS)
    texts = [text.text for text in html.fromstring(svg).iter("text")]
    assert texts.count("% of the training articles") == len(POOLS) * len(METRICS)
    assert texts.count("image to text @1") == len(POOLS)
    for entry in scheme_legend():
        assert svg.count(f"stroke: {entry.colour}") >= len(POOLS) * len(METRICS)
    assert draw(results(), POOLS) == svg


def test_a_plot_without_results_is_empty_and_one_point_is_a_dot() -> None:
    assert "<svg" in draw([], POOLS)
    assert "<svg" in draw(results((100,)), POOLS)


def test_the_picture_is_white_and_has_content() -> None:
    pixels = np.asarray(Image.open(io.BytesIO(draw_png(results(), POOLS))).convert("L"))
    assert pixels[0, 0] == 255
    assert pixels.min() < 60
