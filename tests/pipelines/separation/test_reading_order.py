"""Reading order, worked by hand."""

from pipelines.separation.reading_order import down_columns, reading_order


def test_rows_are_read_from_the_left_though_tops_differ() -> None:
    boxes = [(0, 8, 100, 100), (110, 0, 210, 95), (110, 110, 210, 205), (0, 104, 100, 200)]
    assert reading_order(boxes) == [0, 1, 3, 2]


def test_small_panels_beside_a_large_one_follow_it() -> None:
    assert reading_order([(210, 110, 300, 200), (0, 0, 200, 200), (210, 0, 300, 95)])[0] == 1


def test_columns_are_read_from_the_top() -> None:
    assert down_columns([(0, 0, 100, 100), (110, 0, 210, 100), (0, 110, 100, 210), (110, 110, 210, 210)]) == [
        0,
        2,
        1,
        3,
    ]


def test_no_boxes_have_no_order() -> None:
    assert reading_order([]) == []
