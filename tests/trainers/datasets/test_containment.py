"""Which sets hold which: by their names, as figray and people write them."""

import pytest

from trainers.datasets.containment import (
    CONTAINED,
    NAMES,
    NUMBERS,
    UNKNOWN,
    containment,
    family,
    patient_numbers,
    relation,
    whole_of,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("RSNA", "RSNA"),
        (f"RSNA{UNKNOWN}", "RSNA"),
        ("my-rsna-2018", "RSNA"),
        ("SIIM", "SIIM"),
        ("NIH", "NIH"),
        ("NIH 12", "NIH"),
        ("ChestXray14", "NIH"),
        ("chest_x-ray_8", "NIH"),
        ("ChestX-Det10", "ChestX-Det"),
        ("chestx_det", "ChestX-Det"),
        ("MIMIC-CXR", "MIMIC-CXR"),
        ("p10000032", "MIMIC-CXR"),
        ("ms_cxr_labels", "MS-CXR"),
        ("anihilation", None),
        ("sunrise", None),
        ("drawn", None),
        ("train-p3", None),
        ("", None),
    ],
)
def test_a_set_is_known_by_its_name(name: str, expected: str | None) -> None:
    assert family(name) == expected


def test_every_set_of_the_table_has_a_name_and_every_whole_its_numbers() -> None:
    assert {name for each in CONTAINED for name in (each.part, each.whole)} == set(NAMES)
    assert {each.whole for each in CONTAINED} == set(NUMBERS)
    assert all(family(name) == name for name in NAMES)


@pytest.mark.parametrize(
    ("trained", "probed", "expected"),
    [
        ("NIH", "RSNA", "whole"),
        ("RSNA", "NIH", "part"),
        ("RSNA", "SIIM", "sibling"),
        ("NIH", "ChestX-Det", "whole"),
        ("MIMIC-CXR", "MS-CXR", "whole"),
        ("MIMIC-CXR", "NIH", None),
        ("MS-CXR", "RSNA", None),
        ("NIH", "NIH", None),
        ("RSNA", f"RSNA{UNKNOWN}", None),
        ("drawn", "NIH", None),
        ("drawn", "mine", None),
    ],
)
def test_what_one_set_is_to_another(trained: str, probed: str, expected: str | None) -> None:
    assert relation(trained, probed) == expected
    found = containment(trained, probed)
    assert (found is None) == (expected is None)


def test_the_whole_of_a_part_and_of_itself() -> None:
    assert [whole_of(name) for name in ("RSNA", "NIH", "MS-CXR", "drawn")] == ["NIH", "NIH", "MIMIC-CXR", None]


def test_patients_are_known_by_the_number_of_the_whole() -> None:
    named = ["NIH 12", "nih_00000012", "films NIH 7", "0004cfab", "p10000032", "RSNA 12"]
    assert patient_numbers(named, "NIH") == {"NIH 12": 12, "nih_00000012": 12, "films NIH 7": 7}
    assert patient_numbers(["p10000032", "10000032", "p1"], "MIMIC-CXR") == {
        "p10000032": 10000032,
        "10000032": 10000032,
    }
