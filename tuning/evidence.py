"""What trials say of themselves in a sweep's folder: each start, and what each validation found.

Ray Tune saves its own state every few seconds; what it had not saved as it died is lost to it, and it would run again.
A trial whose last report stands here does not: it tells that again, and no curve has a gap. The starts show that no
trial finished and then ran again.
"""

from collections.abc import Mapping
from typing import Any

from core.places import Place

STARTS, REPORTS = "starts", "reports"
FAILED = "failed.json"


def write_start(folder: str, trial: str, *, step: int, settings: Mapping[str, Any]) -> None:
    """A trial begins, or goes on from a step. folder: the sweep's, path or URI."""
    starts = Place.at(folder) / STARTS
    number = sum(name.startswith(f"{trial}-") for name in starts.files())
    (starts / f"{trial}-{number:03d}.json").write_json({"trial": trial, "step": step, "settings": dict(settings)})


def read_starts(folder: str) -> list[dict[str, Any]]:
    """All starts, those of a trial one after another in their order."""
    starts = Place.at(folder) / STARTS
    return [(starts / name).read_json() for name in starts.files()]


def write_report(folder: str, trial: str, numbers: Mapping[str, Any]) -> None:
    """What a trial found at a step; found again after a restart, it takes the place of what stood there."""
    (Place.at(folder) / REPORTS / trial / f"step-{numbers['step']:08d}.json").write_json(dict(numbers))


def read_reports(folder: str, trial: str) -> list[dict[str, Any]]:
    """What a trial found, by step."""
    reports = Place.at(folder) / REPORTS / trial
    return [(reports / name).read_json() for name in reports.files() if name != FAILED]


def write_failure(folder: str, trial: str, reason: str) -> None:
    """A trial has ended, and would again end so."""
    (Place.at(folder) / REPORTS / trial / FAILED).write_json(reason)


def read_failure(folder: str, trial: str) -> str:
    """Why it ended; "" where it did not."""
    file = Place.at(folder) / REPORTS / trial / FAILED
    return str(file.read_json()) if file.exists() else ""
