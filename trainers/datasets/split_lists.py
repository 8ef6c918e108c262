"""A published list of splits (MRM's, BenchX's): which images of a set are trained on, chosen by and tested on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.records import Split
from trainers.datasets.work import SPLITS, DatasetError, Work, checked, rows


def read_split_list(file: Path) -> dict[str, Split]:
    """Image id -> side, of a CSV with the columns image_id and split; DatasetError names what does not fit.

    A file name counts as the id without its ending.
    """
    found: dict[str, Split] = {}
    for row in rows(file, "image_id", "split"):
        image, side = Path(row["image_id"]).stem if row["image_id"] else "", SPLITS.get(row["split"].strip().lower())
        if not image or side is None:
            raise DatasetError(f"{file}: image {row['image_id']!r} is in split {row['split']!r}; train, val or test")
        if found.setdefault(image, side) != side:
            raise DatasetError(f"{file}: image {image} is in {found[image]} and in {side}")
    return found


def by_list(works: Sequence[Work], listed: Mapping[str, Split], file: Path) -> list[Work]:
    """The works that a list names, on the side it gives them; the others are left out.

    Raises DatasetError if it names none of them, or puts a patient on two sides: a model would be asked what it knows.
    """
    sides = {Path(work.image_id).stem: work for work in works}
    kept = [replace(sides[image], split=side) for image, side in listed.items() if image in sides]
    if not kept:
        raise DatasetError(f"{file} names no image of this set, such as {works[0].image_id if works else 'none'}")
    return checked(kept, file)
