"""Ultrasound, endoscopy and scintigrams."""

import numpy as np
import pytest

from phantom.pictures.brushes import Shape
from phantom.pictures.views import draw_endoscopy, draw_nuclear, draw_ultrasound


@pytest.mark.parametrize("shape", [(60, 60), (240, 90), (90, 240)])
def test_every_view_is_of_its_panels_shape(shape: Shape) -> None:
    for draw in (draw_ultrasound, draw_endoscopy, draw_nuclear):
        assert draw(np.random.default_rng(3), shape).shape == (*shape, 3)


def test_echoes_stand_in_a_field_on_black() -> None:
    rng = np.random.default_rng(0)
    black = [np.mean(draw_ultrasound(rng, (160, 160)).max(axis=2) < 3) for _ in range(30)]
    assert np.mean(black) > 0.2
    assert max(black) < 0.95


def test_some_ultrasound_shows_flow_in_colour_and_some_does_not() -> None:
    rng = np.random.default_rng(1)
    coloured = [np.ptp(draw_ultrasound(rng, (120, 120)).astype(int), axis=2).max() > 80 for _ in range(40)]
    assert 4 < sum(coloured) < 36


def test_an_endoscope_sees_red_more_than_blue() -> None:
    rng = np.random.default_rng(2)
    pictures = np.stack([draw_endoscopy(rng, (100, 100)) for _ in range(20)])
    assert pictures[..., 0].mean() > 1.3 * pictures[..., 2].mean()


def test_scintigrams_come_dark_on_light_and_light_on_dark() -> None:
    rng = np.random.default_rng(4)
    corners = [draw_nuclear(rng, (100, 100))[:4, :4].mean() for _ in range(40)]
    assert min(corners) < 60
    assert max(corners) > 200
