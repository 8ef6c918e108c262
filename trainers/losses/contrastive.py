"""Image-text contrast (ITC; ALBEF, eq. 1 and 6; BLIP, section 3.2), over the batch of all workers and a queue."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed._functional_collectives import all_gather_single_autograd
from torch.nn.functional import log_softmax


@dataclass(frozen=True)
class Keys:
    """What a batch is contrasted with: the first `fresh` are of this step, by all workers; the others are older."""

    image: Tensor  # (K, E), unit length
    text: Tensor  # (K, E), unit length
    text_group: Tensor  # (K,) int64, equal for equal texts, so for the keys of one pair too
    fresh: int

    def __add__(self, older: "Keys") -> "Keys":
        return Keys(
            torch.cat([self.image, older.image]),
            torch.cat([self.text, older.text]),
            torch.cat([self.text_group, older.text_group]),
            fresh=self.fresh,
        )


class Teacher(NamedTuple):
    """What the momentum encoders make of the batch, and how much that counts."""

    image: Tensor  # (N, E)
    text: Tensor  # (N, E)
    alpha: float


def image_text_contrast(
    image: Tensor, text: Tensor, keys: Keys, *, text_group: Tensor, temperature: Tensor, teacher: Teacher | None = None
) -> Tensor:
    """Half the sum of image-to-text and text-to-image contrast.

    image, text: (N, E), unit length. text_group: (N,). Fresh keys with the same text are positives; older ones with the
    same text, the pair's own above all, count neither as positives nor as negatives.
    """
    same = text_group[:, None] == keys.text_group[None, :]  # (N, K)
    fresh = torch.arange(len(keys.text_group), device=same.device) < keys.fresh
    positive, left_out = same & fresh, same & ~fresh
    losses = []
    for queries, others, theirs in (
        (image, keys.text, teacher and teacher.image),
        (text, keys.image, teacher and teacher.text),
    ):
        target = positive / positive.sum(dim=1, keepdim=True)  # (N, K)
        if teacher and theirs is not None:
            belief = (theirs @ others.T / temperature).masked_fill(left_out, float("-inf")).softmax(dim=1)
            target = teacher.alpha * belief.detach() + (1 - teacher.alpha) * target
        losses.append(contrast(queries @ others.T / temperature, target, left_out))
    return (losses[0] + losses[1]) / 2


def contrast(scores: Tensor, target: Tensor, left_out: Tensor) -> Tensor:
    """Mean cross-entropy of each row's scores against its targets.

    scores: (N, K), similarity over temperature. target: (N, K), rows sum to 1. left_out: (N, K) bool, keys that do not
    exist for a row.
    """
    log_p = log_softmax(scores.masked_fill(left_out, float("-inf")), dim=1).masked_fill(left_out, 0.0)
    return -(target * log_p).sum(dim=1).mean()


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
