"""Boxes that a detector is nearly right about, moved to the true edges of panels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.records import Box

Grey = NDArray[np.uint8]
REACH = 0.07  # of the box's side, as far as an edge may move
LEAST_REACH = 4  # px
WHITE = 238  # grey values from which paper may be
CLEAN = 0.985  # share of a line that paper covers, for a line beside a panel
STEP = 40.0  # grey values at which a step counts in full
CLEAR = 0.12  # mean step along a line, above that of its neighbours, that makes it an edge
NEAR = 0.5  # of a full step, that the far end of the reach loses


def snap(grey: Grey, boxes: Sequence[Box]) -> list[Box]:
    """Each box with every side at the nearest margin of paper, else at the clearest step in grey, else where it was.

    grey: the figure (H, W), 0 to 255. Sides that would cross keep their place.
    """
    return [_snap_box(grey, box) for box in boxes]


def _snap_box(grey: Grey, box: Box) -> Box:
    sides = [_snap_side(grey, box, side) for side in range(4)]
    left, top, right, bottom = sides
    return (left, top, right, bottom) if right > left + 1 and bottom > top + 1 else box


def _snap_side(grey: Grey, box: Box, side: int) -> int:
    """The place of a side (0 left, 1 top, 2 right, 3 bottom)."""
    axis, last = side % 2, side >= 2
    # Lines parallel to the side as rows, so that one rule serves all four sides.
    lines = grey.T if axis == 0 else grey
    length = lines.shape[0]
    reach = max(LEAST_REACH, round(REACH * (box[2 + axis] - box[axis])))
    low, high = max(0, box[side] - reach), min(length, box[side] + reach)
    start, stop = _span(box, 1 - axis)
    window = lines[low:high, start:stop]
    if window.size == 0:
        return box[side]
    paper = (window >= WHITE).mean(axis=1) >= CLEAN
    at = _margin(paper[::-1], high - box[side]) if last else _margin(paper, box[side] - low)
    if at is not None:
        return high - at if last else low + at
    found = _clearest(window, box[side] - low, reach) + low
    border = length if last else 0
    at_border = found == box[side] and abs(border - found) <= LEAST_REACH  # the page ends there, and the panel with it
    return border if at_border else found


def _span(box: Box, axis: int) -> tuple[int, int]:
    """The middle nine tenths of a box along an axis: corners are where letters and neighbours stand."""
    spare = (box[2 + axis] - box[axis]) // 20
    return box[axis] + spare, box[2 + axis] - spare


def _margin(paper: NDArray[np.bool_], place: int) -> int | None:
    """The first line of the panel, where paper lies before it; lines run from outside to inside."""
    if not paper.any():
        return None
    inside = np.flatnonzero(~paper)
    starts = [int(at) for at in inside if at > 0 and paper[at - 1]]
    return min(starts, key=lambda at: abs(at - place), default=None)


def _clearest(window: Grey, place: int, reach: int) -> int:
    """The line before which grey steps most, nearer ones preferred; the old place where no step is clear."""
    if len(window) < 3:
        return place
    steps = np.minimum(np.abs(np.diff(window.astype(np.int16), axis=0)), STEP).mean(axis=1) / STEP  # (lines - 1,)
    clear = steps - np.median(steps)  # texture steps everywhere
    places = np.arange(1, len(window))
    likeliest = int(np.argmax(clear - NEAR * np.abs(places - place) / reach * CLEAR))
    return int(places[likeliest]) if clear[likeliest] >= CLEAR else place
