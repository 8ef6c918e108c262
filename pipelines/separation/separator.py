"""Figures into panels and printed letters by a trained detector, its boxes brought to the panels' true edges."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Subfigure
from pipelines.separation.dark_margins import share_margins
from pipelines.separation.detector import Detector, Found
from pipelines.separation.gaps import part_at_gaps
from pipelines.separation.layout import Layout, common, in_order
from pipelines.separation.leftover import pictures_left
from pipelines.separation.snap import snap

SURE = 0.4  # score from which a panel is believed
LIKELY = 0.3  # and a letter
SHARED = 0.35  # share of the smaller of two boxes, above which they are the same panel or one holds the other
LEAST_PART = 24  # px of a part that a white line cuts off


class Separator:
    """Finds panels and letters; one whole-figure panel where there is no other.

    weights: a file of `figray train separator`, None for the one that figray comes with. min_panel: shortest side of a
    panel as a fraction of the figure's same side; max_panels: more is texture.
    """

    def __init__(self, weights: str | None = None, *, min_panel: float, max_panels: int) -> None:
        self._detector = Detector(weights)
        self.min_panel, self.max_panels = min_panel, max_panels

    def __call__(self, image: NDArray[np.uint8]) -> Layout:
        """The layout of an RGB figure (H, W, 3), boxes in its pixels."""
        proposed, letters = self._detector(image)
        return Layout(in_order(self._panels(image, proposed)), [one.box for one in letters if one.score >= LIKELY])

    def _panels(self, image: NDArray[np.uint8], proposed: Sequence[Found]) -> list[Subfigure]:
        """The detector's panels on their true edges."""
        height, width = image.shape[:2]
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        sure = apart([one for one in proposed if one.score >= SURE])
        boxes = snap(grey, [one.box for one in sure])
        filled = [(box, one.score) for box, one in zip(boxes, sure, strict=True)]
        if len(filled) > 1:
            filled += [(box, SURE) for box in snap(grey, pictures_left(grey, [box for box, _ in filled]))]
        least = self._least(width, height)
        found = [Subfigure(box=part, score=score) for box, score in filled for part in part_at_gaps(grey, box, least)]
        if 1 < len(found) <= self.max_panels:
            boxes = share_margins(grey, [panel.box for panel in found])
            return [replace(panel, box=box) for panel, box in zip(found, boxes, strict=True)]
        return [Subfigure(box=(0, 0, width, height), score=max((one.score for one in sure), default=0.5))]

    def _least(self, width: int, height: int) -> int:
        return max(LEAST_PART, round(self.min_panel * min(width, height) / 2))


def apart(found: Sequence[Found]) -> list[Found]:
    """The surest boxes of which no two are the same place."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: -one.score):
        if all(common(one.box, other.box) <= SHARED for other in kept):
            kept.append(one)
    return kept
