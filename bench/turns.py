"""Sides of a comparison that take turns, so that what else the machine does weighs on all of them."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median


def in_turns(sides: Mapping[str, Callable[[int], float]], turns: int) -> dict[str, list[float]]:
    """What each side returns for the number of each turn."""
    told: dict[str, list[float]] = {side: [] for side in sides}
    for turn in range(turns):
        for side, run in sides.items():
            told[side].append(run(turn))
    return told


def ratio_of_medians(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of each side: one slow turn does not count."""
    return median(ours) / median(theirs)
