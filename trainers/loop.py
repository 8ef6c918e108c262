"""The training loop, without Ray: AdamW, warm-up and cosine decay (ALBEF), clipped gradients, and what it reports."""

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.utils import clip_grad_norm_

from trainers.batch import Batch

log = logging.getLogger(__name__)
Record = dict[str, float]
PRIOR_ITM = 0.6365  # the matching loss of a model that only knows that one pair in three is true
PATIENCE = 200  # steps that the matching loss may stay there before it is said


@dataclass(frozen=True)
class Plan:
    """What the loop needs to know beside the model and the data."""

    weights: Mapping[str, float]  # of the named losses
    lr: float
    weight_decay: float
    warmup_steps: int
    total_steps: int
    clip: float  # norm of the gradient
    seed: int
    log_seconds: float
    checkpoint_seconds: float


@dataclass
class Progress:
    """How far training is: what a checkpoint holds beside the model."""

    optimizer: torch.optim.Optimizer
    step: int = 0


@dataclass
class _Window:
    """The losses and times since the last record."""

    began: float
    losses: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    samples: int = 0
    waited: float = 0.0  # seconds


@dataclass
class _Watch:
    """Says once when the matching loss, smoothed, has stayed for long where a constant would be."""

    smooth: float = PRIOR_ITM
    steps: int = 0

    def see(self, itm: float) -> None:
        self.smooth += 0.02 * (itm - self.smooth)
        self.steps = self.steps + 1 if abs(self.smooth - PRIOR_ITM) < 0.005 else 0
        if self.steps == PATIENCE:
            log.warning("the matching loss has stayed at %.4f, that of a constant, for %d steps", PRIOR_ITM, PATIENCE)


def begin(model: nn.Module, plan: Plan) -> Progress:
    """Progress at step 0. Norms, biases and the temperature, which have one dimension or none, do not decay."""
    matrices = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": plan.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return Progress(torch.optim.AdamW(groups, lr=plan.lr))


def learning_rate(step: int, plan: Plan) -> float:
    """The rate of a step, counted from 0: a line up over the warm-up, then half a cosine down towards 0."""
    if step < plan.warmup_steps:
        return plan.lr * (step + 1) / plan.warmup_steps
    done = (step - plan.warmup_steps) / max(1, plan.total_steps - plan.warmup_steps)
    return plan.lr * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def train_steps(
    model: nn.Module,
    batches: Iterable[Batch],
    *,
    progress: Progress,
    plan: Plan,
    on_record: Callable[[Record], None],
    on_checkpoint: Callable[[Progress], None],
) -> None:
    """Train to plan.total_steps, or to the end of the batches; a last record is always made, a last checkpoint never.

    model: batch -> named losses. batches: those that follow progress.step. Raises FloatingPointError on a loss that is
    not finite. A step's randomness depends on seed and step alone, so a resumed run repeats the uninterrupted one.
    """
    device = next(model.parameters()).device
    model.train()
    window = _Window(began=time.monotonic())
    saved = asked = window.began
    watch = _Watch()
    for batch in islice(batches, plan.total_steps - progress.step):
        window.waited += time.monotonic() - asked
        losses = train_step(model, batch.to(device), progress=progress, plan=plan)
        _count(window, losses, len(batch))
        watch.see(losses.get("itm", 0.0))
        asked = time.monotonic()
        if asked - window.began >= plan.log_seconds:
            on_record(_record(window, model, progress, plan))
            window = _Window(began=asked)
        if _agreed(asked - saved >= plan.checkpoint_seconds, device):
            on_checkpoint(progress)
            asked = saved = time.monotonic()
    if window.steps:
        on_record(_record(window, model, progress, plan))


def train_step(model: nn.Module, batch: Batch, *, progress: Progress, plan: Plan) -> dict[str, float]:
    """One step of the optimiser; the losses by name, `loss` their weighted sum."""
    torch.manual_seed(plan.seed * 1_000_003 + progress.step)
    rate = learning_rate(progress.step, plan)
    for group in progress.optimizer.param_groups:
        group["lr"] = rate
    # On the CPU everything stays in float32; on a GPU the matrices are bfloat16, which needs no loss scaling.
    with torch.autocast(batch.images.device.type, dtype=torch.bfloat16, enabled=batch.images.is_cuda):
        losses = model(batch)
    total = sum(
        (plan.weights[name] * loss for name, loss in losses.items()), torch.zeros((), device=batch.images.device)
    )
    values = {name: loss.item() for name, loss in losses.items()} | {"loss": total.item()}
    if not math.isfinite(values["loss"]):
        raise FloatingPointError(f"step {progress.step}: losses {values}; pairs {', '.join(batch.pair_ids)}")
    progress.optimizer.zero_grad(set_to_none=True)
    total.backward()
    clip_grad_norm_(model.parameters(), plan.clip)
    progress.optimizer.step()
    progress.step += 1
    return values


def _agreed(due: bool, device: torch.device) -> bool:
    """What the first worker thinks: a checkpoint takes all of them, and their clocks differ."""
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return due
    answer = torch.tensor([due], dtype=torch.uint8, device=device)
    dist.broadcast(answer, src=0)
    return bool(answer.item())


def _count(window: _Window, losses: dict[str, float], samples: int) -> None:
    window.steps += 1
    window.samples += samples
    for name, value in losses.items():
        window.losses[name] = window.losses.get(name, 0.0) + value


def _record(window: _Window, model: nn.Module, progress: Progress, plan: Plan) -> Record:
    seconds = max(time.monotonic() - window.began, 1e-9)
    temperature = next((p for name, p in model.named_parameters() if name.endswith("log_temperature")), None)
    return {
        "step": progress.step,
        **{name: total / window.steps for name, total in window.losses.items()},
        "lr": learning_rate(progress.step - 1, plan),
        **({} if temperature is None else {"temperature": temperature.exp().item()}),
        "samples_per_s": window.samples / seconds,
        "wait_share": window.waited / seconds,
    }
