"""The detector: what goes in, what comes out."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pipelines.separation.detector import LONG_SIDE, build_detector, detect, load_detector, shrink


def test_the_longer_side_comes_to_one_length() -> None:
    small, scale = shrink(np.zeros((200, 896, 3), dtype=np.uint8))
    assert small.shape == (100, LONG_SIDE, 3)
    assert scale == 0.5
    assert shrink(np.zeros((100, 50, 3), dtype=np.uint8))[0].shape == (LONG_SIDE, 224, 3)


def test_weights_travel_in_sixteen_bits_and_boxes_stay_on_the_figure(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = build_detector().eval()
    state = {name: x.half() if x.is_floating_point() else x for name, x in model.state_dict().items()}
    save_file({name: x.contiguous() for name, x in state.items()}, tmp_path / "w.safetensors")
    loaded = load_detector(str(tmp_path / "w.safetensors"))
    assert sum(x.numel() for x in loaded.parameters()) < 1_000_000
    image = np.random.default_rng(0).integers(0, 255, (300, 500, 3), dtype=np.uint8)
    for kind in detect(loaded, image):
        for one in kind:
            assert 0 <= one.box[0] < one.box[2] <= 500
            assert 0 <= one.box[1] < one.box[3] <= 300


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(RuntimeError, match="Missing key"):
        load_detector(str(tmp_path / "w.safetensors"))


def test_what_ships_finds_two_pictures_side_by_side() -> None:
    rng = np.random.default_rng(1)
    image = np.full((300, 640, 3), 255, dtype=np.uint8)
    for left in (10, 330):
        image[10:290, left : left + 300] = rng.integers(40, 200, (28, 30, 1)).repeat(10, 0).repeat(10, 1)
    panels, _ = detect(load_detector(), image)
    sure = [one.box for one in panels if one.score > 0.4]
    assert len(sure) == 2
