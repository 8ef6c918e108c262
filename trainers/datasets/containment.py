"""Which published sets hold radiographs of which others: what a model has seen of one, it has seen of the other."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Relation = Literal["whole", "part", "sibling"]
UNKNOWN = " (patients unknown)"  # ends the name of a set of which nobody said who its patients are


@dataclass(frozen=True)
class Containment:
    """A set whose radiographs are taken from another."""

    part: str
    whole: str
    known: str  # how much of it, and by whom


CONTAINED = (
    Containment(
        "RSNA", "NIH", "30,000 radiographs of NIH ChestX-ray14 (Shih et al., 2019); RSNA's mapping file says which"
    ),
    Containment("SIIM", "NIH", "radiographs of NIH ChestX-ray14 (SIIM-ACR, 2019); no file says which"),
    Containment("ChestX-Det", "NIH", "3,578 radiographs of NIH ChestX-ray14 (Lian et al., 2021)"),
    Containment("MS-CXR", "MIMIC-CXR", "1,162 findings marked in radiographs of MIMIC-CXR (Boecking et al., 2022)"),
)
# How the sets are called, in figray's tables and in the file names of users, as a word of its own.
NAMES = {
    "RSNA": r"rsna",
    "SIIM": r"siim",
    "ChestX-Det": r"chestx[\s_-]?det(10)?",
    "MS-CXR": r"ms[\s_-]?cxr",
    "MIMIC-CXR": r"mimic|p\d{8}$",  # patients as figray names them
    "NIH": r"nih|chest[\s_-]?x-?ray[\s_-]?(8|14)",
}
# The number of a patient as all sets have it that are parts of one.
NUMBERS = {"NIH": r"\bnih\D*?0*(\d{1,5})$", "MIMIC-CXR": r"(?:^|\D)(1\d{7})$"}


def family(name: str) -> str | None:
    """The published set that a name of a set, or of a patient of it, speaks of; None where it speaks of none."""
    lowered = name.casefold()
    return next((each for each, way in NAMES.items() if re.search(rf"(?<![a-z0-9])(?:{way})(?![a-z])", lowered)), None)


def whole_of(name: str) -> str | None:
    """The set that a set is a part of, or itself where others are parts of it."""
    own = family(name)
    return next((each.whole for each in CONTAINED if own in (each.part, each.whole)), None)


def containment(one: str, other: str) -> Containment | None:
    """What is declared of two sets, of which one holds the other, or both are parts of a third."""
    families = {family(one), family(other)}
    within = [each for each in CONTAINED if each.whole == whole_of(one) == whole_of(other)]
    if len(families) < 2:
        return None
    return next((each for each in within if each.part in families), None)


def relation(trained: str, probed: str) -> Relation | None:
    """What the set that a model was trained on is to the one it is probed on: its whole, its part, or a sibling."""
    found = containment(trained, probed)
    if found is None:
        return None
    if family(trained) == found.whole:
        return "whole"
    return "part" if family(probed) == found.whole else "sibling"


def patient_numbers(patients: Iterable[str], whole: str) -> dict[str, int]:
    """Of those patients that are named by the whole set's number, the number; whole: of NUMBERS."""
    way = re.compile(NUMBERS[whole])
    found = ((patient, way.search(patient.casefold())) for patient in patients)
    return {patient: int(match.group(1)) for patient, match in found if match}
