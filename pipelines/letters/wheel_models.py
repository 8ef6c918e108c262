"""PP-OCRv6's two models from rapidocr's wheel, each one ONNX session on one thread: what PaddleOCR's pipeline wraps."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.onnx_session import MEAN, SPREAD, session

Picture = NDArray[np.uint8]
RECOGNISER, DETECTOR = "PP-OCRv6_small_rec", "PP-OCRv6_small_det"
FILES = {RECOGNISER: "PP-OCRv6_rec_small.onnx", DETECTOR: "PP-OCRv6_det_small.onnx"}
WIDEST = 3200  # px of a line
STRIDE = 32  # px: sides of what the detector sees are multiples of it
TEXT, SURE = 0.2, 0.4  # score of a pixel of text, and mean score of a box of it
GROWN = 1.5  # a box is larger than its text's kernel by this times area over perimeter (Liao et al., AAAI 2020)
LEAST = 3  # px of a kernel's shorter side; two more when grown


class LineReader:
    """Reads crops of one line each by PP-OCRv6's recogniser.

    height, width: px of what it sees; crops longer for their height than that are seen wider.
    """

    def __init__(self, *, height: int, width: int) -> None:
        self.height, self.width = height, width
        self._session = session(source(RECOGNISER))
        listed = self._session.get_modelmeta().custom_metadata_map["character"].split("\n")
        self._signs = ["", *listed, " "]  # the first stands for no sign

    def __call__(self, crops: Sequence[Picture]) -> list[tuple[str, float]]:
        """The text of each BGR crop (h, w, 3) and its score, 0 to 1; "" and 0 where nothing is read."""
        if not crops:
            return []
        seen = [self._seen(crop) for crop in crops]
        batch = np.zeros((len(seen), 3, self.height, max(self.width, *(one.shape[2] for one in seen))), np.float32)
        for place, one in zip(batch, seen, strict=True):
            place[:, :, : one.shape[2]] = one
        (scores,) = self._session.run(None, {self._session.get_inputs()[0].name: batch})
        return [self._text(one) for one in scores]

    def _seen(self, crop: Picture) -> NDArray[np.float32]:
        """A crop as the recogniser sees it, (3, height, w) from -1 to 1."""
        wide = self.height * crop.shape[1] / crop.shape[0]
        room = min(WIDEST, max(self.width, int(wide)))
        resized = cv2.resize(crop, (min(room, math.ceil(wide)), self.height)).astype(np.float32)
        return np.asarray((resized.transpose(2, 0, 1) / 255 - 0.5) / 0.5, dtype=np.float32)

    def _text(self, scores: NDArray[np.float32]) -> tuple[str, float]:
        """The signs of the steps (steps, signs), each run of one sign once; score: their mean."""
        best = scores.argmax(axis=1)
        kept = (best != 0) & (np.diff(best, prepend=-1) != 0)
        if not kept.any():
            return "", 0.0
        return "".join(self._signs[sign] for sign in best[kept]), float(scores.max(axis=1)[kept].mean())


class TextBoxes:
    """Finds lines of text by PP-OCRv6's detector; long_side: px that the longer side of what it sees has at most."""

    def __init__(self, *, long_side: int) -> None:
        self.long_side = long_side
        self._session = session(source(DETECTOR))

    def __call__(self, image: Picture) -> list[NDArray[np.int16]]:
        """The corners (4, 2) of each line on a BGR image (H, W, 3), in its pixels."""
        height, width = image.shape[:2]
        large = image if height + width >= 64 else _on_black(image)
        factor = min(1.0, self.long_side / max(large.shape[:2]))
        sides = [max(STRIDE, round(int(side * factor) / STRIDE) * STRIDE) for side in large.shape[:2]]
        seen = cv2.resize(large, (sides[1], sides[0])).astype(np.float32) / 255
        seen = ((seen - MEAN) / SPREAD).transpose(2, 0, 1)[None]
        (scores,) = self._session.run(
            None, {self._session.get_inputs()[0].name: np.ascontiguousarray(seen, np.float32)}
        )
        return _boxes(scores[0, 0], (width, height))


def _on_black(image: Picture) -> Picture:
    large = np.zeros((max(32, image.shape[0]), max(32, image.shape[1]), 3), np.uint8)
    large[: image.shape[0], : image.shape[1]] = image
    return large


def _boxes(scores: NDArray[np.float32], size: tuple[int, int]) -> list[NDArray[np.int16]]:
    """The grown rectangles around pixels of text; scores: (h, w); size: width and height that they are brought to."""
    kernels = cv2.findContours((scores > TEXT).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
    scale = np.array([size[0] / scores.shape[1], size[1] / scores.shape[0]])
    found = []
    for kernel in kernels:
        middle, (wide, high), turn = cv2.minAreaRect(kernel)
        if min(wide, high) < LEAST or _mean_within(scores, cv2.boxPoints((middle, (wide, high), turn))) < SURE:
            continue
        grow = 2 * GROWN * wide * high / (2 * (wide + high))
        if min(wide, high) + grow < LEAST + 2:
            continue
        corners = cv2.boxPoints((middle, (wide + grow, high + grow), turn)) * scale
        found.append(np.clip(np.round(corners), 0, size).astype(np.int16))
    return found


def _mean_within(scores: NDArray[np.float32], corners: NDArray[Any]) -> float:
    """The mean score in a rectangle."""
    limits = np.array(scores.shape[::-1]) - 1
    low, high = (np.clip(edge, 0, limits).astype(int) for edge in (np.floor(corners.min(0)), np.ceil(corners.max(0))))
    mask = np.zeros((high - low + 1)[::-1], np.uint8)
    cv2.fillPoly(mask, [(corners - low).astype(np.int32)], (1,))
    return float(cv2.mean(scores[low[1] : high[1] + 1, low[0] : high[0] + 1], mask)[0])


def source(model: str) -> Path:
    """The file of a model in rapidocr's wheel."""
    from importlib.util import find_spec

    package = find_spec("rapidocr")
    folder = Path(package.origin).parent if package and package.origin else Path()
    file = folder / "models" / FILES[model]
    if not file.is_file():
        raise FileNotFoundError(f"{file.name} is not in rapidocr's wheel; name a folder of weights in labels.weights")
    return file
