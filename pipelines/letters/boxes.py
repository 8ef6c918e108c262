"""Where a printed letter may stand: glyphs near the corners of a panel, or in the gap beside it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Box, Subfigure
from pipelines.separation.layout import common

Grey = NDArray[np.uint8]
PER_PANEL = 3
LIGHT, DARK = (150, 205), (105, 50)  # grey values that light ink exceeds and that dark ink stays under
GLYPH = (0.022, 0.15)  # lowest and highest glyph, of the panel's shorter side
LEAST_GLYPH = 6  # px
CENTRED = ("below", "beside", "bottom middle", "top middle")  # places that letters stand in the middle of
CORNER = 0.3  # of the panel's sides, for a letter inside
OUTSIDE = 0.3  # of the panel's shorter side, for a letter outside
JOIN = 0.25  # of its height, that a glyph reaches to each side for its neighbours
MOST_MARKS = 600  # components of a window; more is texture
LONGEST = 3.5  # width to height of "(iii)"


@dataclass(frozen=True)
class Place:
    """A part of the figure to look in, and the point of the panel that letters there keep their distance from."""

    name: str
    window: Box
    anchor: tuple[int, int]


@dataclass(frozen=True)
class Candidate:
    """Glyphs that may be a letter; the offset is from the place's anchor."""

    place: str
    box: Box
    offset: tuple[float, float]
    light: bool

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]


def label_boxes(image: NDArray[np.uint8], subfigures: list[Subfigure]) -> list[list[Box]]:
    """Up to three boxes per panel that may hold its letter, likeliest first; image is RGB (H, W, 3)."""
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    boxes = [subfigure.box for subfigure in subfigures]
    found = [_candidates(grey, box, boxes) for box in boxes]
    return [_likeliest(own, [other for other in found if other is not own]) for own in found]


def _likeliest(own: list[Candidate], others: list[list[Candidate]]) -> list[Box]:
    """The candidates that stand where those of other panels do, then those nearest to their corner."""
    votes = [sum(any(_alike(one, other) for other in panel) for panel in others) for one in own]
    order = sorted(range(len(own)), key=lambda k: (-votes[k], sum(map(abs, own[k].offset))))
    chosen: list[Box] = []
    for k in order:
        repeated = any(common(own[k].box, box) > 0.5 for box in chosen)
        lone = not votes[k] and _is_far(own[k])
        if not repeated and not lone:
            chosen.append(own[k].box)
    return chosen[:PER_PANEL]


def _is_far(one: Candidate) -> bool:
    return max(map(abs, one.offset)) > 3 * one.height


def _alike(one: Candidate, other: Candidate) -> bool:
    near = 0.6 * max(one.height, other.height) + 4
    ratio = one.height / other.height
    distance = max(abs(a - b) for a, b in zip(one.offset, other.offset))
    return one.place == other.place and distance <= near and 0.6 <= ratio <= 1.67


def _candidates(grey: Grey, panel: Box, panels: list[Box]) -> list[Candidate]:
    side = min(panel[2] - panel[0], panel[3] - panel[1])
    heights = (max(LEAST_GLYPH, GLYPH[0] * side), max(2 * LEAST_GLYPH, GLYPH[1] * side))
    found = []
    for place in _places(panel, panels, grey.shape):
        left, top, right, bottom = place.window
        region = grey[top:bottom, left:right]
        if region.size == 0:
            continue
        masks = [(region > value, True) for value in LIGHT] + [(region < value, False) for value in DARK]
        for mask, light in masks:
            for box in glyph_groups(mask.astype(np.uint8), heights):
                moved = (box[0] + left, box[1] + top, box[2] + left, box[3] + top)
                found.append(Candidate(place.name, moved, _offset(moved, place), light))
    return found


def _offset(box: Box, place: Place) -> tuple[float, float]:
    """From the anchor to the box's nearest corner, for a gap to its middle."""
    x, y = place.anchor
    middle = (box[0] + box[2]) / 2 - x
    across = middle if place.name in CENTRED else min(box[0] - x, box[2] - x, key=abs)
    return float(across), float(min(box[1] - y, box[3] - y, key=abs))


def _places(panel: Box, panels: list[Box], shape: tuple[int, ...]) -> list[Place]:
    """The corners inside and the middles between them; the gaps below, above and to the left up to the next panel."""
    left, top, right, bottom = panel
    wide, high = round(CORNER * (right - left)), round(CORNER * (bottom - top))
    far = round(OUTSIDE * min(right - left, bottom - top))
    middle = ((left + right) // 2, (right - left) // 6)  # and half the width of what stands there
    across = [box for box in panels if box[0] < right and box[2] > left]
    along = [box for box in panels if box[1] < bottom and box[3] > top]
    below = min([shape[0], bottom + far, *(box[1] for box in across if box[1] >= bottom)])
    above = max([0, top - far, *(box[3] for box in across if box[3] <= top)])
    before = max([0, left - far, *(box[2] for box in along if box[2] <= left)])
    return [
        Place("top left", (left, top, left + wide, top + high), (left, top)),
        Place("bottom left", (left, bottom - high, left + wide, bottom), (left, bottom)),
        Place("top right", (right - wide, top, right, top + high), (right, top)),
        Place("bottom right", (right - wide, bottom - high, right, bottom), (right, bottom)),
        Place(
            "bottom middle", (middle[0] - middle[1], bottom - high, middle[0] + middle[1], bottom), (middle[0], bottom)
        ),
        Place("top middle", (middle[0] - middle[1], top, middle[0] + middle[1], top + high), (middle[0], top)),
        Place("below", (left, bottom, right, below), ((left + right) // 2, bottom)),
        Place("above", (left, above, right, top), (left, top)),
        Place("beside", (before, top, left, top + far), (left, top)),
    ]


def glyph_groups(mask: Grey, heights: tuple[float, float], most: int = MOST_MARKS) -> list[Box]:
    """Boxes of neighbouring glyphs, "(", "a" and ")" as one; heights: of the lowest and the highest glyph, px."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count > most:
        return []
    kept = [k for k in range(1, count) if _is_glyph(mask, stats[k], heights[1])]
    joined = np.zeros_like(mask)
    for k in kept:
        left, top, width, height = stats[k, :4].tolist()
        across, along = round(JOIN * height) + 1, round(0.5 * JOIN * height) + 1
        joined[max(0, top - along) : top + height + along, max(0, left - across) : left + width + across] = 1
    group_marks = cv2.connectedComponents(joined, connectivity=8)[1]
    groups: dict[int, list[Box]] = {}
    for k in kept:
        left, top, width, height = stats[k, :4].tolist()
        groups.setdefault(int(group_marks[top, left]), []).append((left, top, left + width, top + height))
    boxes = [_around(group) for group in groups.values()]
    return [box for box in boxes if _is_label_sized(box, heights)]


def _is_glyph(mask: Grey, stat: NDArray[np.int32], highest: float) -> bool:
    """Whether a component may be a glyph: no speck, no part of something larger, no filled rectangle."""
    left, top, width, height, area = stat.tolist()
    right, bottom = left + width, top + height
    cut = left == 0 or top == 0 or right == mask.shape[1] or bottom == mask.shape[0]
    if cut or area < 4 or height > highest or width > 2 * highest:
        return False
    rim = mask[[top, bottom - 1], left:right].mean() + mask[top:bottom, [left, right - 1]].mean()
    return not (rim > 1.7 and width > 0.6 * height and height > LEAST_GLYPH)


def _around(boxes: list[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _is_label_sized(box: Box, heights: tuple[float, float]) -> bool:
    width, height = box[2] - box[0], box[3] - box[1]
    return heights[0] <= height <= heights[1] and 0.15 * height <= width <= LONGEST * height
