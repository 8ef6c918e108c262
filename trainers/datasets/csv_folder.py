"""Any folder of radiographs with a CSV that says what is known of them, one row an image.

Columns: image, a path below the folder; and as far as there are: patient_id, study_id, split, view, text, mask (the
path of an image), and label_NAME for each finding, 1 or 0. Others may be named: {"patient_id": "patientid"}.
"""

from collections.abc import Mapping
from pathlib import Path

from core.records import Split
from trainers.datasets.work import (
    JUDGED,
    SPLITS,
    DatasetError,
    Outline,
    Work,
    checked,
    rows,
    split_of_patient,
    targets_of,
)

COLUMNS = ("image", "patient_id", "study_id", "split", "view", "text", "mask")
LABEL = "label_"
LICENCE = "as its owner states"
SHARES = {"val": 0.1, "test": 0.2}  # of the patients, where the CSV has no split
UNSURE = ("", "-1", "-1.0", "nan")


def table_in(place: Path) -> Path:
    """The CSV that is named, or the one CSV of a folder; or DatasetError."""
    found = [place] if place.is_file() else sorted(place.glob("*.csv"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found)
        raise DatasetError(f"{place} has {f'several CSV files ({names}); name one' if found else 'no CSV file'}")
    return found[0]


def works(table: Path, *, columns: Mapping[str, str], mask_target: str, seed: int) -> list[Work]:
    """The images of a CSV. columns: the CSV's names of COLUMNS, where they differ; mask_target: what masks show."""
    unknown = sorted(columns.keys() - set(COLUMNS))
    if unknown:
        raise DatasetError(f"--column {unknown[0]}: there are {', '.join(COLUMNS)}")
    names = {name: columns.get(name, name) for name in COLUMNS}
    listed = rows(table, names["image"], *columns.values())
    return checked((_work(row, names, table, mask_target, seed) for row in listed), table)


def _work(row: Mapping[str, str], names: Mapping[str, str], table: Path, mask_target: str, seed: int) -> Work:
    value = {name: row.get(column, "") for name, column in names.items()}
    patient = value["patient_id"] or value["image"]
    labels = {name: each for name, each in row.items() if name.startswith(LABEL)}
    return Work(
        image=value["image"],
        image_id=value["image"],
        patient_id=f"{table.stem} {patient}",  # patient 103 of another set is another
        study_id=value["study_id"] or value["image"],
        dataset=table.stem,
        split=_split(value["split"], table)
        if names["split"] in row
        else split_of_patient(patient, seed=seed, **SHARES),
        view=value["view"].upper() or None,
        text=value["text"],
        targets=targets_of({_name(name): _judged(each, name, table) for name, each in labels.items()}),
        outlines=[Outline(target=mask_target, mask=value["mask"])] if value["mask"] else [],
    )


def _name(column: str) -> str:
    """The finding of a column; the absence of any is called the same in every set."""
    name = column.removeprefix(LABEL)
    return "No Finding" if name.replace("_", " ").lower() == "no finding" else name


def _judged(text: str, column: str, table: Path) -> bool | None:
    if text.lower() in UNSURE:
        return None
    if text.lower() not in JUDGED:
        raise DatasetError(f"{table}: {column} is {text!r}; 1, 0, or nothing where it is unknown")
    return JUDGED[text.lower()]


def _split(text: str, table: Path) -> Split:
    if text.lower() not in SPLITS:
        raise DatasetError(f"{table}: split {text!r}; there are train, val and test")
    return SPLITS[text.lower()]
