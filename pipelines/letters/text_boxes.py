"""Where text stands on a panel, by PP-OCRv6's detector: asked only where no letter's box was found."""

import numpy as np
from numpy.typing import NDArray

from core.records import Box
from pipelines.letters.wheel_models import TextBoxes

LONG_SIDE = 256  # px; PaddleOCR's own enlarges small panels to 736, takes ten times as long and finds fewer letters
AROUND = 0.06  # of the panel's sides: letters stand at the very edge, and beside the axes of charts
MOST = 2  # boxes of a panel that are worth reading
LOWEST, HIGHEST = 0.02, 0.2  # of the panel's shorter side, for a letter's height
TITLES, UPPER = 1, 0.25  # of a panel that are read, and the part of its height that they stand in
LONGEST = 2.5  # width to height


class TextFinder:
    """Finds short text near the corners of panels and the middles between them."""

    def __init__(self) -> None:
        self._lines = TextBoxes(long_side=LONG_SIDE)

    def __call__(self, image: NDArray[np.uint8], panel: Box) -> list[Box]:
        """The boxes of what may be a letter on a panel of an RGB figure (H, W, 3), nearest to a usual place first."""
        left, top, right, bottom = _grown(panel, image.shape)
        crop = np.ascontiguousarray(image[top:bottom, left:right, ::-1])
        if crop.size == 0:
            return []
        corners = [(*shape.min(axis=0), *shape.max(axis=0)) for shape in self._lines(crop)]
        boxes = [(int(a) + left, int(b) + top, int(c) + left, int(d) + top) for a, b, c, d in corners]
        likely = sorted((box for box in boxes if _may_be_letter(box, panel)), key=lambda box: _from_corner(box, panel))
        titles = sorted((box for box in boxes if _may_be_title(box, panel)), key=lambda box: box[1])
        return likely[:MOST] + titles[:TITLES]


def _grown(panel: Box, shape: tuple[int, ...]) -> Box:
    across, along = round(AROUND * (panel[2] - panel[0])), round(AROUND * (panel[3] - panel[1]))
    right, bottom = min(shape[1], panel[2] + across), min(shape[0], panel[3] + along)
    return max(0, panel[0] - across), max(0, panel[1] - along), right, bottom


def _may_be_letter(box: Box, panel: Box) -> bool:
    height, width = box[3] - box[1], box[2] - box[0]
    side = min(panel[2] - panel[0], panel[3] - panel[1])
    return LOWEST * side <= height <= HIGHEST * side and width <= LONGEST * height


def _may_be_title(box: Box, panel: Box) -> bool:
    """Whether a line in the upper part of a panel may begin with its letter: "a) E. coli"."""
    height, width = box[3] - box[1], box[2] - box[0]
    side = min(panel[2] - panel[0], panel[3] - panel[1])
    is_high = box[1] < panel[1] + UPPER * (panel[3] - panel[1])
    return is_high and LOWEST * side <= height <= HIGHEST * side and width > LONGEST * height


def _from_corner(box: Box, panel: Box) -> int:
    """Pixels between a box and the nearest corner of its panel, or the middle of its upper or lower edge."""
    middle = abs(box[0] + box[2] - panel[0] - panel[2]) // 2
    across = min(abs(box[0] - panel[0]), abs(panel[2] - box[2]), middle)
    along = min(box[1] - panel[1], panel[3] - box[3])
    return across + abs(along)
