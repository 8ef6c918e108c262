"""What trials say of themselves in a sweep's folder: each start, and the end of those that came to theirs.

Ray Tune saves its own state every few seconds; what it had not saved as it died, it would run again. A trial whose end
stands here does not: it tells what it found, and a table of the starts shows that none finished and then ran again.
"""

from collections.abc import Mapping
from typing import Any

from app.places import Place

STARTS, ENDS = "starts", "ends"


def write_start(folder: str, trial: str, *, step: int, settings: Mapping[str, Any]) -> None:
    """A trial begins, or goes on from a step. folder: the sweep's, path or URI."""
    starts = Place.at(folder) / STARTS
    number = sum(name.startswith(f"{trial}-") for name in starts.files())
    (starts / f"{trial}-{number:03d}.json").write_json({"trial": trial, "step": step, "settings": dict(settings)})


def write_end(folder: str, trial: str, numbers: Mapping[str, Any]) -> None:
    """A trial has taken its last step; numbers: its last report."""
    (Place.at(folder) / ENDS / f"{trial}.json").write_json(dict(numbers))


def read_end(folder: str, trial: str) -> dict[str, Any] | None:
    """The last report of a trial that has taken its last step; None of any other."""
    file = Place.at(folder) / ENDS / f"{trial}.json"
    return file.read_json() if file.exists() else None


def read_starts(folder: str) -> list[dict[str, Any]]:
    """All starts, those of a trial one after another in their order."""
    starts = Place.at(folder) / STARTS
    return [(starts / name).read_json() for name in starts.files()]
