"""Runs of readings worked by hand, and settled as a search through every naming of the panels would settle them."""

from itertools import permutations

import numpy as np
import pytest

from core.records import Box
from pipelines.letters.run import Printed, as_label, likeness, settle_run, stands_at

Read = str | None


def grid(n_panels: int, n_columns: int) -> list[Box]:
    places = [divmod(k, n_columns) for k in range(n_panels)]
    return [(110 * column, 110 * row, 110 * column + 100, 110 * row + 100) for row, column in places]


def settled(*labels: Read | list[Read], columns: int | None = None, score: float = 0.95) -> list[str | None]:
    """Labels of panels in rows; of a list, all were read on one panel."""
    read = [label if isinstance(label, list) else [label] for label in labels]
    printed = [[Printed(label, score, (0, 0, 9, 9)) for label in found if label] for found in read]
    return [
        None if one is None else one.label for one in settle_run(printed, grid(len(labels), columns or len(labels)))
    ]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("(A)", "A"), ("b)", "b"), ("C.", "C"), ("(iv)", "iv"), ("IV", "IV"), ("a1", "a1"), ("3", "3"), ("12", "12"),
        ("B'", "B'"), ("B\u2019", "B'"), ("\uff08a\uff09", "a"), ("\u0410", "A"), ("\u00a9", "c"), ("\u2460", "1"),
        ("R L", None), ("T2W", None), ("", None), ("ixi", None), ("\u7532", None), ("CT", None), ("60%", None),
    ],
)  # fmt: skip
def test_labels_are_bared_and_other_text_is_refused(text: str, label: str | None) -> None:
    assert as_label(text) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("a) E. coli", "a"),
        ("(b) Control", "b"),
        ("c)P.areolatus", "c"),
        ("T1) a", None),
        ("Control", None),
        ("n) =3", None),
    ],
)
def test_a_title_that_begins_with_its_letter_is_that_letter(text: str, label: str | None) -> None:
    assert as_label(text) == label


@pytest.mark.parametrize(
    ("text", "label"), [("|A", "A"), ("lc", "c"), ("IG", "G"), ("AI", "A"), ("|2", "2"), ("\u00e0", "a"), ("rn", "m")]
)
def test_the_edge_of_a_panel_beside_a_letter_is_no_letter(text: str, label: str) -> None:
    assert as_label(text) == label


def test_confusions_are_settled_by_the_run() -> None:
    assert settled("a", "6", "C", "d") == ["a", "b", "c", "d"]
    assert settled("A", "8", "C", "0") == ["A", "B", "C", "D"]
    assert settled("l", "2", "3", "4", "S") == ["1", "2", "3", "4", "5"]
    assert settled("i", "ii", "iii", "1v", "V") == ["i", "ii", "iii", None, "v"]
    assert settled("e", "f", "9", "h", "1", "j") == ["e", "f", "g", "h", "i", "j"]
    assert settled("A", "B", "c", "D") == ["A", "B", "C", "D"]


def test_a_panel_on_which_nothing_was_read_is_never_named() -> None:
    assert settled("a", "b", None, "d") == ["a", "b", None, "d"]
    assert settled("a", "b", "Q", "d") == ["a", "b", None, "d"]


def test_of_several_readings_the_one_that_fits_is_taken() -> None:
    assert settled(["R", "A"], ["B", "L"], ["T", "C"]) == ["A", "B", "C"]


def test_repeats_and_strays_are_dropped() -> None:
    assert settled("A", "B", "B", "D") == ["A", "B", None, "D"]
    assert settled("A", "B", "X", None) == ["A", "B", None, None]


def test_letters_down_the_columns_are_kept() -> None:
    assert settled("A", "D", "B", "E", "C", "F", columns=2) == ["A", "D", "B", "E", "C", "F"]
    assert settled("a", "c", "6", "d", columns=2) == ["a", "c", "b", "d"]


def test_letters_in_no_order_are_kept_where_they_are_read_well() -> None:
    for shuffled in permutations("ABCD"):
        assert settled(*shuffled, columns=2) == list(shuffled)


def test_a_run_may_begin_late_and_have_gaps() -> None:
    assert settled("c", "d", "e", "f") == ["c", "d", "e", "f"]
    assert settled("A", "B", "D", "F") == ["A", "B", "D", "F"]


def test_labels_of_two_signs_form_runs_too() -> None:
    assert settled("a1", "a2", "b1", "b2", columns=2) == ["a1", "a2", "b1", "b2"]
    assert settled("A1", "B1", "C1", "A2", "B2", "C2", columns=3) == ["A1", "B1", "C1", "A2", "B2", "C2"]
    assert settled("A", "A'", "B", "B'", columns=2) == ["A", "A'", "B", "B'"]
    assert settled("A", "B1", "B2", "C") == ["A", "B1", "B2", "C"]
    assert settled("A1", "B", "C", "D") == ["A", "B", "C", "D"]


def test_a_letter_over_a_row_of_panels_is_kept() -> None:
    assert settled("A", None, None, "B", None, None, columns=3) == ["A", None, None, "B", None, None]


def test_numbers_and_letters_that_stand_alone_are_no_run() -> None:
    assert settled(None, "B", None, None, None) == [None] * 5
    assert settled("6", "8") == [None, None]
    assert settled("7", None, "1") == [None] * 3
    assert settled(None, "I", "J") == [None] * 3
    assert settled("A", None) == ["A", None]


def test_a_figure_without_readings_has_no_letters() -> None:
    assert settled(None, None) == [None, None]
    assert settle_run([], []) == []


def test_doubt_lowers_the_score() -> None:
    printed = [[Printed(label, 0.9, (0, 0, 9, 9))] for label in ("a", "6", "c")]
    scores = [one.score for one in settle_run(printed, grid(3, 3)) if one]
    assert scores[0] == scores[2] == 0.9
    assert scores[1] < 0.9


def test_runs_misread_at_random_are_found_again() -> None:
    generator = np.random.default_rng(0)
    confused = {"b": "6", "g": "9", "i": "1", "c": "C", "f": "F"}
    for _ in range(50):
        names: list[Read] = [chr(ord("a") + k) for k in range(generator.integers(4, 10))]
        names[generator.integers(len(names))] = None
        read = [confused.get(name, name) if name and generator.random() < 0.3 else name for name in names]
        assert settled(*read, columns=3) == names


def test_a_label_stands_at_its_place_in_a_run() -> None:
    assert stands_at("C", 2) and stands_at("c", 2) and stands_at("3", 2) and stands_at("iii", 2)
    assert not stands_at("C", 1) and not stands_at("Q", 2)
    assert likeness("0", "O") > likeness("0", "D") > likeness("0", "X") == 0
