"""SIIM-ACR Pneumothorax Segmentation: 12,047 radiographs of NIH with the outlines of pneumothoraces.

Files: train-rle.csv or stage_2_train.csv, a row an area, " -1" for none; dicom-images-train/STUDY/SERIES/IMAGE.dcm.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.file_names import files_below
from core.images import ImageError
from trainers.datasets.containment import UNKNOWN
from trainers.datasets.dicom_file import BROKEN, read_elements
from trainers.datasets.work import Outline, Work, checked, needed, rows, split_of_patient, targets_of

SOURCE = "Kaggle, https://www.kaggle.com/competitions/siim-acr-pneumothorax-segmentation"
LICENCE = "terms of the SIIM-ACR Pneumothorax Segmentation challenge"
ATTRIBUTION = "SIIM, ACR and STR; images NIH Clinical Center"
TARGET = "Pneumothorax"
IMAGES = "dicom-images-train"
NONE = "-1"
SHARES = {"val": 0.15, "test": 0.15}  # of the patients; GLoRIA, MGCA, which share out rows instead


def works(root: Path, *, seed: int) -> list[Work]:
    """Every image of the table or of the folder, its areas together; raises DatasetError.

    Where no two images have one patient, the headers name images, and the set's name says that patients are unknown.
    """
    table = needed(root, "stage_2_train.csv", "train-rle*.csv", source=SOURCE)
    folder = needed(root, IMAGES, source=SOURCE)
    files = {path.stem: path for name in sorted(files_below(folder)) if (path := folder / name).suffix == ".dcm"}
    areas: dict[str, list[str]] = defaultdict(list)
    for row in rows(table, "ImageId", "EncodedPixels"):
        areas[row["ImageId"]].append(row["EncodedPixels"])
    images = sorted(files.keys() | areas.keys())
    listed = checked((_work(image, areas.get(image, []), files.get(image), root, seed) for image in images), table)
    if len({work.patient_id for work in listed}) < len(listed):
        return listed
    # The challenge's headers name the image.
    return [replace(work, dataset=f"SIIM{UNKNOWN}") for work in listed]


def _work(image: str, areas: Sequence[str], file: Path | None, root: Path, seed: int) -> Work:
    runs = [area for area in areas if area not in (NONE, "")]
    patient = (patient_in(file) if file else "") or image
    return Work(
        image=file.relative_to(root).as_posix() if file else f"{IMAGES}/{image}.dcm",
        image_id=image,
        patient_id=patient,
        study_id=file.parent.parent.name if file else image,
        dataset="SIIM",
        split=split_of_patient(patient, seed=seed, **SHARES),
        targets=targets_of({TARGET: bool(runs) if areas else None}),
        outlines=[Outline(target=TARGET, runs=runs)] if runs else [],
    )


def patient_in(file: Path) -> str:
    """The patient that a DICOM's header names, "" if it names none or cannot be read: then the image stands for one."""
    try:
        return str(read_elements(file, "PatientID").get("PatientID") or "").strip()
    except (ImageError, *BROKEN):
        return ""
