"""Panels and printed letters of a figure in one pass of a small FCOS (Tian et al., ICCV 2019), run by ONNX Runtime.

The network is trained by app/weights/. What torchvision's FCOS does after it is done here in numpy, with the same
boxes, so that reading a figure needs no torch.
"""

from dataclasses import dataclass
from importlib.resources import files
from itertools import accumulate

import cv2
import numpy as np
from numpy.typing import NDArray

from core.config import UserError
from core.places import Place
from core.records import Box
from pipelines.onnx_session import MEAN, SPREAD, session

PANEL, LABEL = 1, 2  # classes; 0 is the ground, as torchvision has it
LONG_SIDE = 448  # px of the figure that the detector sees
GRAIN = 32  # px; both sides are filled up to a multiple of the coarsest convolution's stride
SIZES = (8, 16, 32, 64)  # px, of a level's points: its distances are told in this unit
SEEN, OVERLAP = 0.1, 0.5  # score from which a box is kept; intersection over union from which the less sure one goes
MOST_A_LEVEL, MOST = 1000, 120  # boxes, before and after that; torchvision's first, and more than any figure has
PIXELS, OUTPUTS = "pixels", ("classes", "sides", "centre")  # names in the ONNX file
SHIPPED = "separator.onnx"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """A box that the detector proposes, in pixels of the figure."""

    box: Box
    score: float


class Detector:
    """The trained network, loaded once. weights: a file of `figray train separator`, None for the one of figray."""

    def __init__(self, weights: str | None = None) -> None:
        shipped = str(files("pipelines.separation").joinpath("weights", SHIPPED))
        with Place.at(weights or shipped).near() as source:
            try:
                self._session = session(source)
            except Exception as error:  # onnxruntime's errors share no class of their own
                told = " ".join(str(error).split())
                raise UserError(f"separate.weights: {weights} is no ONNX file: {told}") from error
        if tuple(one.name for one in self._session.get_outputs()) != OUTPUTS:
            raise UserError(f"separate.weights: {weights} is not of `figray train separator`")

    def __call__(self, image: NDArray[np.uint8]) -> tuple[list[Found], list[Found]]:
        """Panels and printed letters of an RGB figure (H, W, 3), the surest first."""
        height, width = image.shape[:2]
        seen, scale = shrink(image)
        pixels = filled(seen)
        classes, sides, centre = (part[0] for part in self._session.run(OUTPUTS, {PIXELS: pixels}))
        rows = levels(pixels.shape[2], pixels.shape[3])
        boxes, scores, kinds = proposed(classes, sides, centre, rows)
        boxes = boxes.clip(0, [seen.shape[1], seen.shape[0]] * 2)
        kept = surest(boxes, scores, kinds)
        on_figure = (boxes[kept] / np.float32(scale)).round().clip(0, [width, height] * 2).astype(int)
        every = [
            (kind, Found((x0, y0, x1, y1), round(score, 4)))
            for (x0, y0, x1, y1), score, kind in zip(
                on_figure.tolist(), scores[kept].tolist(), kinds[kept].tolist(), strict=True
            )
            if x1 > x0 and y1 > y0
        ]
        return [one for kind, one in every if kind == PANEL], [one for kind, one in every if kind == LABEL]


def shrink(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """The figure (H, W, 3) with its longer side at LONG_SIDE, and the factor that brought it there."""
    height, width = image.shape[:2]
    scale = LONG_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=how), dtype=np.uint8), scale


def filled(image: NDArray[np.uint8]) -> Floats:
    """(H, W, 3) from 0 to 255 -> (1, 3, H', W') of zero mean, filled with zeros on the right and below to GRAIN."""
    high, wide = (-(-side // GRAIN) * GRAIN for side in image.shape[:2])
    pixels = np.zeros((1, 3, high, wide), np.float32)
    scaled = (image.astype(np.float32) / 255 - MEAN) / SPREAD
    pixels[0, :, : image.shape[0], : image.shape[1]] = scaled.transpose(2, 0, 1)
    return pixels


def levels(high: int, wide: int) -> list[Floats]:
    """The points (P, 2) of each level, x and y in pixels of a filled image, row by row."""
    found = []
    for size in SIZES:
        rows, columns = (-(-side // size) for side in (high, wide))  # the last level is pooled, and rounds up
        y, x = np.mgrid[:rows, :columns]
        # As torchvision spaces them: less than `size` where the last level was rounded up.
        found.append(np.stack([x.ravel() * (wide // columns), y.ravel() * (high // rows)], 1).astype(np.float32))
    return found


def proposed(
    classes: Floats, sides: Floats, centre: Floats, points: list[Floats]
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Boxes (K, 4), scores and classes (K,) of all points that are sure enough.

    classes, sides, centre: of the network, (P, 3), (P, 4), (P, 1). points: of each level, P in all.
    """
    likely = np.sqrt(_sigmoid(classes) * _sigmoid(centre))
    ends = list(accumulate(len(level) for level in points))
    boxes, scores, kinds = [], [], []
    for level, size, end in zip(points, SIZES, ends, strict=True):
        start = end - len(level)
        own = likely[start:end]
        at, kind = np.nonzero(own > SEEN)
        best = np.argsort(-own[at, kind], kind="stable")[:MOST_A_LEVEL]
        at, kind = at[best], kind[best]
        left_top, right_bottom = np.split(sides[start:end][at] * size, 2, axis=1)
        boxes.append(np.concatenate([level[at] - left_top, level[at] + right_bottom], 1))
        scores.append(own[at, kind])
        kinds.append(kind)
    return np.concatenate(boxes), np.concatenate(scores), np.concatenate(kinds)


def surest(boxes: Floats, scores: Floats, kinds: NDArray[np.int64]) -> list[int]:
    """Which boxes stay, the surest first: no two of a class that are the same place. At most MOST."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    left = np.argsort(-scores, kind="stable")
    while len(left) and len(kept) < MOST:
        first, others = left[0], left[1:]
        kept.append(int(first))
        low, high = np.maximum(boxes[first, :2], boxes[others, :2]), np.minimum(boxes[first, 2:], boxes[others, 2:])
        common = (high - low).clip(min=0).prod(1)
        same = (kinds[others] == kinds[first]) & (common > OVERLAP * (areas[first] + areas[others] - common))
        left = others[~same]
    return kept


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)), np.float32)
