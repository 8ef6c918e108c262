"""Runs of labels that no sign sets off."""

import pytest

from pipelines.captions.unmarked import counted, lettered, without_figure_number


@pytest.mark.parametrize(
    ("caption", "labels"),
    [
        ("1. Capsular incision2. Cyst resection3. Ovarian suture", ["1", "2", "3"]),
        ("1 Dorsal view 2 Ventral view 3 Leg", ["1", "2", "3"]),
        ("1 Dorsal view 2 Ventral view", []),
    ],
)
def test_numbers_are_counted_on(caption: str, labels: list[str]) -> None:
    assert [marker.labels[0] for marker in counted(caption)] == labels


@pytest.mark.parametrize(
    ("caption", "labels"),
    [
        ("A dorsal view B ventral view C lateral view", ["A", "B", "C"]),
        ("Male: A left palp B right palp", []),  # two may be words of a sentence
        ("Group A at rest, some B in motion, others C asleep", []),
        ("A man B C woman", []),
    ],
)
def test_capitals_stand_in_their_turn(caption: str, labels: list[str]) -> None:
    assert [marker.labels[0] for marker in lettered(caption)] == labels


def test_the_number_of_a_figure_goes_and_places_stay() -> None:
    caption = "Fig. 1a: CT (1b), 1c and 1a–c; 2a."
    plain = without_figure_number(caption)
    assert plain == "Fig. a : CT (b ), c  and a –c; 2a."
    assert len(plain) == len(caption)
    assert without_figure_number("Reduction of 3a and 3b") == "Reduction of 3a and 3b"
    assert without_figure_number("Fig. 1b: CT. Fig. 1c: MRI.") == "Fig. 1b: CT. Fig. 1c: MRI."
