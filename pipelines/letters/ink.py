"""The ink of a letter within a box that is larger than it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Box

AWAY = 70  # grey values from its ground that make ink
LEAST = 0.2  # of the box's height, for a glyph; less is dust
MOST = 0.7  # of the box that ink may cover; more is a picture


def ink_box(image: NDArray[np.uint8], box: Box) -> Box:
    """The box of the glyphs that stand free in a box of an RGB figure (H, W, 3); the box itself where none do."""
    left, top, right, bottom = box
    grey = np.asarray(cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY), dtype=np.int16)
    rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ink = (np.abs(grey - np.median(rim)) > AWAY).astype(np.uint8)
    stats = cv2.connectedComponentsWithStats(ink, connectivity=8)[2][1:]
    height, width = grey.shape
    free = [
        (x, y, x + w, y + h)
        for x, y, w, h, _ in stats.tolist()
        if x > 0 and y > 0 and x + w < width and y + h < height and h >= LEAST * height
    ]
    if not free or ink.mean() > MOST:
        return box
    x, y, right_end, bottom_end = (int(edge) for edge in (*np.min(free, axis=0)[:2], *np.max(free, axis=0)[2:]))
    return left + x, top + y, left + right_end, top + bottom_end
