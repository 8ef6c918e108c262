"""RSNA's mapping of its challenge's images to those of NIH ChestX-ray14, by which an image's patient is known.

pneumonia-challenge-dataset-mappings_2018.json: a list of {"subset_img_id": RSNA's patientId, "img_id":
"00000001_000.png", ...}. The first eight digits of an NIH image are its patient (Wang et al., 2017).
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from core.records import Split
from trainers.datasets.work import DatasetError

NAME = "pneumonia-challenge-dataset-mappings_2018.json"
SOURCE = "RSNA, https://www.rsna.org/rsnai/ai-image-challenge/rsna-pneumonia-detection-challenge-2018"
IMAGE = re.compile(r"(\d{8})_\d{3}\.png")


def mapping_in(root: Path, named: Path | None) -> Path | None:
    """The file that is named, or the one beside the data; None where there is none. Raises DatasetError."""
    if named is not None:
        if not named.is_file():
            raise DatasetError(f"there is no mapping {named}; it is {NAME}, from {SOURCE}")
        return named
    return next(iter(sorted(root.rglob(NAME))), None)


def read_mapping(file: Path) -> dict[str, str]:
    """RSNA's name of an image -> NIH's; DatasetError where the file is not as published."""
    try:
        listed = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(f"{file} cannot be read: {error}") from error
    if not isinstance(listed, list) or not listed:
        raise DatasetError(f"{file} is no list of images; {NAME} was expected")
    found: dict[str, str] = {}
    for number, row in enumerate(listed):
        ours, theirs = (row.get(name) if isinstance(row, dict) else None for name in ("subset_img_id", "img_id"))
        if not isinstance(ours, str) or not isinstance(theirs, str) or not IMAGE.fullmatch(theirs.strip()):
            raise DatasetError(f"{file}: row {number} has no subset_img_id, or no img_id such as 00000001_000.png")
        if found.setdefault(ours.strip(), theirs.strip()) != theirs.strip():
            raise DatasetError(f"{file}: {ours} is both {found[ours.strip()]} and {theirs}")
    return found


def patient_of(image: str) -> str:
    """The patient of an image of NIH, as figray's reader of NIH names it."""
    return f"NIH {int(image[:8])}"


def seen_in_training(splits: Mapping[str, Split], patients: Mapping[str, str]) -> tuple[int, int]:
    """How many test images are of a patient with an image in training, and how many test images there are.

    splits: image -> side. patients: image -> patient, of those that are known; others are left out of both numbers.
    """
    trained = {patients[image] for image, split in splits.items() if split == "train" and image in patients}
    tested = [patients[image] for image, split in splits.items() if split == "test" and image in patients]
    return sum(patient in trained for patient in tested), len(tested)
