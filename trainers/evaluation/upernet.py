"""UPerNet's head (Xiao et al., 2018) on the states of a frozen ViT, fitted to masks as in MRM's configuration."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchvision.ops import sigmoid_focal_loss
from transformers import UperNetConfig
from transformers.loss.loss_for_object_detection import dice_loss
from transformers.models.upernet.modeling_upernet import UperNetHead

from trainers.towers import Towers

DEPTHS = (1 / 3, 1 / 2, 2 / 3, 1)  # of the encoder, where states are read: after blocks 4, 6, 8 and 12 of 12 (MRM)
BATCH = 8  # radiographs in a step; MRM, 2 on each of 4 GPUs
RATE, DECAY = 1e-3, 0.05  # of AdamW; MRM's rate, 2e-5, is that of a pre-trained encoder
FOCAL, DICE = 2.0, 1.0  # weights of the losses (MRM)
BALANCE = 0.5  # of the focal loss, between pixels inside and outside (mmsegmentation)


class Segmenter(nn.Module):
    """Logits of one target from states of an encoder at four depths, the first the finest."""

    def __init__(self, *, width: int, channels: int, blocks: int) -> None:
        """width: of the states. channels: inside, 768 in MRM. blocks: of the encoder."""
        super().__init__()
        places = read_places(blocks)
        self.sources = [places.index(place) for place in _places(blocks)]
        # The states of an encoder that nobody fine-tunes differ in scale from depth to depth.
        self.narrow = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(width), nn.Conv2d(width, channels, kernel_size=1)) for _ in DEPTHS
        )
        twice = nn.Sequential(_double(channels), nn.BatchNorm2d(channels), nn.GELU(), _double(channels))
        # x4, x2, x1 and x1/2, as Feature2Pyramid of mmsegmentation.
        self.rescale = nn.ModuleList([twice, _double(channels), nn.Identity(), nn.MaxPool2d(2, ceil_mode=True)])
        config = UperNetConfig(hidden_size=channels, use_auxiliary_head=False)
        config.num_labels = 1
        self.head = UperNetHead(config, in_channels=[channels] * len(DEPTHS))

    def forward(self, states: Tensor, size: int) -> Tensor:
        """(N, size, size). states: (N, D, W, h, w), as of states_at()."""
        levels = zip(self.narrow, self.rescale, self.sources, strict=True)
        pyramid = [rescale(narrow(states[:, source])) for narrow, rescale, source in levels]
        return interpolate(self.head(pyramid), size=(size, size), mode="bilinear", align_corners=False)[:, 0]


def _double(channels: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels, channels, kernel_size=2, stride=2)


def _places(blocks: int) -> list[int]:
    """Numbers of the blocks, from 0, after which states are read; of a shallow encoder one several times."""
    return [max(1, round(depth * blocks)) - 1 for depth in DEPTHS]


def read_places(blocks: int) -> list[int]:
    """The same numbers, each once: 3, 5, 7 and 11 of 12 blocks."""
    return sorted(set(_places(blocks)))


@torch.no_grad()
def states_at(model: Towers, images: Tensor) -> Tensor:
    """(N, D, W, h, w): the patches' states after the blocks of read_places(). images: (N, 3, H, W)."""
    places = read_places(len(model.image_encoder.blocks))
    read = model.image_encoder.forward_intermediates
    states = read(images, indices=places, output_fmt="NCHW", intermediates_only=True)
    return torch.stack(cast(list[Tensor], states), dim=1)


def fit_segmenter(
    segmenter: Segmenter, states: Tensor, masks: Tensor, *, steps: int, generator: torch.Generator
) -> None:
    """Minimise segmentation_loss() by AdamW, the rate falling to nothing by equal steps, and leave evaluation mode on.

    states: (N, D, W, h, w). masks: (N, S, S) bool. Both may lie elsewhere than the segmenter.
    """
    device = next(segmenter.parameters()).device
    optimizer = torch.optim.AdamW(segmenter.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=steps)
    segmenter.train()
    for _ in range(steps):
        rows = torch.randint(len(states), (BATCH,), generator=generator)
        logits = segmenter(states[rows].to(device).float(), masks.shape[-1])
        optimizer.zero_grad()
        segmentation_loss(logits, masks[rows].to(device)).backward()
        optimizer.step()
        schedule.step()
    segmenter.eval()


def segmentation_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """2 * focal + Dice loss, mean over images (MRM). logits, masks: (N, S, S)."""
    truth = masks.float()
    focal = sigmoid_focal_loss(logits, truth, alpha=BALANCE, reduction="mean")
    return FOCAL * focal + DICE * dice_loss(logits, truth.flatten(1), len(logits))


@torch.no_grad()
def dice_at(segmenter: Segmenter, states: Tensor, masks: Tensor, thresholds: Sequence[float]) -> NDArray[np.float64]:
    """(K, N): dice() of N images with the pixels marked whose probability is above each of K thresholds."""
    found = segmenter(states.float(), masks.shape[-1]).sigmoid()
    return np.stack([dice(found > threshold, masks).cpu().numpy() for threshold in thresholds])


def dice(found: Tensor, masks: Tensor) -> Tensor:
    """(N,), double: 2 |A and B| / (|A| + |B|); where both are empty 1, so that where one is 0. Both: (N, S, S) bool."""
    both = (found & masks).flatten(1).sum(dim=1).double()
    total = (found.flatten(1).sum(dim=1) + masks.flatten(1).sum(dim=1)).double()
    return torch.where(total > 0, 2 * both / total.clamp(min=1), 1.0)
