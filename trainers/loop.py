"""The training loop, without Ray: AdamW with clipped gradients, its schedule (ALBEF; BLIP), and what it reports."""

import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_

from core.settings import OptimSettings, TrainSettings
from trainers.accumulate import average_gradients, backward_in_parts, mean_over_workers
from trainers.batch import Batch, augment_batch
from trainers.encoders import TextBert
from trainers.frozen import freeze
from trainers.objectives.objective import Losses, Objective, rank, workers
from trainers.towers import Towers

log = logging.getLogger(__name__)
Record = dict[str, float]
PRIOR_ITM = 0.6365  # the matching loss of a model that only knows that one pair in three is true
MODEL = "model."  # what the objective calls the weights that a checkpoint holds as a model
PLACED = ("cls_token", "pos_embed", "decoder.hidden")  # of several dimensions, and no matrices
LOOKED = 1.0  # seconds at most from one reading of the losses to the next
PATIENCE = 200  # steps that the matching loss may stay there before it is said


@dataclass(frozen=True)
class Plan:
    """What the loop needs to know beside the objective and the data."""

    optim: OptimSettings
    train: TrainSettings
    steps_per_epoch: int
    total_steps: int
    seed: int = 0


@dataclass
class Progress:
    """How far training is: what a checkpoint holds beside the objective."""

    optimizer: torch.optim.Optimizer
    step: int = 0


@dataclass(frozen=True)
class Taken:
    """A step that was taken; its losses stay on the device until somebody asks."""

    step: int
    losses: Losses
    pair_ids: tuple[str, ...]


@dataclass
class _Window:
    """The losses and times since the last record."""

    began: float
    taken: list[Taken] = field(default_factory=list)  # not read yet
    losses: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    samples: int = 0
    waited: float = 0.0  # seconds


@dataclass
class _Watch:
    """Says once when the matching loss, smoothed, has stayed for long where a constant would be."""

    smooth: float = PRIOR_ITM
    steps: int = 0

    @property
    def stuck(self) -> bool:
        return self.steps >= PATIENCE

    def see(self, itm: float) -> None:
        self.smooth += 0.02 * (itm - self.smooth)
        self.steps = self.steps + 1 if abs(self.smooth - PRIOR_ITM) < 0.005 else 0
        if self.steps == PATIENCE:
            log.warning("the matching loss has stayed at %.4f, that of a constant, for %d steps", PRIOR_ITM, PATIENCE)


def begin(objective: Objective, plan: Plan) -> Progress:
    """Progress at step 0. Norms, biases, places and the tokens of class and mask do not decay (timm; MAE).

    What has a rate of its own is a group of its own, and does not decay either.
    """
    learnt = {name: p for name, p in objective.named_parameters() if p.requires_grad}
    rates = dict(objective.rates)
    if plan.optim.temperature_rate != 1:
        rates["model.log_temperature"] = plan.optim.temperature_rate
    own = {name: learnt.pop(name) for name in rates if name in learnt}
    decays = {name: p.ndim > 1 and not name.endswith(PLACED) for name, p in learnt.items()}
    groups = [
        {"params": [p for n, p in learnt.items() if decays[n]], "weight_decay": plan.optim.weight_decay, "times": 1.0},
        {"params": [p for n, p in learnt.items() if not decays[n]], "weight_decay": 0.0, "times": 1.0},
        *({"params": [p], "weight_decay": 0.0, "times": rates[name]} for name, p in own.items()),
    ]
    betas = (0.9, plan.optim.beta2)
    return Progress(torch.optim.AdamW(groups, lr=plan.optim.lr, betas=betas, fused=True))


def learning_rate(step: int, plan: Plan) -> float:
    """The rate of a step, counted from 0: a line up over the warm-up, then down to min_lr.

    Down in half a cosine (ALBEF), by a factor after each epoch (BLIP, utils.py), or by as much after each epoch as
    leaves nothing after the last (MLIP, section 3.1).
    """
    optim = plan.optim
    if step < optim.warmup_steps:
        return optim.lr * (step + 1) / optim.warmup_steps
    if optim.schedule == "epochs":
        return max(optim.min_lr, optim.lr * optim.decay ** (step // plan.steps_per_epoch))
    if optim.schedule == "linear":
        gone = step // plan.steps_per_epoch * plan.steps_per_epoch / plan.total_steps
        return optim.min_lr + (optim.lr - optim.min_lr) * (1 - gone)
    done = (step - optim.warmup_steps) / max(1, plan.total_steps - optim.warmup_steps)
    return optim.min_lr + (optim.lr - optim.min_lr) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def save_progress(objective: Objective, progress: Progress, file: str | Path) -> None:
    """Write what a resumed run needs beside the model: optimiser, step, momentum encoders and queue."""
    state = {name: value for name, value in objective.state_dict().items() if not name.startswith(MODEL)}
    torch.save({"optimizer": progress.optimizer.state_dict(), "step": progress.step, "objective": state}, file)


def load_progress(objective: Objective, progress: Progress, file: str | Path) -> None:
    """Continue from what save_progress() wrote; the model has its weights already."""
    saved = torch.load(file, weights_only=True, map_location="cpu")
    progress.optimizer.load_state_dict(saved["optimizer"])
    progress.step = saved["step"]
    missing, unknown = objective.load_state_dict(saved["objective"], strict=False)
    if wrong := [name for name in missing if not name.startswith(MODEL)] + unknown:
        raise ValueError(f"{file} is of another objective: {', '.join(wrong)}")


def set_up(train: TrainSettings, model: Towers, *, workers_here: int = 1) -> None:
    """This process and the model's layers as the settings ask; workers_here: those that share this machine."""
    freeze(model, train)
    # More threads than cores make a CPU worker many times slower, not faster.
    torch.set_num_threads(max(1, train.threads // workers_here))
    # Of the GPU alone: set for all devices, TF32 takes a CPU's small products through oneDNN, ten times slower.
    torch.backends.cuda.matmul.allow_tf32 = True
    if train.gradient_checkpointing:
        spare_memory(model)
    if train.compile:
        compile_layers(model)


def spare_memory(model: Towers) -> None:
    """Each layer of the encoders keeps its input alone, and is computed again for its gradient."""
    model.image_encoder.set_grad_checkpointing()
    for each in _berts(model):
        each.bert.activation_checkpointing_enable({"use_reentrant": False})


def compile_layers(model: Towers, *, backend: str = "inductor") -> None:
    """torch.compile of the encoders' layers, in place, so that the weights keep their names; texts differ in length."""
    for block in model.image_encoder.blocks:
        block.compile(backend=backend)
    for each in _berts(model):
        for layer in each.bert.encoder.layer:
            layer.compile(backend=backend, dynamic=True)


def _berts(model: Towers) -> list[TextBert]:
    return [each for each in model.modules() if isinstance(each, TextBert)]


def train_steps(
    objective: Objective | DistributedDataParallel,
    batches: Iterable[Batch],
    *,
    progress: Progress,
    plan: Plan,
    on_record: Callable[[Record], None],
    on_checkpoint: Callable[[Progress], None],
    is_stopped: Callable[[], bool] = lambda: False,
    is_leaving: Callable[[], bool] = lambda: False,
) -> None:
    """Train to plan.total_steps, or to the end of the batches; a last record is always made, a last checkpoint never.

    is_stopped: asked of the first worker at each reading; then a checkpoint is made at once, and training ends.
    is_leaving: asked of all workers at once; then a checkpoint is made at once, and training goes on.

    batches: those that follow progress.step, of this worker. Records: losses are means over all workers, samples are of
    all, the share of time spent waiting is this one's. Losses are read, and the first worker is asked, every some steps
    that take train.log_seconds together, a second at most: each reading waits for the device. Raises FloatingPointError
    on a loss that is not finite, before anything is saved after it. A step's randomness depends on seed and step alone,
    so a resumed run repeats the uninterrupted one.
    """
    device = next(objective.parameters()).device
    objective.train()
    window = _Window(began=time.monotonic())
    saved = asked = window.began
    watch, read_at, read, read_from = _Watch(), progress.step + 1, window.began, progress.step
    for batch in islice(batches, plan.total_steps - progress.step):
        window.waited += time.monotonic() - asked
        window.taken.append(take_step(objective, batch.to(device), progress=progress, plan=plan))
        window.steps += 1
        window.samples += len(batch) * workers()
        asked = time.monotonic()
        if progress.step < read_at:
            continue
        _count(window, watch, objective)
        asked = time.monotonic()
        pace = (asked - read) / (progress.step - read_from)  # seconds a step
        read, read_from = asked, progress.step
        if asked - window.began >= plan.train.log_seconds:
            on_record(_record(window, watch, objective, progress=progress, plan=plan))
            window = _Window(began=asked)
        by_steps = plan.train.checkpoint_steps is not None and progress.step % plan.train.checkpoint_steps == 0
        due = is_leaving() or by_steps or asked - saved >= 60 * plan.train.checkpoint_minutes
        every = max(1, int(min(plan.train.log_seconds, LOOKED) / max(pace, 1e-9)))
        due, stopped, every = _agreed(due, is_stopped(), every, device)
        read_at = _next_reading(progress.step, every, plan)
        if progress.step < plan.total_steps and (due or stopped):
            on_checkpoint(progress)
            asked = saved = read = time.monotonic()
        if stopped:
            break
    _count(window, watch, objective)
    if window.steps:
        on_record(_record(window, watch, objective, progress=progress, plan=plan))


def train_step(
    objective: Objective | DistributedDataParallel, batch: Batch, *, progress: Progress, plan: Plan
) -> dict[str, float]:
    """One step of the optimiser; the losses by name, `loss` their weighted sum."""
    return read_losses([take_step(objective, batch, progress=progress, plan=plan)], objective)[0]


def take_step(objective: Objective | DistributedDataParallel, batch: Batch, *, progress: Progress, plan: Plan) -> Taken:
    """One step of the optimiser, for which nobody waits."""
    step = progress.step
    torch.manual_seed((plan.seed * workers() + rank()) * 1_000_003 + step)
    batch = augment_batch(batch, seed=f"{plan.seed}:{step // plan.steps_per_epoch}", how=plan.train.augment)
    for group in progress.optimizer.param_groups:
        group["lr"] = learning_rate(step, plan) * group["times"]
    progress.optimizer.zero_grad(set_to_none=True)
    losses = _backward(objective, batch, step=step, plan=plan) | _inner(objective).watched
    if plan.optim.clip is not None:
        clip_grad_norm_(objective.parameters(), plan.optim.clip)
    progress.optimizer.step()
    progress.step += 1
    return Taken(step, losses, batch.pair_ids)


def read_losses(taken: Sequence[Taken], objective: Objective | DistributedDataParallel) -> list[dict[str, float]]:
    """The losses of steps by name, means over the workers, `loss` their weighted sum; the CPU waits for the GPU here.

    Raises FloatingPointError on the first that is not finite.
    """
    if not taken:
        return []
    table = torch.stack([torch.stack([*each.losses.values()]) for each in taken])  # (S, L)
    rows = []
    for each, row in zip(taken, mean_over_workers(table).tolist(), strict=True):
        values = dict(zip(each.losses, row, strict=True))
        weights = _inner(objective).weights
        values["loss"] = sum(weight * values[name] for name, weight in weights.items() if name in values)
        if not math.isfinite(values["loss"]):
            raise FloatingPointError(f"step {each.step}: losses {values}; pairs {', '.join(each.pair_ids)}")
        rows.append(values)
    return rows


def _backward(objective: Objective | DistributedDataParallel, batch: Batch, *, step: int, plan: Plan) -> Losses:
    """The losses by name, detached; the gradients of their weighted sum, means over the workers, are left behind."""
    inner = _inner(objective)
    casts = lower_precision(plan.train.precision, batch.images.device)
    losses: Losses
    if plan.train.accumulate > 1:
        losses = backward_in_parts(inner, batch, parts=plan.train.accumulate, step=step, casts=casts)
        average_gradients(inner)
        return losses
    with casts:
        losses = objective(batch, step)
    torch.stack([inner.weights[name] * loss for name, loss in losses.items()]).sum().backward()
    return {name: loss.detach() for name, loss in losses.items()}


def lower_precision(precision: str, device: torch.device) -> torch.autocast:
    """auto: on a CPU all stays in float32; on a GPU the matrices are bfloat16, which needs no loss scaling."""
    lower = precision == "bfloat16" or (precision == "auto" and device.type == "cuda")
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=lower)


def _inner(objective: Objective | DistributedDataParallel) -> Objective:
    return objective.module if isinstance(objective, DistributedDataParallel) else objective


def _agreed(due: bool, stopped: bool, every: int, device: torch.device) -> tuple[bool, bool, int]:
    """What the first worker thinks: a checkpoint takes all of them, and their clocks differ."""
    if workers() == 1:
        return due, stopped, every
    answer = torch.tensor([due, stopped, every], device=device)
    dist.broadcast(answer, src=0)
    due_now, stopped_now, steps = answer.tolist()
    return bool(due_now), bool(stopped_now), steps


def _next_reading(step: int, every: int, plan: Plan) -> int:
    """The step after which losses are read again: some steps on, and not beyond a checkpoint's."""
    fixed = plan.train.checkpoint_steps
    return min(step + every, plan.total_steps, plan.total_steps if fixed is None else (step // fixed + 1) * fixed)


def _count(window: _Window, watch: _Watch, objective: Objective | DistributedDataParallel) -> None:
    for losses in read_losses(window.taken, objective):
        watch.see(losses.get("itm", 0.0))
        for name, value in losses.items():
            window.losses[name] = window.losses.get(name, 0.0) + value
    window.taken.clear()


def _record(window: _Window, watch: _Watch, objective: nn.Module, *, progress: Progress, plan: Plan) -> Record:
    seconds = max(time.monotonic() - window.began, 1e-9)
    temperature = next((p for name, p in objective.named_parameters() if name.endswith("log_temperature")), None)
    return {
        "step": progress.step,
        **{name: total / window.steps for name, total in window.losses.items()},
        "lr": learning_rate(progress.step - 1, plan),
        **({} if temperature is None else {"temperature": temperature.exp().item()}),
        "samples_per_s": window.samples / seconds,
        "wait_share": window.waited / seconds,
        **({"itm_stuck": float(watch.stuck)} if "itm" in window.losses else {}),
    }
