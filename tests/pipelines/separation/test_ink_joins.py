"""Graphics tied together by ink."""

import numpy as np

from pipelines.separation.ink_joins import tied

BOXES = [(20, 20, 180, 180), (220, 20, 380, 180), (420, 20, 580, 180)]


def page(height: int = 200) -> np.ndarray:
    grey = np.full((height, 600), 255, dtype=np.uint8)
    for left, top, right, bottom in BOXES:
        grey[top + 20 : bottom - 20, left + 20 : right - 20] = 0
        grey[top + 24 : bottom - 24, left + 24 : right - 24] = 255
    return grey


def test_plots_with_paper_between_them_stay_apart() -> None:
    assert tied(page(), BOXES) == [[0], [1], [2]]


def test_an_arrow_ties_two_boxes_of_a_scheme() -> None:
    grey = page()
    grey[100, 150:250] = 0
    assert tied(grey, BOXES) == [[0, 1], [2]]


def test_a_thin_line_of_a_large_page_is_seen() -> None:
    grey = np.repeat(np.repeat(page(), 5, axis=0), 5, axis=1)
    grey[500, 700:1300] = 60
    assert tied(grey, [(5 * a, 5 * b, 5 * c, 5 * d) for a, b, c, d in BOXES]) == [[0, 1], [2]]


def test_pictures_are_never_tied() -> None:
    grey = page()
    grey[20:180, 20:380] = 90
    assert tied(grey, BOXES) == [[0], [1], [2]]


def test_a_frame_around_the_page_ties_nothing() -> None:
    grey = page()
    grey[[0, -1]] = 0
    grey[:, [0, -1]] = 0
    assert tied(grey, [(0, 0, 200, 200), (200, 0, 400, 200), (400, 0, 600, 200)]) == [[0], [1], [2]]


def test_no_box_no_group() -> None:
    assert tied(page(), []) == []
