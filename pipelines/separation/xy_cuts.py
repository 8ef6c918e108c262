"""Figures into panels by recursive X-Y cuts (Nagy and Seth, ICPR 1984) along gaps and straight edges."""

from dataclasses import dataclass
from itertools import combinations, pairwise
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from core.records import Box, Subfigure
from pipelines.separation.gaps import runs
from pipelines.separation.layout import Layout, in_order, lines_across, slab

Grey = NDArray[np.uint8]
Profile = NDArray[np.float64]
Sides = tuple[float, float]
Panel = tuple[Box, float]
LONG_SIDE = 600  # px of the copy that is analysed
WHITE, BLACK = 238, 26  # grey values from which paper, and up to which background, may be
CLEAN = 0.992  # share of a line that a gutter's colour covers
COVERED = 0.9  # share of a line that is black or a step, for a cut
GUTTER = 0.98  # certainty of a white gap
FAR = 0.2  # of its place, that a line may be from where even panels would part
SHARP = 0.35  # share of a line with a step, that a head by itself does not have
RISE = 1.5  # grey values between the blacks of two panels
STEP = 14  # grey values between two panels that touch
EVEN = 1.5  # longest to shortest panel of a row that is cut without a white gutter
MOST_CUTS = 8  # candidates in one direction; more is texture


@dataclass(frozen=True)
class Cut:
    """A gap between panels, or a band that a line between them lies in, from `start` to `stop` of a box."""

    start: int
    stop: int
    certainty: float  # 0 to 1
    lines: tuple[int, ...] = ()  # of the band, where panels seem to meet

    @property
    def middle(self) -> int:
        return (self.start + self.stop) // 2


class XYCuts:
    """Finds the panels of figures; one whole-figure panel where nothing separates any.

    min_panel: shortest side of a panel as a fraction of the figure's same side; max_panels: more is texture.
    """

    def __init__(self, *, min_panel: float, max_panels: int) -> None:
        self.min_panel = min_panel
        self.max_panels = max_panels

    def __call__(self, image: NDArray[np.uint8]) -> Layout:
        """The panels of an RGB figure (H, W, 3), boxes in its pixels; it looks for no letters."""
        return Layout(self._separate(image), letters=[])

    def _separate(self, image: NDArray[np.uint8]) -> list[Subfigure]:
        height, width = image.shape[:2]
        whole = [Subfigure(box=(0, 0, width, height), score=0.9)]
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        scale = min(1.0, LONG_SIDE / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        panels = _cut(small, (0, 0, *size), (self.min_panel * size[0], self.min_panel * size[1]))
        if not 1 <= len(panels) <= self.max_panels:
            return whole
        scales = (width / size[0], height / size[1])
        found = [Subfigure(box=_snap(grey, box, scales), score=round(score, 3)) for box, score in panels]
        return in_order(found)


def _cut(grey: Grey, box: Box, least: Sides) -> list[Panel]:
    """Panels in a box of the small figure; least: smallest width and height of a panel."""
    box = _trim(grey, box)
    if not _holds_panel(grey, box, least):
        return []
    for axis in _longer_first(box):
        panels = _cut_gutters(grey, box, axis, least)
        if panels:
            return panels
    edges = {axis: _edges(grey, box, axis) for axis in _longer_first(box)}
    even = {axis: _even(cuts, box[2 + axis] - box[axis], least[axis]) for axis, cuts in edges.items()}
    panels = _cut_grid(grey, box, even, least)
    if panels:
        return panels
    for axis, cuts in even.items():
        panels = _cut_evenly(grey, box, axis, cuts, least)
        if panels:
            return panels
    for axis, cuts in edges.items() if _is_most(grey, box) else ():
        panels = _cut_unevenly(grey, box, axis, cuts, least)
        if panels:
            return panels
    return [(box, 1.0)]


def _cut_gutters(grey: Grey, box: Box, axis: int, least: Sides) -> list[Panel]:
    """Panels between white gaps; a lone one where only letters or empty places fall away."""
    parts = _parts(grey, box, axis, _gutters(grey, box, axis), least)
    if not parts or parts == [box]:
        return []
    return _unless_few(grey, parts, [_cut(grey, part, least) for part in parts], GUTTER)


def _cut_grid(grey: Grey, box: Box, even: dict[int, list[Cut]], least: Sides) -> list[Panel]:
    """Panels where straight lines cut the whole box both ways; the last row may be short."""
    if not even[0] or not even[1]:
        return []
    rows = _parts(grey, box, 1, even[1], least)
    cells = [_parts(grey, row, 0, even[0], least) for row in rows]
    full = len(even[0]) + 1
    if len(rows) != len(even[1]) + 1 or any(len(row) != full for row in cells[:-1]):
        return []
    score = min(cut.certainty for cut in even[0] + even[1])
    return [(_trim(grey, cell), score) for row in cells for cell in row]


def _cut_evenly(grey: Grey, box: Box, axis: int, cuts: list[Cut], least: Sides) -> list[Panel]:
    """Panels of a row without white gaps."""
    parts = _parts(grey, box, axis, cuts, least)
    if not cuts or not parts or (len(parts) == 1 and _is_most(grey, box)):
        return []
    score = min(cut.certainty for cut in cuts)
    return _unless_few(grey, parts, [_cut(grey, part, least) for part in parts], score)


def _unless_few(grey: Grey, parts: list[Box], panels: list[list[Panel]], score: float) -> list[Panel]:
    """The panels of all parts. Where few parts could be cut further, cuts without gutters go through a body."""
    cut = sum(len(inner) > 1 for inner in panels)
    found: list[Panel] = []
    for part, inner in zip(parts, panels):
        worse = 2 * cut == len(parts) and all(_squareness(box) < _squareness(part) for box, _ in inner)
        doubtful = (2 * cut < len(parts) or worse) and min((own for _, own in inner), default=1.0) < GUTTER
        found += [(_trim(grey, part), score)] if doubtful else [(box, min(score, own)) for box, own in inner]
    return found


def _squareness(box: Box) -> float:
    width, height = box[2] - box[0], box[3] - box[1]
    return min(width, height) / max(width, height)


def _cut_unevenly(grey: Grey, box: Box, axis: int, cuts: list[Cut], least: Sides) -> list[Panel]:
    """A large panel beside a column of small ones."""
    length, other = box[2 + axis] - box[axis], 1 - axis
    for cut in sorted(cuts, key=lambda cut: -cut.certainty)[:3]:
        parts = _parts(grey, box, axis, [_settle(cut, cut.middle)], least)
        if len(parts) < 2 or not least[axis] < cut.middle < length - least[axis]:
            continue
        narrow = min(parts, key=lambda part: part[2 + axis] - part[axis])
        inner = _even(_edges(grey, narrow, other), narrow[2 + other] - narrow[other], least[other])
        panels = _cut_evenly(grey, narrow, other, inner, least)
        if len(panels) > 1:
            wide = [(_trim(grey, part), cut.certainty) for part in parts if part != narrow]
            return panels + wide
    return []


def _is_most(grey: Grey, box: Box) -> bool:
    return (box[2] - box[0]) * (box[3] - box[1]) > 0.8 * grey.size


def _longer_first(box: Box) -> tuple[int, int]:
    return (0, 1) if box[2] - box[0] >= box[3] - box[1] else (1, 0)


def _gutters(grey: Grey, box: Box, axis: int) -> list[Cut]:
    """White gaps right across the box."""
    lines = lines_across(grey, box, axis)
    return [Cut(start, stop, GUTTER) for start, stop in runs((lines >= WHITE).mean(axis=1) >= CLEAN)]


def _edges(grey: Grey, box: Box, axis: int) -> list[Cut]:
    """Lines that are black, or a step in grey, nearly everywhere along them."""
    lines = lines_across(grey, box, axis).astype(np.int16)
    if len(lines) < 5:
        return []
    dark = lines <= BLACK
    step = np.zeros(lines.shape, dtype=bool)
    step[1:-1] = np.abs(lines[2:] - lines[:-2]) > STEP
    covered = (dark | step).mean(axis=1)
    ridge = lines[2:-2] - np.maximum(lines[:-4], lines[4:]) > STEP  # a white gap too thin for a gutter
    step[2:-2] |= ridge
    # The black around a body: scanners' is seldom the printer's.
    level = _low_values(lines, covered >= COVERED)
    rise = np.zeros(len(lines))
    rise[2:-2] = np.abs(level[3:-1] + level[4:] - level[:-4] - level[1:-3]) / 2
    return [_place(start, stop, step.mean(axis=1), rise, covered) for start, stop in runs(covered >= COVERED)]


def _low_values(lines: NDArray[np.int16], asked: NDArray[np.bool_]) -> Profile:
    """The grey value under which 30 % of a line lies, for the lines asked for and their neighbours."""
    level = np.zeros(len(lines))
    near = maximum_filter1d(asked.astype(np.uint8), size=9) > 0
    rank = int(0.3 * lines.shape[1])
    level[near] = np.partition(lines[near], rank, axis=1)[:, rank]
    return level


def _place(start: int, stop: int, step: Profile, rise: Profile, covered: Profile) -> Cut:
    """The band of a run, with its sharpest lines."""
    lines = [at for at in range(start, stop) if step[at] >= SHARP or rise[at] >= RISE]
    return Cut(start, stop - 1, 0.9 * float(covered[start:stop].max()), tuple(lines))


def _even(cuts: list[Cut], length: int, least: float) -> list[Cut]:
    """The most cuts that leave panels of about one length."""
    inner = [cut for cut in cuts if least <= cut.middle <= length - least]
    inner = sorted(sorted(inner, key=lambda cut: -cut.certainty)[:MOST_CUTS], key=lambda cut: cut.start)
    for count in range(len(inner), 0, -1):
        best: tuple[float, list[Cut]] = (0.0, [])
        for chosen in combinations(inner, count):
            placed = [_settle(cut, (k + 1) * length / (count + 1)) for k, cut in enumerate(chosen)]
            ends = [0, *(cut.middle for cut in placed), length]
            panels = [high - low for low, high in pairwise(ends)]
            if min(panels) >= least and max(panels) <= EVEN * min(panels):
                fit = min(panels) / max(panels) + 3 * sum(cut.certainty for cut in placed) / count
                best = max(best, (fit, placed), key=lambda pair: pair[0])
        if best[1]:
            return best[1]
    return []


def _settle(cut: Cut, ideal: float) -> Cut:
    """The line of a band that is nearest to where even panels would part."""
    nearest = min(cut.lines, key=lambda line: abs(line - ideal), default=cut.middle)
    if not cut.lines or abs(nearest - ideal) > FAR * ideal:
        nearest = round(min(max(ideal, cut.start), cut.stop))
    return Cut(nearest, nearest, cut.certainty)


def _parts(grey: Grey, box: Box, axis: int, cuts: list[Cut], least: Sides) -> list[Box]:
    """What lies between the cuts and is large enough for a panel, not a line of text."""
    start, stop = box[axis], box[2 + axis]
    ends = [start, *(start + edge for cut in cuts for edge in (cut.start, cut.stop)), stop]
    parts = []
    for low, high in zip(ends[::2], ends[1::2]):
        part = slab(box, axis, low, high)
        if high > low and _holds_panel(grey, _trim(grey, part), least):
            parts.append(part)
    return parts


def _trim(grey: Grey, box: Box) -> Box:
    """The box without white margins."""
    ink = grey[box[1] : box[3], box[0] : box[2]] < WHITE
    columns, rows = np.flatnonzero(ink.mean(axis=0) > 1 - CLEAN), np.flatnonzero(ink.mean(axis=1) > 1 - CLEAN)
    if not len(columns) or not len(rows):
        return (box[0], box[1], box[0], box[1])
    return box[0] + int(columns[0]), box[1] + int(rows[0]), box[0] + int(columns[-1]) + 1, box[1] + int(rows[-1]) + 1


def _holds_panel(grey: Grey, box: Box, least: Sides) -> bool:
    """Whether something in the box is as large as a panel; letters and empty places are not."""
    if box[2] - box[0] < least[0] or box[3] - box[1] < least[1]:
        return False
    region = grey[box[1] : box[3], box[0] : box[2]]
    ink = ((region < WHITE) & (region > BLACK)).astype(np.uint8)
    stats = cv2.connectedComponentsWithStats(ink, connectivity=8)[2][1:]
    wide = stats[:, cv2.CC_STAT_WIDTH] >= 0.6 * least[0]
    return bool((wide & (stats[:, cv2.CC_STAT_HEIGHT] >= 0.6 * least[1])).any())


def _snap(grey: Grey, box: Box, scales: tuple[float, float]) -> Box:
    """A box of the small figure at full resolution, grown by what the small one lost where that shows its margin."""
    height, width = grey.shape
    left, top, right, bottom = (round(edge * scales[k % 2]) for k, edge in enumerate(box))
    grown = (
        max(0, left - ceil(scales[0])),
        max(0, top - ceil(scales[1])),
        min(width, right + ceil(scales[0])),
        min(height, bottom + ceil(scales[1])),
    )
    trimmed = _trim(grey, grown)
    # An edge still as grown lies inside a neighbour that touches.
    edges = [
        edge if inner == outer else inner for edge, inner, outer in zip((left, top, right, bottom), trimmed, grown)
    ]
    return (edges[0], edges[1], edges[2], edges[3]) if edges[2] > edges[0] else (left, top, right, bottom)
