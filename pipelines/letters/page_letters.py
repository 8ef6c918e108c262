"""The letters of a page of plots: from those that a detector saw, by their height, to those that it overlooked."""

import string
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Box
from pipelines.letters.boxes import glyph_groups
from pipelines.letters.ink import ink_box
from pipelines.letters.lettering import read_letters
from pipelines.letters.reader import LabelReader
from pipelines.letters.run import ALIKE, SURE, Printed, likeness

Image = NDArray[np.uint8]
DARK = 128  # grey values of ink
AS_HIGH = (0.5, 1.67)  # of the height of the letters seen: "a" is lower than "b"
AROUND = 0.25  # letter heights of paper around a letter that stands alone
PAPER = 225  # grey values of that paper
MOST_READ = 150  # glyphs of a page
DOUBTFUL = 0.5  # score of a reading that counts where others stand in line with it
ALIKE_HIGH = 0.15  # of the letters seen, by which the height of a digit may differ that is to be one: "1" for I
LINED = 0.4  # letter heights by which letters in line may differ
MISSING = 1  # letters of a run that may be unread


def page_letters(image: Image, seen: Sequence[Box], reader: LabelReader) -> list[Printed]:
    """The letters of an RGB page (H, W, 3) from A or a on, in their order; none where no two follow each other.

    seen: boxes in which a detector saw letters. One letter of the run may be missing.
    """
    found = [one for one in _read(image, [ink_box(image, box) for box in seen], reader) if one.label.isalpha()]
    sure = [one for one in found if one.score >= SURE]
    if not sure:
        return []
    high = float(np.median([one.box[3] - one.box[1] for one in sure]))
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    alone = [box for box in _glyphs(grey, high) if _stands_alone(grey, box)]
    others = _read(image, alone[:MOST_READ], reader)
    return max(
        (_run(found, others, names, high) for names in (string.ascii_uppercase, string.ascii_lowercase)), key=len
    )


def _read(image: Image, boxes: Sequence[Box], reader: LabelReader) -> list[Printed]:
    return [one for one in read_letters(image, boxes, reader) if len(one.label) == 1]


def _glyphs(grey: Image, high: float) -> list[Box]:
    """Boxes of glyphs about as high as the letters seen."""
    heights = (AS_HIGH[0] * high, AS_HIGH[1] * high)
    return glyph_groups((grey < DARK).astype(np.uint8), heights, most=100_000)


def _stands_alone(grey: Image, box: Box) -> bool:
    """Whether there is only paper around a letter."""
    pad = max(2, round(AROUND * (box[3] - box[1])))
    rim = 1  # px of the letter's own blur
    top, left = max(0, box[1] - pad), max(0, box[0] - pad)
    around = grey[top : box[3] + pad, left : box[2] + pad] < PAPER
    around[max(0, box[1] - rim - top) : box[3] + rim - top, max(0, box[0] - rim - left) : box[2] + rim - left] = False
    return not around.any()


def _run(found: Sequence[Printed], others: Sequence[Printed], names: str, high: float) -> list[Printed]:
    """The run of one alphabet, with at most one letter missing; empty where it does not begin with its first two.

    found: what a detector saw, which counts though it is read with doubt. others: of these a doubtful one counts where
    it stands in a row or a column with letters.
    """
    firm = [one for one in (*found, *others) if one.score >= SURE and one.label.isalpha()]
    lined = [one for one in firm if one.label in names]
    doubtful = [one for one in found if one.score >= DOUBTFUL] + [one for one in others if _in_line(one, lined, high)]
    run: list[Printed] = []
    missing = 0
    for name in names:
        one = _nearest(firm, name, high) or _nearest(doubtful, name, high)
        missing += one is None
        if missing > MISSING:
            break
        run += [one] if one else []
    return run if len(run) > 1 and likeness(run[0].label, names[0]) >= ALIKE else []


def _nearest(read: Sequence[Printed], name: str, high: float) -> Printed | None:
    """Of the readings of a letter the one nearest in height to the letters seen."""
    likely = [one for one in read if likeness(one.label, name) >= ALIKE]
    return min(likely, key=lambda one: abs(np.log((one.box[3] - one.box[1]) / high)), default=None)


def _in_line(one: Printed, others: Sequence[Printed], high: float) -> bool:
    """Whether a letter begins or ends where another does, across or down the page."""
    reach = LINED * high
    as_high = abs(np.log((one.box[3] - one.box[1]) / high)) <= ALIKE_HIGH
    return (
        one.score >= DOUBTFUL
        and (as_high or one.label.isalpha())
        and any(abs(one.box[side] - other.box[side]) <= reach for other in others for side in (0, 1, 3))
    )
