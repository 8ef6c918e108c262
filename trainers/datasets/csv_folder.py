"""Any folder of radiographs with a CSV that says what is known of them, one row an image.

Columns: image, a path below the folder; and as far as there are: patient_id, study_id, split, view, text, mask (the
path of an image), and label_NAME for each finding, 1 or 0; each however its case and blanks are: "Patient ID". Others
may be named: {"patient_id": "subject"}.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from core.csv_rows import CsvError, CsvTable, open_csv, plain
from core.file_names import is_hidden
from core.records import Split
from trainers.datasets.work import (
    JUDGED,
    SPLITS,
    DatasetError,
    Outline,
    Work,
    checked,
    id_of,
    split_of_patient,
    targets_of,
)

COLUMNS = ("image", "patient_id", "study_id", "split", "view", "text", "mask")
LICENCE = "as its owner states"
SHARES = {"val": 0.1, "test": 0.2}  # of the patients, where the CSV has no split
UNSURE = ("", "-1", "-1.0")
LABELLED = re.compile(r"label[\s_.-]+(.+)", re.IGNORECASE)


def table_in(place: Path) -> Path:
    """The CSV that is named, or the one CSV of a folder; or DatasetError."""
    there = [place] if place.is_file() else sorted(path for path in place.iterdir() if path.suffix.lower() == ".csv")
    found = [path for path in there if path == place or not is_hidden(path.name)]
    if len(found) != 1:
        names = ", ".join(path.name for path in found)
        raise DatasetError(f"{place} has {f'several CSV files ({names}); name one' if found else 'no CSV file'}")
    return found[0]


def works(table: Path, *, columns: Mapping[str, str], mask_target: str, seed: int) -> list[Work]:
    """The images of a CSV. columns: the CSV's names of COLUMNS, where they differ; mask_target: what masks show."""
    opened, names = _opened(table, columns)
    labels = _labels(table, opened.names)
    each = partial(_work, opened=opened, names=names, labels=labels, mask_target=mask_target, seed=seed)
    try:
        return checked((each(row) for row in opened.rows()), table)
    except CsvError as error:
        raise DatasetError(str(error)) from error


def notes(table: Path, columns: Mapping[str, str]) -> list[str]:
    """What is to be said of how a CSV is read: where patients are unknown, and which columns say nothing to figray."""
    opened, names = _opened(table, columns)
    told = []
    if names["patient_id"] not in opened.found:
        told.append(f"{table.name}: no patient column: each image is a patient; --column patient_id=NAME names one")
    else:
        without = sum(not row[names["patient_id"]] for row in opened.rows())
        if without:
            told.append(f"{table.name}: {without:,} rows name no patient: each of their images is one of its own")
    read = {*opened.found.values(), *_labels(table, opened.names)}
    unread = [name for name in opened.names if name not in read]
    if unread:
        told.append(f"{table.name}: columns not read: {', '.join(unread)}; --column text=NAME names one")
    return told


def _opened(table: Path, columns: Mapping[str, str]) -> tuple[CsvTable, dict[str, str]]:
    """The CSV, and its names of COLUMNS; or DatasetError."""
    unknown = sorted(columns.keys() - set(COLUMNS))
    if unknown:
        raise DatasetError(f"--column {unknown[0]}: there are {', '.join(COLUMNS)}")
    names = {name: columns.get(name, name) for name in COLUMNS}
    try:
        return open_csv(table, (names["image"], *columns.values()), tuple(names.values())), names
    except CsvError as error:
        raise DatasetError(str(error)) from error


def _labels(table: Path, header: Sequence[str]) -> dict[str, str]:
    """The findings by their columns; DatasetError where two columns are of one."""
    found = {column: _name(named[1]) for column in header if (named := LABELLED.fullmatch(column))}
    twice = [name for name, count in Counter(plain(name) for name in found.values()).items() if count > 1]
    if twice:
        alike = [column for column, name in found.items() if plain(name) == twice[0]]
        raise DatasetError(f"{table}: columns {' and '.join(alike)} are of one finding")
    return found


def _work(
    row: Mapping[str, str],
    *,
    opened: CsvTable,
    names: Mapping[str, str],
    labels: Mapping[str, str],
    mask_target: str,
    seed: int,
) -> Work:
    table = opened.file
    value = {name: row.get(column, "") for name, column in names.items()}
    if not value["image"]:
        raise DatasetError(f"{table}: a row names no image, and holds {', '.join(filter(None, row.values()))[:100]}")
    patient = id_of(value["patient_id"], table) or value["image"]
    return Work(
        image=value["image"],
        image_id=value["image"],
        patient_id=f"{table.stem} {patient}",  # patient 103 of another set is another
        study_id=id_of(value["study_id"], table) or value["image"],
        dataset=table.stem,
        split=_split(value["split"], table)
        if names["split"] in opened.found
        else split_of_patient(patient, seed=seed, **SHARES),
        view=value["view"].upper() or None,
        text=value["text"],
        targets=targets_of({name: _judged(row[column], column, table) for column, name in labels.items()}),
        outlines=[Outline(target=mask_target, mask=value["mask"])] if value["mask"] else [],
    )


def _name(name: str) -> str:
    """A finding; the absence of any is called the same in every set."""
    return "No Finding" if plain(name) == "nofinding" else name


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
