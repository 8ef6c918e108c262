"""`python -m bench.gpu_step OUT.json`: what a step of `blip-brain`'s model costs on a GPU, without Ray.

ViT-B/16 and BERT-base with momentum encoders and a queue, on drawn pairs with real lengths of text, in several variants
beside the published arrangement; where the time goes, and where the CPU waits for the GPU. `--tiny`: a model that a
CPU can step, to try the script.
"""

import argparse
import gc
import json
import subprocess
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from bench.drawn import CAPTIONS, PANELS, draw_batch
from bench.numbers import say
from bench.reference_blip import ReferenceBlip
from bench.step import Step
from core.settings import ModelSettings, ObjectiveSettings
from trainers.batch import Batch
from trainers.blip import Blip
from trainers.loop import compile_layers, spare_memory
from trainers.losses.masked import Masking
from trainers.objectives.blip import BlipObjective

TINY = ModelSettings(
    image_size=32, patch=16, image_width=32, image_depth=2, image_heads=2,
    text_width=32, text_depth=2, text_heads=2, max_tokens=40, embedding=16, vocabulary=100,
)  # fmt: skip
QUEUE = 9_600  # keys: about a quarter of MedVL's pairs
WARM_UP, LEAST_STEPS, LEAST_SECONDS, BATCHES = 5, 8, 4.0, 8
TOP = 12  # kernels and places told
Numbers = dict[str, Any]


@dataclass(frozen=True)
class Variant:
    """One way to run the step."""

    name: str
    pairs: int = 64
    bfloat16: bool = True
    matmul: str = "high"  # of float32; torch.set_float32_matmul_precision
    text: str = "mlm"
    lengths: tuple[int, ...] = PANELS
    checkpointing: bool = False
    compiled: bool = False
    reference: bool = False
    inputs_on_gpu: bool = False  # before the step, so that no copy is timed


BASE = Variant("bf16")
VARIANTS = (
    BASE,
    replace(BASE, name="bf16, inputs on the GPU", inputs_on_gpu=True),
    replace(BASE, name="bf16, whole captions", lengths=CAPTIONS),
    replace(BASE, name="bf16, LM", text="lm"),
    replace(BASE, name="TF32", bfloat16=False),
    replace(BASE, name="float32", bfloat16=False, matmul="highest"),
    replace(BASE, name="bf16, checkpointing", checkpointing=True),
    replace(BASE, name="bf16, batch 16", pairs=16),
    replace(BASE, name="bf16, batch 128", pairs=128),
    replace(BASE, name="bf16, batch 256", pairs=256),
    replace(BASE, name="reference bf16, batch 16", pairs=16, reference=True),
    replace(BASE, name="reference bf16", reference=True),
    replace(BASE, name="reference float32, batch 16", pairs=16, reference=True, bfloat16=False, matmul="highest"),
    replace(BASE, name="bf16, compiled", compiled=True),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Time the variants, tell of them in a table, and write all numbers to OUT.json."""
    parser = argparse.ArgumentParser(prog="bench.gpu_step", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tiny", action="store_true", help="a small model on the CPU")
    parser.add_argument("--only", default="", help="variants whose name holds this; otherwise all but the compiled one")
    parser.add_argument("--seconds", type=float, default=210.0, help="no variant begins after these")
    chosen = parser.parse_args(arguments)
    device = torch.device("cpu" if chosen.tiny else "cuda")
    model = TINY if chosen.tiny else ModelSettings()
    told: Numbers = {"device": device_name(device), "torch": torch.__version__, "queue": QUEUE, "variants": {}}
    begun = perf_counter()
    for variant in VARIANTS:
        wanted = chosen.only in variant.name if chosen.only else not variant.compiled
        if not wanted or perf_counter() - begun > chosen.seconds:
            continue
        told["variants"][variant.name] = measured(variant, model, device)
        say(f"{perf_counter() - begun:5.0f} s  {variant.name}: {told['variants'][variant.name]}")
        chosen.out.write_text(json.dumps(told, indent=1))  # each time: what comes next may be cut off
    if not chosen.only:
        told |= looked_into(BASE, model, device)
        chosen.out.write_text(json.dumps(told, indent=1))
    for line in table(told):
        say(line)


def measured(variant: Variant, model: ModelSettings, device: torch.device) -> Numbers:
    """Samples per second, memory and utilisation of a variant; `error` where it does not run."""
    try:
        step = built(variant, model, device)
        batches = drawn(variant, model, device)
        for number in range(WARM_UP):
            step(batches[number], number)
        return timed(step, batches, device) | {"pairs": variant.pairs}
    except torch.OutOfMemoryError:
        return {"error": "out of memory", "pairs": variant.pairs}
    finally:
        cleared(device)


def built(variant: Variant, model: ModelSettings, device: torch.device) -> Step:
    """The step of a variant, with random weights."""
    torch.manual_seed(0)
    torch.set_float32_matmul_precision(variant.matmul)
    settings = ObjectiveSettings.model_validate({"text_objective": variant.text})
    masking = Masking(
        probability=settings.mlm_probability, mask_id=4, special_ids=range(5), vocabulary=model.vocabulary
    )
    with device:
        blip = Blip(model, settings)
        objective = BlipObjective(blip, settings, masking=masking, queue=QUEUE, epoch=100)
    if variant.checkpointing:
        spare_memory(blip)
    if variant.compiled:
        compile_layers(blip)
    return Step(ReferenceBlip(objective) if variant.reference else objective, bfloat16=variant.bfloat16)


def drawn(variant: Variant, model: ModelSettings, device: torch.device) -> list[Batch]:
    """Batches of different lengths, on the GPU already if the variant wants them there."""
    batches = [draw_batch(variant.pairs, model, lengths=variant.lengths, seed=seed) for seed in range(BATCHES)]
    return [batch.to(device) for batch in batches] if variant.inputs_on_gpu else batches


def timed(step: Step, batches: Sequence[Batch], device: torch.device) -> Numbers:
    """So many steps one after the other, with no pause between them."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    steps = max(LEAST_STEPS, int(LEAST_SECONDS / seconds(step, batches[:1], device))) if device.type == "cuda" else 2
    with utilisation(device) as used:
        took = seconds(step, [batches[number % len(batches)] for number in range(steps)], device)
    return {
        "samples_per_second": round(len(batches[0]) * steps / took, 1),
        "step_ms": round(1000 * took / steps, 1),
        "steps": steps,
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2) if device.type == "cuda" else None,
        "utilisation": round(sum(used) / len(used), 1) if used else None,
    }


def seconds(step: Step, batches: Sequence[Batch], device: torch.device) -> float:
    """Of a step with each batch."""
    wait(device)
    begun = perf_counter()
    for number, batch in enumerate(batches):
        step(batch, WARM_UP + number)
    wait(device)
    return perf_counter() - begun


@contextmanager
def utilisation(device: torch.device) -> Iterator[list[float]]:
    """Percent of the time in which a kernel ran, as nvidia-smi tells it five times a second; filled at the end."""
    used: list[float] = []
    if device.type != "cuda":
        yield used
        return
    query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "200"]
    with subprocess.Popen(query, stdout=subprocess.PIPE, text=True) as process:
        yield used
        process.terminate()
        lines = process.communicate()[0].split()
    used += [float(line) for line in lines[5:] if line.isdigit()]  # the first look back at the time before


def looked_into(variant: Variant, model: ModelSettings, device: torch.device) -> Numbers:
    """Where a step's time goes, how often the CPU waits for the GPU, and how much arithmetic a step is."""
    step, batches = built(variant, model, device), drawn(variant, model, device)
    for number in range(WARM_UP):
        step(batches[number], number)
    wait(device)
    last = batches[WARM_UP]
    found = {"flop": flop(step, last), "waits": waits(step, last, device), "profile": profiled(step, last, device)}
    cleared(device)
    return found


def flop(step: Step, batch: Batch) -> float:
    """Floating-point operations of a step, two to a multiplication and addition."""
    with FlopCounterMode(display=False) as counter:
        step(batch, WARM_UP)
    return float(counter.get_total_flops())


def waits(step: Step, batch: Batch, device: torch.device) -> dict[str, int]:
    """Where in a step the CPU waits for the GPU, as file:line, and how often."""
    if device.type != "cuda":
        return {}
    torch.cuda.set_sync_debug_mode("warn")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        step(batch, WARM_UP)
    torch.cuda.set_sync_debug_mode("default")
    told = [warning for warning in caught if "synchroniz" in str(warning.message)]
    return dict(Counter(f"{Path(each.filename).name}:{each.lineno}" for each in told).most_common(TOP))


def profiled(step: Step, batch: Batch, device: torch.device) -> Numbers:
    """Milliseconds of a step's busiest operators and kernels, and of all kernels beside the step's own time."""
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (device.type == "cuda")
    with profile(activities=activities) as told:
        begun = perf_counter()
        step(batch, WARM_UP)
        wait(device)
        wall = perf_counter() - begun
    rows = told.key_averages()
    on_gpu = device.type == "cuda"
    cost: Callable[[Any], float] = lambda row: row.self_device_time_total if on_gpu else row.self_cpu_time_total  # noqa: E731
    operators = [row for row in rows if row.key.startswith(("aten::", "autograd::"))]
    kernels = [row for row in rows if on_gpu and row.device_type == torch.autograd.DeviceType.CUDA]
    return {
        "step_ms_while_profiled": round(1000 * wall, 1),
        "kernels_ms": round(sum(map(cost, kernels)) / 1000, 1),
        "launches": sum(row.count for row in rows if "LaunchKernel" in row.key),
        "operators": busiest(operators, cost),
        "kernels": busiest(kernels, cost),
    }


def busiest(rows: Sequence[Any], cost: Callable[[Any], float]) -> dict[str, str]:
    """The costliest rows of a profile: milliseconds and calls."""
    first = sorted(rows, key=cost, reverse=True)[:TOP]
    return {row.key[:90]: f"{cost(row) / 1000:.2f} ms in {row.count}" for row in first}


def table(told: Numbers) -> Iterator[str]:
    """The short table at the end."""
    yield f"\n{told['device']}, torch {told['torch']}"
    for name in ("waits", "profile"):
        yield f"{name}: {json.dumps(told.get(name), indent=1)}"
    base = told["variants"].get(BASE.name)
    if base and "flop" in told:
        rate = told["flop"] / base["pairs"] * base["samples_per_second"] / 1e12
        yield f"{told['flop'] / base['pairs'] / 1e9:.0f} GFLOP a sample, {rate:.1f} TFLOP/s"
    yield f"{'':30}{'pairs':>6}{'pairs/s':>10}{'step ms':>10}{'GiB':>8}{'busy %':>8}"
    for name, row in told["variants"].items():
        cells = [row.get(key, row.get("error", "")) for key in ("samples_per_second", "step_ms", "peak_gib")]
        yield f"{name:30}{row['pairs']:>6}{cells[0]!s:>10}{cells[1]!s:>10}{cells[2]!s:>8}{row.get('utilisation')!s:>8}"


def device_name(device: torch.device) -> str:
    """What the device is called."""
    return torch.cuda.get_device_name() if device.type == "cuda" else "CPU"


def wait(device: torch.device) -> None:
    """Until the device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def cleared(device: torch.device) -> None:
    """Give back what a variant held."""
    gc.collect()
    torch.compiler.reset()
    if device.type == "cuda":
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
