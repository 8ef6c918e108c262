"""Drawings, gels, electrocardiograms and tables."""

import numpy as np
import pytest

from phantom.pictures.brushes import Shape
from phantom.pictures.sheets import draw_drawing, draw_ecg, draw_gel, draw_table


@pytest.mark.parametrize("shape", [(60, 60), (300, 90), (90, 300)])
def test_every_sheet_is_of_its_panels_shape(shape: Shape) -> None:
    for seed in range(8):
        for draw in (draw_drawing, draw_gel, draw_ecg, draw_table):
            assert draw(np.random.default_rng(seed), shape).shape == (*shape, 3)


def test_a_trace_crosses_the_whole_paper() -> None:
    for seed in range(10):
        picture = draw_ecg(np.random.default_rng(seed), (150, 200)).astype(int)
        ground = np.median(picture, axis=(0, 1))
        inked = (np.abs(picture - ground).sum(axis=2) > 250).any(axis=0)
        assert inked.mean() > 0.85


def test_a_table_has_blank_lines_between_its_rows() -> None:
    rng = np.random.default_rng(1)
    blank = [np.mean(draw_table(rng, (200, 200)).min(axis=(1, 2)) > 215) for _ in range(20)]
    assert 0.05 < np.median(blank) < 0.8


def test_gels_are_grey_with_dark_and_light_parts() -> None:
    for seed in range(10):
        picture = draw_gel(np.random.default_rng(seed), (120, 160))
        assert np.array_equal(picture[..., 0], picture[..., 2])
        assert np.ptp(picture) > 80
