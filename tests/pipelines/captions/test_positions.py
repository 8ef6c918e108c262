"""Words of place as names of panels."""

import pytest

from pipelines.captions.positions import find_positions


def places(caption: str) -> list[str]:
    return [label for marker in find_positions(caption) for label in marker.labels]


@pytest.mark.parametrize(
    ("caption", "labels"),
    [
        ("Axial T1 image (left) and T2 image (right) of a left frontal mass", ["left", "right"]),
        ("Upper row: CT. Lower row: MRI.", ["upper", "lower"]),
        ("First column: CT. Second column: MRI. Third column: PET.", ["first", "second", "third"]),
        ("Left panel shows the CT; right panel shows the MRI.", ["left", "right"]),
        ("CT (upper left), MRI (upper right) and PET (bottom)", ["upper left", "upper right", "bottom"]),
        ("At birth (upper image, coronal) and later (lower image, axial)", ["upper", "lower"]),
    ],
)
def test_words_of_place_are_found_where_they_name_panels(caption: str, labels: list[str]) -> None:
    assert places(caption) == labels


@pytest.mark.parametrize(
    "caption", ["A cyst (leftward arrow), shifted (rightward arrow)", "A mass on the left (left).", ""]
)
def test_pointers_and_a_single_place_name_no_panels(caption: str) -> None:
    assert places(caption) == []


def test_what_a_bracket_says_beside_its_place_is_kept() -> None:
    first, _ = find_positions("At birth (upper image, coronal) and later (lower image)")
    assert first.keeps == "(coronal)"
