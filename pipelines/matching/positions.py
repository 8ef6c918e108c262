"""Panels to words of place, as "left" and "upper row", where a caption names no letters."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.records import Box

FAR = 0.35  # of the figure's extent; two panels of three are 0.5 apart
AIMS = {"left": (0, 0.0), "right": (0, 1.0), "upper": (1, 0.0), "top": (1, 0.0), "lower": (1, 1.0), "bottom": (1, 1.0)}
MIDDLE = ("middle", "center", "centre", "central")


def nearest_places(boxes: Sequence[Box], labels: Sequence[str]) -> list[tuple[int, float]]:
    """The place of each panel, as an index into `labels`, and how far it lies from it, 0 to 1.

    One to one where they are equally many, else each panel's nearest.
    """
    distances = _distances(boxes, labels)  # (panels, labels)
    nearest = distances.argmin(axis=1)
    if len(boxes) == len(labels):
        _, nearest = linear_sum_assignment(distances)
    return [(int(label), float(distances[index, label])) for index, label in enumerate(nearest)]


def _distances(boxes: Sequence[Box], labels: Sequence[str]) -> np.ndarray:
    """How far each box lies from each place, 0 to 1 along either axis of the figure, (boxes, labels)."""
    corners = np.array(boxes, dtype=float).reshape(-1, 2, 2)  # (boxes, corner, axis)
    centres = corners.mean(axis=1)
    spread = np.ptp(centres, axis=0)
    side = by_side if (by_side := np.median(corners[:, 1] - corners[:, 0], axis=0)).all() else np.ones(2)
    # Panels of one row differ a little in height; that is no position.
    flat = spread < side / 2
    shares = np.where(flat, 0.5, (centres - centres.min(axis=0)) / np.where(flat, 1, spread))
    return np.stack([_distance(shares, label, axis=int(spread.argmax())) for label in labels], axis=1)


def _distance(shares: np.ndarray, label: str, *, axis: int) -> np.ndarray:
    """How far centres, (boxes, 2) from 0 to 1, lie from a place; (boxes,). A mere "middle" is one along `axis`."""
    words = label.split()
    aims = [AIMS[word] for word in words if word in AIMS]
    if any(word in MIDDLE for word in words):
        taken = {aimed for aimed, _ in aims}
        aims.append((axis if axis not in taken else 1 - axis, 0.5))
    if not aims:
        return np.ones(len(shares))
    return np.max([np.abs(shares[:, aimed] - aim) for aimed, aim in aims], axis=0)
