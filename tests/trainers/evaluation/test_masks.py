"""Masks: what is known of where, and that they lie where the letterboxed image has the finding."""

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.config import UserError
from trainers.batch import prepare
from trainers.evaluation.heatmaps import points_at
from trainers.evaluation.masks import Mask, at_patches, drawn_mask, extent, is_masked, letterbox


def png(pixels: Mask) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def block(left: int, top: int, right: int, bottom: int) -> Mask:
    """Of 10 x 6 px."""
    mask = np.zeros((6, 10), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def region(target: str, mask: Mask | None = None, box: tuple[int, int, int, int] = (0, 0, 2, 2)) -> dict[str, Any]:
    return {"target": target, "box": list(box), "mask": None if mask is None else png(mask)}


def row(*regions: dict[str, Any], **targets: bool) -> dict[str, Any]:
    judged = [{"name": name, "present": present} for name, present in targets.items()]
    return {"image_id": "r1", "width": 10, "height": 6, "targets": judged, "regions": list(regions)}


def test_a_mask_is_known_if_drawn_or_if_the_target_was_looked_for_in_vain() -> None:
    assert is_masked(row(region("Nodule", block(0, 0, 1, 1))), "Nodule") is True  # lungs have a mask and no verdict
    assert is_masked(row(Nodule=False), "Nodule") is False
    assert is_masked(row(), "Nodule") is None
    assert is_masked(row(Nodule=True), "Nodule") is None
    assert is_masked(row(region("Nodule"), Nodule=True), "Nodule") is None
    assert is_masked(row(region("Mass", block(0, 0, 1, 1)), Nodule=False), "Nodule") is False


def test_several_regions_of_a_target_are_one() -> None:
    both = row(region("Nodule", block(0, 0, 4, 4)), region("Nodule", block(2, 2, 6, 6)), region("Mass"), Nodule=True)
    found = drawn_mask(both, "Nodule")
    assert found is not None and found.sum() == 16 + 16 - 4
    empty = drawn_mask(row(Nodule=False), "Nodule")
    assert empty is not None and empty.shape == (6, 10) and not empty.any()
    assert drawn_mask(row(Nodule=True), "Nodule") is None


def test_a_box_stands_for_a_region_without_a_mask() -> None:
    mixed = row(region("Nodule", block(0, 0, 1, 1)), region("Nodule", box=(8, 4, 12, 9)))
    assert (extent(mixed, "Nodule") == (block(0, 0, 1, 1) | block(8, 4, 10, 6))).all()


@pytest.mark.parametrize("size", [(80, 64), (50, 97), (33, 33), (301, 120)])
def test_a_mask_is_letterboxed_as_its_image(size: tuple[int, int]) -> None:
    width, height = size
    mask = np.zeros((height, width), dtype=bool)
    mask[height // 4 : height // 2, width // 3 : width // 2 + 3] = True
    pixels = prepare({"pair_id": "r1", "image": png(mask)}, 64)["image"]
    image = np.frombuffer(pixels, np.uint8).reshape(64, 64, 3)[..., 0] > 127
    assert (image != letterbox(mask, 64)).mean() < 0.005  # smoothed edges fall on either side of a half
    assert letterbox(np.ones_like(mask), 64).sum() == pytest.approx(64**2 * min(size) / max(size), rel=0.02)


def test_the_patches_of_a_box_are_those_that_point_at_it() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        left, right = 8 * np.sort(rng.choice(13, 2, replace=False))  # 96 x 64 px, 8 to a patch
        top, bottom = 8 * np.sort(rng.choice(9, 2, replace=False))
        mask = np.zeros((64, 96), dtype=bool)
        mask[top:bottom, left:right] = True
        for place, inside in enumerate(at_patches(mask, 96, 8).flatten()):
            heat = torch.zeros(144)
            heat[place] = 1
            assert inside == points_at(heat.view(12, 12), (left, top, right, bottom), (96, 64))


def test_a_mask_that_does_not_fit_its_image_is_named() -> None:
    wrong = {"target": "Nodule", "box": [0, 0, 1, 1], "mask": png(np.ones((3, 3), dtype=bool))}
    with pytest.raises(UserError, match="mask of radiograph r1 is 3 x 3 pixels, the image 10 x 6"):
        drawn_mask(row(wrong), "Nodule")
    with pytest.raises(UserError, match="mask of radiograph r1 does not open"):
        drawn_mask(row({**wrong, "mask": b"junk"}), "Nodule")
