"""What every objective is: a batch and the step's number to named losses, whole or in parts."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from trainers.batch import Batch
from trainers.towers import COLDEST, WARMEST, Towers

Losses = dict[str, Tensor]
Term = tuple[str, Callable[[], Tensor]]  # the name of a loss, and a share of it; its shares add up


class Objective(nn.Module):
    """Named losses of a model; their sum by `weights` is what is minimised."""

    model: Towers
    seed: int
    weights: dict[str, float]
    rates: dict[str, float]  # parameters with a learning rate of their own, times the common one; they do not decay
    watched: Losses  # of the last step: worth a record, not minimised

    def __init__(self) -> None:
        super().__init__()
        self.rates, self.watched = {}, {}

    def forward(self, batch: Batch, step: int = 0) -> Losses:
        """The named losses; one with weight 0 is not computed. step: counted from 0."""
        self.begin_step()
        losses: Losses = {}
        for name, term in self.terms(batch, self.encode(batch, step), step):
            losses[name] = losses[name] + term() if name in losses else term()
        return losses

    @torch.no_grad()
    def begin_step(self) -> None:
        """Once before each step's losses: the temperature within its bounds."""
        # The parameter itself, as BLIP does: clamped later, it would get no gradient back.
        temperature: Any = self.model.log_temperature
        temperature.clamp_(torch.tensor(COLDEST).log().item(), torch.tensor(WARMEST).log().item())

    def encode(self, batch: Batch, step: int = 0) -> Any:
        """The online encoders' view of a batch or of a part of it: a dataclass of tensors, a row for each pair."""
        raise NotImplementedError

    def terms(self, batch: Batch, encoded: Any, step: int, *, parts: int = 1) -> Iterator[Term]:
        """The losses of a whole batch from what encode() made of it, in shares that fit in memory one by one."""
        raise NotImplementedError


def rank() -> int:
    """This worker's place among all."""
    return dist.get_rank() if dist.is_initialized() else 0


def workers() -> int:
    """How many share a batch."""
    return dist.get_world_size() if dist.is_initialized() else 1
