"""A batch too large for memory, in parts, with the gradients of the whole (GradCache; Gao et al., 2021, section 3)."""

from functools import partial

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from trainers.batch import Batch
from trainers.objectives.blip import BlipObjective, Drawn, Encoded, Losses, workers

SIDES = ("image", "text", "states")  # of what is encoded


def backward_in_parts(
    objective: BlipObjective, batch: Batch, *, parts: int, step: int, casts: torch.autocast
) -> Losses:
    """The losses of the whole batch, detached; the gradients of their weighted sum are added to the parameters'.

    A part at a time is encoded without gradient; contrast and hard negatives are of the whole batch; then each part is
    encoded again, with the same dropout, and takes its gradients. casts: the precision of the forward passes, which
    backward passes must not run under.
    """
    objective.begin_step()
    pieces = torch.arange(len(batch), device=batch.images.device).chunk(parts)
    seeds = torch.randint(2**62, (len(pieces),)).tolist()
    encoded = []
    for rows, seed in zip(pieces, seeds, strict=True):
        with torch.no_grad(), casts:
            encoded.append(_encode(objective, batch.at(rows), seed))
    leaves = Encoded(**{side: torch.cat([getattr(part, side) for part in encoded]).requires_grad_() for side in SIDES})
    losses = _backward_to(leaves, objective, batch, parts=parts, step=step, casts=casts)
    for rows, seed in zip(pieces, seeds, strict=True):
        with casts:
            part = _encode(objective, batch.at(rows), seed)
        reached = [side for side in SIDES if getattr(leaves, side).grad is not None]
        torch.autograd.backward(
            [getattr(part, side) for side in reached], [getattr(leaves, side).grad[rows] for side in reached]
        )
    return losses


def _encode(objective: BlipObjective, part: Batch, seed: int) -> Encoded:
    torch.manual_seed(seed)
    return objective.encode(part)


def _backward_to(
    leaves: Encoded, objective: BlipObjective, batch: Batch, *, parts: int, step: int, casts: torch.autocast
) -> Losses:
    """The losses; their gradients reach the leaves, and the parameters of the fusion encoder and the heads."""
    with casts:
        drawn = objective.draw(batch, leaves, step)
    every = torch.arange(max(len(drawn.matches.image), len(batch)), device=batch.images.device)
    matches, read = every[: len(drawn.matches.image)].chunk(parts), every[: objective.fused(len(batch))].chunk(parts)
    losses: Losses = {}
    for name, terms in (
        ("itc", [lambda: objective.contrast(batch, leaves, step)]),
        ("itm", [partial(_match, objective, leaves, drawn, rows) for rows in matches]),
        (objective.settings.text_objective, [partial(objective.read, batch, leaves, drawn, rows) for rows in read]),
    ):
        for term in terms if objective.weights[name] > 0 else ():
            with casts:
                loss = term()
            (objective.weights[name] * loss).backward()
            losses[name] = losses.get(name, 0.0) + loss.detach()
    return losses


def _match(objective: BlipObjective, leaves: Encoded, drawn: Drawn, rows: Tensor) -> Tensor:
    return objective.match(leaves, drawn, drawn.matches.at(rows))


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
