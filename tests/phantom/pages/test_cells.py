"""Pages divided into cells."""

from itertools import combinations

import numpy as np
import pytest

from phantom.pages.cells import along, draw_cells


@pytest.mark.parametrize("seed", range(60))
def test_cells_lie_on_the_page_and_never_on_each_other(seed: int) -> None:
    size = (448, 300) if seed % 2 else (200, 448)
    cells = draw_cells(size, np.random.default_rng(seed))
    assert len(cells) > 1
    for left, top, right, bottom in cells:
        assert 0 <= left < right <= size[0]
        assert 0 <= top < bottom <= size[1]
    for one, other in combinations(cells, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_a_cell_is_divided_by_shares_with_gaps_between() -> None:
    assert along((0, 0, 110, 50), [1, 1], 0, 10) == [(0, 0, 50, 50), (60, 0, 110, 50)]
    assert along((0, 0, 50, 90), [2, 1], 1, 0) == [(0, 0, 50, 60), (0, 60, 50, 90)]
