"""What a separator is trained as: a small FCOS (Tian et al., ICCV 2019; torchvision's), given on as an ONNX file."""

from collections import OrderedDict
from copy import deepcopy
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from timm.layers import BatchNormAct2d
from torch import Tensor, nn
from torch.export import Dim
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.detection import FCOS
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOSHead
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from core.places import Place
from pipelines.separation.detector import GRAIN, LONG_SIDE, MOST, OUTPUTS, OVERLAP, PIXELS, SEEN, SIZES

BACKBONE = "lcnet_050"  # timm; 0.3 million parameters, 20 ms for a figure on one core
WIDTH = 64  # channels of pyramid and head; a multiple of 32 for their group norm
WEIGHTS = "separator.safetensors"


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


class Network(nn.Module):
    """What of it is learnt, pyramid and head; boxes are made of it by pipelines/separation/detector.py."""

    def __init__(self, model: FCOS) -> None:
        super().__init__()
        self.backbone, self.head = model.backbone, model.head

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(1, 3, H, W) -> logits of classes (1, P, 3), distances to four sides (1, P, 4), of the centre (1, P, 1)."""
        found = self.head(list(self.backbone(pixels).values()))
        return found["cls_logits"], found["bbox_regression"], found["bbox_ctrness"]


def build_detector() -> FCOS:
    """The network with untrained weights; in training it takes images and targets, else it gives boxes."""
    return FCOS(
        Pyramid(),
        num_classes=3,
        min_size=LONG_SIDE,
        max_size=LONG_SIDE,
        anchor_generator=AnchorGenerator(sizes=tuple((size,) for size in SIZES), aspect_ratios=((1.0,),) * len(SIZES)),
        head=FCOSHead(WIDTH, 1, 3, num_convs=2),
        score_thresh=SEEN,
        nms_thresh=OVERLAP,
        detections_per_img=MOST,
    )


def load_detector(weights: str | None = None) -> FCOS:
    """The network for use. weights: a safetensors file, path or URI; None takes the one that comes with figray."""
    model, shipped = build_detector(), str(files("pipelines.separation").joinpath("weights", WEIGHTS))
    with Place.at(weights or shipped).near() as source:
        model.load_state_dict({name: values.float() for name, values in load_file(source).items()})
    return model.eval()


def to_onnx(model: FCOS) -> bytes:
    """The network as the ONNX file that figures are read by: each batch norm in the convolution before it."""
    import onnx

    network = Network(deepcopy(model)).eval()
    _fuse(network.backbone)
    most = LONG_SIDE // GRAIN
    sides = {side: GRAIN * Dim(name, min=1, max=most) for side, name in ((2, "high"), (3, "wide"))}
    with torch.no_grad():
        program = torch.onnx.export(
            network, (torch.zeros(1, 3, LONG_SIDE, LONG_SIDE - 4 * GRAIN),), input_names=[PIXELS],
            output_names=list(OUTPUTS), dynamic_shapes={"pixels": sides}, dynamo=True, verbose=False,
        )  # fmt: skip
    if program is None:
        raise RuntimeError("torch wrote no ONNX program")
    graph = program.model_proto
    for part in (
        graph,
        graph.graph,
        *graph.graph.node,
        *graph.graph.value_info,
    ):  # the traces hold this machine's paths
        part.ClearField("metadata_props")
    onnx.checker.check_model(graph)
    written: bytes = graph.SerializeToString()
    return written


def _fuse(module: nn.Module) -> None:
    children = list(module.named_children())
    for (name, first), (following, second) in pairwise(children):
        if isinstance(first, nn.Conv2d) and isinstance(second, BatchNormAct2d):
            setattr(module, name, fuse_conv_bn_eval(first, second))
            setattr(module, following, second.act)
    for _, child in children:
        _fuse(child)


def to_tensor(image: NDArray[np.uint8]) -> Tensor:
    """(H, W, 3) from 0 to 255 -> (3, H, W) from 0 to 1."""
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255
