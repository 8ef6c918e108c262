"""Stained tissue and photographs."""

import numpy as np
import pytest

from phantom.pictures.brushes import Shape
from phantom.pictures.tissues import draw_histology, draw_photo


@pytest.mark.parametrize("shape", [(60, 60), (240, 90), (90, 240)])
def test_every_picture_is_of_its_panels_shape(shape: Shape) -> None:
    for seed in range(6):
        for draw in (draw_histology, draw_photo):
            assert draw(np.random.default_rng(seed), shape).shape == (*shape, 3)


def test_most_tissue_is_stained_pink_and_some_glows_on_black() -> None:
    rng = np.random.default_rng(0)
    means = np.array([draw_histology(rng, (90, 90)).mean(axis=(0, 1)) for _ in range(60)])
    stained = (means[:, 0] > means[:, 1] + 5) & (means.mean(axis=1) > 120)
    assert stained.mean() > 0.4
    assert 0.03 < np.mean(means.mean(axis=1) < 70) < 0.4


def test_photographs_differ_in_colour() -> None:
    rng = np.random.default_rng(1)
    means = np.array([draw_photo(rng, (90, 90)).mean(axis=(0, 1)) for _ in range(40)])
    assert (means.std(axis=0) > 20).all()
