"""Masked image prediction (MLIP, section 2.3, eq. 9; as MAE): the pixels of patches that the encoder did not see."""

from typing import Literal

import torch
from torch import Tensor

MEAN, DEVIATION = 0.4978, 0.2449  # of the pixels of MIMIC-CXR from 0 to 1 (MRM)


def patchify(images: Tensor, patch: int) -> Tensor:
    """(N, P, patch * patch * 3), row by row, the channels of a pixel together. images: (N, 3, H, W)."""
    n, channels, height, width = images.shape
    cells = images.reshape(n, channels, height // patch, patch, width // patch, patch)
    return cells.permute(0, 2, 4, 3, 5, 1).reshape(n, -1, patch * patch * channels)


def masked_patch_loss(
    predicted: Tensor, images: Tensor, kept: Tensor, *, patch: int, norm_pix: bool | Literal["dataset"]
) -> Tensor:
    """Mean squared error over the hidden patches of the batch; 0 where none is hidden.

    predicted: (N, P, patch * patch * 3). images: (N, 3, H, W). kept: (N, K) int64, the patches that were seen.
    norm_pix: each patch's pixels less their mean, by their deviation (MAE); or `dataset`, by MRM's of all radiographs.
    """
    target = patchify(images.float(), patch)
    if norm_pix == "dataset":
        target = ((target + 1) / 2 - MEAN) / DEVIATION
    elif norm_pix:
        target = (target - target.mean(dim=2, keepdim=True)) / (target.var(dim=2, keepdim=True) + 1e-6).sqrt()
    error = (predicted.float() - target).square().mean(dim=2)  # (N, P)
    hidden = torch.ones_like(error).scatter(1, kept, 0)
    return (error * hidden).sum() / hidden.sum().clamp(min=1)
