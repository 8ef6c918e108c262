"""Graphics that one line of ink runs through are one panel: an axis, an arrow or a frame ties its parts together."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from core.records import Box
from pipelines.separation.gaps import white_share

Grey = NDArray[np.uint8]
SEEN = 800  # px of the longer side of the copy that is looked at
INK = 200  # grey values up to which ink is
PAPERY = 0.4  # share of a box that is paper, from which it is a graphic
DEEP = 0.06  # of a box's shorter side, that a line reaches into it
FRAME = 0.97  # of the figure's sides: a line around the whole figure ties nothing


def tied(grey: Grey, boxes: Sequence[Box]) -> list[list[int]]:
    """The boxes, by number, in groups that ink ties together; pictures are never tied.

    grey: the figure (H, W), 0 to 255.
    """
    scale = min(1.0, SEEN / max(grey.shape))
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    # The darkest of the pixels that become one, so that no thin line is lost.
    dark = cv2.erode(grey, np.ones((max(1, round(1 / scale)),) * 2, np.uint8)) if scale < 1 else grey
    small = np.asarray(cv2.resize(dark, size, interpolation=cv2.INTER_NEAREST))
    _, marks, stats, _ = cv2.connectedComponentsWithStats((small <= INK).astype(np.uint8), connectivity=8)
    frames = np.flatnonzero((stats[:, 2] >= FRAME * size[0]) & (stats[:, 3] >= FRAME * size[1]))
    graphics = [k for k, box in enumerate(boxes) if white_share(grey, box) >= PAPERY]
    entered = [
        _entering(np.asarray(marks), [round(edge * scale) for edge in boxes[k]]) - {0, *frames.tolist()}
        for k in graphics
    ]
    ties = [(graphics[i], graphics[j]) for i in range(len(graphics)) for j in range(i) if entered[i] & entered[j]]
    rows, columns = ([tie[end] for tie in ties] for end in (0, 1))
    graph = coo_matrix((np.ones(len(ties)), (rows, columns)), shape=(len(boxes), len(boxes)))
    members = connected_components(graph, directed=False)[1].tolist()
    return [[k for k, member in enumerate(members) if member == one] for one in dict.fromkeys(members)]


def _entering(marks: NDArray[Any], box: Sequence[int]) -> set[int]:
    """The lines of ink that reach well into a box."""
    left, top, right, bottom = box
    deep = max(2, round(DEEP * min(right - left, bottom - top)))
    return set(np.unique(marks[top + deep : bottom - deep, left + deep : right - deep]).tolist())
