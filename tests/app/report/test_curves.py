"""Curves show every finite value of every scheme, and say what they could not show."""

import math

import numpy as np
from lxml import html

from app.report.curves import Records, draw, legend, not_finite, points


def test_points_are_the_finite_values_in_order() -> None:
    records: Records = [
        {"step": 1, "itc": 3.0},
        {"step": 2, "itm": 1.0},
        {"step": 3, "itc": math.nan},
        {"step": 4, "itc": None},
        {"itc": 9.0},
        {"step": 6, "itc": 1.5},
    ]
    steps, values = points(records, "itc")
    np.testing.assert_array_equal(steps, [1, 6])
    np.testing.assert_array_equal(values, [3.0, 1.5])


def test_values_that_are_not_finite_are_counted_aloud() -> None:
    curves = {"raw": [{"step": 1, "itc": math.nan}, {"step": 2, "itc": 1.0}, {"step": 3, "itc": math.inf}]}
    assert not_finite(curves) == ["raw: 2 of 3 values of itc are not finite and not drawn."]
    assert not_finite({"raw": [{"step": 1, "itc": 1.0, "itm": None}]}) == []


def test_each_logged_metric_has_its_plot_with_axis_labels_and_every_model_in_it() -> None:
    records = [{"step": step, "itc": 1 / step, "lr": 1e-4, "wait_share": 0.1} for step in range(1, 11)]
    plots = draw({"raw": records, "processed": records})
    assert list(plots) == ["wait_share", "itc", "lr"]
    for metric, title in (("itc", "Image–text contrastive, ITC"), ("lr", "Learning rate")):
        texts = [text.text for text in html.fromstring(plots[metric]).iter("text")]
        assert title in texts and texts.count("step") == 1
        for entry in legend({"raw": records, "processed": records}):
            assert plots[metric].count(f"stroke: {entry.colour}") == 1


def test_schemes_differ_in_colour_and_in_dash() -> None:
    first, second = legend({"raw": [], "processed": []})
    assert (first.scheme, second.scheme) == ("raw", "processed")
    assert first.colour != second.colour
    assert first.dash != second.dash


def test_there_is_no_plot_without_values() -> None:
    assert draw({}) == {}
    assert draw({"raw": []}) == {}
    assert draw({"raw": [{"step": 1, "itc": math.nan, "epoch": 1}]}) == {}


def test_one_step_is_a_dot_and_the_drawing_is_the_same_each_time() -> None:
    curves = {"raw": [{"step": 1, "loss": 2.0}]}
    assert draw(curves) == draw(curves)
    assert "currentColor" in draw(curves)["loss"]
