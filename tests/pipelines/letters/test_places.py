"""Letters and the panels they belong to."""

from pipelines.letters.places import groups, owners
from pipelines.separation.layout import union

TWO_ROWS = [(0, 0, 100, 100), (110, 0, 210, 100), (0, 120, 100, 220), (110, 120, 210, 220)]


def test_a_letter_on_a_panel_is_its_own() -> None:
    assert owners(TWO_ROWS[:2], [(4, 4, 14, 14), (114, 4, 124, 14)]) == [[0], [1]]


def test_between_two_rows_the_side_where_most_letters_fit_decides() -> None:
    below = [(45, 104, 55, 114), (155, 104, 165, 114), (45, 224, 55, 234), (155, 224, 165, 234)]
    assert owners(TWO_ROWS, below) == [[0], [1], [2], [3]]
    above = [(0, -16, 10, -6), (110, -16, 120, -6), (0, 104, 10, 114), (110, 104, 120, 114)]
    assert owners(TWO_ROWS, above) == [[0], [1], [2], [3]]


def test_a_letter_far_from_every_panel_is_nobodys() -> None:
    assert owners(TWO_ROWS[:2], [(45, 300, 55, 310)]) == [[], []]


def test_panels_over_one_letter_stand_together() -> None:
    rows = [(x, y, x + 90, y + 90) for y in (0, 120) for x in (0, 100, 200)]
    assert groups(rows, [(140, 95, 150, 105), (140, 215, 150, 225)]) == [[0, 1, 2], [3, 4, 5]]


def test_a_letter_that_is_not_in_the_middle_joins_nothing() -> None:
    assert groups(TWO_ROWS[:2], [(45, 104, 55, 114)]) == [[0], [1]]


def test_letters_for_all_panels_join_nothing() -> None:
    below = [(45, 104, 55, 114), (155, 104, 165, 114)]
    assert groups(TWO_ROWS[:2], below) == [[0], [1]]


def test_the_union_holds_all_boxes() -> None:
    assert union(TWO_ROWS) == (0, 0, 210, 220)


def test_a_letter_just_off_a_corner_belongs_to_the_panel_that_is_nearest() -> None:
    assert owners(TWO_ROWS[:2], [(212, 60, 219, 72)]) == [[], [0]]


def test_between_rows_letters_over_the_left_end_are_of_the_panels_beneath() -> None:
    panels = [(40, 40, 240, 240), (300, 40, 500, 240), (40, 280, 240, 480), (300, 280, 500, 480)]
    left = [
        (22, 262, 30, 272),
        (290, 262, 298, 272),
    ]  # one above each panel of the second row; those of the first unread
    assert owners(panels, left) == [[], [], [0], [1]]
    middle = [(136, 262, 144, 272), (396, 262, 404, 272)]
    assert owners(panels, middle) == [[0], [1], [], []]


def test_a_letter_above_and_to_the_right_of_a_panel_is_the_next_ones() -> None:
    panels = [(40, 40, 270, 240), (310, 40, 540, 240)]
    assert owners(panels, [(20, 20, 28, 30), (284, 20, 292, 30)]) == [[0], [1]]
