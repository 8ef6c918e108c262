"""NIH ChestX-ray14: 112,120 images with findings read from reports by machine (Wang et al., CVPR 2017).

Files: Data_Entry_2017.csv or Data_Entry_2017_v2020.csv; images_0xx/images/*.png or any folders with them; where present
BBox_List_2017.csv, train_val_list.txt and test_list.txt.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from core.file_names import files_below
from core.records import Split
from trainers.datasets.work import (
    DatasetError,
    Outline,
    Work,
    checked,
    id_of,
    needed,
    number,
    rows,
    split_of_patient,
    targets_of,
)

SOURCE = "the NIH Clinical Center, https://nihcc.app.box.com/v/ChestXray-NIHCC"
LICENCE = "no restrictions; attribution"
ATTRIBUTION = "NIH Clinical Center; Wang et al., ChestX-ray8, CVPR 2017"
TARGETS = (  # in the order of MRM
    "Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia", "Pneumothorax",
    "Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening", "Hernia",
)  # fmt: skip
TEST_LIST = re.compile(r"test_list.*\.txt")
NO_FINDING = "No Finding"
OTHER_NAMES = {"Infiltrate": "Infiltration"}  # in the list of boxes
SHARES = {"val": 0.1, "test": 0.2}  # of the patients without the official lists; MRM
VAL = 0.125  # of the patients of train_val_list.txt: a tenth of all where test_list.txt has a fifth


def works(root: Path, *, seed: int) -> list[Work]:
    """Every image of the table; raises DatasetError."""
    table = needed(root, "Data_Entry_2017*.csv", source=SOURCE)
    files = {path.rpartition("/")[2]: path for path in sorted(files_below(root)) if path.endswith(".png")}
    if not files:
        raise DatasetError(
            f"there are no *.png below {root}; unpack images_001.tar.gz to images_012.tar.gz there, from {SOURCE}"
        )
    boxes, test = _boxes(root), _test(root)
    listed = rows(table, "Image Index", "Finding Labels", "Patient ID", "View Position")
    return checked((_work(row, files, boxes, test, table, seed) for row in listed), table)


def _work(
    row: Mapping[str, str],
    files: Mapping[str, str],
    boxes: Mapping[str, list[Outline]],
    test: frozenset[str] | None,
    table: Path,
    seed: int,
) -> Work:
    image, patient = row["Image Index"], id_of(row["Patient ID"], table)
    found = [name for name in row["Finding Labels"].split("|") if name]
    unknown = [name for name in found if name not in (*TARGETS, NO_FINDING)]
    if unknown:
        raise DatasetError(f"{table}: {unknown[0]!r} of {image} is none of the 14 findings")
    return Work(
        image=files.get(image, image),
        image_id=image,
        patient_id=f"NIH {patient}",  # patient 103 of another set is another
        study_id=image.removesuffix(".png"),
        dataset="NIH",
        split=_split(image, patient, test, seed),
        view=row["View Position"] or None,
        targets=targets_of({name: name in found if found else None for name in (*TARGETS, NO_FINDING)}),
        outlines=boxes.get(image, []),
    )


def _split(image: str, patient: str, test: frozenset[str] | None, seed: int) -> Split:
    """The side of an image: by the official lists, the validation patients drawn from train_val_list.txt."""
    if test is None:
        return split_of_patient(patient, seed=seed, **SHARES)
    return "test" if image in test else split_of_patient(patient, seed=seed, val=VAL, test=0.0)


def _test(root: Path) -> frozenset[str] | None:
    """The images of the official test list; None where it is absent."""
    lists = sorted(path for path in files_below(root) if TEST_LIST.fullmatch(path.rpartition("/")[2]))
    return frozenset((root / lists[0]).read_text(encoding="utf-8-sig").split()) if lists else None


def _boxes(root: Path) -> dict[str, list[Outline]]:
    """The boxes by image, none where the list is absent. Its header breaks the column "Bbox [x,y,w,h]" in four."""
    found: dict[str, list[Outline]] = defaultdict(list)
    for table in sorted(root.glob("BBox_List_2017*.csv"))[:1]:
        for row in rows(table, "Image Index", "Finding Label", "Bbox [x", "y", "w", "h]"):
            left, top, width, height = (number(row[name], table) for name in ("Bbox [x", "y", "w", "h]"))
            target = OTHER_NAMES.get(row["Finding Label"], row["Finding Label"])
            found[row["Image Index"]].append(Outline(target=target, box=(left, top, width, height)))
    return found
