"""MIMIC-CXR-JPG: 377,110 radiographs of 65,379 patients, with the reports of MIMIC-CXR (Johnson et al., 2019).

Files, below one folder: mimic-cxr-2.0.0-metadata.csv.gz, -split.csv.gz and -chexpert.csv.gz; the images,
files/p10/p10000032/s50414267/DICOM_ID.jpg; the reports, files/p10/p10000032/s50414267.txt, in the same folder, in
mimic-cxr-reports/, or still in mimic-cxr-reports.zip.
"""

import zipfile
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from core.records import Radiograph, Reject
from core.rejection import RejectionError
from trainers.datasets import reading
from trainers.datasets.report_sections import report_text
from trainers.datasets.work import JUDGED, SPLITS, DatasetError, Work, checked, id_of, needed, rows, targets_of

SOURCE = "PhysioNet, with credentialed access, https://physionet.org/content/mimic-cxr-jpg/"
REPORTS_SOURCE = "PhysioNet, with credentialed access, https://physionet.org/content/mimic-cxr/"
LICENCE = "PhysioNet Credentialed Health Data License 1.5.0"
ATTRIBUTION = "MIMIC-CXR-JPG and MIMIC-CXR, Johnson et al., 2019; PhysioNet"
FRONTAL = ("PA", "AP")
KEYS = ("subject_id", "study_id")
ZIP = "mimic-cxr-reports.zip"
REPORTS = ("mimic-cxr-reports", ".")  # folders that hold `files`


def works(root: Path) -> list[Work]:
    """Every image of the table of splits, by the official splits; raises DatasetError."""
    splits = _table(root, "split")
    views = {row["dicom_id"]: row["ViewPosition"] for row in rows(_table(root, "metadata"), "dicom_id", "ViewPosition")}
    labels = _table(root, "chexpert")
    findings = {id_of(row["study_id"], labels): row for row in rows(labels, *KEYS)}
    needed(root, "files", source=SOURCE)
    _check_reports(root)
    listed = rows(splits, "dicom_id", *KEYS, "split")
    return checked((_work(row, views, findings, splits) for row in listed), splits)


def read(
    work: Work, *, root: Path, side: int, views: Collection[str], train_side: int | None = None
) -> list[Radiograph | Reject]:
    """The radiograph of a work with its report; or why it is left out, such as a report without text."""
    if views and work.view not in views:  # before its report is sought
        return reading.read(work, root=root, side=side, views=views)
    try:
        text = report_text(_report(root, work.report or ""))
    except RejectionError as error:
        return [reading.rejected(work, error)]
    return reading.read(replace(work, text=text), root=root, side=side, views=views, train_side=train_side)


def _table(root: Path, name: str) -> Path:
    return needed(root, f"mimic-cxr-2*-{name}.csv.gz", f"mimic-cxr-2*-{name}.csv", source=SOURCE)


def _check_reports(root: Path) -> None:
    if not (root / ZIP).exists() and not any(next((root / each).glob("files/p*/p*/s*.txt"), None) for each in REPORTS):
        raise DatasetError(
            f"there are no reports: neither {ZIP} nor its files in {root}; they come from {REPORTS_SOURCE}"
        )


def _work(
    row: Mapping[str, str], views: Mapping[str, str], findings: Mapping[str, Mapping[str, str]], table: Path
) -> Work:
    patient, study, image = id_of(row["subject_id"], table), id_of(row["study_id"], table), row["dicom_id"]
    folder = f"files/p{patient[:2]}/p{patient}/s{study}"
    if row["split"] not in SPLITS:
        raise DatasetError(f"{table}: split {row['split']!r} of {image}; train, validate or test was expected")
    named = {name: JUDGED.get(value) for name, value in findings.get(study, {}).items() if name not in KEYS}
    return Work(
        image=f"{folder}/{image}.jpg",
        image_id=image,
        patient_id=f"p{patient}",
        study_id=f"s{study}",
        dataset="MIMIC-CXR",
        split=SPLITS[row["split"]],
        view=views.get(image, "").upper() or "UNKNOWN",
        report=f"{folder}.txt",
        targets=targets_of(named),
    )


def _report(root: Path, name: str) -> str:
    """A report as published; raises RejectionError no_report."""
    for folder in REPORTS:
        file = root / folder / name
        if file.is_file():
            return file.read_text(encoding="utf-8", errors="replace")
    try:
        return _archive(root / ZIP).read(name).decode("utf-8", errors="replace")
    except (KeyError, FileNotFoundError) as error:
        raise RejectionError("no_report", f"{name} is not there") from error
    except (OSError, zipfile.BadZipFile) as error:
        raise RejectionError("broken_report", f"{name}: {error}") from error


@lru_cache(maxsize=1)
def _archive(file: Path) -> zipfile.ZipFile:
    """Open for as long as the process lives: listing its 227,835 members takes a second."""
    return zipfile.ZipFile(file)
