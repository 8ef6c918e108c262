"""Where lesions are and what shape they have."""

from typing import get_args

import numpy as np
import pytest

from phantom.brain.lesions import DISEASES, FLUID_LIKE, Kind, displaced, distance, draw_lesion, focal_points


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_lesion_lies_on_the_side_it_names(kind: Kind) -> None:
    for seed in range(30):
        lesion = draw_lesion(kind, np.random.default_rng(seed))
        if lesion.side == "right":
            assert lesion.centre[0] > 0
        if lesion.side == "left":
            assert lesion.centre[0] < 0


def test_a_cyst_looks_like_fluid_in_every_modality() -> None:
    found = {modality: signal.body for modality, signal in DISEASES["arachnoid cyst"].signals.items()}
    assert found == FLUID_LIKE


def test_the_distance_is_negative_inside_and_about_a_ball() -> None:
    lesion = draw_lesion("abscess", np.random.default_rng(0))
    line = np.array(lesion.centre)[:, None, None] + np.linspace(0, 40, 41)[None, None] * np.eye(3)[0][:, None, None]
    away = distance(lesion, line.astype(np.float32), lesion.centre, 10.0)[0]
    assert away[0] < 0 < away[20]
    assert abs(int(np.argmin(abs(away))) - 10) <= 1


def test_metastases_are_three_on_one_side() -> None:
    for seed in range(20):
        lesion = draw_lesion("metastases", np.random.default_rng(seed))
        centres = [centre for centre, _ in focal_points(lesion)]
        assert len(centres) == 3
        assert len({np.sign(centre[0]) for centre in centres}) == 1


def test_a_mass_pushes_tissue_outwards_and_leaves_the_far_side_alone() -> None:
    lesion = draw_lesion("glioblastoma", np.random.default_rng(1))
    centre = np.array(lesion.centre, dtype=np.float32)
    offsets = np.array([[15, 0, 0], [-110, 0, 0]], dtype=np.float32)
    points = (centre + offsets).T[:, :, None]
    read = displaced(lesion, points, 0.0)
    # What is shown 15 mm from the centre was nearer to it before.
    assert np.linalg.norm(read[:, 0, 0] - centre) < 14
    np.testing.assert_allclose(read[:, 1], points[:, 1], atol=0.1)
