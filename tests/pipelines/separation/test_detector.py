"""The detector: what goes in, what comes out, and that it needs no torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.config import UserError
from pipelines.letters.wheel_models import RECOGNISER, source
from pipelines.separation.detector import LONG_SIDE, Detector, filled, levels, shrink, surest


def test_the_longer_side_comes_to_one_length() -> None:
    small, scale = shrink(np.zeros((200, 896, 3), dtype=np.uint8))
    assert small.shape == (100, LONG_SIDE, 3)
    assert scale == 0.5
    assert shrink(np.zeros((100, 50, 3), dtype=np.uint8))[0].shape == (LONG_SIDE, 224, 3)


def test_an_image_is_filled_on_the_right_and_below() -> None:
    pixels = filled(np.full((100, 448, 3), 255, dtype=np.uint8))
    assert pixels.shape == (1, 3, 128, 448)
    assert np.allclose(pixels[0, :, 99, 447], [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225])
    assert not pixels[:, :, 100:].any()


def test_every_level_has_its_points_and_the_last_rounds_up() -> None:
    assert [len(level) for level in levels(352, 448)] == [44 * 56, 22 * 28, 11 * 14, 6 * 7]
    assert levels(352, 448)[3][-1].tolist() == [6 * 64, 5 * 58]  # 352 // 6


def test_of_boxes_at_one_place_the_surest_of_each_class_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [40, 40, 50, 50], [0, 0, 10, 5]], np.float32)
    scores, kinds = np.array([0.5, 0.9, 0.8, 0.4, 0.3], np.float32), np.array([1, 1, 2, 1, 1])
    assert surest(boxes, scores, kinds) == [1, 2, 3, 4]  # 4 shares 45 of 105 with 1


def test_what_ships_finds_two_pictures_side_by_side() -> None:
    rng = np.random.default_rng(1)
    image = np.full((300, 640, 3), 255, dtype=np.uint8)
    for left in (10, 330):
        image[10:290, left : left + 300] = rng.integers(40, 200, (28, 30, 1)).repeat(10, 0).repeat(10, 1)
    panels, letters = Detector()(image)
    assert len([one.box for one in panels if one.score > 0.4]) == 2
    for one in [*panels, *letters]:
        assert 0 <= one.box[0] < one.box[2] <= 640 and 0 <= one.box[1] < one.box[3] <= 300


def test_without_boxes_none_stays() -> None:
    assert surest(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)) == []


def test_weights_that_are_none_of_figray_s_are_refused(tmp_path: Path) -> None:
    (tmp_path / "w.onnx").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"separate\.weights: .*w\.onnx is no ONNX file"):
        Detector(str(tmp_path / "w.onnx"))
    with pytest.raises(UserError, match="is not of `figray train separator`"):
        Detector(str(source(RECOGNISER)))


def test_a_figure_is_read_without_torch() -> None:
    asked = (
        "import sys, pipelines.separating; print([name for name in ('torch', 'ray', 'timm') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"
