"""`python -m bench.gpu_check OUT.json`: what a GPU makes of `blip-brain` and `mlip-cxr` at 224 px, in eight minutes.

Each recipe's own loop, from random weights, on drawn pairs: in bfloat16, compiled, and in float32; samples a second,
memory, share of the GPU's peak. Then whether bfloat16 has the losses of float32, whether one rank of NCCL has those of
none, and fit() with the real feed, the share of its time that it waits. `--tiny`: small models on the CPU, to try it.
"""

import argparse
import gc
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch
import torch.distributed as dist

from bench.drawn import PANELS, REPORTS, draw_batch
from bench.feed import fitted_from_copy
from bench.gpu_step import QUEUE, TINY, device_name, wait
from bench.numbers import say
from bench.training import waited
from core.config import load, override
from core.settings import Config
from trainers.batch import Batch, train_tokenizer
from trainers.blip import Blip
from trainers.flops import step_flops
from trainers.job import OBJECTIVES, Job
from trainers.loop import Plan, begin, set_up, train_step, train_steps
from trainers.mlip import Mlip
from trainers.objectives.objective import Objective

RECIPES = {"blip-brain": (64, PANELS), "mlip-cxr": (256, REPORTS)}  # pairs of a batch; lengths of their texts
VARIANTS: dict[str, dict[str, Any]] = {
    "bfloat16": {},
    "compiled": {"train.compile": True},
    "float32": {"train.precision": "float32"},
}
PEAK = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "T4": 65e12}  # dense, a second
WARM_UP, STEPS, BATCHES, FED = 5, 30, 4, 2048  # FED: pairs of the corpus of fit()
PIECES = 600  # of the tokenizer, whose special ones masking needs
CLOSE = 0.02  # of a loss, between bfloat16 and float32 (eight bits of fraction: 0.4 % a product)
SECONDS = 480.0  # nothing begins after them
Numbers = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write OUT.json after each part, print it; 1 where a check fails."""
    parser = argparse.ArgumentParser(prog="bench.gpu_check", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tiny", action="store_true", help="small models on the CPU")
    parser.add_argument("--no-fit", action="store_true", help="without Ray and the real feed")
    asked = parser.parse_args(arguments)
    if not asked.tiny and not torch.cuda.is_available():
        say("there is no GPU: --tiny tries the command on the CPU")
        return 1
    device = torch.device("cpu" if asked.tiny else "cuda")
    told: Numbers = {"device": device_name(device), "torch": torch.__version__}
    begun, parts = perf_counter(), {"same_losses": same_losses, "one_rank": one_rank}
    for recipe in RECIPES:
        for variant in VARIANTS:
            if perf_counter() - begun < SECONDS * 0.6:
                tell(told, f"{recipe}, {variant}", stepped(recipe, variant, device, tiny=asked.tiny), asked.out)
        for name, part in parts.items():
            tell(told, f"{recipe}, {name}", part(recipe, device, tiny=asked.tiny), asked.out)
    for recipe in () if asked.no_fit else RECIPES:
        if perf_counter() - begun < SECONDS * 0.8:
            tell(told, f"{recipe}, fit", fitted(recipe, tiny=asked.tiny), asked.out)
    told["seconds"] = round(perf_counter() - begun)
    asked.out.write_text(json.dumps(told, indent=1))
    failed = [name for name, found in told.items() if isinstance(found, dict) and found.get("holds") is False]
    for name in failed:
        say(f"does not hold: {name}")
    return int(bool(failed))


def tell(told: Numbers, name: str, found: Numbers, out: Path) -> None:
    """Keep and print what was found; each time, as what comes next may be cut off."""
    told[name] = found
    say(f"{name}: {json.dumps(found)}")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(told, indent=1))
    gc.collect()
    torch.compiler.reset()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def settings_of(recipe: str, changes: dict[str, Any], *, tiny: bool) -> Config:
    """A recipe from random weights, for so many pairs a batch; tiny: a model that a CPU can step."""
    config = load(recipe)
    own: dict[str, Any] = {"model.init": None, "model.image_init": None, "model.text_init": None}
    own |= {"train.batch_size": 4 if tiny else RECIPES[recipe][0], "train.feeders": 2 if tiny else config.train.feeders}
    if tiny:
        shape = ("image_size", "patch", "image_width", "image_depth", "image_heads", "text_width", "text_depth")
        own |= {f"model.{name}": getattr(TINY, name) for name in (*shape, "text_heads", "max_tokens")}
        own |= {"mlip.decoder_width": 16, "mlip.decoder_depth": 1, "mlip.decoder_heads": 2, "mlip.transport_steps": 3}
        own |= {"model.vocabulary": PIECES, "train.gpu": False, "objective.queue": 8, "train.cpus_per_worker": 0.5}
    return override(config, own | changes)


def built(recipe: str, config: Config, device: torch.device) -> tuple[Objective, Plan]:
    """What a recipe minimises, with random weights from one seed, as a worker holds it."""
    torch.manual_seed(0)
    made: Any = (
        Blip(config.model, config.objective) if config.objective.name == "blip" else Mlip(config.model, config.mlip)
    )
    plan = Plan(config.optim, config.train, 100, WARM_UP + STEPS, 0)
    tokenizer = train_tokenizer([f"w{number}" for number in range(1000)], size=PIECES)
    queue = QUEUE if config.objective.queue is None else config.objective.queue
    job = Job(objective=config.objective, mlip=config.mlip, plan=plan, queue=queue, pairs=0, name="", out="")
    objective = OBJECTIVES[config.objective.name](job, made, tokenizer).to(device)
    set_up(config.train, made)
    return objective, plan


def drawn(recipe: str, config: Config) -> list[Batch]:
    """Batches with real lengths of text."""
    lengths = RECIPES[recipe][1]
    return [draw_batch(config.train.batch_size, config.model, lengths=lengths, seed=seed) for seed in range(BATCHES)]


def stepped(recipe: str, variant: str, device: torch.device, *, tiny: bool) -> Numbers:
    """Samples a second of the loop on batches that are there, its memory, and the share of the GPU's peak."""
    config = settings_of(recipe, VARIANTS[variant], tiny=tiny)
    if tiny and variant == "compiled":
        return {"left_out": "a CPU compiles for minutes"}
    try:
        objective, plan = built(recipe, config, device)
        progress, given = begin(objective, plan), drawn(recipe, config)
        batches = cycle(given)
        loop = {"progress": progress, "on_record": lambda _: None, "on_checkpoint": lambda _: None}
        train_steps(objective, batches, plan=replace(plan, total_steps=WARM_UP), **loop)  # type: ignore[arg-type]
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        wait(device)
        begun = perf_counter()
        train_steps(objective, batches, plan=replace(plan, total_steps=WARM_UP + (2 if tiny else STEPS)), **loop)  # type: ignore[arg-type]
        wait(device)
    except torch.OutOfMemoryError:
        return {"error": "out of memory", "pairs": config.train.batch_size}
    steps = progress.step - WARM_UP
    rate = steps * config.train.batch_size / (perf_counter() - begun)
    return {
        "pairs": config.train.batch_size,
        "samples_per_second": round(rate, 1),
        "step_ms": round(1000 * config.train.batch_size / rate, 1),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2) if device.type == "cuda" else None,
        "share_of_peak": share_of_peak(rate * step_flops(config, words(given)), device),
    }


def words(batches: Sequence[Batch]) -> float:
    """Word pieces of a text on the mean."""
    return float(torch.cat([batch.mask.sum(dim=1) for batch in batches]).float().mean())


def share_of_peak(flops: float, device: torch.device) -> float | None:
    """Of the GPU's dense bfloat16 (by its datasheet); None of one that is not known."""
    name = device_name(device)
    peak = next((value for key, value in PEAK.items() if key in name), None)
    return round(flops / peak, 3) if peak else None


def losses_of(recipe: str, device: torch.device, changes: dict[str, Any], *, tiny: bool) -> dict[str, float]:
    """Of the first step."""
    config = settings_of(recipe, changes, tiny=tiny)
    objective, plan = built(recipe, config, device)
    progress = begin(objective.train(), plan)
    return train_step(objective, drawn(recipe, config)[0].to(device), progress=progress, plan=plan)


def same_losses(recipe: str, device: torch.device, *, tiny: bool) -> Numbers:
    """Whether a step in bfloat16 has the losses of one in float32."""
    changes = {"train.batch_size": 4 if tiny else 32, "model.dropout": 0.0}
    lower, full = (
        losses_of(recipe, device, {**changes, "train.precision": precision}, tiny=tiny)
        for precision in ("bfloat16", "float32")
    )
    apart = {name: abs(lower[name] - full[name]) / max(abs(full[name]), 1e-3) for name in full}
    return {"apart": {name: round(value, 5) for name, value in apart.items()}, "holds": max(apart.values()) < CLOSE}


def one_rank(recipe: str, device: torch.device, *, tiny: bool) -> Numbers:
    """Whether a step of one rank of NCCL has the losses of a step without; of gloo on a CPU."""
    changes = {"train.batch_size": 4 if tiny else 32}
    alone = losses_of(recipe, device, changes, tiny=tiny)
    backend = "nccl" if device.type == "cuda" else "gloo"
    with tempfile.TemporaryDirectory(prefix="figray-bench-") as folder:
        dist.init_process_group(backend, init_method=f"file://{folder}/rank", rank=0, world_size=1)
        try:
            ranked = losses_of(recipe, device, changes, tiny=tiny)
        finally:
            dist.destroy_process_group()
    apart = max(abs(alone[name] - ranked[name]) / max(abs(alone[name]), 1e-3) for name in alone)
    return {"backend": backend, "apart": apart, "holds": apart < CLOSE / 10}


def fitted(recipe: str, *, tiny: bool) -> Numbers:
    """fit() on one worker from tables, with feeders: samples a second, and the share of the time that it waits."""
    steps = 4 if tiny else 40
    changes = {"optim.steps": steps, "train.log_seconds": 0.1, "train.trackers": (), "train.checkpoint_minutes": 1e9}
    records = fitted_from_copy(settings_of(recipe, changes, tiny=tiny), 64 if tiny else FED)
    late = records[len(records) // 2 :]
    return {"samples_per_second": round(median(row["samples_per_s"] for row in late), 1), "waits": waited(records)}


if __name__ == "__main__":
    raise SystemExit(main())
