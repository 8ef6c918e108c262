"""The drawn head."""

import numpy as np
import pytest

from phantom.brain.anatomy import Plane, draw_build, grid, into_template, tissue_at, widen_ventricles


@pytest.mark.parametrize("plane, axis", [("sagittal", 0), ("coronal", 1), ("axial", 2)])
def test_a_plane_holds_one_coordinate_and_spans_the_others(plane: Plane, axis: int) -> None:
    points = grid(plane, (10, -20, 30), (40, 60), (5, 7))
    assert points.shape == (3, 5, 7)
    assert np.ptp(points[axis]) == 0
    assert points[axis, 0, 0] == (10, -20, 30)[axis]
    assert sorted(np.ptp(points, axis=(1, 2))) == [0, 40, 60]


@pytest.mark.parametrize("plane", ["axial", "coronal"])
def test_the_patients_right_is_on_the_images_left(plane: Plane) -> None:
    points = grid(plane, (0, 0, 0), (100, 100), (11, 11))
    assert points[0, 0, 0] == 50 and points[0, 0, -1] == -50


def test_front_is_up_in_axial_and_left_in_sagittal_planes() -> None:
    assert grid("axial", (0, 0, 0), (100, 100), (3, 3))[1, :, 0].tolist() == [50, 0, -50]
    assert grid("sagittal", (0, 0, 0), (100, 100), (3, 3))[1, 0].tolist() == [50, 0, -50]


def test_a_head_is_fluid_bone_and_scalp_from_the_brain_outwards() -> None:
    points = grid("axial", (0, -18, 20), (10, 200), (3, 401))
    tissue = tissue_at(points, points)
    outside_in = [name for name in ("fat", "bone", "brain") for _ in [0] if getattr(tissue, name)[1].max() > 0.8]
    firsts = [int(np.flatnonzero(getattr(tissue, name)[1] > 0.5)[0]) for name in outside_in]
    assert outside_in == ["fat", "bone", "brain"]
    assert firsts == sorted(firsts)


def test_shares_of_tissue_lie_between_nothing_and_all() -> None:
    build = draw_build(np.random.default_rng(0))
    points = into_template(grid("coronal", (0, -10, 10), (180, 180), (60, 60)), build)
    tissue = tissue_at(points, points)
    for name in ("gm", "wm", "csf", "bone", "fat", "soft", "brain"):
        share = getattr(tissue, name)
        assert share.shape == (60, 60)
        assert share.min() >= 0 and share.max() <= 1.01


def test_wide_ventricles_hold_more_fluid() -> None:
    points = grid("axial", (0, -5, 20), (90, 80), (90, 80))
    fluid = [tissue_at(points, widen_ventricles(points, amount)).csf.sum() for amount in (0.0, 0.5, 1.0)]
    assert fluid[0] < fluid[1] < fluid[2]


def test_nothing_is_widened_by_nothing() -> None:
    points = grid("axial", (0, -5, 20), (90, 80), (9, 8))
    np.testing.assert_allclose(widen_ventricles(points, 0.0), points, atol=1e-4)
