"""Image files that a data set holds more than once: the patients who share one are put on one side of the split.

So does `pair` with articles that share an image. Else what is tested on would have been trained on. What shows the same
in another file is found in the table (alike.py).
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from core.copies.dedupe import groups as groups_of_names
from core.file_names import found_below
from core.records import Split
from core.split import HELD_OUT, one_side
from trainers.datasets.work import Work

READERS = 16  # of files at once: on a network each takes a while to answer


def on_one_side(works: Sequence[Work], root: Path) -> tuple[list[Work], list[str]]:
    """The works, patients who share an image file on one side, in their order; and what is said of it.

    Files are read only where two are of one size. Test keeps all its images, then val; train gives them up.
    """
    together = _patients_of_copies(works, root)  # who shares with one shares with all that one shares with
    groups = groups_of_names([(patients[0], patient) for patients in together for patient in patients[1:]])
    sides: dict[str, set[Split]] = defaultdict(set)
    for work in works:
        sides[groups.get(work.patient_id, work.patient_id)].add(work.split)
    meant = one_side(sides)
    placed = [replace(work, split=meant[groups.get(work.patient_id, work.patient_id)]) for work in works]
    moved = [work for before, work in zip(works, placed, strict=True) if before.split != work.split]
    if not moved:
        return placed, []
    patients = len({work.patient_id for work in moved})
    where = " and ".join(side for side in HELD_OUT if any(work.split == side for work in moved))
    return placed, [
        f"{moved[0].dataset}: {patients:,} patients share an image file with one of another split: "
        f"their {len(moved):,} images went to {where}"
    ]


def _patients_of_copies(works: Sequence[Work], root: Path) -> list[list[str]]:
    """The patients of each image file that more than one of them has."""
    with ThreadPoolExecutor(READERS) as threads:
        sizes = list(threads.map(lambda work: _size(root, work), works))
        by_size: dict[int, list[Work]] = defaultdict(list)
        for work, size in zip(works, sizes, strict=True):
            by_size[size].append(work)
        alike = [work for size, each in by_size.items() if size >= 0 and len(each) > 1 for work in each]
        digests = list(threads.map(lambda work: _digest(root, work), alike))
    by_digest: dict[str, set[str]] = defaultdict(set)
    for work, digest in zip(alike, digests, strict=True):
        by_digest[digest].add(work.patient_id)
    return [sorted(patients) for digest, patients in by_digest.items() if digest and len(patients) > 1]


def _size(root: Path, work: Work) -> int:
    """The bytes of an image file; -1 where there is none, which its reader says."""
    try:
        return found_below(root, work.image).stat().st_size
    except (OSError, ValueError):
        return -1


def _digest(root: Path, work: Work) -> str:
    try:
        with found_below(root, work.image).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
