"""RSNA Pneumonia Detection Challenge: 26,684 radiographs of NIH, read again by radiologists (Shih et al., 2019).

Files: stage_2_train_labels.csv, a row a box; stage_2_detailed_class_info.csv; stage_2_train_images/PATIENT.dcm. The
images of the challenge's test have no published labels, and are not read.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

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


def works(root: Path, *, seed: int) -> list[Work]:
    """Every labelled image, an image a patient as the challenge names them; raises DatasetError."""
    labels = needed(root, "stage_2_train_labels.csv", source=SOURCE)
    classes = _classes(needed(root, "stage_2_detailed_class_info.csv", source=SOURCE))
    needed(root, IMAGES, source=SOURCE)
    listed: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows(labels, "patientId", *BOX, "Target"):
        listed[row["patientId"]].append(row)
    return checked(
        (_work(patient, each, classes.get(patient), labels, seed) for patient, each in listed.items()), labels
    )


def _classes(table: Path) -> dict[str, str]:
    """The class of each patient; the table repeats it with every box."""
    return {row["patientId"]: row["class"] for row in rows(table, "patientId", "class")}


def _work(patient: str, boxes: Sequence[dict[str, str]], kind: str | None, table: Path, seed: int) -> Work:
    targets = {row["Target"] for row in boxes}
    if not targets <= {"0", "1"} or len(targets) > 1:
        raise DatasetError(f"{table}: Target of {patient} is {', '.join(sorted(targets))}; one of 0 and 1 was expected")
    outlines = [_outline(row, table) for row in boxes if row["Target"] == "1"]
    return Work(
        image=f"{IMAGES}/{patient}.dcm",
        image_id=patient,
        patient_id=patient,
        study_id=patient,
        dataset="RSNA",
        split=split_of_patient(patient, seed=seed, **SHARES),
        targets=targets_of({TARGET: targets == {"1"}, NORMAL: kind == NORMAL if kind else None}),
        outlines=outlines,
    )


def _outline(row: dict[str, str], table: Path) -> Outline:
    left, top, width, height = (number(row[name] or "nan", table) for name in BOX)
    if not math.isfinite(left + top + width + height):
        raise DatasetError(f"{table}: {row['patientId']} has Target 1 and a box without numbers")
    return Outline(target=TARGET, box=(left, top, width, height))
