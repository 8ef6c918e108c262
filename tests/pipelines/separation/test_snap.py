"""Boxes to true edges."""

import numpy as np

from pipelines.separation.snap import snap


def page(*panels: tuple[int, int, int, int], ground: int = 255) -> np.ndarray:
    """A page with textured grey panels."""
    grey = np.full((300, 400), ground, dtype=np.uint8)
    rng = np.random.default_rng(0)
    for number, (left, top, right, bottom) in enumerate(panels):
        grey[top:bottom, left:right] = rng.integers(60, 90, (bottom - top, right - left)) + 60 * (number % 2)
    return grey


def test_a_box_that_is_a_little_off_comes_to_the_margin_of_paper() -> None:
    true = (20, 30, 180, 250)
    assert snap(page(true), [(25, 27, 175, 257)]) == [true]


def test_panels_that_touch_part_at_the_step_between_them() -> None:
    left, right = (0, 0, 200, 300), (200, 0, 400, 300)
    assert snap(page(left, right), [(0, 0, 194, 300), (205, 3, 400, 296)]) == [left, right]


def test_a_thin_white_line_parts_panels() -> None:
    left, right = (0, 0, 199, 300), (201, 0, 400, 300)
    assert snap(page(left, right), [(0, 0, 203, 300), (197, 0, 400, 300)]) == [left, right]


def test_a_side_without_any_edge_near_it_stays() -> None:
    assert snap(page((0, 0, 400, 300)), [(0, 0, 210, 300)]) == [(0, 0, 210, 300)]


def test_a_letter_beneath_a_panel_does_not_draw_its_side() -> None:
    true = (20, 30, 180, 200)
    grey = page(true)
    grey[210:222, 95:105] = 0
    assert snap(grey, [(22, 30, 178, 204)]) == [true]
