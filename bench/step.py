"""One whole step of training: losses, gradients, AdamW."""

from contextlib import nullcontext

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from trainers.batch import Batch


class Step:
    """A step of an objective: called with a batch and the step's number it moves the weights, and tells the losses."""

    def __init__(self, objective: nn.Module, *, lr: float = 1e-5, bfloat16: bool = False) -> None:
        self.objective = objective.train()
        self.weights: dict[str, float] = objective.weights  # type: ignore[assignment]
        self.moving = [weight for weight in objective.parameters() if weight.requires_grad]
        self.device = self.moving[0].device
        self.optimizer = torch.optim.AdamW(self.moving, lr=lr, weight_decay=0.05, fused=True)
        self.bfloat16 = bfloat16

    def __call__(self, batch: Batch, number: int) -> dict[str, torch.Tensor]:
        """The named losses, without gradients."""
        cast = torch.autocast(self.device.type, dtype=torch.bfloat16) if self.bfloat16 else nullcontext()
        with cast:
            losses = self.objective(batch.to(self.device), number)
        self.optimizer.zero_grad(set_to_none=True)
        sum(self.weights[name] * loss for name, loss in losses.items()).backward()
        clip_grad_norm_(self.moving, 1.0)
        self.optimizer.step()
        return {name: loss.detach() for name, loss in losses.items()}
