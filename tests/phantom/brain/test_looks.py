"""Grey values of the modalities."""

import numpy as np
import pytest

from phantom.brain.anatomy import Tissue, grid, tissue_at
from phantom.brain.looks import LOOKS, Modality, paint, scan


@pytest.fixture(scope="module")
def slice_through_the_ventricles() -> Tissue:
    points = grid("axial", (0, -18, 18), (200, 170), (200, 170))
    return tissue_at(points, points)


# As every textbook has it: T1 shows white matter brighter than grey and fluid dark, T2 the reverse, FLAIR hides fluid.
@pytest.mark.parametrize(
    "modality, order", [("T1", "csf gm wm"), ("T2", "wm gm csf"), ("FLAIR", "csf wm gm"), ("CT", "csf wm gm")]
)
def test_tissues_are_as_bright_as_textbooks_say(
    modality: Modality, order: str, slice_through_the_ventricles: Tissue
) -> None:
    tissue = slice_through_the_ventricles
    grey = paint(tissue, modality)
    means = [float(grey[(getattr(tissue, name) > 0.9) & (tissue.depth > 5)].mean()) for name in order.split()]
    assert means == sorted(means)


def test_bone_is_white_on_ct_and_black_on_mri(slice_through_the_ventricles: Tissue) -> None:
    bone = (slice_through_the_ventricles.bone > 0.99) & (slice_through_the_ventricles.marrow < 0.05)
    assert paint(slice_through_the_ventricles, "CT")[bone].mean() > 0.9
    assert paint(slice_through_the_ventricles, "T1")[bone].mean() < 0.15


@pytest.mark.parametrize("modality", list(LOOKS))
def test_a_scan_is_the_same_for_the_same_seed(modality: Modality, slice_through_the_ventricles: Tissue) -> None:
    grey = paint(slice_through_the_ventricles, modality)
    one, other = (scan(grey, modality, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one, other)
    assert one.min() >= 0 and one.max() <= 1
