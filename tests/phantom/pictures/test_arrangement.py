"""Arrangements of panels and their letters."""

from itertools import combinations
from typing import get_args

import numpy as np
import pytest

from core.records import Box
from phantom.pictures.arrangement import LabelPlace, compose, draw_layout, name_panels


def overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize("place", get_args(LabelPlace))
@pytest.mark.parametrize("panels", range(1, 10))
def test_panels_lie_in_the_figure_and_none_over_another(panels: int, place: LabelPlace) -> None:
    for seed in range(10):
        layout = draw_layout(panels, place, "upper", np.random.default_rng(seed))
        assert len(layout.boxes) == panels
        width, height = layout.size
        for left, top, right, bottom in layout.boxes:
            assert 0 <= left < right <= width and 0 <= top < bottom <= height
        assert not any(overlap(one, other) for one, other in combinations(layout.boxes, 2))


@pytest.mark.parametrize("place", ["below", "above", "beside"])
def test_outside_letters_have_room_that_no_panel_covers(place: LabelPlace) -> None:
    for seed in range(30):
        layout = draw_layout(2 + seed % 8, place, "lower", np.random.default_rng(seed))
        assert not any(overlap(strip, box) for strip in layout.strips for box in layout.boxes)


@pytest.mark.parametrize("place", ["inside", "below", "above", "beside"])
def test_the_label_box_holds_all_ink_of_the_letter_and_no_more(place: LabelPlace) -> None:
    layout = draw_layout(4, place, "upper", np.random.default_rng(2))
    empty = [np.full((b - t, r - l), 40, dtype=np.uint8) for l, t, r, b in layout.boxes]  # noqa: E741
    bare, _ = compose(layout, empty, [None] * 4)
    lettered, boxes = compose(layout, empty, list(name_panels(4, "upper")))
    changed = np.any(np.asarray(bare) != np.asarray(lettered), axis=2)
    for box in boxes:
        assert box is not None
        left, top, right, bottom = box
        assert changed[top:bottom, left:right].mean() > 0.1
        changed[max(0, top - 12) : bottom + 12, max(0, left - 12) : right + 12] = False
    assert not changed.any()


def test_letters_follow_reading_order() -> None:
    assert name_panels(3, "upper") == ["A", "B", "C"]
    assert name_panels(4, "roman") == ["i", "ii", "iii", "iv"]
    assert name_panels(2, "digit") == ["1", "2"]
