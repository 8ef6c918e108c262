"""Printed letters read by PaddleOCR's text recognition, enlarged on a margin of their own ground."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.letters.paddle import text_recogniser

Crop = NDArray[np.uint8]
HEIGHT, MARGIN = 48, 20  # px of an enlarged crop and of the background around it: tiny letters are missed otherwise
AT_ONCE = 8  # crops; a fifth faster than one by one
INPUT_WIDTH = 96  # px; the recogniser's own 320 are for lines of text


@dataclass(frozen=True)
class Reading:
    """The text of a crop and how sure the recogniser is, 0 to 1."""

    text: str
    score: float


class LabelReader:
    """Reads crops of letters on one thread, never from the network.

    weights: a folder with inference.onnx and inference.yml; None takes PP-OCRv6 from rapidocr's wheel.
    min_score: readings below it count as no text.
    """

    def __init__(self, weights: str | None = None, *, min_score: float) -> None:
        self.min_score = min_score
        self._model: Any = text_recogniser(weights, height=HEIGHT, width=INPUT_WIDTH)

    def __call__(self, crops: list[Crop]) -> list[Reading]:
        """A reading of each RGB crop (h, w, 3); empty text where nothing is read."""
        if not crops:
            return []
        enlarged = [np.ascontiguousarray(_enlarge(crop)[..., ::-1]) for crop in crops]
        found = [
            (str(line["rec_text"]), float(line["rec_score"]))
            for line in self._model.predict(enlarged, batch_size=AT_ONCE)
        ]
        return [Reading(text, score) if score >= self.min_score else Reading("", score) for text, score in found]


def _enlarge(crop: Crop) -> Crop:
    """The crop at the recogniser's height, on a margin of its own background."""
    width = max(1, round(crop.shape[1] * HEIGHT / crop.shape[0]))
    large = cv2.resize(crop, (width, HEIGHT), interpolation=cv2.INTER_CUBIC)
    rim = np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])
    ground = [float(value) for value in np.median(rim, axis=0)]
    return np.asarray(
        cv2.copyMakeBorder(large, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=ground), dtype=np.uint8
    )
