"""A figure's pixels to its panels with the letters printed on them: the line that every command reads figures by."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Box, Subfigure
from core.settings import LabelSettings, SeparateSettings
from pipelines.letters.lettering import Letterer
from pipelines.letters.page_letters import page_letters
from pipelines.letters.reader import LabelReader
from pipelines.letters.run import stands_at
from pipelines.letters.text_boxes import TextFinder
from pipelines.separation.gaps import white_share
from pipelines.separation.ink_joins import tied
from pipelines.separation.layout import in_order, union
from pipelines.separation.letter_cuts import cut_at_letters
from pipelines.separation.separator import Separator
from pipelines.separation.xy_cuts import XYCuts

PLOTTED = 0.35  # share of a page that is paper, from which it may hold plots; gaps between scans are a tenth or two
CUT = 0.8  # score of a panel that letters have cut
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
        panel has its letter, from the first of the run on. A page of plots is then cut between its letters.
        """
        height, width = image.shape[:2]
        if min(height, width) < SMALLEST:
            return [Subfigure(box=(0, 0, width, height), score=1.0)]
        layout = self._separator(image)
        panels = self._letterer(image, layout.subfigures, layout.letters)
        if is_complete(panels):
            return panels
        if len(layout.letters) < 2:
            return self._of_graphics(image, panels, layout.letters)
        cut = self._cuts(image).subfigures
        if len(cut) not in (1, len(panels)):
            cut = self._letterer.as_seen(image, cut, layout.letters)
            if is_complete(cut):
                return [_with_letter(panel) for panel in cut]
        return self._of_graphics(image, panels, layout.letters)

    def _of_graphics(
        self, image: NDArray[np.uint8], panels: list[Subfigure], letters: Sequence[Box]
    ) -> list[Subfigure]:
        """The panels of a page of plots: as its letters part it where they are more than the panels named so far."""
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        if white_share(grey, (0, 0, image.shape[1], image.shape[0])) < PLOTTED:
            return panels
        run = page_letters(image, letters, self._letterer.reader)
        if len(run) > sum(panel.label is not None for panel in panels):
            boxes = cut_at_letters(grey, [one.box for one in run])
            if boxes:
                return [
                    Subfigure(box=box, score=CUT, label=one.label, label_box=one.box, label_score=round(one.score, 4))
                    for box, one in zip(boxes, run, strict=True)
                ]
        return _tied(grey, panels)


def _tied(grey: NDArray[np.uint8], panels: list[Subfigure]) -> list[Subfigure]:
    """Panels with those that ink ties to them, where no two of them have letters."""
    whole = []
    for own in tied(grey, [panel.box for panel in panels]):
        lettered = [k for k in own if panels[k].label]
        if len(lettered) > 1:
            whole += [panels[k] for k in own]
        else:
            first = panels[lettered[0] if lettered else own[0]]
            whole.append(replace(first, box=union([panels[k].box for k in own])))
    return in_order(whole)


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
