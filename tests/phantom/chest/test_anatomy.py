"""Drawn chests: lungs on their sides of the middle, a heart as wide as stated."""

import numpy as np
import pytest

from phantom.chest.anatomy import Chest, axes, covered, dome, draw_chest
from phantom.chest.study import plan_studies

SIDE = 256


@pytest.fixture(scope="module")
def chests() -> list[Chest]:
    return [draw_chest(plan_studies(number, seed=1)[0].build, heart=0.45, side=SIDE) for number in range(5)]


def test_each_lung_lies_on_its_side(chests: list[Chest]) -> None:
    for chest in chests:
        for sign, lung in chest.lungs.items():
            columns = np.flatnonzero((lung > 0.5).any(axis=0))
            assert (np.sign(columns - SIDE / 2) == sign).all()


def test_the_right_dome_stands_higher(chests: list[Chest]) -> None:
    assert all(dome(chest.build, -1) < dome(chest.build, 1) for chest in chests)


def test_a_heart_is_about_as_wide_as_its_share_of_the_chest(chests: list[Chest]) -> None:
    for chest in chests:
        wide = np.count_nonzero((chest.heart > 0.5).any(axis=0)) / SIDE
        assert abs(wide / (2 * chest.build.width) - 0.45) < 0.06
        assert (chest.heart * axes(SIDE)[0]).sum() / chest.heart.sum() > 0.5  # most of it on the patient's left


def test_a_place_in_a_lung_lies_in_it(chests: list[Chest]) -> None:
    for chest in chests:
        for sign in (-1, 1):
            x, y = chest.at(sign, 0.5, 0.6)
            assert chest.lungs[sign][int(y * SIDE), int(x * SIDE)] > 0.9


def test_an_outline_covers_its_area() -> None:
    square = np.array([(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)])
    assert abs(covered(square, SIDE, soft=1).mean() - 0.25) < 0.01


def test_vessels_run_in_the_lungs_only(chests: list[Chest]) -> None:
    for chest in chests:
        assert chest.vessels[(chest.lungs[-1] + chest.lungs[1]) < 0.01].max() < 0.02
