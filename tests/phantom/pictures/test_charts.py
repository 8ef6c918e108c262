"""Charts on white."""

import numpy as np
import pytest

from phantom.pictures.brushes import Shape
from phantom.pictures.charts import Axes, draw_plot


def test_data_stand_between_the_axes_with_y_upward() -> None:
    axes = Axes(left=0.2, top=0.1, right=0.9, bottom=0.8, size=10, font="DejaVuSans.ttf")
    assert np.allclose(axes.at(0, 0), [(0.2, 0.8)])
    assert np.allclose(axes.at(np.array([0, 1]), 1), [(0.2, 0.1), (0.9, 0.1)])


@pytest.mark.parametrize("shape", [(60, 60), (300, 90), (90, 300), (200, 200)])
def test_a_chart_of_any_shape_is_mostly_paper(shape: Shape) -> None:
    for seed in range(12):
        picture = draw_plot(np.random.default_rng(seed), shape)
        assert picture.shape == (*shape, 3)
        assert picture.max() > 240
        assert picture.min() < 130


def test_a_chart_has_a_light_margin_on_its_right() -> None:
    rng = np.random.default_rng(1)
    assert np.mean([draw_plot(rng, (160, 160))[:8, -2:].min() > 200 for _ in range(40)]) > 0.8
