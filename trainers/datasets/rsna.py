"""RSNA Pneumonia Detection Challenge: 26,684 radiographs of NIH, read again by radiologists (Shih et al., 2019).

Files: stage_2_train_labels.csv, a row a box; stage_2_detailed_class_info.csv; stage_2_train_images/PATIENT.dcm. The
images of the challenge's test have no published labels, and are not read. `patientId` names an image: the patients are
NIH's, and known by RSNA's mapping file alone (nih_mapping.py).
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from trainers.datasets.containment import UNKNOWN
from trainers.datasets.nih_mapping import NAME, patient_of, seen_in_training
from trainers.datasets.work import (
    DatasetError,
    Outline,
    Work,
    checked,
    needed,
    number,
    rows,
    split_of_patient,
    targets_of,
)

SOURCE = "Kaggle, https://www.kaggle.com/competitions/rsna-pneumonia-detection-challenge"
LICENCE = "terms of the RSNA Pneumonia Detection Challenge"
ATTRIBUTION = "RSNA and STR; Shih et al., Radiology: Artificial Intelligence 2019; images NIH Clinical Center"
TARGET = "Pneumonia"  # opacities that suggest it
NORMAL = "Normal"  # a class of its own: neither opacities nor anything else
IMAGES = "stage_2_train_images"
BOX = ("x", "y", "width", "height")
SHARES = {"val": 0.15, "test": 0.15}  # of the patients; GLoRIA, MGCA


def works(root: Path, *, seed: int, mapping: Mapping[str, str] | None = None) -> list[Work]:
    """Every labelled image; raises DatasetError.

    mapping: the challenge's name of an image -> NIH's, as read_mapping() gives it, so that splits part patients. An
    image that is not in it, and without it every image, is a patient; without it the set's name says so.
    """
    labels = needed(root, "stage_2_train_labels.csv", source=SOURCE)
    classes = _classes(needed(root, "stage_2_detailed_class_info.csv", source=SOURCE))
    needed(root, IMAGES, source=SOURCE)
    listed: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows(labels, "patientId", *BOX, "Target"):
        listed[row["patientId"]].append(row)
    return checked(
        (_work(image, each, classes.get(image), labels, (seed, mapping)) for image, each in listed.items()), labels
    )


def told_of_patients(listed: Sequence[Work], *, seed: int, mapping: Mapping[str, str] | None) -> Iterator[str]:
    """What is known of the patients, and how many test images are of patients in training, line by line."""
    if mapping is None:
        yield (
            f"patients are unknown: patientId names an image, and many are of one patient; {NAME} of RSNA, beside the "
            "data or named by --mapping, says whose they are. Results on this table say so"
        )
        return
    patients = {work.image_id: work.patient_id for work in listed if work.image_id in mapping}
    by_image = {image: split_of_patient(image, seed=seed, **SHARES) for image in patients}
    here = {work.image_id: work.split for work in listed}
    yield (
        f"{len(patients):,} of {len(listed):,} images are of {len(set(patients.values())):,} patients of NIH "
        f"ChestX-ray14; each of the other {len(listed) - len(patients):,} is taken for a patient"
    )
    for how, splits in (("patientId, as before", by_image), ("NIH's patients, as here", here)):
        seen, tested = seen_in_training(splits, patients)
        share = f"{100 * seen / tested:.1f} %" if tested else "none"
        yield f"split by {how}: {share} ({seen:,} of {tested:,}) of the test images are of a patient in training"


def _classes(table: Path) -> dict[str, str]:
    """The class of each image; the table repeats it with every box."""
    return {row["patientId"]: row["class"] for row in rows(table, "patientId", "class")}


def _work(
    image: str,
    boxes: Sequence[dict[str, str]],
    kind: str | None,
    table: Path,
    known: tuple[int, Mapping[str, str] | None],
) -> Work:
    """known: the seed of the split, and the mapping."""
    seed, mapping = known
    targets = {row["Target"] for row in boxes}
    if not targets <= {"0", "1"} or len(targets) > 1:
        raise DatasetError(f"{table}: Target of {image} is {', '.join(sorted(targets))}; one of 0 and 1 was expected")
    outlines = [_outline(row, table) for row in boxes if row["Target"] == "1"]
    patient = patient_of(mapping[image]) if mapping and image in mapping else image
    return Work(
        image=f"{IMAGES}/{image}.dcm",
        image_id=image,
        patient_id=patient,
        study_id=image,
        dataset="RSNA" if mapping is not None else f"RSNA{UNKNOWN}",
        split=split_of_patient(patient, seed=seed, **SHARES),
        targets=targets_of({TARGET: targets == {"1"}, NORMAL: kind == NORMAL if kind else None}),
        outlines=outlines,
    )


def _outline(row: dict[str, str], table: Path) -> Outline:
    left, top, width, height = (number(row[name] or "nan", table) for name in BOX)
    if not math.isfinite(left + top + width + height):
        raise DatasetError(f"{table}: {row['patientId']} has Target 1 and a box without numbers")
    return Outline(target=TARGET, box=(left, top, width, height))
