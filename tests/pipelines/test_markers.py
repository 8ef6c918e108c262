"""Labels in captions, in the styles of real case reports."""

import pytest

from pipelines.markers import calls_back, chosen_family, expanded, find_markers, find_positions, labels_of, run_of
from pipelines.records import Span


def family(caption: str, emphasis: tuple[Span, ...] = ()) -> list[str]:
    return labels_of(chosen_family(caption, find_markers(caption, emphasis)))


@pytest.mark.parametrize(
    ("caption", "labels"),
    [
        ("Axial (A) and coronal (B, arrow) views of the mass.", ["A", "B"]),
        ("(a-c) Axial CT images and (d) a coronal one.", ["a", "b", "c", "d"]),
        ("A: before surgery. B: after it.", ["A", "B"]),
        ("a) CT; b) MRI; c) angiogram", ["a", "b", "c"]),
        ("Scans (i) on admission, (ii) after a week and (iii) a year later.", ["i", "ii", "iii"]),
        ("(A and C) diffusion, (B and D) its coefficient", ["A", "C", "B", "D"]),
    ],
)
def test_labels_are_found_in_every_style(caption: str, labels: list[str]) -> None:
    assert family(caption) == labels


@pytest.mark.parametrize(
    "caption",
    ["A T1 image of the M1 segment (R).", "Seen in patient (1) and in a second one.", "A Brain MRI showed a mass (T)."],
)
def test_what_only_looks_like_labels_is_no_family(caption: str) -> None:
    assert family(caption) == []


def test_letters_without_brackets_count_where_they_are_bold() -> None:
    caption = "a Axial view. b Coronal view."
    bold = (Span(start=0, end=1, kind="bold"), Span(start=14, end=15, kind="bold"))
    assert family(caption, bold) == ["a", "b"]


def test_ranges_and_lists_are_spelt_out() -> None:
    assert expanded("A-C, e") == ("A", "B", "C", "e")
    assert expanded("C-A") == ()


def test_a_run_begins_at_the_first_letter_and_has_two_at_least() -> None:
    assert run_of(["A", "B", "D"]) == {"A", "B"}
    assert run_of(["A"]) == set()


def test_a_reference_is_told_from_a_label() -> None:
    caption = "The lesion seen in (A) has grown."
    (marker,) = find_markers(caption)
    assert calls_back(caption, marker)


def test_words_of_place_are_found_where_they_name_panels() -> None:
    found = find_positions("Axial T1 image (left) and T2 image (right) of a left frontal mass")
    assert [marker.labels for marker in found] == [("left",), ("right",)]
