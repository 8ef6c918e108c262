"""Where the panels of a figure lie and where letters may be printed."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.reading_order import reading_order
from pipelines.records import Box, Subfigure


@dataclass(frozen=True)
class Layout:
    """The panels of a figure in reading order, and the boxes of printed letters, the surest first."""

    subfigures: list[Subfigure]
    letters: list[Box]


def in_order(subfigures: Sequence[Subfigure]) -> list[Subfigure]:
    """Panels as people read them."""
    return [subfigures[place] for place in reading_order([panel.box for panel in subfigures])]


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
