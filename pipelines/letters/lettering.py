"""Which letter is printed on which panel: boxes found, read, and settled as one run."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Box, Subfigure
from pipelines.letters.boxes import label_boxes
from pipelines.letters.ink import ink_box
from pipelines.letters.places import groups, owners
from pipelines.letters.reader import LabelReader
from pipelines.letters.run import SURE, Printed, as_label, settle_run, stands_at
from pipelines.letters.text_boxes import TextFinder
from pipelines.separation.gaps import DENSE, white_share
from pipelines.separation.layout import intersection, union
from pipelines.separation.reading_order import reading_order
from pipelines.separation.seams import part_at_seams

Crop = NDArray[np.uint8]
MOST_READ = 40  # boxes of a figure
PROBED = 2  # panels that are looked at before a figure counts as one without letters
LEAST_PART = 1 / 16  # of the figure's shorter side, for a part of a panel


class Letterer:
    """Gives panels the letters printed on them.

    reader: reads crops. finder: looks for text on panels where no letter was read.
    """

    def __init__(self, reader: LabelReader, finder: TextFinder) -> None:
        self.reader, self.finder = reader, finder

    def __call__(
        self, image: NDArray[np.uint8], subfigures: list[Subfigure], letters: Sequence[Box] = ()
    ) -> list[Subfigure]:
        """The panels of an RGB figure (H, W, 3) with their letters, None where there is none; a lone panel is not read.

        letters: boxes in which a detector saw letters. Panels over one letter become one panel, and one with several
        letters is parted where panels touch.
        """
        if len(subfigures) == 1 and len(letters) < 2:  # what looks like a letter there is a side marker
            return subfigures
        printed = self._read_found(image, subfigures, letters)
        subfigures, printed = parted(image, subfigures, printed)
        if len(subfigures) == 1:
            return subfigures
        if not all(_is_sure(found, place) for place, found in enumerate(printed)):
            glyphs = label_boxes(image, subfigures)
            if not (any(printed) or self._is_lettered(image, subfigures, printed, glyphs)):
                return subfigures
            self._read_more(image, printed, glyphs)
        subfigures, printed = joined(subfigures, printed)
        boxes = [panel.box for panel in subfigures]
        settled = settle_run(printed, boxes)
        if None in settled:
            unread = [k for k, found in enumerate(settled) if found is None or not _is_sure(printed[k], k)]
            self._search(image, printed, boxes, unread if any(settled) else unread[:PROBED])
            if not any(settled) and any(settle_run(printed, boxes)[k] for k in unread[:PROBED]):
                self._search(image, printed, boxes, unread[PROBED:])
            settled = settle_run(printed, boxes)
        return [_with_label(panel, found) for panel, found in zip(subfigures, settled, strict=True)]

    def as_seen(self, image: NDArray[np.uint8], subfigures: list[Subfigure], letters: Sequence[Box]) -> list[Subfigure]:
        """The panels with what stands in the boxes that a detector saw, and nothing searched for."""
        printed = self._read_found(image, subfigures, letters)
        settled = settle_run(printed, [panel.box for panel in subfigures])
        return [_with_label(panel, found) for panel, found in zip(subfigures, settled, strict=True)]

    def _is_lettered(
        self,
        image: NDArray[np.uint8],
        subfigures: Sequence[Subfigure],
        printed: list[list[Printed]],
        glyphs: Sequence[Sequence[Box]],
    ) -> bool:
        """Whether the first panels have letters though no detector saw any: the others are searched only then."""
        self._read_more(image, printed, [own if k < PROBED else [] for k, own in enumerate(glyphs)])
        if not any(printed):
            self._search(image, printed, [panel.box for panel in subfigures], range(min(PROBED, len(subfigures))))
        return any(printed)

    def _search(
        self, image: NDArray[np.uint8], printed: list[list[Printed]], boxes: Sequence[Box], asked: Sequence[int]
    ) -> None:
        """Look for text on some of the panels, and read it."""
        found = [self.finder(image, box) if k in asked else [] for k, box in enumerate(boxes)]
        self._read_more(image, printed, found)

    def _read_found(
        self, image: NDArray[np.uint8], subfigures: Sequence[Subfigure], letters: Sequence[Box]
    ) -> list[list[Printed]]:
        """What the boxes that a detector saw say, by the panel that each belongs to."""
        boxes = [ink_box(image, letter) for letter in letters[:MOST_READ]]
        named = letters_of(read_letters(image, boxes, self.reader))
        owned = owners([panel.box for panel in subfigures], [one.box for one in named])
        return [[named[k] for k in own] for own in owned]

    def _read_more(
        self, image: NDArray[np.uint8], printed: list[list[Printed]], boxes: Sequence[Sequence[Box]]
    ) -> None:
        """Read the boxes of panels whose letter is not sure yet, the likeliest box of each first."""
        for turn in range(max(map(len, boxes), default=0)):
            asked = [k for k, own in enumerate(boxes) if len(own) > turn and not _is_sure(printed[k], k)]
            readings = self.reader([crop_letter(image, boxes[k][turn]) for k in asked])
            for k, reading in zip(asked, readings, strict=True):
                label = as_label(reading.text)
                if label is not None:
                    printed[k].append(Printed(label, reading.score, boxes[k][turn]))


def read_letters(image: NDArray[np.uint8], boxes: Sequence[Box], reader: LabelReader) -> list[Printed]:
    """What boxes of an RGB figure (H, W, 3) say, those that say no label left out."""
    readings = reader([crop_letter(image, box) for box in boxes])
    labels = [as_label(reading.text) for reading in readings]
    return [
        Printed(label, reading.score, box)
        for label, reading, box in zip(labels, readings, boxes, strict=True)
        if label is not None
    ]


def letters_of(read: Sequence[Printed]) -> list[Printed]:
    """What may name panels: letters alone where any is sure, for the numbers beside them are those of axes."""
    sure = [one for one in read if one.score >= SURE and one.label[0].isalpha()]
    return [one for one in read if one.label[0].isalpha()] if len(sure) > 1 else list(read)


def parted(
    image: NDArray[np.uint8], subfigures: list[Subfigure], printed: list[list[Printed]]
) -> tuple[list[Subfigure], list[list[Printed]]]:
    """Panels with several letters in two at the seams between these; the others as they were."""
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    parts: list[tuple[Subfigure, list[Printed]]] = []
    for panel, found in zip(subfigures, printed, strict=True):
        sure = [one for one in found if one.score >= SURE]
        boxes = [panel.box]
        if len({one.label for one in sure}) > 1 and white_share(grey, panel.box) <= DENSE:  # axes look like seams
            boxes = part_at_seams(grey, panel.box, [one.box for one in sure], round(LEAST_PART * min(image.shape[:2])))
        owned = owners(boxes, [one.box for one in found]) if len(boxes) > 1 else [list(range(len(found)))]
        parts += [(replace(panel, box=box), [found[k] for k in own]) for box, own in zip(boxes, owned, strict=True)]
    order = reading_order([panel.box for panel, _ in parts])
    return [parts[k][0] for k in order], [parts[k][1] for k in order]


def joined(subfigures: list[Subfigure], printed: list[list[Printed]]) -> tuple[list[Subfigure], list[list[Printed]]]:
    """Panels over one letter as one panel, where their letters make a run from its beginning; else as they were."""
    boxes = [panel.box for panel in subfigures]
    beneath = [[one for one in found if not any(intersection(one.box, box) for box in boxes)] for found in printed]
    read = [max(found, key=lambda one: one.score) for found in beneath if found]
    together = groups(boxes, [one.box for one in read])
    if len(together) == len(subfigures) or len(together) < 2:
        return subfigures, printed
    shared = [[one for k in own for one in beneath[k]] for own in together]
    whole = [
        Subfigure(box=union([boxes[k] for k in own]), score=min(subfigures[k].score for k in own)) for own in together
    ]
    order = reading_order([panel.box for panel in whole])
    if not all(any(stands_at(one.label, place) for one in shared[k]) for place, k in enumerate(order)):
        return subfigures, printed
    return [whole[k] for k in order], [shared[k] for k in order]


def crop_letter(image: NDArray[np.uint8], box: Box) -> Crop:
    """A letter's box with an eighth of its height around it."""
    pad = max(2, (box[3] - box[1]) // 8)
    return image[max(0, box[1] - pad) : box[3] + pad, max(0, box[0] - pad) : box[2] + pad]


def _is_sure(found: Sequence[Printed], expected: int) -> bool:
    """Whether a letter is well read and the one that a run in reading order has on this panel."""
    return any(one.score >= SURE and stands_at(one.label, expected) for one in found)


def _with_label(panel: Subfigure, found: Printed | None) -> Subfigure:
    if found is None:
        return panel
    return replace(panel, label=found.label, label_box=found.box, label_score=round(found.score, 4))
