"""Published lists of splits (MRM's, BenchX's): which images of a set are trained on, chosen by and tested on."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from core.records import Split
from trainers.datasets.work import SPLITS, DatasetError, Work, checked, rows

ENDING = re.compile(r"\.(?:png|jpe?g|dcm|dicom|tiff?|bmp)$", re.IGNORECASE)  # SIIM's ids have dots of their own
# Where a name has its ending, what stands after it are labels, as MRM writes them: "00003547_001.png 0 0 1".
LABELLED = re.compile(r"(.+?\.(?:png|jpe?g|dcm|dicom|tiff?|bmp))(?:\s+\S+)*", re.IGNORECASE)
NAMES = ("{}.txt", "{}_list.txt")  # of a side's list in a folder: BenchX's, MRM's
SHOWN = 3  # ids that a sentence names


def read_split_lists(named: Sequence[str]) -> dict[str, Split]:
    """Image id -> side, of lists that together say where each image is; DatasetError names what does not fit.

    Each is a CSV of image_id and split; a text file of one side, a name or path in a line, as "test=FILE"; or a folder
    with such files for train, val and test. A file name counts as the id without its folder and its ending.
    """
    found: dict[str, Split] = {}
    twice = dict[str, str]()
    for image, side, file in (each for name in named for each in _listed(name)):
        if found.setdefault(image, side) != side:
            twice.setdefault(image, f"{found[image]} and in {side} ({file})")
    if twice:
        image, where = next(iter(twice.items()))
        raise DatasetError(f"{len(twice):,} images are on two sides of the lists: image {image} is in {where}")
    return found


def _listed(name: str) -> Iterator[tuple[str, Split, Path]]:
    """Each image that a list names, its side, and the file that says so."""
    asked, separator, path = name.partition("=")
    side = SPLITS.get(asked.strip().lower())
    if separator and side is None and not Path(name).exists():
        raise DatasetError(
            f"{name}: {asked!r} is no split; write train=FILE, val=FILE, test=FILE, or a CSV or a folder"
        )
    file = Path(path if side and separator else name)
    if not file.exists():
        raise DatasetError(f"there is no list {file}")
    if side and separator:
        yield from ((image, side, file) for image in _lines(file))
    elif file.is_dir():
        for of, each in _in_folder(file).items():
            yield from ((image, of, each) for image in _lines(each))
    else:
        yield from ((image, of, file) for image, of in _rows(file))


def _in_folder(folder: Path) -> dict[Split, Path]:
    """The list of each side; DatasetError where one is missing or there are two."""
    found: dict[Split, Path] = {}
    for side in get_args(Split):
        there = [file for name in NAMES if (file := folder / name.format(side)).is_file()]
        if len(there) != 1:
            names = " and ".join(file.name for file in there) or f"no {side}.txt or {side}_list.txt"
            raise DatasetError(f"{folder} has {names}: name the list by itself, as {side}=FILE")
        found[side] = there[0]
    return found


def _rows(file: Path) -> Iterator[tuple[str, Split]]:
    for row in rows(file, "image_id", "split"):
        image, side = image_name(row["image_id"]), SPLITS.get(row["split"].strip().lower())
        if not image or side is None:
            raise DatasetError(f"{file}: image {row['image_id']!r} is in split {row['split']!r}; train, val or test")
        yield image, side


def _lines(file: Path) -> Iterator[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{file} is no list of names: {error}") from error
    names = [name for line in lines if (name := image_name(line))]
    if not names:
        raise DatasetError(f"{file} names no image")
    yield from names


def image_name(text: str) -> str:
    """An image's id as lists and sets write it: "stage_2_train_images/ab.dcm 1" is ab."""
    labelled = LABELLED.fullmatch(text.strip())
    return ENDING.sub("", (labelled[1] if labelled else text.strip()).rpartition("/")[2])


def by_lists(works: Sequence[Work], listed: Mapping[str, Split], named: str) -> tuple[list[Work], list[str]]:
    """The works that the lists name, on the side they give them; and what is said of all others, on both sides.

    named: what the lists are called. Raises DatasetError if they name no image of a side that they have, or put a
    patient on two sides: a model would be asked what it knows.
    """
    there: dict[str, Work] = {}
    for work in works:
        if (other := there.setdefault(image_name(work.image_id), work)) is not work:
            raise DatasetError(f"{named} cannot tell image {other.image_id} from {work.image_id}")
    kept = [replace(there[image], split=side) for image, side in listed.items() if image in there]
    strangers = [image for image in listed if image not in there]
    wanted, found = Counter(listed.values()), Counter(work.split for work in kept)
    such_as = f"the set has {works[0].image_id if works else 'none'}"
    if not kept:
        raise DatasetError(f"{named} names no image of this set, such as {_few(list(listed))}; {such_as}")
    for side in wanted:
        if not found[side]:
            few = _few([image for image in strangers if listed[image] == side])
            raise DatasetError(
                f"none of the {wanted[side]:,} {side} images of {named} is in this set: {few}; {such_as}"
            )
    told = [f"{len(works) - len(kept):,} of {len(works):,} images are not in {named}"]
    if strangers:
        by_side = ", ".join(f"{wanted[side] - found[side]:,} of {wanted[side]:,} {side}" for side in wanted)
        told.append(f"images that {named} has and this set has not: {by_side}; such as {_few(strangers)}")
    return checked(kept, Path(named)), told


def _few(images: Sequence[str]) -> str:
    return ", ".join(images[:SHOWN]) or "none"
