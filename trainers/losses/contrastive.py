"""Image-text contrast (ITC; CLIP, and BLIP section 3.2 without its momentum), over the batch of all workers."""

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed._functional_collectives import all_gather_single_autograd
from torch.nn.functional import log_softmax


def contrast(scores: Tensor, positive: Tensor) -> Tensor:
    """Mean cross-entropy of each row against its positives, which share the target equally.

    scores: (N, M), similarity over temperature. positive: (N, M) bool, at least one in a row.
    """
    target = positive / positive.sum(dim=1, keepdim=True)  # (N, M)
    return -(target * log_softmax(scores, dim=1)).sum(dim=1).mean()


def image_text_contrast(image: Tensor, text: Tensor, group: Tensor, temperature: Tensor) -> Tensor:
    """Half the sum of image-to-text and text-to-image contrast; pairs whose texts are equal are positives.

    image, text: (N, E), unit length. group: (N,), equal where texts are. Against the N of every worker.
    """
    groups = gather(group)  # (M,)
    positive = group[:, None] == groups[None, :]  # (N, M)
    to_text = contrast(image @ gather(text).T / temperature, positive)
    to_image = contrast(text @ gather(image).T / temperature, positive)
    return (to_text + to_image) / 2


def gather(rows: Tensor) -> Tensor:
    """The rows of all workers, in rank order; gradients flow back to the worker that a row came from."""
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return rows
    if not rows.requires_grad:
        every = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(every, rows.contiguous())
        return torch.cat(every)
    world = dist.group.WORLD
    assert world is not None  # it is initialised
    return all_gather_single_autograd(rows.contiguous(), 0, world)
