"""Pictures that no box lies on: a figure's panels leave little ink between them."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Box
from pipelines.separation.layout import area

Grey = NDArray[np.uint8]
PAPER, BLACK = 238, 20  # grey values of what is no picture
SEEN = 400  # px of the longer side of the copy that is looked at
AROUND = 2  # px of the copy around each box that are its own
LEAST = 0.35  # of the middle panel's area, and of the middle panel's sides
FILLED = 0.55  # share of its box that a picture covers


def pictures_left(grey: Grey, boxes: Sequence[Box]) -> list[Box]:
    """Boxes around pictures about as large as panels that lie on none of the boxes; grey: the figure (H, W)."""
    if not boxes:
        return []
    scale = min(1.0, SEEN / max(grey.shape))
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))
    ink: Grey = ((small < PAPER) & (small > BLACK)).astype(np.uint8)
    for box in boxes:
        left, top, right, bottom = (round(edge * scale) for edge in box)
        ink[max(0, top - AROUND) : bottom + AROUND, max(0, left - AROUND) : right + AROUND] = 0
    closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    found = cv2.connectedComponentsWithStats(opened, connectivity=4)[2][1:]
    least = [float(np.median([box[2 + axis] - box[axis] for box in boxes])) * LEAST for axis in (0, 1)]
    middle = float(np.median([area(box) for box in boxes])) * LEAST
    pictures = []
    for left, top, width, height, pixels in found.tolist():
        box = (round(left / scale), round(top / scale), round((left + width) / scale), round((top + height) / scale))
        sides = (box[2] - box[0] >= least[0], box[3] - box[1] >= least[1])
        if all(sides) and area(box) >= middle and pixels >= FILLED * width * height:
            pictures.append(box)
    return pictures
