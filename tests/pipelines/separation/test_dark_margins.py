"""Panels that are black at their edges."""

import numpy as np

from pipelines.separation.dark_margins import share_margins

TRUE = [(0, 0, 200, 150), (200, 0, 400, 150), (0, 150, 200, 300), (200, 150, 400, 300)]
HEADS = [(40, 20, 160, 130), (230, 30, 380, 140), (30, 170, 170, 280), (240, 165, 370, 290)]


def scans() -> np.ndarray:
    """Four heads on black, edge to edge."""
    grey = np.full((300, 400), 5, dtype=np.uint8)
    for left, top, right, bottom in HEADS:
        grey[top:bottom, left:right] = 140
    return grey


def test_boxes_around_heads_grow_to_where_rows_and_columns_part() -> None:
    grown = share_margins(scans(), HEADS)
    for box, true in zip(grown, TRUE, strict=True):
        assert all(abs(one - other) <= 15 for one, other in zip(box, true, strict=True))
    assert grown[0][2] == grown[1][0]
    assert grown[0][3] == grown[2][1]


def test_paper_between_panels_is_nobodys_margin() -> None:
    grey = np.full((300, 400), 255, dtype=np.uint8)
    boxes = [(10, 10, 190, 290), (210, 10, 390, 290)]
    for left, top, right, bottom in boxes:
        grey[top:bottom, left:right] = 90
    assert share_margins(grey, boxes) == boxes
