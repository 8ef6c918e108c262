"""A figure's pixels to its panels with the letters printed on them: the line that every command reads figures by."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.records import Subfigure
from core.settings import LabelSettings, SeparateSettings
from pipelines.letters.lettering import Letterer
from pipelines.letters.reader import LabelReader
from pipelines.letters.run import stands_at
from pipelines.letters.text_boxes import TextFinder
from pipelines.separation.layout import union
from pipelines.separation.separator import Separator
from pipelines.separation.xy_cuts import XYCuts

SMALLEST = 32  # pixels of the shorter side; nothing below it holds panels that could be told apart


class FigureReader:
    """Separates a figure and reads its letters; the weights are loaded once, when it is made."""

    def __init__(self, separate: SeparateSettings, labels: LabelSettings) -> None:
        least, most = separate.min_panel, separate.max_panels
        self._cuts = XYCuts(min_panel=least, max_panels=most)
        learned = separate.method == "learned"
        self._separator = Separator(separate.weights, min_panel=least, max_panels=most) if learned else self._cuts
        self._letterer = Letterer(LabelReader(labels.weights, min_score=labels.min_score), TextFinder())

    def __call__(self, image: NDArray[np.uint8]) -> list[Subfigure]:
        """The panels of an RGB figure (H, W, 3) in reading order; a figure without parts is one panel.

        Where a detector's panels and the letters do not agree, cuts along gaps are tried: they are taken if then every
        panel has its letter, from the first of the run on.
        """
        height, width = image.shape[:2]
        if min(height, width) < SMALLEST:
            return [Subfigure(box=(0, 0, width, height), score=1.0)]
        layout = self._separator(image)
        panels = self._letterer(image, layout.subfigures, layout.letters)
        if len(layout.letters) < 2 or is_complete(panels):
            return panels
        cut = self._cuts(image).subfigures
        if len(cut) in (1, len(panels)):
            return panels
        cut = self._letterer.as_seen(image, cut, layout.letters)
        return [_with_letter(panel) for panel in cut] if is_complete(cut) else panels


def _with_letter(panel: Subfigure) -> Subfigure:
    """A chart's panel with the letter that stands above or before it: cuts end at its axes."""
    letter = panel.label_box
    if letter is None or letter[1] > panel.box[1]:
        return panel
    return replace(panel, box=union([panel.box, letter]))


def is_complete(panels: Sequence[Subfigure]) -> bool:
    """Whether several panels carry the letters of a run, one each, from its first."""
    labels = [panel.label for panel in panels]
    return len(panels) > 1 and all(
        any(label is not None and stands_at(label, place) for label in labels) for place in range(len(panels))
    )
