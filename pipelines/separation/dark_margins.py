"""Panels that are black at their edges and touch: nothing shows where one ends, but rows and columns stand in line."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.records import Box

Grey = NDArray[np.uint8]
DARK = 45  # grey values up to which the ground of a scan may be
MOSTLY = 0.85  # share of a margin that is dark; a letter may stand on it
FACING = 0.5  # of the shorter side, that neighbours lie side by side
FARTHEST = 0.4  # of a panel's side, that a margin may be deep


@dataclass(frozen=True)
class Margin:
    """The dark stretch between a side of one panel and the panel, or the end of the figure, that it faces."""

    first: int | None  # panel before it, None: the figure begins
    second: int | None  # panel after it, None: the figure ends
    start: int
    stop: int


def share_margins(grey: Grey, boxes: Sequence[Box]) -> list[Box]:
    """Boxes grown over the dark margins around them: to the figure's end, or to where rows and columns part.

    grey: the figure (H, W), 0 to 255. Margins that overlap across the figure part at one line.
    """
    sides = [list(box) for box in boxes]
    for axis in (0, 1):
        for margin, line in _lines(_margins(grey, boxes, axis)):
            if margin.first is not None:
                sides[margin.first][2 + axis] = line
            if margin.second is not None:
                sides[margin.second][axis] = line
    return [(left, top, right, bottom) for left, top, right, bottom in sides]


def _margins(grey: Grey, boxes: Sequence[Box], axis: int) -> list[Margin]:
    end = grey.shape[1 - axis]
    found = []
    for k, box in enumerate(boxes):
        beside = [n for n, other in enumerate(boxes) if n != k and _shared(box, other, axis) > 0]
        after = [n for n in beside if boxes[n][2 + axis] > box[2 + axis]]
        facing = [n for n in after if boxes[n][axis] >= box[2 + axis] and _shared(box, boxes[n], axis) > FACING]
        if facing:
            nearest = min(facing, key=lambda n: boxes[n][axis])
            found.append(Margin(k, nearest, box[2 + axis], boxes[nearest][axis]))
        elif not after:
            found.append(Margin(k, None, box[2 + axis], end))
        if not any(boxes[n][axis] < box[axis] for n in beside):
            found.append(Margin(None, k, 0, box[axis]))
    return [margin for margin in found if _is_dark(grey, boxes, margin, axis)]


def _shared(one: Box, other: Box, axis: int) -> float:
    """The length along which two panels lie side by side across an axis, as a share of the shorter; below 0: apart."""
    across = 1 - axis
    shared = min(one[2 + across], other[2 + across]) - max(one[across], other[across])
    return shared / max(1, min(one[2 + across] - one[across], other[2 + across] - other[across]))


def _is_dark(grey: Grey, boxes: Sequence[Box], margin: Margin, axis: int) -> bool:
    """Whether a margin is worth moving sides over, not too deep, and dark."""
    own = [boxes[k] for k in (margin.first, margin.second) if k is not None]
    deep = margin.stop - margin.start
    limit = FARTHEST * min(box[2 + axis] - box[axis] for box in own) * len(own)
    if not 0 < deep <= limit:
        return False
    low, high = max(box[1 - axis] for box in own), min(box[3 - axis] for box in own)
    strip = grey[low:high, margin.start : margin.stop] if axis == 0 else grey[margin.start : margin.stop, low:high]
    return bool(strip.size and (strip <= DARK).mean() >= MOSTLY)


def _lines(margins: Sequence[Margin]) -> list[tuple[Margin, int]]:
    """For each margin the line that parts it: the middle of what it shares with the margins in line with it."""
    lined = []
    for margin in margins:
        if margin.first is None:
            lined.append((margin, margin.start))
        elif margin.second is None:
            lined.append((margin, margin.stop))
        else:
            lined.append((margin, _middle(margin, margins)))
    return lined


def _middle(margin: Margin, margins: Sequence[Margin]) -> int:
    """The middle of what a margin shares with those in line with it, each between two panels."""
    start, stop = margin.start, margin.stop
    for other in margins:
        between = other.first is not None and other.second is not None
        if between and min(stop, other.stop) > max(start, other.start):
            start, stop = max(start, other.start), min(stop, other.stop)
    return (start + stop) // 2
