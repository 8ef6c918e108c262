"""`python -m bench.cluster OUT.json [--only NAME] [--quick]`: what Ray costs beside plain processes, and what grows.

The sides of a comparison take turns in one run, on a wall clock: the machine has to be quiet. Exits 1 where a goal is
missed. Every process that is started here imports this module again, so what it does not need is imported inside.
"""

import argparse
import multiprocessing as mp
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from bench.growth import growth_numbers, memory_numbers, quiet
from bench.numbers import Numbers, measure
from bench.turns import in_turns, ratio_of_medians
from core.cluster import connect, disconnect, local_environment
from core.config import load
from core.places import Place
from core.records import Pair, SeparatedFigure
from core.runs import Table, digest
from core.settings import Config

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
ARTICLES, PARTS, TURNS = 480, 32, 2  # drawn, some 1,300 figures; of their table; turns of each side
STARTS = 3  # fresh processes


@dataclass(frozen=True)
class Goal:
    """The least or the most that a number may be."""

    number: str
    words: str
    least: float = 0.0
    most: float = float("inf")

    def missed(self, value: float) -> list[str]:
        """Nothing, or what was missed, in words."""
        if self.least <= value <= self.most:
            return []
        limit = f"at least {self.least:g}" if value < self.least else f"at most {self.most:g}"
        return [f"{value:.2f} {self.words}; {limit}"]


GOALS = (
    Goal("times_pool", "times the figures per second of multiprocessing.Pool", least=0.9),
    Goal("differing_parts", "parts are not what multiprocessing.Pool makes", most=0),
    Goal("start_seconds", "seconds from a command to Ray's first result", most=15),
    Goal("times_plain_step", "times the images per second of the plain loop", least=0.9),
    Goal("times_trials", "times the trials per second of one after another", least=0.85),
    Goal("times_memory", "times the memory for ten times the corpus", most=1.2),
)


def main() -> None:
    """Time everything, write the numbers, say which goals were missed."""
    asked = _arguments()
    local_environment()  # before anything imports Ray
    os.environ["OMP_NUM_THREADS"] = "1"  # of every process that is started here
    known = QUICK if asked.quick else ALL
    parts = [part for name, part in known.items() if asked.only in (None, name)]
    try:
        measure(parts, asked.out, (lambda _: []) if asked.quick else missed)
    finally:
        disconnect()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster")
    parser.add_argument("out", type=Path, nargs="?", default=Path("runs/bench-cluster.json"))
    parser.add_argument("--only", choices=list(ALL))
    parser.add_argument("--quick", action="store_true", help="so little that the numbers say nothing")
    return parser.parse_args()


def missed(told: Numbers) -> list[str]:
    """The goals that a run missed, in words; what it did not measure it did not miss."""
    return [words for goal in GOALS if goal.number in told for words in goal.missed(told[goal.number])]


def line_numbers(*, articles: int = ARTICLES, turns: int = TURNS) -> Numbers:
    """Figures to pairs by two readers of Ray, and by two processes that call the same functions on the same parts.

    Ray runs already; what counts on both sides is all from there on: two workers started, their weights loaded once.
    """
    from phantom.pmc.corpus import write_corpus
    from pipelines import build

    connect(Config())
    with tempfile.TemporaryDirectory(prefix="figray-bench-") as folder:
        write_corpus(Path(folder), articles=articles, seed=0)
        changes = [f"source.origin=bucket:{folder}/bucket", f"tables.parts={PARTS}"]
        config = load("demo", [*changes, f"tables.readers=[{WORKERS},{WORKERS}]"])
        figures = build.collect(config, Place.at(folder), quiet)

        def rate(make: Callable[[Config, Table, Place], None], side: str, turn: int) -> float:
            begun = perf_counter()
            make(config, figures, Place.at(f"{folder}/{side}{turn}"))
            return figures.rows / (perf_counter() - begun)

        sides = {"ray": partial(rate, by_ray, "ray"), "pool": partial(rate, by_pool, "pool")}
        rates = in_turns(sides, turns)
        differing = differing_parts(Place.at(f"{folder}/ray0"), Place.at(f"{folder}/pool0"))
        return {
            "line_figures": figures.rows,
            "ray_figures_per_second": median(rates["ray"]),
            "pool_figures_per_second": median(rates["pool"]),
            "times_pool": ratio_of_medians(rates["ray"], rates["pool"]),
            "differing_parts": differing,
        }


def by_ray(config: Config, figures: Table, out: Place) -> None:
    """Figures to pairs by the stations."""
    from pipelines import build

    build.pair(config, build.separate(config, figures, out, quiet), out / "pairs", quiet)


def by_pool(config: Config, figures: Table, out: Place) -> None:
    """The same by multiprocessing.Pool."""
    from pipelines import build
    from pipelines.copies.duplicates import duplicates_of, kept_duplicates

    separated, pairs = Table(out / "separated", SeparatedFigure), Table(out / "pairs", Pair)
    with mp.get_context("spawn").Pool(WORKERS, _load, (config, figures, separated)) as pool:
        list(pool.imap_unordered(_separate, rows_of(figures)))
        kept_duplicates(separated, asked=build.asked_of(config))
        duplicates = partial(duplicates_of, separated)
        make = partial(build.pair_part, config=config, separated=separated, table=pairs, duplicates=duplicates)
        list(pool.imap_unordered(make, rows_of(separated)))


def rows_of(before: Table) -> list[dict[str, Any]]:
    """The parts of a table as the stations' functions take them."""
    from pipelines import build

    return [vars(build.Work(part.part, digest([file.sha256 for file in part.files]), [])) for part in before.parts()]


_station: Any  # of a process of the pool


def _load(config: Config, figures: Table, separated: Table) -> None:
    from pipelines import build

    global _station
    _station = build.SeparatePart(config, figures, separated)


def _separate(row: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = _station(row)
    return made


def differing_parts(one: Place, other: Place) -> int:
    """Parts whose files are not equal, byte for byte, in two places that were made from the same figures."""
    count = 0
    for name, record in (("separated", SeparatedFigure), ("pairs", Pair)):
        parts = zip(Table(one / name, record).parts(), Table(other / name, record).parts(), strict=True)
        count += sum(first.files != second.files for first, second in parts)
    return count


def start_numbers(*, starts: int = STARTS) -> Numbers:
    """Seconds from the start of a fresh process to Ray, and to the first figure that a reader of its separated."""
    from bench.drawn_tables import noise_png

    with tempfile.TemporaryDirectory(prefix="figray-bench-") as folder:
        (Path(folder) / "figure.png").write_bytes(noise_png(seed=0))
        found = [seconds_to_lines(["-m", "bench.first_result", folder]) for _ in range(starts)]
    connected, first = zip(*found, strict=True)
    return {"connect_seconds": median(connected), "start_seconds": median(first), "start_seconds_longest": max(first)}


def seconds_to_lines(program: Sequence[str]) -> list[float]:
    """Seconds until each line that a Python program prints, from the moment that its process is started."""
    begun = perf_counter()
    command = [sys.executable, *program]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        seconds = [perf_counter() - begun for _ in process.stdout]
    if process.returncode:
        raise RuntimeError(f"{shlex.join(program)} ended with {process.returncode}")
    return seconds


def step_numbers(**sizes: int) -> Numbers:
    """bench.ray_training's, imported where it is run."""
    from bench import ray_training

    return ray_training.step_numbers(**sizes)


def sweep_numbers(**sizes: int) -> Numbers:
    """bench.ray_training's, imported where it is run."""
    from bench import ray_training

    return ray_training.sweep_numbers(**sizes)


# What starts Ray elsewhere comes before it starts here, and what counts its memory before others have used it.
ALL: dict[str, Callable[[], Numbers]] = {
    "start": start_numbers,
    "memory": memory_numbers,
    "line": line_numbers,
    "step": step_numbers,
    "sweep": sweep_numbers,
    "growth": growth_numbers,
}
QUICK: dict[str, Callable[[], Numbers]] = {
    "start": partial(start_numbers, starts=1),
    "memory": partial(memory_numbers, figures=4, times=2),
    "line": partial(line_numbers, articles=6, turns=1),
    "step": partial(step_numbers, pairs=64, steps=20, turns=1),
    "sweep": partial(sweep_numbers, pairs=64, steps=2, trials=2),
    "growth": partial(growth_numbers, articles=(2, 3), whole={"manifests": (1000, 2000), "alike copies": (10, 20)}),
}

if __name__ == "__main__":
    main()
