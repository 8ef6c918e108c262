"""Printed letters read by PP-OCRv6's recogniser, or another of PaddleOCR, enlarged on a margin of their own ground."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.config import UserError
from pipelines.letters.wheel_models import LineReader

Crop = NDArray[np.uint8]
HEIGHT, MARGIN = 48, 20  # px of an enlarged crop and of the background around it: tiny letters are missed otherwise
AT_ONCE = 8  # crops; a fifth faster than one by one
INPUT_WIDTH = 64  # px; the recogniser's own 320 are for lines of text; the 100 letters of ../shared are read alike


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
        self._read = _paddle(weights) if weights else LineReader(height=HEIGHT, width=INPUT_WIDTH)

    def __call__(self, crops: list[Crop]) -> list[Reading]:
        """A reading of each RGB crop (h, w, 3); empty text where nothing is read."""
        if not crops:
            return []
        enlarged = [np.ascontiguousarray(_enlarge(crop)[..., ::-1]) for crop in crops]
        found = [line for at in range(0, len(crops), AT_ONCE) for line in self._read(enlarged[at : at + AT_ONCE])]
        return [Reading(text, score) if score >= self.min_score else Reading("", score) for text, score in found]


def _paddle(weights: str) -> Callable[[Sequence[Crop]], list[tuple[str, float]]]:
    """A recogniser of PaddleOCR's by its own pipeline."""
    from pipelines.letters.paddle import text_recogniser

    try:
        model = text_recogniser(weights, height=HEIGHT, width=INPUT_WIDTH)
    except Exception as error:  # whatever PaddleOCR and ONNX Runtime make of a stranger's folder
        told = f"{type(error).__name__}: {error}"
        raise UserError(f"labels.weights: {weights} has no recogniser of PaddleOCR's: {told}") from error
    return lambda crops: [(str(line["rec_text"]), float(line["rec_score"])) for line in model.predict(list(crops))]


def _enlarge(crop: Crop) -> Crop:
    """The crop at the recogniser's height, on a margin of its own background."""
    width = max(1, round(crop.shape[1] * HEIGHT / crop.shape[0]))
    large = cv2.resize(crop, (width, HEIGHT), interpolation=cv2.INTER_CUBIC)
    rim = np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])
    ground = [float(value) for value in np.median(rim, axis=0)]
    return np.asarray(
        cv2.copyMakeBorder(large, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=ground), dtype=np.uint8
    )
