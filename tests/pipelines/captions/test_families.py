"""Runs of letters that name the panels of a caption, among other letters that do not."""

import pytest

from core.records import Span
from pipelines.captions.families import chosen_family, labels_of, opens_sentence, ranks_of, run_of
from pipelines.captions.markers import find_markers


def family(caption: str, emphasis: tuple[Span, ...] = ()) -> list[str]:
    return labels_of(chosen_family(caption, find_markers(caption, emphasis)))


@pytest.mark.parametrize(
    ("caption", "labels"),
    [
        ("Axial (A) and coronal (B, arrow) views of the mass.", "AB"),
        ("(a-c) Axial CT images and (d) a coronal one.", "abcd"),
        ("A: before surgery. B: after it.", "AB"),
        ("a) CT; b) MRI; c) angiogram", "abc"),
        ("Scans (i) on admission, (ii) after a week and (iii) a year later.", "i ii iii"),
        ("(A and C) diffusion, (B and D) its coefficient", "ACBD"),
        ("CT (A–F, on admission; G–L, a year later).", "ABCDEFGHIJKL"),
        ("Tissues. a normal tissue, b benign tumour, c cancer", "abc"),
        ("Views: A, lateral; B, dorsal; and C, ventral.", "ABC"),
        ("Figure of it. (1) Control; (2) with drug; (3) with water.", "123"),
    ],
)
def test_the_letters_of_a_family_are_its_panels(caption: str, labels: str) -> None:
    assert family(caption) == (labels.split() if " " in labels else list(labels))


@pytest.mark.parametrize(
    "caption",
    [
        "A T1 image of the M1 segment (R).",
        "Seen in patient (1) and in a second one.",
        "A Brain MRI showed a mass (T).",
        "The aorta (1) and the vena cava (2) are patent.",
        "Decided by two factors: (1) coma; and (2) the disorder.",
        "Hypertrophic vessels in leads III and V1-4.",
    ],
)
def test_what_only_looks_like_labels_is_no_family(caption: str) -> None:
    assert family(caption) == []


def test_a_bold_letter_outweighs_a_longer_run_of_plain_ones() -> None:
    caption = "a Brain with cortex (A), stem (B), pons (C). b Cord."
    bold = (Span(start=0, end=1, kind="bold"), Span(start=45, end=46, kind="bold"))
    assert family(caption) == ["A", "B", "C"]
    assert family(caption, bold) == ["a", "b"]


def test_styles_that_change_on_the_way_make_one_run() -> None:
    assert family("The whole section (a). b Its seminal vesicles") == ["a", "b"]
    assert family("Pattern. Note: A, stain at low power; B Stain at high power.") == ["A", "B"]


def test_a_case_that_changes_on_the_way_makes_one_run() -> None:
    assert family("(a-d) Axial images. (E-H) Images of a year later.") == list("abcdEFGH")
    assert family("CT (A), MRI (b), and PET (C).") == ["A", "b", "C"]


def test_capitals_around_small_letters_that_start_anew_are_the_panels() -> None:
    assert family("A. Cells at rest (a) and dividing (b, c). B. Blots. C. Counts (a) and sizes (b).") == ["A", "B", "C"]


def test_items_that_only_their_numbers_set_off_are_counted_on() -> None:
    assert family("Beetles. 1 Dorsal view 2 Ventral view 3 Head in front.") == ["1", "2", "3"]
    assert family("Legs of a beetle. 4. Coxa 5. Femur 6. Tibia, with hairs.") == ["4", "5", "6"]


def test_numbers_that_count_other_things_are_no_items() -> None:
    assert family("Heart: 1 Aorta 2 Vena cava 3 Trachea.") == []
    assert family("Mice of group 1 Fed, of group 2 Fasted, of group 3 Treated.") == []
    assert family("Beetles. 1 Dorsal view 2 Ventral view.") == []


def test_a_grid_goes_by_its_letters_where_they_are_labels_too() -> None:
    assert family("(A) Resting and (B) dividing cells. Nuclei (A1, B1). Walls (A2, B2).") == ["A", "B"]
    assert family("(A1-B1) Nuclei. (A2-B2) Walls.") == ["A1", "B1", "A2", "B2"]


def test_a_run_begins_at_the_first_letter_and_has_two_at_least() -> None:
    assert run_of(["A", "B", "D"]) == {"A", "B"}
    assert run_of(["A"]) == set()
    assert run_of(["C", "D", "E"]) == {"C", "D", "E"}


def test_one_letter_of_a_long_run_may_be_missing() -> None:
    assert run_of(["A", "C", "D", "E"]) == {"A", "C", "D", "E"}
    assert run_of(["A", "C"]) == set()


def test_ranks_count_from_the_first() -> None:
    assert ranks_of(["a", "B", "c1"]) == [0, 1, 2]
    assert ranks_of(["i", "ii", "iv"]) == [0, 1, 3]
    assert ranks_of(["1", "3"]) == [0, 2]


def test_what_follows_a_full_stop_opens_a_sentence() -> None:
    caption = "Brain. (A) CT with (B) MRI."
    first, second = find_markers(caption)
    assert opens_sentence(caption, first)
    assert not opens_sentence(caption, second)
