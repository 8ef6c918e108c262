"""Panels that a white line right across still parts, where the detector saw but one: at full resolution it is plain."""

import numpy as np
from numpy.typing import NDArray

from core.records import Box
from pipelines.separation.layout import lines_across, slab

Grey = NDArray[np.uint8]
PAPER = 232  # grey values from which a line is white
CLEAN = 0.985  # share of a line that is white, for a gap
DENSE = 0.25  # most of a picture that may be white; charts and drawings have gaps of their own


def part_at_gaps(grey: Grey, box: Box, least: int) -> list[Box]:
    """The parts of a picture between white lines right across it, each at least `least` pixels wide and high.

    grey: the figure (H, W), 0 to 255. The box alone where no line parts it, or where it is no dense picture.
    """
    if white_share(grey, box) > DENSE:
        return [box]
    for axis in (0, 1):
        parts = _parts(grey, box, axis, least)
        if len(parts) > 1:
            return [piece for part in parts for piece in part_at_gaps(grey, part, least)]
    return [box]


def white_share(grey: Grey, box: Box) -> float:
    """The share of a box that is paper, 0 to 1."""
    region = grey[box[1] : box[3], box[0] : box[2]]
    return float((region >= PAPER).mean()) if region.size else 1.0


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Stretches of true values as (start, stop)."""
    changes = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return list(zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True))


def _parts(grey: Grey, box: Box, axis: int, least: int) -> list[Box]:
    """What lies between the white lines across an axis."""
    white = (lines_across(grey, box, axis) >= PAPER).mean(axis=1) >= CLEAN
    found = runs(~white)
    if any(stop - start < least for start, stop in found):
        return [box]
    return [slab(box, axis, box[axis] + start, box[axis] + stop) for start, stop in found]
