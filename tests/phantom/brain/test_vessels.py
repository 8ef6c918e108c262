"""Angiograms."""

import numpy as np

from phantom.brain.lesions import Lesion, draw_lesion
from phantom.brain.vessels import angiogram, arteries, tangle


def an_avm() -> Lesion:
    return draw_lesion("avm", np.random.default_rng(3))


def test_vessels_are_bright_in_an_mra_and_dark_in_a_dsa() -> None:
    extent = (186.0, 186.0)
    mra, dsa = (angiogram(an_avm(), kind, "coronal", extent, np.random.default_rng(0)) for kind in ("MRA", "DSA"))
    assert mra.shape == dsa.shape == (186, 186)
    assert np.median(mra) < 0.25 and mra.max() > 0.9
    assert np.median(dsa) > 0.55 and dsa.min() < 0.15


def test_a_catheter_angiogram_shows_the_lesions_side_only() -> None:
    lesion = an_avm()
    film = angiogram(lesion, "DSA", "coronal", (186.0, 186.0), np.random.default_rng(0)) < 0.3
    left_half, right_half = film[:, :85].sum(), film[:, 101:].sum()
    assert (left_half > 5 * right_half) if lesion.side == "right" else (right_half > 5 * left_half)


def test_both_sides_have_the_same_arteries() -> None:
    tree = arteries(an_avm())
    right = sum(np.mean([point[0] for point in course]) > 2 for _, course in tree)
    left = sum(np.mean([point[0] for point in course]) < -2 for _, course in tree)
    assert right == left > 10


def test_a_tangle_ends_at_its_radius() -> None:
    lesion = an_avm()
    axis = np.arange(-40, 41, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    where = np.array(lesion.centre, dtype=np.float32)[:, None, None] + np.stack([x, y, np.zeros_like(x)])
    share = tangle(lesion, where.astype(np.float32))
    assert share[np.hypot(x, y) > lesion.radius + 1].max() == 0
    assert 0.1 < share[np.hypot(x, y) < lesion.radius - 2].mean() < 0.8
