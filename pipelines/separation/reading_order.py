"""The order in which people read panels: along rows, or down columns."""

from collections.abc import Sequence

from core.records import Box


def reading_order(boxes: Sequence[Box]) -> list[int]:
    """The indices of boxes row by row, each row from left to right; a row is what overlaps its first box by half."""
    left = sorted(range(len(boxes)), key=lambda index: (boxes[index][1] + boxes[index][3], boxes[index][0]))
    order: list[int] = []
    while left:
        top, bottom = boxes[left[0]][1], boxes[left[0]][3]
        row = [index for index in left if _overlap((top, bottom), (boxes[index][1], boxes[index][3])) > 0.5]
        row = row or left[:1]
        order += sorted(row, key=lambda index: boxes[index][0])
        left = [index for index in left if index not in row]
    return order


def down_columns(boxes: Sequence[Box]) -> list[int]:
    """The indices of boxes column by column, each column from top to bottom."""
    return reading_order([(top, left, bottom, right) for left, top, right, bottom in boxes])


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> float:
    """The common length of two intervals as a share of the shorter one."""
    common = min(one[1], other[1]) - max(one[0], other[0])
    return common / max(min(one[1] - one[0], other[1] - other[0]), 1)
