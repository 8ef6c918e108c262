"""A figure's pixels to its panels with the letters printed on them: the line that every command reads figures by."""

import numpy as np
from numpy.typing import NDArray

from app.settings import LabelSettings, SeparateSettings
from pipelines.labels import LabelReader
from pipelines.lettering import Letterer
from pipelines.records import Subfigure
from pipelines.separate import Separator
from pipelines.text_boxes import TextFinder
from pipelines.xy_cuts import XYCuts

SMALLEST = 32  # pixels of the shorter side; nothing below it holds panels that could be told apart


class FigureReader:
    """Separates a figure and reads its letters; the weights are loaded once, when it is made."""

    def __init__(self, separate: SeparateSettings, labels: LabelSettings) -> None:
        least, most = separate.min_panel, separate.max_panels
        learned = separate.method == "learned"
        self._separator = (
            Separator(separate.weights, min_panel=least, max_panels=most)
            if learned
            else XYCuts(min_panel=least, max_panels=most)
        )
        self._letterer = Letterer(LabelReader(labels.weights, min_score=labels.min_score), TextFinder())

    def __call__(self, image: NDArray[np.uint8]) -> list[Subfigure]:
        """The panels of an RGB figure (H, W, 3) in reading order; a figure without parts is one panel."""
        height, width = image.shape[:2]
        if min(height, width) < SMALLEST:
            return [Subfigure(box=(0, 0, width, height), score=1.0)]
        layout = self._separator(image)
        return self._letterer(image, layout.subfigures, layout.letters)
