"""How many of RSNA's test images are of a patient in training: split by patientId, and by NIH's patients.

    python -m tests.rsna_patients ../shared/chest_xrays/nih.csv

The CSV has a column image or nih_index with NIH's name of each image, and rsna_patientId with RSNA's, where it is
one of RSNA's. Labels and the mapping are written from it in the shapes in which they are published, and then read by
the reader.
"""

import csv
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from trainers.datasets import rsna
from trainers.datasets.nih_mapping import NAME, read_mapping, seen_in_training

SEEDS = 200


def mapped(table: Path) -> dict[str, str]:
    """RSNA's name of each image that is RSNA's -> NIH's."""
    with table.open(encoding="utf-8-sig", newline="") as stream:
        return {row["rsna_patientId"]: row["nih_index"] for row in csv.DictReader(stream) if row["rsna_patientId"]}


def write_set(images: Mapping[str, str], root: Path) -> None:
    """A challenge of these images: labels, classes, the mapping, and a folder without images."""
    (root / rsna.IMAGES).mkdir(parents=True)
    labels = "".join(f"{image},,,,,0\n" for image in images)
    classes = "".join(f"{image},Normal\n" for image in images)
    (root / "stage_2_train_labels.csv").write_text(f"patientId,x,y,width,height,Target\n{labels}")
    (root / "stage_2_detailed_class_info.csv").write_text(f"patientId,class\n{classes}")
    listed = [{"subset_img_id": ours, "img_id": theirs, "orig_labels": []} for ours, theirs in images.items()]
    (root / NAME).write_text(json.dumps(listed))


def shares(root: Path, seed: int) -> Iterator[tuple[int, int]]:
    """Test images of patients in training, and test images: without the mapping, then with it."""
    mapping = read_mapping(root / NAME)
    patients = {work.image_id: work.patient_id for work in rsna.works(root, seed=seed, mapping=mapping)}
    for told in (None, mapping):
        works = rsna.works(root, seed=seed, mapping=told)
        yield seen_in_training({work.image_id: work.split for work in works}, patients)


def lines(table: Path) -> Iterator[str]:
    """What is said of the images of a table, for seed 0 and for many seeds."""
    images = mapped(table)
    with tempfile.TemporaryDirectory() as folder:
        write_set(images, Path(folder, "set"))
        root = Path(folder, "set")
        mapping = read_mapping(root / NAME)
        yield from rsna.told_of_patients(rsna.works(root, seed=0, mapping=mapping), seed=0, mapping=mapping)
        before, after = zip(*(shares(root, seed) for seed in range(SEEDS)), strict=True)
        for name, found in (("patientId", before), ("NIH's patients", after)):
            seen, tested = (sum(each[n] for each in found) for n in (0, 1))
            yield f"{SEEDS} seeds, split by {name}: {100 * seen / tested:.1f} % ({seen:,} of {tested:,})"


if __name__ == "__main__":
    print("\n".join(lines(Path(sys.argv[1]))))  # noqa: T201
