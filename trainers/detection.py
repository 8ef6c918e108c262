"""Training of a torchvision detector on figures drawn without end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import cos, pi

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

Target = dict[str, Tensor]  # boxes (K, 4) in pixels, labels (K,)
Batch = tuple[list[Tensor], list[Target]]  # images (3, H, W), one target for each
OnStep = Callable[[int, dict[str, float], nn.Module], None]  # step, losses, running mean of the weights so far


@dataclass(frozen=True)
class DetectionPlan:
    """How long and how fast."""

    steps: int
    lr: float
    warmup_steps: int
    weight_decay: float
    clip: float  # norm of the gradient
    averaged: float  # decay of the mean of the weights


def train_detector(model: nn.Module, batches: Iterator[Batch], plan: DetectionPlan, on_step: OnStep) -> nn.Module:
    """Train, and give back the running mean of the weights. Raises FloatingPointError if a loss is no number."""
    mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(plan.averaged), use_buffers=True)
    optimiser = torch.optim.AdamW(model.parameters(), lr=plan.lr, weight_decay=plan.weight_decay)
    model.train().to(memory_format=torch.channels_last)  # a sixth faster on CPUs
    for step in range(plan.steps):
        for group in optimiser.param_groups:
            group["lr"] = plan.lr * rate_at(step, plan)
        images, targets = next(batches)
        losses = model(images, targets)
        total = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(total):
            raise FloatingPointError(f"step {step}: { ({name: loss.item() for name, loss in losses.items()}) }")
        optimiser.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(model.parameters(), plan.clip)
        optimiser.step()
        mean.update_parameters(model)
        on_step(step + 1, {name: loss.item() for name, loss in losses.items()}, mean.module)
    trained: nn.Module = mean.module
    return trained


def rate_at(step: int, plan: DetectionPlan) -> float:
    """The share of the rate at a step: a straight warm-up, then half a cosine down to a hundredth."""
    if step < plan.warmup_steps:
        return (step + 1) / plan.warmup_steps
    done = (step - plan.warmup_steps) / max(1, plan.steps - plan.warmup_steps)
    return 0.01 + 0.99 * (1 + cos(pi * done)) / 2
