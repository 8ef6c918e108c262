"""Places worked by hand."""

from pipelines.matching.positions import FAR, nearest_places

LEFT, MIDDLE, RIGHT = (0, 0, 100, 100), (110, 0, 210, 100), (220, 0, 320, 100)


def test_equally_many_panels_and_places_go_one_to_one() -> None:
    found = nearest_places([RIGHT, LEFT, MIDDLE], ["left", "middle", "right"])
    assert [place for place, _ in found] == [2, 0, 1]
    assert all(distance == 0 for _, distance in found)


def test_a_panel_between_two_places_is_far_from_both() -> None:
    distances = [distance for _, distance in nearest_places([LEFT, MIDDLE, RIGHT], ["left", "right"])]
    assert distances[0] == distances[2] == 0
    assert distances[1] > FAR


def test_two_words_of_place_both_count() -> None:
    boxes = [(110 * column, 110 * row, 110 * column + 100, 110 * row + 100) for row in range(2) for column in range(2)]
    found = nearest_places(boxes, ["lower right", "upper left", "lower left", "upper right"])
    assert [place for place, _ in found] == [1, 3, 2, 0]
