"""What a published set says of one image, and what all readers of such sets share: files, columns, splits."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from core.config import UserError
from core.csv_rows import CsvError, as_id, open_csv
from core.file_names import is_hidden
from core.records import Split, Target

HASHES = 2**64
SPLITS: dict[str, Split] = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validate": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
JUDGED = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


class DatasetError(UserError):
    """A file of a set is missing or is not as published; the message says which, and what was expected."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))  # the cells that it shows may be of several


@dataclass(frozen=True, kw_only=True, slots=True)
class Outline:
    """Where a finding is, as published: a box, run lengths or the file of a mask."""

    target: str
    box: tuple[float, float, float, float] | None = None  # left, top, width, height in pixels of the published image
    runs: list[str] = field(default_factory=list)  # relative run lengths down the columns, as SIIM states them
    mask: str | None = None  # an image below the folder of the set; what is not black is the finding


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """One image of a set with what its files say of it."""

    image: str  # below the folder of the set
    image_id: str
    patient_id: str
    study_id: str
    dataset: str
    split: Split
    view: str | None = None
    text: str = ""
    report: str | None = None  # the file of its report, where that is still to be read
    targets: list[Target] = field(default_factory=list)
    outlines: list[Outline] = field(default_factory=list)


def needed(folder: Path, *names: str, source: str) -> Path:
    """The first file of a folder that fits one of the names, which may hold *; or DatasetError, naming the source."""
    for name in names:
        found = sorted(path for path in folder.glob(name) if not is_hidden(path.name))
        if found:
            return found[0]
    raise DatasetError(f"there is no {' or '.join(names)} in {folder}; it comes from {source}")


def rows(file: Path, *columns: str, optional: Sequence[str] = ()) -> Iterator[dict[str, str]]:
    """The rows of a CSV, gzipped or not, by the names of the columns however the file spells them.

    "" where a cell says that nothing is known. Raises DatasetError: one of the columns is missing, a row is cut.
    """
    try:
        yield from open_csv(file, columns, optional).rows()
    except CsvError as error:
        raise DatasetError(str(error)) from error


def id_of(text: str, file: Path) -> str:
    """An id of a patient or study as text, 103.0 as 103; or DatasetError, where a spreadsheet has rounded it."""
    try:
        return as_id(text)
    except ValueError as error:
        raise DatasetError(f"{file}: {error}") from error


def number(text: str, file: Path) -> float:
    """A number in a file, or DatasetError."""
    try:
        return float(text)
    except ValueError as error:
        raise DatasetError(f"{file}: {text!r} is no number") from error


def split_of_patient(patient_id: str, *, seed: int, val: float, test: float) -> Split:
    """The side of a patient, by a hash: the same whoever else is in the set. val, test: shares, 0 to 1."""
    digest = hashlib.blake2b(f"{seed}:{patient_id}".encode(), digest_size=8).digest()
    drawn = int.from_bytes(digest, "big") / HASHES
    if drawn < test:
        return "test"
    return "val" if drawn < test + val else "train"


def checked(works: Iterable[Work], source: Path) -> list[Work]:
    """The works sorted by image; DatasetError if there are none, two of one image, or a patient on two sides."""
    listed = sorted(works, key=lambda work: work.image_id)
    if not listed:
        raise DatasetError(f"{source} lists no image")
    for before, after in pairwise(listed):
        if before.image_id == after.image_id:
            raise DatasetError(f"{source} lists image {after.image_id} twice")
    sides: dict[str, str] = {}
    for work in listed:
        side = sides.setdefault(work.patient_id, work.split)
        if side != work.split:
            raise DatasetError(f"{source}: patient {work.patient_id} is in {side} and in {work.split}")
    return listed


def targets_of(named: Mapping[str, bool | None], order: Sequence[str] = ()) -> list[Target]:
    """Findings that were judged, by name; None: not judged, or unsure."""
    names = order or list(named)
    return [Target(name=name, present=present) for name in names if (present := named.get(name)) is not None]
