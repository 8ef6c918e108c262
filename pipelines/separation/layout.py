"""Where the panels of a figure lie and where letters may be printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from core.records import Box, Subfigure
from pipelines.separation.reading_order import reading_order


@dataclass(frozen=True)
class Layout:
    """The panels of a figure in reading order, and the boxes of printed letters, the surest first."""

    subfigures: list[Subfigure]
    letters: list[Box]


def in_order(subfigures: Sequence[Subfigure]) -> list[Subfigure]:
    """Panels as people read them."""
    return [subfigures[place] for place in reading_order([panel.box for panel in subfigures])]


def lines_across(grey: NDArray[np.uint8], box: Box, axis: int) -> NDArray[np.uint8]:
    """The pixels of a box of a grey figure (H, W), with the lines across an axis (0: columns) as rows."""
    region = grey[box[1] : box[3], box[0] : box[2]]
    return region.T if axis == 0 else region


def slab(box: Box, axis: int, start: int, stop: int) -> Box:
    """The part of a box from `start` to `stop` along an axis (0: from left to right)."""
    return (start, box[1], stop, box[3]) if axis == 0 else (box[0], start, box[2], stop)


def union(boxes: Sequence[Box]) -> Box:
    """The smallest box around all of them."""
    return reduce(lambda a, b: (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])), boxes)


def area(box: Box) -> int:
    """Pixels of a box."""
    return max(0, box[2] - box[0]) * max(0, box[3] - box[1])


def intersection(one: Box, other: Box) -> int:
    """Pixels that two boxes share."""
    return area((max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])))


def common(one: Box, other: Box) -> float:
    """The shared area of two boxes as a share of the smaller, 0 to 1."""
    return intersection(one, other) / max(1, min(area(one), area(other)))


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0 to 1."""
    shared = intersection(one, other)
    return shared / max(1, area(one) + area(other) - shared)
