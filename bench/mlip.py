"""`python -m bench.mlip OUT.json`: what masking saves an MLIP, what its step is made of, what its transport costs.

All on one thread and in CPU time, so that other load on the machine weighs little; what is compared takes turns. Exits
1 where a goal is missed.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.nn.functional import normalize
from torch.nn.utils import clip_grad_norm_

from bench.drawn import REPORTS, draw_batch
from bench.numbers import Numbers, measure
from bench.training import cpu_seconds
from core.config import load
from core.settings import MlipSettings, ModelSettings, OptimSettings, TrainSettings
from trainers.batch import Batch, augment_batch
from trainers.loop import Plan, Progress, begin, train_step
from trainers.losses.transport import cosine_cost, ipot
from trainers.mlip import Mlip
from trainers.objectives.mlip import WATCHED_EVERY, MlipObjective

# The goals: of the unmasked image tower's time, at each ratio; how far a step is from the sum of its parts; the share
# of sentence-patch matching in a step, with encoders as published and in the small twin; padding among the text tokens.
MOST_TOWER = {"half": 0.55, "quarter": 0.30}
MOST_APART, MOST_SPM, MOST_SPM_SMALL, MOST_PADDING = 0.10, 0.01, 0.05, 0.15
RATIOS = {"all": 0.0, "half": 0.5, "quarter": 0.75}  # what is seen, by the share of patches that is hidden
PLAN = Plan(optim=OptimSettings(), train=TrainSettings(), steps_per_epoch=100, total_steps=1000)


def main() -> None:
    """Time everything, write the numbers, say which goals were missed."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/bench-mlip.json")
    torch.set_num_threads(1)
    # Eq. 8 as published: the small recipe lets a report be told from four others, at five times the cost.
    base, small = load("mlip-cxr"), load("mlip-phantom", ["mlip.spm_negatives=0"])
    parts = (
        transport_numbers,
        partial(padding_numbers, small.model),
        partial(tower_numbers, base.model, base.mlip, pairs=4),
        partial(step_numbers, small.model, small.mlip, pairs=small.train.batch_size, name="small"),
        partial(memory_numbers, small.model, small.mlip, pairs=small.train.batch_size, name="small"),
        partial(step_numbers, base.model, base.mlip, pairs=4, turns=2, name="base"),
        partial(memory_numbers, base.model, base.mlip, pairs=2, name="base"),
    )
    measure(parts, out, missed)


def missed(told: Numbers) -> list[str]:
    """The goals that a run missed, in words."""
    limits = [
        *((f"tower_{seen}", most, f"of the unmasked image tower, {seen} seen") for seen, most in MOST_TOWER.items()),
        ("spm_share_base", MOST_SPM, "of a step is sentence-patch matching, encoders as published"),
        ("spm_share_small", MOST_SPM_SMALL, "of a step is sentence-patch matching, small encoders"),
        ("padding_share", MOST_PADDING, "of the text tokens that are read are padding"),
    ]
    found = [f"{told[name]:.1%} {what}; at most {most:.0%}" for name, most, what in limits if not told[name] <= most]
    for size in ("small", "base"):
        if not abs(told[f"times_parts_{size}"] - 1) <= MOST_APART:
            found.append(f"the {size} step is {told[f'times_parts_{size}']:.2f} times its parts, of 1 ± {MOST_APART:g}")
    return found


def tower_numbers(model: ModelSettings, mlip: MlipSettings, *, pairs: int, turns: int = 3) -> Numbers:
    """What the image encoder costs, forward and backward, when it sees all patches, half or a quarter of them."""
    batch = draw_batch(pairs, model, lengths=REPORTS)
    objective = made(model, mlip.model_copy(update={"mip": 0.0}))
    kept = {}
    for seen, ratio in RATIOS.items():
        objective.settings = mlip.model_copy(update={"mask_ratio": ratio})
        kept[seen] = objective.kept(batch, 0)
    see(objective, batch, kept["quarter"])  # the first time costs more; it is not timed
    costs = [{seen: cpu_seconds(see, objective, batch, kept[seen]) for seen in RATIOS} for _ in range(turns)]
    ratios = {f"tower_{seen}": median(cost[seen] / cost["all"] for cost in costs) for seen in MOST_TOWER}
    return {"tower_cpu_seconds": median(cost["all"] for cost in costs), **ratios}


def see(objective: MlipObjective, batch: Batch, kept: Tensor) -> None:
    """The image encoder forward and backward."""
    states = objective.model.image_states(batch.images, kept)
    states.backward(torch.ones_like(states))


def step_numbers(model: ModelSettings, mlip: MlipSettings, *, pairs: int, name: str, turns: int = 3) -> Numbers:
    """What a step of the training loop costs, and what its parts do each alone."""
    objective = made(model, mlip)
    progress = begin(objective, PLAN)
    costs = []
    for turn in range(1 + turns):
        batch = draw_batch(pairs, model, lengths=REPORTS, seed=turn)
        progress.step += progress.step % WATCHED_EVERY == 0  # at such a step it also looks at wrong sentences
        parts = {part: cpu_seconds(call) for part, call in parts_of(objective, batch, progress).items()}
        costs.append(parts | {"step": cpu_seconds(whole_step, objective, batch, progress)})
    costs = costs[1:]  # the first time costs more
    sums = [sum(cost.values()) - cost["step"] for cost in costs]
    return {
        **{f"{part}_cpu_seconds_{name}": median(cost[part] for cost in costs) for part in costs[0]},
        f"times_parts_{name}": median(cost["step"] / total for cost, total in zip(costs, sums, strict=True)),
        f"spm_share_{name}": median(cost["spm"] / cost["step"] for cost in costs),
    }


def whole_step(objective: MlipObjective, batch: Batch, progress: Progress) -> None:
    """One step of the training loop."""
    train_step(objective, batch, progress=progress, plan=PLAN)


def parts_of(objective: MlipObjective, batch: Batch, progress: Progress) -> dict[str, Callable[[], Any]]:
    """The parts of a step, to be called in order: each goes forward, and back to what it was given."""
    model, step = objective.model, progress.step
    with torch.no_grad():
        states = objective.encode(batch, step)
    given = replace(
        states,
        image_states=states.image_states.detach().requires_grad_(),
        text_states=states.text_states.detach().requires_grad_(),
    )
    readable = (batch.sentence_of >= 0).any(dim=1).sum()
    every = torch.arange(len(batch))

    def draw() -> None:
        augment_batch(batch, seed="")
        objective.kept(batch, step)

    def read() -> None:
        text_states = model.text_encoder(batch.tokens, batch.mask)
        text_states.backward(torch.ones_like(text_states))

    def contrast() -> None:
        image, text = model.image_vectors(given.image_states), model.text_vectors(given.text_states, batch.mask)
        vectors = replace(given, image=normalize(image, dim=1), text=normalize(text, dim=1))
        both = [objective.contrast(batch, vectors, texts_ask=asks) for asks in (False, True)]
        (both[0] + both[1]).backward()

    def optimise() -> None:
        clip_grad_norm_(objective.parameters(), PLAN.optim.clip or float("inf"))
        progress.optimizer.step()

    progress.optimizer.zero_grad(set_to_none=True)
    return {
        "draw": draw,
        "image": partial(see, objective, batch, given.kept),
        "text": read,
        "contrast": contrast,
        "spm": lambda: objective.match(batch, given, every, readable).backward(),
        "mip": lambda: objective.reconstruct(batch, given, every).backward(),
        "optimiser": optimise,
    }


def memory_numbers(model: ModelSettings, mlip: MlipSettings, *, pairs: int, name: str) -> Numbers:
    """Bytes that a step keeps of each pair for its backward pass, with the mask and without."""
    batch = draw_batch(pairs, model, lengths=REPORTS)
    objective = made(model, mlip)
    told = {}
    for masked, ratio in (("masked", mlip.mask_ratio), ("unmasked", 0.0)):
        objective.settings = mlip.model_copy(update={"mask_ratio": ratio})
        told[f"bytes_per_pair_{masked}_{name}"] = kept_bytes(objective, batch) / pairs
    return told


def kept_bytes(objective: MlipObjective, batch: Batch) -> float:
    """Of all that the graph of one step's losses holds, parameters aside."""
    own = {each.untyped_storage().data_ptr() for each in (*objective.parameters(), *objective.buffers())}
    held: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            held[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        losses = objective(batch, 1)  # held while it is counted: nothing else takes a storage's place
    assert losses
    return float(sum(held.values()))


def padding_numbers(model: ModelSettings, *, pairs: int = 64, batches: int = 20) -> Numbers:
    """The share of padding among the tokens that the text encoder computes, in texts as long as real ones."""
    narrow = model.model_copy(update={"text_width": 8, "text_heads": 1, "text_depth": 1, "embedding": 8})
    encoder = made(narrow, MlipSettings(mip=0.0)).model.text_encoder
    read: list[tuple[int, int]] = []
    encoder.bert.register_forward_pre_hook(
        lambda _, __, given: read.append((given["input_ids"].numel(), int(given["attention_mask"].sum()))),
        with_kwargs=True,
    )
    with torch.no_grad():
        for seed in range(batches):
            batch = draw_batch(pairs, model, lengths=REPORTS, seed=seed)
            encoder(batch.tokens, batch.mask)
    tokens, words = (sum(counts) for counts in zip(*read, strict=True))
    return {"padding_share": 1 - words / tokens}


def transport_numbers(pairs: int = 256, *, turns: int = 3) -> Numbers:
    """IPOT of a published batch, here and as it was published, where denormal numbers are kept and where not."""
    cost = related_costs(pairs)
    present = torch.ones(pairs, cost.shape[2], dtype=torch.bool)
    sides = {
        "ipot": partial(ipot, cost, present, beta=0.5, steps=50),
        "published_ipot": partial(published_ipot, cost, beta=0.5, steps=50),
    }
    costs: dict[str, list[float]] = {}
    for _ in range(1 + turns):
        for flushed in (False, True):
            torch.set_flush_denormal(flushed)
            for side, call in sides.items():
                costs.setdefault(f"{side}{'_flushed' * flushed}_cpu_seconds", []).append(cpu_seconds(call))
    torch.set_flush_denormal(False)
    return {name: median(seconds[1:]) for name, seconds in costs.items()}


def related_costs(pairs: int, *, patches: int = 98, sentences: int = 8, width: int = 64) -> Tensor:
    """(N, L, S), where each patch lies near one sentence."""
    generator = torch.Generator().manual_seed(0)
    meanings = torch.randn(pairs, sentences, width, generator=generator)
    noise = torch.randn(pairs, patches, width, generator=generator)
    return cosine_cost(meanings[:, torch.arange(patches) % sentences] + noise, meanings)


def published_ipot(cost: Tensor, *, beta: float, steps: int) -> Tensor:
    """UNITER's iteration (model/ot.py), for pairs with all sentences."""
    patches, sentences = cost.shape[1:]
    kernel = torch.exp(-cost / beta).transpose(1, 2).contiguous()
    plan = torch.ones_like(kernel)
    sigma = torch.full((len(cost), sentences, 1), 1 / sentences)
    for _ in range(steps):
        kept = kernel * plan  # (N, S, L)
        delta = 1 / (patches * (kept * sigma).sum(dim=1, keepdim=True))
        sigma = 1 / (sentences * (kept * delta).sum(dim=2, keepdim=True))
        plan = delta * kept * sigma
    return plan.transpose(1, 2)


def made(model: ModelSettings, mlip: MlipSettings) -> MlipObjective:
    """An objective from scratch, training."""
    torch.manual_seed(0)
    objective = MlipObjective(Mlip(model, mlip), mlip)
    objective.train()
    return objective


if __name__ == "__main__":
    main()
