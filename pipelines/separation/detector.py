"""A small FCOS (Tian et al., ICCV 2019; torchvision's) that sees panels and printed letters of a figure in one pass."""

from collections import OrderedDict
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import timm
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from timm.layers import BatchNormAct2d
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.detection import FCOS
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOSHead
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from core.places import Place
from core.records import Box

PANEL, LABEL = 1, 2  # classes; 0 is the ground, as torchvision has it
LONG_SIDE = 448  # px of the figure that the detector sees
BACKBONE = "lcnet_050"  # timm; 0.3 million parameters, 30 ms for a figure on one core
WIDTH = 64  # channels of pyramid and head; a multiple of 32 for their group norm
STRIDES = (8, 16, 32, 64)  # px between a level's points
SHIPPED = "separator.safetensors"


@dataclass(frozen=True)
class Found:
    """A box that the detector proposes, in pixels of the figure."""

    box: Box
    score: float


class Pyramid(nn.Module):
    """timm's features at strides 8, 16 and 32, and a fourth level pooled from the last."""

    def __init__(self) -> None:
        super().__init__()
        self.body = timm.create_model(BACKBONE, pretrained=False, features_only=True, out_indices=(2, 3, 4))
        features: Any = self.body.feature_info
        self.neck = FeaturePyramidNetwork(features.channels(), WIDTH, extra_blocks=LastLevelMaxPool())
        self.out_channels = WIDTH  # FCOS asks for it

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Images (N, 3, H, W) -> four maps (N, WIDTH, H/stride, W/stride)."""
        levels = OrderedDict((str(level), states) for level, states in enumerate(self.body(images)))
        maps: dict[str, Tensor] = self.neck(levels)
        return maps


def build_detector() -> FCOS:
    """The network with untrained weights; in training it takes images and targets, else it gives boxes."""
    points = AnchorGenerator(sizes=tuple((stride,) for stride in STRIDES), aspect_ratios=((1.0,),) * len(STRIDES))
    return FCOS(
        Pyramid(),
        num_classes=3,
        min_size=LONG_SIDE,
        max_size=LONG_SIDE,
        anchor_generator=points,
        head=FCOSHead(WIDTH, 1, 3, num_convs=2),
        score_thresh=0.1,
        nms_thresh=0.5,
        detections_per_img=120,
    )


def load_detector(weights: str | None = None) -> FCOS:
    """The network for use. weights: a safetensors file, path or URI; None takes the one that comes with figray."""
    model, shipped = build_detector(), str(files("pipelines.separation").joinpath("weights", SHIPPED))
    with Place.at(weights or shipped).near() as source:
        model.load_state_dict({name: values.float() for name, values in load_file(source).items()})
    return model.eval()


def fused(model: FCOS) -> FCOS:
    """A network for use on CPUs: each batch norm in the convolution before it, a third less time for the same boxes."""
    _fuse(model.backbone)
    prepared: FCOS = model.eval().to(memory_format=torch.channels_last)
    return prepared


def _fuse(module: nn.Module) -> None:
    children = list(module.named_children())
    for (name, first), (following, second) in pairwise(children):
        if isinstance(first, nn.Conv2d) and isinstance(second, BatchNormAct2d):
            setattr(module, name, fuse_conv_bn_eval(first, second))
            setattr(module, following, second.act)
    for _, child in children:
        _fuse(child)


@torch.inference_mode()
def detect(model: FCOS, image: NDArray[np.uint8]) -> tuple[list[Found], list[Found]]:
    """Panels and printed letters of an RGB figure (H, W, 3), the surest first."""
    height, width = image.shape[:2]
    seen, scale = shrink(image)
    (found,) = model([to_tensor(seen)])
    limits = torch.tensor([width, height, width, height])
    boxes = torch.minimum((found["boxes"] / scale).round().clamp(min=0), limits).int().tolist()
    every = [
        (kind, Found(tuple(box), round(score, 4)))
        for box, score, kind in zip(boxes, found["scores"].tolist(), found["labels"].tolist(), strict=True)
        if box[2] > box[0] and box[3] > box[1]
    ]
    return [one for kind, one in every if kind == PANEL], [one for kind, one in every if kind == LABEL]


def shrink(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """The figure (H, W, 3) with its longer side at LONG_SIDE, and the factor that brought it there."""
    height, width = image.shape[:2]
    scale = LONG_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=how), dtype=np.uint8), scale


def to_tensor(image: NDArray[np.uint8]) -> Tensor:
    """(H, W, 3) from 0 to 255 -> (3, H, W) from 0 to 1."""
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255
