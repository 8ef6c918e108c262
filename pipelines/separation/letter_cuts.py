"""A page of plots and schemes cut between its printed letters: axes, legends and colour bars stay with their letter."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.records import Box
from pipelines.separation.gaps import PAPER, runs
from pipelines.separation.layout import lines_across, slab

Grey = NDArray[np.uint8]
CLEAN = 0.995  # share of a line that is white, for a cut
NEAR = 3.0  # letter heights between a cut and the letters after it: what stands higher is no part of their panels
CORNER = (0.3, 0.4)  # of a panel's width and height, in which its letter stands
TRIES = 400  # cuts that are tried before a page counts as one that cannot be cut


class _Tried:
    """How many cuts may still be tried."""

    def __init__(self) -> None:
        self.left = TRIES


def cut_at_letters(grey: Grey, letters: Sequence[Box]) -> list[Box] | None:
    """The panel of each letter, as white lines right across part the page; None where they do not.

    grey: the figure (H, W), 0 to 255. letters: boxes of the printed letters, each at the upper left of its panel.
    """
    page = (0, 0, grey.shape[1], grey.shape[0])
    found = _cut(grey, page, list(range(len(letters))), letters, _Tried())
    if found is None:
        return None
    panels = [inked(grey, found[k]) for k in range(len(letters))]
    return panels if all(_at_corner(letter, box) for letter, box in zip(letters, panels, strict=True)) else None


def inked(grey: Grey, box: Box) -> Box:
    """The part of a box that bears ink; the box where none does."""
    ink = grey[box[1] : box[3], box[0] : box[2]] < PAPER
    down, along = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(down):
        return box
    return box[0] + int(along[0]), box[1] + int(down[0]), box[0] + int(along[-1]) + 1, box[1] + int(down[-1]) + 1


def _cut(grey: Grey, region: Box, own: list[int], letters: Sequence[Box], tried: _Tried) -> dict[int, Box] | None:
    """The region of each letter, by its number."""
    if len(own) == 1:
        return {own[0]: region}
    for axis, at in _cuts(grey, region, [letters[k] for k in own]):
        if tried.left == 0:
            return None
        tried.left -= 1
        halves = slab(region, axis, region[axis], at), slab(region, axis, at, region[2 + axis])
        before = [k for k in own if letters[k][axis] < at]
        after = [k for k in own if letters[k][axis] >= at]
        first = _cut(grey, halves[0], before, letters, tried)
        second = _cut(grey, halves[1], after, letters, tried) if first else None
        if first and second:
            return first | second
    return None


def _cuts(grey: Grey, region: Box, letters: Sequence[Box]) -> Iterator[tuple[int, int]]:
    """Axis and place of the white lines before some of the letters, the widest first."""
    found: list[tuple[int, int, int]] = []
    for axis in (0, 1):
        white = (lines_across(grey, region, axis) >= PAPER).mean(axis=1) >= CLEAN
        gaps = [(region[axis] + start, region[axis] + stop) for start, stop in runs(white)]
        starts = sorted({letter[axis] for letter in letters})
        ends = {start: max(one[2 + axis] for one in letters if one[axis] <= start) for start in starts}
        far = NEAR * max(letter[3] - letter[1] for letter in letters)
        for before, after in pairwise(starts):
            between = [gap for gap in gaps if gap[1] > ends[before] and gap[0] < after and after - gap[1] <= far]
            if between:
                start, stop = max(between)
                stop = min(stop, after)
                found.append((stop - max(start, before), axis, (max(start, before) + stop + 1) // 2))
    yield from ((axis, at) for _, axis, at in sorted(found, reverse=True))


def _at_corner(letter: Box, panel: Box) -> bool:
    """Whether a letter stands at the upper left of what is its panel."""
    return all(letter[axis] - panel[axis] <= CORNER[axis] * (panel[2 + axis] - panel[axis]) for axis in (0, 1))
