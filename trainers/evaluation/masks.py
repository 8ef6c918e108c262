"""Where findings are in radiographs: masks as stored, and letterboxed as `trainers.batch.prepare` does the image."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.config import UserError

Mask = NDArray[np.bool_]  # (H, W), true where the finding is
Row = Mapping[str, Any]  # of the radiographs table


def is_masked(row: Row, target: str) -> bool | None:
    """Whether a mask of the target is known: True; False: it was looked for in vain; None: nobody can say where it is.

    A target that is only boxed, or present without a region, is of the last kind.
    """
    if any(region["mask"] for region in _regions(row, target)):
        return True
    absent = any(each["name"] == target and not each["present"] for each in row["targets"])
    return False if absent else None


def drawn_mask(row: Row, target: str) -> Mask | None:
    """All masks of a target in one, as large as the stored image, empty where it is absent; None as of is_masked()."""
    masked = is_masked(row, target)
    if masked is None:
        return None
    return _union(row, [region for region in _regions(row, target) if region["mask"]])


def extent(row: Row, target: str) -> Mask:
    """Where a target is, as large as the stored image: its masks, and the boxes of regions that have none."""
    return _union(row, _regions(row, target))


def letterbox(mask: Mask, size: int) -> Mask:
    """(size, size): the mask where `prepare` puts the image, to the nearest pixel; the margins are false."""
    drawn = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(ImageOps.pad(drawn, (size, size), method=Image.Resampling.NEAREST)) > 0


def at_patches(mask: Mask, size: int, patch: int) -> Mask:
    """(size / patch, size / patch): whether the middle of each patch of the letterboxed image lies in the mask."""
    return letterbox(mask, size)[patch // 2 :: patch, patch // 2 :: patch]


def _regions(row: Row, target: str) -> list[Mapping[str, Any]]:
    return [region for region in row["regions"] if region["target"] == target]


def _union(row: Row, regions: Sequence[Mapping[str, Any]]) -> Mask:
    """Of overlapping regions each pixel once."""
    whole = np.zeros((row["height"], row["width"]), dtype=bool)
    for region in regions:
        if region["mask"]:
            whole |= _opened(row, region["mask"])
        else:
            left, top, right, bottom = region["box"]
            whole[max(0, top) : bottom, max(0, left) : right] = True
    return whole


def _opened(row: Row, mask: bytes) -> Mask:
    try:
        drawn = np.asarray(Image.open(io.BytesIO(mask)).convert("L")) > 0
    except OSError as error:
        raise UserError(
            f"a mask of radiograph {row['image_id']} does not open: {error}; build the table anew"
        ) from error
    if drawn.shape != (row["height"], row["width"]):
        raise UserError(
            f"a mask of radiograph {row['image_id']} is {drawn.shape[1]} x {drawn.shape[0]} pixels, the image "
            f"{row['width']} x {row['height']}; build the table anew"
        )
    return drawn
