"""The checkpoints that a training has left on the way: the newest whole one, and those that are damaged."""

import logging
from dataclasses import dataclass

from core.checksums import damage
from core.places import Place
from trainers.checkpoint import WHOLE

RESTARTS, STOP = "restarts", "stop.json"  # of a training's folder
STEP = "step-"
PROGRESS = "progress.pt"
log = logging.getLogger("figray")


@dataclass(frozen=True)
class Found:
    """What a training can go on from."""

    checkpoint: Place | None
    step: int
    damaged: tuple[str, ...]  # a sentence for each newer one that is not whole


def newest_whole(out: Place, name: str) -> Found:
    """The newest whole checkpoint of the job of this name, of whichever of its starts."""
    every = [
        (int(step.removeprefix(STEP)), out / RESTARTS / start / step)
        for start in starts(out, name)
        for step in (out / RESTARTS / start).folders()
        if step.startswith(STEP) and step.removeprefix(STEP).isdigit()
    ]
    damaged: list[str] = []
    for step, folder in sorted(every, key=lambda each: each[0], reverse=True):
        reason = why_not(folder)
        if not reason:
            return Found(folder, step, tuple(damaged))
        damaged.append(f"{folder}: {reason}; the checkpoint before it is taken")
    return Found(None, 0, tuple(damaged))


def why_not(checkpoint: Place) -> str:
    """Why a checkpoint cannot be gone on from, in words; "" where it can."""
    missing = [name for name in (WHOLE, PROGRESS) if not (checkpoint / name).exists()]
    return f"{missing[0]} is missing" if missing else damage(checkpoint)


def starts(out: Place, name: str) -> list[str]:
    """The names of a job's starts: its own, then those of each time that it went on."""
    return [each for each in (out / RESTARTS).folders() if each == name or each.startswith(f"{name}.")]


def next_start(out: Place, name: str) -> str:
    """A name for a start that has none of Ray Train's own state: a damaged one would keep it from starting at all."""
    taken = starts(out, name)
    return f"{name}.{len(taken)}" if taken else name


def ask_to_stop(out: Place) -> None:
    """Have the workers save a checkpoint after the step in hand, and end."""
    (out / STOP).write_json(True)


def is_asked_to_stop(out: Place) -> bool:
    """Whether somebody has."""
    return (out / STOP).exists()


def forget_the_stop(out: Place) -> None:
    """Begin anew."""
    (out / STOP).delete_file()
