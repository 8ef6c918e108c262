"""Seams between panels that touch."""

import numpy as np

from pipelines.separation.seams import part_at_seams


def two(step: int) -> np.ndarray:
    """Two smooth pictures, one above the other, which differ by a step in grey."""
    grey = np.tile(np.linspace(60, 120, 300), (200, 1))
    grey[100:] += step
    return grey.astype(np.uint8)


BOX = (0, 0, 300, 200)
BOTH_LETTERED = [(4, 4, 14, 16), (4, 104, 14, 116)]


def test_a_seam_between_letters_in_the_same_corner_parts_a_box() -> None:
    first, second = part_at_seams(two(40), BOX, BOTH_LETTERED, 24)
    assert abs(first[3] - 100) <= 1
    assert second[1] == first[3]


def test_a_seam_without_a_letter_on_either_side_parts_nothing() -> None:
    assert part_at_seams(two(40), BOX, BOTH_LETTERED[:1], 24) == [BOX]


def test_letters_in_different_corners_part_nothing() -> None:
    assert part_at_seams(two(40), BOX, [(4, 4, 14, 16), (200, 150, 210, 162)], 24) == [BOX]


def test_letters_without_a_seam_part_nothing() -> None:
    assert part_at_seams(two(0), BOX, BOTH_LETTERED, 24) == [BOX]
