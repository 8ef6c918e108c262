"""The detector's network: its weights, and the ONNX file that figures are read by."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from app.weights.detector_network import build_detector, load_detector, to_tensor
from app.weights.separator import halved
from pipelines.separation.detector import Detector, shrink


def test_weights_travel_in_sixteen_bits(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = build_detector().eval()
    save_file(halved(model), tmp_path / "w.safetensors")
    loaded = load_detector(str(tmp_path / "w.safetensors"))
    assert sum(x.numel() for x in loaded.parameters()) < 1_000_000
    assert (tmp_path / "w.safetensors").stat().st_size < 2_000_000


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(RuntimeError, match="Missing key"):
        load_detector(str(tmp_path / "w.safetensors"))


def test_the_file_that_ships_holds_nothing_of_the_machine_that_wrote_it() -> None:
    written = Path("pipelines/separation/weights/separator.onnx").read_bytes()
    assert b".py" not in written and b"site-packages" not in written


@pytest.mark.parametrize("shape", [(300, 640), (640, 300), (448, 448), (33, 900), (352, 448), (1200, 1190)])
def test_boxes_are_those_of_torchvision(shape: tuple[int, int]) -> None:
    """Of pictures side by side with noise: sides that the coarsest level rounds, and such as it does not."""
    image = pictures(*shape)
    theirs, ours = of_torchvision(image), Detector()(image)
    for kind, found in zip((1, 2), ours, strict=True):
        expected = [one for one in theirs if one[0] == kind]
        assert len(expected) == len(found)
        for (_, box, score), one in zip(expected, found, strict=True):
            assert np.abs(np.subtract(box, one.box)).max() <= 1  # a half is rounded either way
            assert abs(score - one.score) < 2e-4


def pictures(height: int, width: int) -> NDArray[np.uint8]:
    """White paper with some pictures of noise, in rows and columns."""
    rng = np.random.default_rng(height)
    image = np.full((height, width, 3), 255, dtype=np.uint8)
    for top in range(4, height - 28, max(120, height // 3)):
        for left in range(4, width - 28, max(150, width // 3)):
            high, wide = min(110, height - top - 4), min(140, width - left - 4)
            noise = rng.integers(20, 220, (-(-high // 10), -(-wide // 10), 1)).repeat(10, 0).repeat(10, 1)
            image[top : top + high, left : left + wide] = noise[:high, :wide]
    return image


@torch.inference_mode()
def of_torchvision(image: NDArray[np.uint8]) -> list[tuple[int, tuple[int, ...], float]]:
    """Class, box in pixels of the figure, and score, by torchvision's own way from pixels to boxes."""
    height, width = image.shape[:2]
    seen, scale = shrink(image)
    (found,) = load_detector()([to_tensor(seen)])
    limits = torch.tensor([width, height, width, height])
    boxes = torch.minimum((found["boxes"] / scale).round().clamp(min=0), limits).int().tolist()
    every = zip(found["labels"].tolist(), map(tuple, boxes), found["scores"].tolist(), strict=True)
    return [one for one in every if one[1][2] > one[1][0] and one[1][3] > one[1][1]]
