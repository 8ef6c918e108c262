"""Radiographs of chest, limbs, skull and spine."""

import numpy as np
import pytest

from phantom.pictures.brushes import Shape
from phantom.pictures.radiographs import draw_xray


@pytest.mark.parametrize("shape", [(60, 60), (240, 90), (90, 240)])
def test_a_radiograph_is_grey_and_of_its_panels_shape(shape: Shape) -> None:
    picture = draw_xray(np.random.default_rng(3), shape)
    assert picture.shape == (*shape, 3)
    assert np.array_equal(picture[..., 0], picture[..., 2])


def test_some_films_stand_in_a_plain_frame_inside_the_panel() -> None:
    rng = np.random.default_rng(5)
    flat = [draw_xray(rng, (150, 150))[:3].std() < 4 for _ in range(80)]
    assert 4 < sum(flat) < 60


def test_films_differ_in_what_they_show() -> None:
    rng = np.random.default_rng(6)
    means = [float(draw_xray(rng, (100, 100)).mean()) for _ in range(40)]
    assert np.std(means) > 20
