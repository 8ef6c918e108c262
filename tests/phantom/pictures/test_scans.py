"""Slices of heads and bodies, and angiograms."""

from collections.abc import Callable

import numpy as np
import pytest

from phantom.pictures.brushes import Canvas, Shape
from phantom.pictures.scans import branch, draw_angiogram, draw_ct, draw_mri


@pytest.mark.parametrize("draw", [draw_ct, draw_mri, draw_angiogram])
@pytest.mark.parametrize("shape", [(60, 60), (240, 90), (90, 240)])
def test_a_scan_is_grey_and_of_its_panels_shape(
    draw: Callable[[np.random.Generator, Shape], Canvas], shape: Shape
) -> None:
    picture = draw(np.random.default_rng(3), shape)
    assert picture.shape == (*shape, 3)
    assert np.array_equal(picture[..., 0], picture[..., 2])


def test_ct_shows_bone_as_the_brightest_and_air_as_black() -> None:
    rng = np.random.default_rng(0)
    slices = [draw_ct(rng, (160, 160)) for _ in range(30)]
    assert np.mean([picture.max() > 200 for picture in slices]) > 0.8
    assert np.mean([picture.min() < 10 for picture in slices]) > 0.6


def test_vessels_are_darker_than_their_ground_in_most_angiograms() -> None:
    rng = np.random.default_rng(1)
    skews = []
    for _ in range(30):
        level = draw_angiogram(rng, (120, 120)).astype(float)
        skews.append(np.median(level) - level.mean())
    assert np.mean(np.array(skews) > 0) > 0.5


def test_a_vessel_tree_ends_and_stays_thin() -> None:
    canvas = np.zeros((200, 200), dtype=np.uint8)
    branch(canvas, np.random.default_rng(2), (0.5, 1.0), -np.pi / 2, 6.0)
    assert 0.005 < np.mean(canvas > 0) < 0.5
