"""A batch too large for memory, in parts, with the gradients of the whole (GradCache; Gao et al., 2021, section 3)."""

from dataclasses import fields, replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from trainers.batch import Batch
from trainers.objectives.objective import Losses, Objective, workers


def backward_in_parts(objective: Objective, batch: Batch, *, parts: int, step: int, casts: torch.autocast) -> Losses:
    """The losses of the whole batch, detached; the gradients of their weighted sum are added to the parameters'.

    A part at a time is encoded without gradient; contrast and hard negatives are of the whole batch; then each part is
    encoded again, with the same dropout, and takes its gradients. casts: the precision of the forward passes, which
    backward passes must not run under.
    """
    objective.begin_step()
    pieces = torch.arange(len(batch), device=batch.images.device).chunk(parts)
    seeds = torch.randint(2**62, (len(pieces),)).tolist()

    def encode(number: int) -> Any:
        torch.manual_seed(seeds[number])
        with casts:
            return objective.encode(batch.at(pieces[number]), step)

    with torch.no_grad():
        encoded = [encode(number) for number in range(len(pieces))]
    sides = [side.name for side in fields(encoded[0])]
    whole = {side: torch.cat([getattr(part, side) for part in encoded]) for side in sides}
    leaves = replace(
        encoded[0], **{side: each.requires_grad_(each.is_floating_point()) for side, each in whole.items()}
    )
    losses = _backward_to(leaves, objective, batch, parts=parts, step=step, casts=casts)
    reached = [side for side in sides if getattr(leaves, side).grad is not None]
    for number, rows in enumerate(pieces):
        part = encode(number)
        torch.autograd.backward(
            [getattr(part, side) for side in reached], [getattr(leaves, side).grad[rows] for side in reached]
        )
    return losses


def _backward_to(
    leaves: Any, objective: Objective, batch: Batch, *, parts: int, step: int, casts: torch.autocast
) -> Losses:
    """The losses; their gradients reach the leaves, and the parameters of what comes after the encoders."""
    with casts:
        terms = list(objective.terms(batch, leaves, step, parts=parts))
    losses: Losses = {}
    for name, term in terms:
        with casts:
            loss = term()
        (objective.weights[name] * loss).backward()
        losses[name] = losses.get(name, 0.0) + loss.detach()
    return losses


def average_gradients(module: nn.Module) -> None:
    """Each gradient becomes its mean over all workers, as DistributedDataParallel leaves it."""
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    if workers() > 1:
        vector_to_parameters(mean_over_workers(parameters_to_vector(gradients)), gradients)


def mean_over_workers(value: Tensor) -> Tensor:
    """The mean of what each worker holds, in place of it."""
    if workers() == 1:
        return value
    dist.all_reduce(value)
    return value.div_(workers())
