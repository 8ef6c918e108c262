"""Panels that touch: where a box holds several printed letters, the straight seam between them parts it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.records import Box
from pipelines.separation.layout import area, intersection, lines_across, slab

Grey = NDArray[np.uint8]
LEAST_STEP = 6.0  # grey values, median along a line, of a seam
ABOVE = 3.0  # times the median step of the lines around it
ALIKE = 1.5  # letter heights by which letters may differ in their place on their panels


def part_at_seams(grey: Grey, box: Box, letters: Sequence[Box], least: int) -> list[Box]:
    """The parts of a box with a letter each in the same place, where a seam runs right across; else the box alone.

    grey: the figure (H, W), 0 to 255. letters: boxes of printed letters. least: shortest side of a part in pixels.
    """
    own = [letter for letter in letters if intersection(letter, box) > 0]
    for axis in (1, 0) if len(own) > 1 else ():
        for at in _seams(grey, box, axis, least):
            first, second = slab(box, axis, box[axis], at), slab(box, axis, at, box[2 + axis])
            if _lettered_alike(first, second, own):
                return [part for half in (first, second) for part in part_at_seams(grey, half, own, least)]
    return [box]


def _seams(grey: Grey, box: Box, axis: int, least: int) -> list[int]:
    """The clearest seams across an axis, in pixels of the figure."""
    lines = lines_across(grey, box, axis).astype(np.int16)
    if len(lines) < 2 * least:
        return []
    steps = np.zeros(len(lines))
    steps[1:-1] = np.median(np.abs(lines[2:] - lines[:-2]), axis=1)
    clear = max(LEAST_STEP, ABOVE * float(np.median(steps[1:-1])))
    steps[:least] = steps[len(lines) - least :] = 0
    likeliest = np.argsort(-steps)[:6]
    return [box[axis] + int(at) for at in likeliest if steps[at] >= clear]


def _lettered_alike(first: Box, second: Box, letters: Sequence[Box]) -> bool:
    """Whether both parts have a letter, in the same corner at the same distance."""
    for one in (letter for letter in letters if _on(letter, first)):
        for other in (letter for letter in letters if _on(letter, second)):
            reach = ALIKE * max(one[3] - one[1], other[3] - other[1])
            if any(
                abs(abs(one[x] - first[x]) - abs(other[x] - second[x])) <= reach
                and abs(abs(one[y] - first[y]) - abs(other[y] - second[y])) <= reach
                for x in (0, 2)
                for y in (1, 3)
            ):
                return True
    return False


def _on(letter: Box, panel: Box) -> bool:
    return 2 * intersection(letter, panel) > area(letter)
