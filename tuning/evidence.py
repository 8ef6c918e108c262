"""What trials say of themselves in a sweep's folder, as JSON: each start, what each validation found, and each end.

Ray Tune saves its own state as pickles; nobody reads them. What it had not saved as it died would be lost to it too.
A sweep goes on from what stands here: a trial that has ended does not run again, and no curve has a gap. The starts
show that no trial finished and then ran again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.places import Place

STARTS, REPORTS, NAMES = "starts", "reports", "names"
FAILED, STOPPED = "failed.json", "stopped.json"
STATE = "tune"  # what Ray Tune keeps, "tune-1" of a sweep that has gone on once
TRIAL = "figray.trial"  # beside a trial's settings: the trial that it goes on as
ABOUT = ".metadata.json"  # in a checkpoint of Ray Tune: its step


@dataclass(frozen=True)
class Known:
    """What a sweep that goes on knows of a trial that was begun before."""

    trial: str
    settings: dict[str, Any]  # of its last start
    reports: list[dict[str, Any]]
    end: str  # "finished", "failed" or "stopped"; "" where it has not ended


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
    return [(reports / name).read_json() for name in reports.files() if name not in (FAILED, STOPPED)]


def write_failure(folder: str, trial: str, reason: str) -> None:
    """A trial has ended, and would again end so."""
    (Place.at(folder) / REPORTS / trial / FAILED).write_json(reason)


def read_failure(folder: str, trial: str) -> str:
    """Why it ended; "" where it did not."""
    file = Place.at(folder) / REPORTS / trial / FAILED
    return str(file.read_json()) if file.exists() else ""


def write_stop(folder: str, trial: str, *, step: int) -> None:
    """The scheduler has stopped a trial."""
    (Place.at(folder) / REPORTS / trial / STOPPED).write_json({"step": step})


def known(folder: str, *, steps: int) -> list[Known]:
    """The trials that were begun, by their ids. steps: of a trial that comes to its end."""
    settings = {start["trial"]: start["settings"] for start in read_starts(folder)}
    found = []
    for trial, last in sorted(settings.items()):
        reports = read_reports(folder, trial)
        stopped = (Place.at(folder) / REPORTS / trial / STOPPED).exists()
        finished = bool(reports) and reports[-1]["step"] >= steps
        end = "failed" if read_failure(folder, trial) else "finished" if finished else "stopped" if stopped else ""
        found.append(Known(trial, last, reports, end))
    return found


def named(folder: str, tune_id: str, settings: Mapping[str, Any]) -> str:
    """The trial as which one of Ray Tune's runs: as it was first told, for PBT copies the settings of others."""
    file = Place.at(folder) / NAMES / f"{tune_id}.json"
    if file.exists():
        return str(file.read_json())
    trial = str(settings.get(TRIAL) or tune_id)
    file.write_json(trial)
    return trial


def next_state(folder: str) -> str:
    """The name of the folder for what Ray Tune keeps this time: one that is not there."""
    return STATE if not (taken := _states(Place.at(folder))) else f"{STATE}-{len(taken)}"


def latest_checkpoint(
    folder: str, trial: str, *, why_not: Callable[[Place], str] = lambda _: ""
) -> tuple[Place, int] | None:
    """The checkpoint of the highest step that a trial has left, of whichever time, with its step.

    why_not: says of one why it cannot be gone on from, "" where it can.
    """
    place, found = Place.at(folder), list[tuple[int, Place]]()
    for state in _states(place):
        own = place / state / trial
        for name in own.folders():
            about = own / name / ABOUT
            if name.startswith("checkpoint_") and about.exists():
                found.append((int(about.read_json()["step"]), own / name))
    newest_first = sorted(found, key=lambda each: each[0], reverse=True)
    return next(((checkpoint, step) for step, checkpoint in newest_first if not why_not(checkpoint)), None)


def _states(place: Place) -> list[str]:
    return [name for name in place.folders() if name == STATE or name.startswith(f"{STATE}-")]
