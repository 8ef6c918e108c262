"""A training step under Ray Train beside the plain loop, and a sweep beside its trials one after another."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import cycle, pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import pyarrow as pa
import torch
from pyarrow.parquet import read_table, write_table

from bench.numbers import Numbers
from bench.training import draw_rows
from bench.turns import in_turns, ratio_of_medians
from core.cluster import connect
from core.config import load
from core.settings import Config
from trainers.batch import Batch, Collate, prepare
from trainers.checkpoint import load_model
from trainers.inline import fit_inline
from trainers.job import make_job, write_start
from trainers.loop import begin, train_steps
from trainers.training_set import read_training_set
from trainers.validation import mean_recall
from tuning.spaces import read_space

PAIRS, HELD_OUT = 480, 64  # drawn
STEPS, WARM, TURNS = 60, 10, 2  # of a training; of them not timed; of each side
TRIALS = 3


def step_numbers(*, pairs: int = PAIRS, steps: int = STEPS, turns: int = TURNS) -> Numbers:
    """Images per second of the demo's training on one thread, under Ray Train and by the loop alone.

    The loop has its batches ready in memory; Ray Train makes them on the way, from images that it decoded before.
    """
    config = demo(steps)
    connect(config)
    with tempfile.TemporaryDirectory(prefix="figray-bench-") as folder:
        file, _ = drawn(Path(folder), pairs)
        sides = {
            "ray": lambda turn: speed(fitted(config, file, f"{folder}/fit{turn}"), config.train.batch_size),
            "plain": lambda turn: speed(looped(config, file, f"{folder}/loop{turn}"), config.train.batch_size),
        }
        rates = in_turns(sides, turns)
    return {
        "ray_train_images_per_second": median(rates["ray"]),
        "plain_images_per_second": median(rates["plain"]),
        "times_plain_step": ratio_of_medians(rates["ray"], rates["plain"]),
    }


def sweep_numbers(*, pairs: int = PAIRS, steps: int = STEPS, trials: int = TRIALS) -> Numbers:
    """Seconds of a trial in a sweep of one trial at once, of two, and in a plain loop over the same trials.

    Every trial is the loop in its own process, validated once. Ray runs already; all that a sweep starts counts.
    """
    from tuning.sweep import Sweep, run_sweep

    config = demo(steps, f"sweep.trials={trials}", "sweep.scheduler=none", "sweep.validations=1")
    connect(config)
    torch.set_num_threads(1)
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="figray-bench-") as folder:
        train, held_out = drawn(Path(folder), pairs)
        worth = partial(recall, held_out=held_out)
        for at_once in (1, 2):
            sweep = Sweep(
                folder=f"{folder}/{at_once}",
                config=config,
                space=read_space("masking", config),
                train_files=(train,),
                validate=worth,
                at_once=at_once,
            )
            begun = perf_counter()
            rows = run_sweep(sweep, on_step=lambda trial, step, steps: None)
            seconds[f"sweep_seconds_{at_once}_at_once"] = perf_counter() - begun
            if at_once == 1:  # the plain loop between the two
                configs = [sweep.config_of(row["settings"]) for row in rows]
                seconds["plain_trials_seconds"] = one_after_another(configs, train, worth)
    plain, one, two = seconds["plain_trials_seconds"], *(seconds[f"sweep_seconds_{n}_at_once"] for n in (1, 2))
    return {"trials": trials, **seconds, "times_trials": plain / one, "times_trials_two_at_once": plain / two}


def demo(steps: int, *changes: str) -> Config:
    """The demo's model and settings of training; nothing is written on the way but what is timed."""
    quiet = ("train.log_seconds=0.5", "train.checkpoint_minutes=60", "train.trackers=[]")
    return load("demo", [f"optim.steps={steps}", *quiet, *changes])


def drawn(folder: Path, pairs: int) -> tuple[str, str]:
    """A file of pairs to train on, and one of pairs of other articles."""
    rows = list(draw_rows(pairs + HELD_OUT))
    files = str(folder / "train.parquet"), str(folder / "held_out.parquet")
    for file, part in zip(files, (rows[:pairs], rows[pairs:]), strict=True):
        write_table(pa.Table.from_pylist(part), file)
    return files


def recall(checkpoint: str, *, held_out: str) -> Numbers:
    """What a checkpoint is worth."""
    return {"mean_recall": mean_recall(checkpoint, [held_out], batch_size=64)}


def one_after_another(configs: Sequence[Config], train: str, worth: Callable[[str], Numbers]) -> float:
    """Seconds of trials in a plain loop, each validated where it makes a checkpoint."""

    def on_checkpoint(folder: str, step: int) -> None:
        worth(folder)

    begun = perf_counter()
    for config in configs:
        fit_inline(config, train_files=[train], on_checkpoint=on_checkpoint)
    return perf_counter() - begun


def fitted(config: Config, file: str, out: str) -> list[Numbers]:
    """The records of a training under Ray Train."""
    from trainers.fit import fit

    result = fit(config, train_files=[file], out=out)
    return [json.loads(line) for line in Path(result.metrics).read_text().splitlines()]


def looped(config: Config, file: str, out: str) -> list[Numbers]:
    """The records of the same training by the loop alone."""
    torch.set_num_threads(1)
    training_set = read_training_set([file], fraction=1.0, seed=config.seed)
    job = make_job(config, training_set, out=out)
    write_start(config, training_set, job)
    model, tokenizer = load_model(job.start)
    objective = job.objective_of(model, tokenizer)
    collate = Collate(tokenizer, config.model.image_size, config.model.max_tokens)
    records: list[Numbers] = []
    train_steps(
        objective,
        cycle(batches_of(file, collate, config.train.batch_size)),
        progress=begin(objective, job.plan),
        plan=job.plan,
        on_record=records.append,
        on_checkpoint=lambda progress: None,
    )
    return records


def batches_of(file: str, collate: Collate, size: int) -> list[Batch]:
    """All whole batches of a file."""
    rows = [prepare(row, collate.image_size) for row in read_table(file).to_pylist()]
    return [collate(rows[start : start + size]) for start in range(0, len(rows) - size + 1, size)]


def speed(records: Sequence[Mapping[str, float]], batch_size: int) -> float:
    """Images per second between the first record after the warm-up and the last."""
    warm = [record for record in records if record["step"] >= WARM]
    images = [(now["step"] - before["step"]) * batch_size for before, now in pairwise(warm)]
    seconds = [count / now["samples_per_s"] for count, now in zip(images, warm[1:], strict=True)]
    return sum(images) / sum(seconds)
