"""Boxes and what they share."""

from core.records import Subfigure
from pipelines.separation.layout import area, common, in_order, intersection, overlap


def test_what_boxes_share_is_as_worked_by_hand() -> None:
    one, other = (0, 0, 10, 10), (5, 0, 15, 10)
    assert (area(one), intersection(one, other)) == (100, 50)
    assert common(one, other) == 0.5
    assert overlap(one, other) == 50 / 150
    assert intersection(one, (20, 20, 30, 30)) == 0


def test_panels_come_in_reading_order() -> None:
    boxes = [(110, 0, 200, 90), (0, 0, 90, 90), (0, 100, 90, 190)]
    ordered = in_order([Subfigure(box=box, score=1.0) for box in boxes])
    assert [panel.box for panel in ordered] == [boxes[1], boxes[0], boxes[2]]
