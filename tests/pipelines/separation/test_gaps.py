"""White lines right across a picture."""

import numpy as np

from pipelines.separation.gaps import part_at_gaps, white_share


def picture(height: int = 200, width: int = 300) -> np.ndarray:
    return np.random.default_rng(0).integers(40, 160, (height, width), dtype=np.uint8)


def test_a_white_line_of_one_pixel_parts_a_picture() -> None:
    grey = picture()
    grey[:, 149:150] = 255
    assert part_at_gaps(grey, (0, 0, 300, 200), 24) == [(0, 0, 149, 200), (150, 0, 300, 200)]


def test_parts_are_parted_again() -> None:
    grey = picture()
    grey[:, 149:151] = 255
    grey[99:101, :149] = 255
    parts = part_at_gaps(grey, (0, 0, 300, 200), 24)
    assert parts == [(0, 0, 149, 99), (0, 101, 149, 200), (151, 0, 300, 200)]


def test_a_line_that_cuts_off_a_sliver_parts_nothing() -> None:
    grey = picture()
    grey[:, 10:12] = 255
    assert part_at_gaps(grey, (0, 0, 300, 200), 24) == [(0, 0, 300, 200)]


def test_a_chart_keeps_its_own_gaps() -> None:
    grey = np.full((200, 300), 255, dtype=np.uint8)
    grey[20:80, 20:280] = 0
    grey[120:180, 20:280] = 0
    assert part_at_gaps(grey, (0, 0, 300, 200), 24) == [(0, 0, 300, 200)]


def test_the_share_of_paper_is_told() -> None:
    grey = np.full((200, 300), 255, dtype=np.uint8)
    grey[:, 150:] = picture()[:, 150:]
    assert white_share(grey, (0, 0, 300, 200)) == 0.5
