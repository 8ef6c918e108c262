"""Pictures that were missed."""

import numpy as np

from pipelines.separation.layout import overlap
from pipelines.separation.leftover import pictures_left

PANELS = [(10, 10, 290, 190), (310, 10, 590, 190), (10, 210, 290, 390), (310, 210, 590, 390)]


def page(*texts: tuple[int, int, int, int]) -> np.ndarray:
    grey = np.full((400, 600), 255, dtype=np.uint8)
    rng = np.random.default_rng(0)
    for left, top, right, bottom in (*PANELS, *texts):
        grey[top:bottom, left:right] = rng.integers(60, 160, (bottom - top, right - left))
    return grey


def test_a_panel_that_no_box_lies_on_is_found() -> None:
    (found,) = pictures_left(page(), PANELS[:3])
    assert overlap(found, PANELS[3]) > 0.9


def test_where_all_panels_have_boxes_nothing_is_left() -> None:
    assert pictures_left(page(), PANELS) == []
    assert pictures_left(page(), []) == []


def test_a_letter_beside_a_panel_is_no_picture() -> None:
    assert pictures_left(page((295, 300, 305, 312)), PANELS) == []
