"""Layouts from what a detector proposes."""

from pipelines.separation.detector import Found
from pipelines.separation.layout import common
from pipelines.separation.separator import apart


def test_the_surer_of_two_boxes_on_one_place_stays() -> None:
    sure, doubtful = Found((0, 0, 100, 100), 0.9), Found((5, 5, 105, 105), 0.6)
    assert apart([doubtful, sure]) == [sure]


def test_a_box_that_holds_others_gives_way_to_surer_ones() -> None:
    left, right, both = Found((0, 0, 50, 50), 0.8), Found((50, 0, 100, 50), 0.8), Found((0, 0, 100, 50), 0.7)
    assert apart([both, left, right]) == [left, right]


def test_neighbours_that_overlap_a_little_both_stay() -> None:
    assert len(apart([Found((0, 0, 55, 50), 0.8), Found((50, 0, 100, 50), 0.8)])) == 2


def test_the_common_share_is_of_the_smaller_box() -> None:
    assert common((0, 0, 10, 10), (0, 0, 100, 100)) == 1.0
    assert common((0, 0, 10, 10), (20, 20, 30, 30)) == 0.0
    assert common((0, 0, 10, 10), (5, 0, 15, 10)) == 0.5
