"""Pages of plots, cut between their letters."""

import numpy as np
import pytest

from core.records import Box
from pipelines.separation.letter_cuts import cut_at_letters, inked

LETTER = 12  # px


def page(plots: list[list[Box]], size: tuple[int, int] = (400, 600)) -> tuple[np.ndarray, list[Box]]:
    """A white page with frames, some of them under one letter at the upper left of the first; and the letters."""
    grey = np.full(size, 255, dtype=np.uint8)
    letters = []
    for own in plots:
        for left, top, right, bottom in own:
            grey[top:bottom, left:right] = 0
            grey[top + 2 : bottom - 2, left + 2 : right - 2] = 255
        left, top = own[0][0] - LETTER - 8, own[0][1] - 4
        letters.append((left, top, left + LETTER, top + LETTER))
        grey[top : top + LETTER, left : left + LETTER] = 0
    return grey, letters


def test_two_plots_under_one_letter_are_one_panel() -> None:
    grey, letters = page([[(40, 20, 140, 120), (180, 20, 280, 120)], [(330, 20, 560, 120)], [(40, 200, 560, 380)]])
    assert cut_at_letters(grey, letters) == [(20, 16, 280, 120), (310, 16, 560, 120), (20, 196, 560, 380)]


def test_a_plot_over_two_rows_stands_beside_both() -> None:
    grey, letters = page([[(40, 20, 200, 380)], [(260, 20, 560, 160)], [(260, 220, 560, 380)]])
    assert cut_at_letters(grey, letters) == [(20, 16, 200, 380), (240, 16, 560, 160), (240, 216, 560, 380)]


def test_letters_beneath_their_plots_cut_nothing() -> None:
    grey, _ = page([[(40, 20, 200, 180)], [(260, 20, 560, 180)]])
    grey[16:30, 18:34] = grey[16:30, 238:254] = 255
    beneath = [(110, 190, 122, 202), (400, 190, 412, 202)]
    for left, top, right, bottom in beneath:
        grey[top:bottom, left:right] = 0
    assert cut_at_letters(grey, beneath) is None


def test_a_line_between_two_letters_keeps_them_together() -> None:
    grey, letters = page([[(40, 20, 200, 180)], [(260, 20, 560, 180)]])
    grey[100:104, 40:560] = 0
    assert cut_at_letters(grey, letters) is None


@pytest.mark.parametrize("number", [2, 26])
def test_letters_that_lie_on_each_other_end_soon(number: int) -> None:
    grey = np.full((300, 300), 255, dtype=np.uint8)
    assert cut_at_letters(grey, [(10, 10, 20, 20)] * number) is None


def test_the_ink_of_a_box() -> None:
    grey = np.full((50, 60), 255, dtype=np.uint8)
    assert inked(grey, (0, 0, 60, 50)) == (0, 0, 60, 50)
    grey[10:20, 30:35] = 0
    assert inked(grey, (5, 5, 60, 50)) == (30, 10, 35, 20)
