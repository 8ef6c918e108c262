"""The share of RSNA's test images whose patient is in training, on the mapped rows of real images."""

from pathlib import Path

from tests.rsna_patients import lines


def test_by_nih_patients_no_test_image_is_of_a_patient_in_training(shared: Path) -> None:
    who, before, after, *many = lines(shared / "chest_xrays" / "nih.csv")
    assert who.startswith("349 of 349 images are of 190 patients")
    assert "50.9 % (29 of 57)" in before and "0.0 % (0 of 44)" in after
    assert "53.2 %" in many[0] and ": 0.0 %" in many[1]
